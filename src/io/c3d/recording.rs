//! Where the samples are and how many: what header and parameters say together.

use super::header::{BLOCK, Header};
use super::numbers::Processor;
use super::parameters::Parameters;
use crate::error::{Error, Result};

/// The most that the header can count.
const MOST: usize = u16::MAX as usize;

/// How the samples lie in the file.
pub(super) struct Recording<'a> {
    pub processor: Processor,
    pub n_points: usize,
    /// Analog numbers that follow the points of each frame.
    pub n_analog: usize,
    pub n_frames: usize,
    /// The number of the first frame, counted from 1.
    pub first: usize,
    /// Frames a second.
    pub rate: f64,
    /// Length of an integer's unit; none where the samples are floats.
    pub scale: Option<f64>,
    /// Exactly the frames.
    samples: &'a [u8],
    frame_size: usize,
}

impl<'a> Recording<'a> {
    pub fn new(
        bytes: &'a [u8],
        header: &Header,
        parameters: &Parameters<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Self> {
        let said = usize::from(header.n_points);
        let n_points = parameters.count("POINT", "USED").unwrap_or(said);
        if n_points != said {
            warnings.push(format!(
                "the header says {said} points a frame; POINT:USED is believed, which says {n_points}"
            ));
        }
        if !(1..=MOST).contains(&n_points) {
            let expected = format!("1 to {MOST} points a frame");
            return Err(Error::format("POINT:USED", expected, n_points));
        }
        let rate = [parameters.number("POINT", "RATE"), Some(header.rate)];
        let rates = rate.into_iter().flatten();
        let mut rates = rates.filter(|&rate| rate > 0.0 && rate.is_finite());
        let rate = rates.next().ok_or_else(|| {
            Error::format(
                "POINT:RATE",
                "a positive number of frames a second",
                header.rate,
            )
        })?;
        let scale = parameters.number("POINT", "SCALE").unwrap_or(header.scale);
        if !scale.is_finite() || scale == 0.0 {
            let expected = "the length of an integer's unit, or a negative number";
            return Err(Error::format("POINT:SCALE", expected, scale));
        }
        let width = if scale < 0.0 { 4 } else { 2 };
        let n_analog = usize::from(header.n_analog);
        let frame_size = (4 * n_points + n_analog) * width;
        let block = match header.data_block {
            0 => parameters.count("POINT", "DATA_START").unwrap_or(0),
            block => block.into(),
        };
        let start = block
            .checked_sub(1)
            .map(|block| block.saturating_mul(BLOCK));
        let samples = start
            .filter(|&start| start > header.parameters)
            .and_then(|start| bytes.get(start..))
            .ok_or_else(|| {
                let expected = "the block of the first sample, after the parameters";
                let got = format!("block {block} in a file of {} bytes", bytes.len());
                Error::format("POINT:DATA_START", expected, got)
            })?;
        let there = samples.len() / frame_size;
        let (first, n_frames) = frames(header, parameters, there, frame_size, warnings);
        if n_frames > there {
            return Err(Error::format(
                format!("frame {}", first + there),
                format!("{n_frames} frames of {frame_size} bytes"),
                format!("the end of the file after {there} frames"),
            ));
        }
        Ok(Self {
            processor: header.processor,
            n_points,
            n_analog,
            n_frames,
            first,
            rate,
            scale: (scale > 0.0).then_some(scale),
            samples: &samples[..n_frames * frame_size],
            frame_size,
        })
    }

    /// The bytes of the points of each frame.
    pub fn frames(&self) -> impl Iterator<Item = &'a [u8]> {
        let width = if self.scale.is_some() { 2 } else { 4 };
        let points = 4 * self.n_points * width;
        let frames = self.samples.chunks_exact(self.frame_size);
        frames.map(move |frame| &frame[..points])
    }
}

/// The number of the first frame and how many there are; `there` is how many the file has room for.
fn frames(
    header: &Header,
    parameters: &Parameters<'_>,
    there: usize,
    frame_size: usize,
    warnings: &mut Vec<String>,
) -> (usize, usize) {
    let (first, last) = (usize::from(header.first), usize::from(header.last));
    // Low word, high word.
    let field = |name| {
        let mut words = parameters.get("TRIAL", name)?.counts();
        let (low, high) = (words.next()?, words.next().unwrap_or(0));
        high.checked_mul(1 << 16)?.checked_add(low)
    };
    let trial = field("ACTUAL_START_FIELD").and_then(|first| {
        let count = field("ACTUAL_END_FIELD")?
            .checked_add(1)?
            .checked_sub(first)?;
        Some((first, count))
    });
    let counted = |name| {
        let parameter = parameters.get("POINT", name)?;
        let count = parameter.counts().next()?;
        (parameter.is_real() || count < MOST).then_some((first, count))
    };
    let mut long = [trial, counted("LONG_FRAMES"), counted("FRAMES")]
        .into_iter()
        .flatten();
    match (last + 1).checked_sub(first) {
        // Programs that do not stop at 65535 begin again at 0.
        Some(count) if last < MOST => long
            .find(|&(_, long)| long > count && long % (MOST + 1) == count && long <= there)
            .unwrap_or((first, count)),
        count => {
            if let Some(found) = long.next() {
                return found;
            }
            let count = count.unwrap_or(0);
            // What fills the last block is not another frame.
            if there.saturating_sub(count) * frame_size < BLOCK {
                return (first, count);
            }
            warnings.push(format!(
                "the file does not say how many frames it has; the {there} that it has room for are read"
            ));
            (first, there)
        }
    }
}
