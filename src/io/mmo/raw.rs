//! The bytes of a motion.

use std::borrow::Cow;

use crate::character::PARAMETERS_PER_JOINT;
use crate::error::{Error, Result};

/// What a file stores.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RawMotion<'a> {
    pub parameters: Vec<Cow<'a, str>>,
    pub joints: Vec<Cow<'a, str>>,
    pub n_frames: usize,
    /// `(n_joints, 7)`.
    pub offsets: Vec<f32>,
    /// `(n_frames, n_parameters)`.
    pub poses: Vec<f32>,
    /// How many bytes follow.
    pub trailing: usize,
}

/// The smallest number of bytes that a name takes.
const NAME: usize = size_of::<u64>();
const NUMBER: usize = size_of::<f32>();

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> RawMotion<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader { bytes, at: 0 };
        let n_parameters = reader.count("the number of parameters", NAME)?;
        let per_joint = NAME + PARAMETERS_PER_JOINT * NUMBER;
        let n_joints = reader.count("the number of joints", per_joint)?;
        // Frames without parameters take no bytes, so that any number of them would do.
        let n_frames = reader.count("the number of frames", NUMBER * n_parameters.max(1))?;
        let mut names = |count: usize, what: &str| -> Result<Vec<_>> {
            (0..count).map(|_| reader.name(what)).collect()
        };
        let parameters = names(n_parameters, "the name of a parameter")?;
        let joints = names(n_joints, "the name of a joint")?;
        let offsets = reader.numbers("offsets of joints", n_joints * PARAMETERS_PER_JOINT)?;
        let poses = reader.numbers(
            "parameters of frames",
            n_frames.saturating_mul(n_parameters),
        )?;
        Ok(Self {
            parameters,
            joints,
            n_frames: if n_parameters == 0 { 0 } else { n_frames },
            offsets,
            poses,
            trailing: bytes.len() - reader.at,
        })
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let size = |bytes: &mut Vec<u8>, size: usize| {
            bytes.extend((size as u64).to_le_bytes());
        };
        size(&mut bytes, self.parameters.len());
        size(&mut bytes, self.joints.len());
        size(&mut bytes, self.n_frames);
        for name in self.parameters.iter().chain(&self.joints) {
            size(&mut bytes, name.len());
            bytes.extend(name.as_bytes());
        }
        for number in self.offsets.iter().chain(&self.poses) {
            bytes.extend(number.to_le_bytes());
        }
        bytes
    }
}

impl<'a> Reader<'a> {
    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn take(&mut self, count: usize, what: &str) -> Result<&'a [u8]> {
        let end = self
            .at
            .checked_add(count)
            .filter(|&end| end <= self.bytes.len());
        let Some(end) = end else {
            let got = format!("the end of the file {} bytes on", self.left());
            let expected = format!("{what} ({count} bytes)");
            return Err(Error::format(format!("byte {}", self.at), expected, got));
        };
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn size(&mut self, what: &str) -> Result<u64> {
        let mut eight = [0; 8];
        eight.copy_from_slice(self.take(8, what)?);
        Ok(u64::from_le_bytes(eight))
    }

    /// How many things follow, each of at least `bytes_each`.
    fn count(&mut self, what: &str, bytes_each: usize) -> Result<usize> {
        let place = self.at;
        let count = self.size(what)?;
        let most = self.left() / bytes_each.max(1);
        usize::try_from(count)
            .ok()
            .filter(|&count| count <= most)
            .ok_or_else(|| {
                let expected = format!("{what}, which are at most {most} in a file of this length");
                Error::format(format!("byte {place}"), expected, count)
            })
    }

    fn name(&mut self, what: &str) -> Result<Cow<'a, str>> {
        let length = self.count(&format!("the length of {what}"), 1)?;
        let bytes = self.take(length, what)?;
        Ok(match std::str::from_utf8(bytes) {
            Ok(name) => Cow::Borrowed(name),
            Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
        })
    }

    fn numbers(&mut self, what: &str, count: usize) -> Result<Vec<f32>> {
        let start = self.at;
        let bytes = self.take(count.saturating_mul(NUMBER), what)?;
        let fours = bytes.as_chunks::<NUMBER>().0.iter().enumerate();
        fours
            .map(|(at, four)| {
                let number = f32::from_le_bytes(*four);
                match number.is_finite() {
                    true => Ok(number),
                    false => {
                        let place = format!("byte {}, {what}", start + NUMBER * at);
                        Err(Error::format(place, "a finite number", number))
                    }
                }
            })
            .collect()
    }
}
