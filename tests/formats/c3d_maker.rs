//! A writer of C3D files that shares nothing with the reader.

use crate::c3d::in_millimetres;
use kinarray::Error;
use kinarray::io::{Format, Loaded, Markers, Source, load_markers};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Machine {
    Intel = 84,
    Dec = 85,
    Mips = 86,
}

/// A file in the making.
#[derive(Clone)]
pub struct Maker {
    machine: Machine,
    /// Of integers; negative for floats.
    scale: f32,
    pub header_points: u16,
    pub n_analog: u16,
    pub first: u16,
    pub last: u16,
    parameters: Vec<u8>,
    pub samples: Vec<u8>,
}

impl Maker {
    pub fn new(machine: Machine, scale: f32) -> Self {
        Self {
            machine,
            scale,
            header_points: 0,
            n_analog: 0,
            first: 1,
            last: 0,
            parameters: Vec::new(),
            samples: Vec::new(),
        }
        .group(1, "POINT")
    }

    fn word(&self, word: u16) -> [u8; 2] {
        match self.machine {
            Machine::Mips => word.to_be_bytes(),
            _ => word.to_le_bytes(),
        }
    }

    fn real(&self, x: f32) -> [u8; 4] {
        match self.machine {
            Machine::Intel => x.to_le_bytes(),
            Machine::Mips => x.to_be_bytes(),
            Machine::Dec => {
                // A VAX float has the bits of four times the number, in swapped words.
                let [a, b, c, d] = (x * 4.0).to_be_bytes();
                [b, a, d, c]
            }
        }
    }

    pub fn group(mut self, number: i8, name: &str) -> Self {
        self.parameters.push(name.len() as u8);
        self.parameters.push(-number as u8);
        self.parameters.extend(name.as_bytes());
        let step = self.word(2 + 1 + 4);
        self.parameters.extend(step);
        self.parameters.extend(b"\x04text");
        self
    }

    pub fn parameter(mut self, group: i8, name: &str, kind: i8, sizes: &[u8], data: &[u8]) -> Self {
        // Locked: a negative length.
        self.parameters.push(-(name.len() as i8) as u8);
        self.parameters.push(group as u8);
        self.parameters.extend(name.as_bytes());
        let step = 2 + 1 + 1 + sizes.len() + data.len() + 1;
        let step = self.word(step as u16);
        self.parameters.extend(step);
        self.parameters.extend([kind as u8, sizes.len() as u8]);
        self.parameters.extend(sizes);
        self.parameters.extend(data);
        self.parameters.push(0);
        self
    }

    pub fn words(self, group: i8, name: &str, words: &[u16]) -> Self {
        let data: Vec<u8> = words.iter().flat_map(|&one| self.word(one)).collect();
        let sizes = [words.len() as u8];
        let sizes = if words.len() == 1 { &[][..] } else { &sizes };
        self.parameter(group, name, 2, sizes, &data)
    }

    pub fn reals(self, name: &str, reals: &[f32]) -> Self {
        let data: Vec<u8> = reals.iter().flat_map(|&one| self.real(one)).collect();
        self.parameter(1, name, 4, &[reals.len() as u8], &data)
    }

    pub fn texts(self, name: &str, texts: &[&str]) -> Self {
        let width = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        let padded: String = texts.iter().map(|text| format!("{text:width$}")).collect();
        let sizes = [width as u8, texts.len() as u8];
        self.parameter(1, name, -1, &sizes, padded.as_bytes())
    }

    /// A frame of points as stored: integers where the scale says so.
    pub fn frame(mut self, points: &[[f32; 4]]) -> Self {
        for x in points.iter().flatten() {
            if self.scale > 0.0 {
                self.samples.extend(self.word(*x as i16 as u16));
            } else {
                self.samples.extend(self.real(*x));
            }
        }
        // Analog samples that are nothing like points.
        for _ in 0..self.n_analog {
            let analog = if self.scale > 0.0 {
                self.word(0x7fff).to_vec()
            } else {
                self.real(1e30).to_vec()
            };
            self.samples.extend(analog);
        }
        self.header_points = points.len() as u16;
        self.last += 1;
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let n_blocks = (4 + self.parameters.len() + 1).div_ceil(512);
        let mut bytes = vec![2, 0x50];
        for word in [self.header_points, self.n_analog, self.first, self.last, 10] {
            bytes.extend(self.word(word));
        }
        bytes.extend(self.real(self.scale));
        bytes.extend(self.word(2 + n_blocks as u16));
        bytes.extend(self.word(1));
        bytes.extend(self.real(50.0));
        bytes.resize(512, 0);
        bytes.extend([1, 0x50, n_blocks as u8, self.machine as u8]);
        bytes.extend(&self.parameters);
        bytes.resize(512 + 512 * n_blocks, 0);
        bytes.extend(&self.samples);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }

    pub fn load(&self) -> Loaded<Markers> {
        read(&self.bytes()).unwrap()
    }

    pub fn refused(&self) -> String {
        let error = read(&self.bytes()).unwrap_err();
        assert!(matches!(error, Error::Format { .. }), "{error:?}");
        error.to_string()
    }
}

/// The points in bytes, in millimetres.
pub fn read(bytes: &[u8]) -> Result<Loaded<Markers>, Error> {
    load_markers(
        &Source::from_bytes(bytes),
        Format::C3d,
        &in_millimetres(None),
    )
}
