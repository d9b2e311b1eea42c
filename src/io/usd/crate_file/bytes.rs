//! Numbers at any place of a crate file, little-endian and bounds-checked, and compressed blocks.

use super::super::value::Budget;
use crate::error::{Error, Result};

/// More than LZ4 can make of one byte.
const MAX_RATIO: usize = 256;

/// A crate file's bytes, and a place in them.
#[derive(Clone)]
pub(super) struct Bytes<'a> {
    all: &'a [u8],
    pub at: usize,
}

impl<'a> Bytes<'a> {
    pub fn new(all: &'a [u8]) -> Self {
        Self { all, at: 0 }
    }

    /// The same bytes at another place.
    pub fn seek(&self, at: u64) -> Result<Self> {
        let place = usize::try_from(at).ok().filter(|&at| at <= self.all.len());
        let at = place.ok_or_else(|| {
            Error::format(
                format!("byte {}", self.at),
                format!("a place inside the file's {} bytes", self.all.len()),
                at,
            )
        })?;
        Ok(Self { all: self.all, at })
    }

    /// A place a signed number of bytes from another one.
    pub fn jump(&self, from: usize, by: i64) -> Result<Self> {
        let at = i64::try_from(from)
            .ok()
            .and_then(|from| from.checked_add(by));
        self.seek(at.and_then(|at| u64::try_from(at).ok()).unwrap_or(u64::MAX))
    }

    pub fn location(&self) -> String {
        format!("byte {}", self.at)
    }

    pub fn wrong(&self, expected: impl std::fmt::Display, got: impl std::fmt::Display) -> Error {
        Error::format(self.location(), expected, got)
    }

    /// The next bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let left = self.all.get(self.at..).unwrap_or_default();
        let taken = left.get(..count).ok_or_else(|| {
            self.wrong(
                format!("{count} bytes"),
                format!("the {} that are left", left.len()),
            )
        })?;
        self.at += count;
        Ok(taken)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut chunk = [0; N];
        chunk.copy_from_slice(self.take(N)?);
        Ok(chunk)
    }

    pub fn u8(&mut self) -> Result<u8> {
        Ok(u8::from_le_bytes(self.chunk()?))
    }

    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.chunk()?))
    }

    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.chunk()?))
    }

    pub fn i64(&mut self) -> Result<i64> {
        Ok(i64::from_le_bytes(self.chunk()?))
    }

    /// A number of things, of which each takes some of the bytes that are left.
    pub fn count(&mut self, size: usize) -> Result<usize> {
        let at = self.at;
        let count = self.u64()?;
        let left = self.all.len() - self.at;
        let fits = usize::try_from(count)
            .ok()
            .filter(|count| count.checked_mul(size).is_some_and(|bytes| bytes <= left));
        fits.ok_or_else(|| {
            Error::format(
                format!("byte {at}"),
                format!("things of {size} bytes in the {left} that are left"),
                format!("{count} of them"),
            )
        })
    }

    /// A number of things that are compressed; what they take is charged to the budget.
    pub fn compressed_count(&mut self, size: usize, budget: &mut Budget) -> Result<usize> {
        let location = self.location();
        let count = usize::try_from(self.u64()?).unwrap_or(usize::MAX);
        budget.charge(|| location.clone(), count, size)?;
        Ok(count)
    }

    /// A block of a size, then its bytes, which make at most `limit` when decompressed. The block has
    /// several parts where it is very large.
    pub fn decompressed(&mut self, limit: usize) -> Result<Vec<u8>> {
        let location = self.location();
        let size = self.count(1)?;
        let mut block = Bytes::new(self.take(size)?);
        let n_parts = block.u8()?;
        let mut all = Vec::new();
        for _ in 0..n_parts.max(1) {
            let part = if n_parts == 0 {
                block.take(block.all.len() - block.at)?
            } else {
                let size = block.u32()? as usize;
                block.take(size)?
            };
            let room = (limit - all.len()).min(part.len().saturating_mul(MAX_RATIO));
            let start = all.len();
            all.resize(start + room, 0);
            let made =
                lz4_flex::block::decompress_into(part, &mut all[start..]).map_err(|problem| {
                    Error::format(
                        &location,
                        format!("at most {limit} compressed bytes"),
                        problem,
                    )
                })?;
            all.truncate(start + made);
        }
        Ok(all)
    }

    /// So many compressed integers.
    pub fn integers(&mut self, count: usize, is_wide: bool) -> Result<Vec<i64>> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let location = self.location();
        let width = if is_wide { 8 } else { 4 };
        let limit = width + count.div_ceil(4) + width * count;
        let block = self.decompressed(limit)?;
        super::integers::decode(&block, count, is_wide).ok_or_else(|| {
            Error::format(
                location,
                format!("{count} compressed integers"),
                format!("{} bytes, which do not hold them", block.len()),
            )
        })
    }
}
