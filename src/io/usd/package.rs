//! The packed form (`.usdz`): a zip file whose entries are stored, not compressed; the first one is the
//! layer that is read, which may bring in others.

use crate::error::{Error, Result};

/// What a zip file begins with, and each entry in it.
pub(super) const MAGIC: &[u8] = b"PK\x03\x04";

/// Bytes of an entry's head before its name.
const HEAD: usize = 30;

/// One file in a package.
pub(super) struct Entry<'a> {
    pub name: String,
    pub bytes: &'a [u8],
    /// Where it ends in the package.
    end: usize,
}

/// The first entry.
///
/// # Errors
/// [`Error::Format`] for one that is compressed, encrypted, or longer than the file.
pub(super) fn first_entry(file: &[u8]) -> Result<Entry<'_>> {
    entry_at(file, 0)
}

/// The bytes of the entry of a name; they follow one another without gaps.
pub(super) fn entry<'a>(file: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut at = 0;
    while file.get(at..).is_some_and(|rest| rest.starts_with(MAGIC)) {
        let entry = entry_at(file, at).ok()?;
        if entry.name == name {
            return Some(entry.bytes);
        }
        at = entry.end;
    }
    None
}

fn entry_at(file: &[u8], at: usize) -> Result<Entry<'_>> {
    let wrong = |by: usize, expected: &str, got: String| {
        Error::format(format!("byte {}", at.saturating_add(by)), expected, got)
    };
    let rest = file.get(at..).unwrap_or_default();
    let Some(head) = rest.get(..HEAD) else {
        return Err(wrong(
            0,
            "the head of a zip entry",
            format!("{} bytes", rest.len()),
        ));
    };
    let short = |by: usize| usize::from(u16::from_le_bytes([head[by], head[by + 1]]));
    let long = |by: usize| short(by) | short(by + 2) << 16;
    let (flags, method) = (short(6), short(8));
    if flags & 0b1001 != 0 || method != 0 {
        return Err(wrong(
            6,
            "an entry that is stored as it is, as a USDZ package asks for",
            format!("flags {flags:#x}, method {method}"),
        ));
    }
    let start = HEAD + short(26) + short(28);
    let end = start.checked_add(long(18));
    let bytes = end.and_then(|end| rest.get(start..end)).ok_or_else(|| {
        wrong(
            18,
            "an entry inside the file",
            format!("{} bytes from {start} on", long(18)),
        )
    })?;
    let name = rest.get(HEAD..HEAD + short(26)).unwrap_or_default();
    Ok(Entry {
        name: String::from_utf8_lossy(name).into_owned(),
        bytes,
        end: at.saturating_add(start).saturating_add(bytes.len()),
    })
}
