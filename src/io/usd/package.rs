//! The packed form (`.usdz`): a zip file whose entries are stored, not compressed; the first one is the
//! layer that is read.

use crate::error::{Error, Result};

/// What a zip file begins with.
pub(super) const MAGIC: &[u8] = b"PK\x03\x04";

/// Bytes of an entry's head before its name.
const HEAD: usize = 30;

/// The bytes of the first entry, and its name.
///
/// # Errors
/// [`Error::Format`] for an entry that is compressed, encrypted, or longer than the file.
pub(super) fn first_entry(file: &[u8]) -> Result<(String, &[u8])> {
    let wrong =
        |at: usize, expected: &str, got: String| Error::format(format!("byte {at}"), expected, got);
    let Some(head) = file.get(..HEAD) else {
        return Err(wrong(
            0,
            "the head of a zip entry",
            format!("{} bytes", file.len()),
        ));
    };
    let short = |at: usize| usize::from(u16::from_le_bytes([head[at], head[at + 1]]));
    let long = |at: usize| short(at) | short(at + 2) << 16;
    let (flags, method) = (short(6), short(8));
    if flags & 0b1001 != 0 || method != 0 {
        return Err(wrong(
            6,
            "a first entry that is stored as it is, as a USDZ package asks for",
            format!("flags {flags:#x}, method {method}"),
        ));
    }
    let start = HEAD + short(26) + short(28);
    let bytes = start
        .checked_add(long(18))
        .and_then(|end| file.get(start..end));
    let bytes = bytes.ok_or_else(|| {
        wrong(
            18,
            "an entry inside the file",
            format!("{} bytes from {start} on", long(18)),
        )
    })?;
    let name = file.get(HEAD..HEAD + short(26)).unwrap_or_default();
    Ok((String::from_utf8_lossy(name).into_owned(), bytes))
}
