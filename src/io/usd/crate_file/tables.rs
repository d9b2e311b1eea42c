//! The sections that all values refer to: tokens, strings, fields, sets of fields, paths and specs.

use std::sync::Arc;

use super::super::value::Budget;
use super::bytes::Bytes;
use super::paths::{self, Paths};
use crate::error::{Error, Result};

/// What a crate file begins with.
pub(in crate::io::usd) const MAGIC: &[u8] = b"PXR-USDC";

/// The versions whose layout is read: from the first one with compressed sections, which Pixar's own
/// library has written since 2017.
const OLDEST: [u8; 2] = [0, 4];
const NEWEST: [u8; 2] = [0, 13];

/// More sections than any file has.
const MAX_SECTIONS: usize = 64;

/// Bytes that an entry takes here, roughly, for the budget.
const ENTRY: usize = 48;

pub(super) struct Tables {
    pub version: [u8; 2],
    pub tokens: Vec<Arc<str>>,
    /// Each string is a token.
    pub strings: Vec<u32>,
    /// The token of the name, and the value.
    pub fields: Vec<(i64, u64)>,
    /// Indices of fields; -1 ends a set.
    pub field_sets: Vec<i64>,
    pub paths: Paths,
    /// Path, first field in the sets, and kind.
    pub specs: Vec<[i64; 3]>,
}

/// The token at a place.
pub(super) fn token_at(
    tokens: &[Arc<str>],
    at: u64,
    location: impl Fn() -> String,
) -> Result<Arc<str>> {
    let token = usize::try_from(at).ok().and_then(|at| tokens.get(at));
    token.cloned().ok_or_else(|| {
        Error::format(
            location(),
            format!("one of the file's {} tokens", tokens.len()),
            at,
        )
    })
}

struct Sections<'a> {
    bytes: Bytes<'a>,
    found: Vec<(&'a [u8], u64)>,
}

impl<'a> Sections<'a> {
    fn read(bytes: &Bytes<'a>, place: u64) -> Result<Self> {
        let mut toc = bytes.seek(place)?;
        let count = toc.count(32)?;
        if count > MAX_SECTIONS {
            return Err(toc.wrong(format!("at most {MAX_SECTIONS} sections"), count));
        }
        let mut found = Vec::new();
        for _ in 0..count {
            let name = toc.take(16)?;
            let length = name
                .iter()
                .position(|&byte| byte == 0)
                .unwrap_or(name.len());
            let start = toc.u64()?;
            toc.u64()?;
            found.push((&name[..length], start));
        }
        Ok(Self {
            bytes: bytes.clone(),
            found,
        })
    }

    fn get(&self, name: &str) -> Result<Bytes<'a>> {
        let found = self.found.iter().find(|(own, _)| *own == name.as_bytes());
        match found {
            Some((_, start)) => self.bytes.seek(*start),
            None => Err(Error::format(
                "the table of contents",
                format!("a section {name}"),
                format!("{} others", self.found.len()),
            )),
        }
    }
}

impl Tables {
    pub fn read(file: &[u8], budget: &mut Budget) -> Result<Self> {
        let mut bytes = Bytes::new(file);
        bytes.take(MAGIC.len())?;
        let version = [bytes.u8()?, bytes.u8()?];
        if !(OLDEST..=NEWEST).contains(&version) {
            return Err(Error::format(
                "byte 8",
                format!(
                    "a crate file of version {}.{} to {}.{} (usdcat writes one)",
                    OLDEST[0], OLDEST[1], NEWEST[0], NEWEST[1]
                ),
                format!("version {}.{}", version[0], version[1]),
            ));
        }
        bytes.take(6)?;
        let place = bytes.u64()?;
        let sections = Sections::read(&bytes, place)?;
        let tokens = tokens(sections.get("TOKENS")?, budget)?;
        let mut section = sections.get("STRINGS")?;
        let count = section.count(4)?;
        let strings = (0..count).map(|_| section.u32()).collect::<Result<_>>()?;
        let fields = fields(sections.get("FIELDS")?, budget)?;
        let mut section = sections.get("FIELDSETS")?;
        let count = section.compressed_count(ENTRY, budget)?;
        let field_sets = section.integers(count, false)?;
        let mut section = sections.get("PATHS")?;
        let count = section.compressed_count(4 * ENTRY, budget)?;
        let paths = paths::read(&mut section, count, &tokens)?;
        let mut section = sections.get("SPECS")?;
        let count = section.compressed_count(2 * ENTRY, budget)?;
        let columns = [
            section.integers(count, false)?,
            section.integers(count, false)?,
            section.integers(count, false)?,
        ];
        let specs = (0..count)
            .map(|at| [columns[0][at], columns[1][at], columns[2][at]])
            .collect();
        Ok(Self {
            version,
            tokens,
            strings,
            fields,
            field_sets,
            paths,
            specs,
        })
    }
}

fn tokens(mut section: Bytes<'_>, budget: &mut Budget) -> Result<Vec<Arc<str>>> {
    let location = section.location();
    let count = section.compressed_count(ENTRY, budget)?;
    let size = section.compressed_count(2, budget)?;
    let block = section.decompressed(size)?;
    let mut parts = block.split(|&byte| byte == 0);
    // Behind the zero that ends the last token there is nothing.
    let after_last = parts.next_back();
    let tokens: Vec<Arc<str>> = parts
        .map(|part| String::from_utf8_lossy(part).into())
        .collect();
    if tokens.len() != count || after_last.is_some_and(|rest| !rest.is_empty()) {
        return Err(Error::format(
            location,
            format!("{count} tokens, each with a zero behind it"),
            format!("{} of them in {} bytes", tokens.len(), block.len()),
        ));
    }
    Ok(tokens)
}

fn fields(mut section: Bytes<'_>, budget: &mut Budget) -> Result<Vec<(i64, u64)>> {
    let count = section.compressed_count(ENTRY, budget)?;
    let names = section.integers(count, false)?;
    let location = section.location();
    let block = section.decompressed(8 * count)?;
    let (values, rest) = block.as_chunks::<8>();
    if values.len() != count || !rest.is_empty() {
        return Err(Error::format(
            location,
            format!("{count} values of 8 bytes"),
            format!("{} bytes", block.len()),
        ));
    }
    let values = values.iter().map(|value| u64::from_le_bytes(*value));
    Ok(names.into_iter().zip(values).collect())
}
