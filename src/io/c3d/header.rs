//! The first 512 bytes.

use super::numbers::Processor;
use crate::error::{Error, Result};

/// The file is counted in blocks of so many bytes.
pub(super) const BLOCK: usize = 512;

/// What the second byte of a file is, and usually of its parameters.
const KEY: u8 = 0x50;

/// What the header says.
pub(super) struct Header {
    pub processor: Processor,
    /// Where the section of parameters begins.
    pub parameters: usize,
    pub n_points: u16,
    /// Analog numbers that follow the points of each frame.
    pub n_analog: u16,
    /// The first frame and the last, counted from 1.
    pub first: u16,
    pub last: u16,
    /// Length of an integer's unit; negative where the samples are floats.
    pub scale: f64,
    /// The block in which the samples begin, counted from 1.
    pub data_block: u16,
    pub rate: f64,
}

/// Reads the header, and from the parameters which machine wrote it.
pub(super) fn read(bytes: &[u8]) -> Result<Header> {
    if bytes.len() < BLOCK {
        let got = format!("{} bytes", bytes.len());
        return Err(Error::format("byte 0", "a header of 512 bytes", got));
    }
    if bytes[1] != KEY {
        return Err(Error::format(
            "byte 1",
            "0x50, the mark of C3D",
            format!("{:#04x}", bytes[1]),
        ));
    }
    let parameters = usize::from(bytes[0])
        .checked_sub(1)
        .map(|block| block * BLOCK)
        .filter(|&place| place + 4 <= bytes.len())
        .ok_or_else(|| {
            Error::format(
                "byte 0",
                format!("the number of a block in a file of {} bytes", bytes.len()),
                bytes[0],
            )
        })?;
    let code = bytes[parameters + 3];
    let processor = Processor::of_code(code).ok_or_else(|| {
        Error::format(
            format!("byte {}", parameters + 3),
            "84 (Intel), 85 (DEC) or 86 (MIPS), the machine that wrote the file",
            code,
        )
    })?;
    // Words of 16 bits, counted from 1 as the format's manual does.
    let word = |at: usize| [bytes[2 * at - 2], bytes[2 * at - 1]];
    let count = |at| processor.count(word(at));
    let real = |at| {
        let ([a, b], [c, d]) = (word(at), word(at + 1));
        processor.real([a, b, c, d])
    };
    Ok(Header {
        processor,
        parameters,
        n_points: count(2),
        n_analog: count(3),
        first: count(4),
        last: count(5),
        scale: real(7),
        data_block: count(9),
        rate: real(11),
    })
}
