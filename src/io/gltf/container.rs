//! The outermost layer: GLB chunks or JSON text, and where the buffers' bytes come from.

use serde_json::Value;
use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::io::Source;
use crate::io::json::{self, Item};

const JSON_CHUNK: u32 = 0x4E4F_534A;
const BINARY_CHUNK: u32 = 0x004E_4942;

/// The JSON of a file and the binary chunk beside it.
pub(super) struct Container<'a> {
    pub root: Value,
    pub binary: Option<&'a [u8]>,
    /// Bytes after the end that the header gives.
    pub trailing: usize,
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

/// Splits a GLB file, or takes a `.gltf` text as it is.
pub(super) fn split(bytes: &[u8]) -> Result<Container<'_>> {
    if bytes.starts_with(b"glTF") {
        return split_binary(bytes);
    }
    let text = bytes.trim_ascii_start();
    if text.first() != Some(&b'{') {
        let first: String = String::from_utf8_lossy(&bytes[..bytes.len().min(16)])
            .escape_default()
            .collect();
        return Err(Error::format(
            "byte 0",
            "a GLB file (it starts with 'glTF') or a glTF JSON text (it starts with '{')",
            if bytes.is_empty() {
                "an empty file".to_owned()
            } else {
                format!("'{first}'")
            },
        ));
    }
    Ok(Container {
        root: json::parse(bytes)?,
        binary: None,
        trailing: 0,
    })
}

fn split_binary(bytes: &[u8]) -> Result<Container<'_>> {
    let (Some(version), Some(length)) = (word(bytes, 4), word(bytes, 8)) else {
        return Err(Error::format(
            "byte 4",
            "a GLB header of 12 bytes",
            format!("a file of {} bytes", bytes.len()),
        ));
    };
    if version != 2 {
        return Err(Error::format("byte 4", "GLB version 2", version));
    }
    let length = length as usize;
    if length > bytes.len() {
        return Err(Error::format(
            "byte 8",
            format!("{length} bytes, as the header says"),
            format!("a file of {} bytes (cut off?)", bytes.len()),
        ));
    }
    let (mut json, mut binary) = (None, None);
    let mut at = 12;
    while at < length {
        let header = (at + 8 <= length)
            .then(|| word(bytes, at).zip(word(bytes, at + 4)))
            .flatten();
        let Some((size, kind)) = header else {
            return Err(Error::format(
                format!("byte {at}"),
                "a chunk header of 8 bytes",
                format!("{} bytes before the end", length - at),
            ));
        };
        let start = at + 8;
        let size = size as usize;
        let chunk = size
            .checked_add(start)
            .filter(|&end| end <= length)
            .map(|end| &bytes[start..end])
            .ok_or_else(|| {
                Error::format(
                    format!("byte {at}"),
                    format!("a chunk of at most {} bytes", length - start),
                    size,
                )
            })?;
        if !size.is_multiple_of(4) {
            return Err(Error::format(
                format!("byte {at}"),
                "a chunk length that is a multiple of 4",
                size,
            ));
        }
        match kind {
            JSON_CHUNK if at == 12 => json = Some((chunk, start)),
            BINARY_CHUNK if binary.is_none() && json.is_some() => binary = Some(chunk),
            _ if at == 12 => {
                return Err(Error::format(
                    "byte 16",
                    "a JSON chunk first",
                    format!("a chunk of type {kind:#010x}"),
                ));
            }
            JSON_CHUNK | BINARY_CHUNK => {
                return Err(Error::format(
                    format!("byte {at}"),
                    "one JSON chunk and at most one binary chunk",
                    "another one",
                ));
            }
            // The specification asks readers to skip chunks of other types.
            _ => {}
        }
        at = start + size;
    }
    let Some((json, start)) = json else {
        return Err(Error::format("byte 12", "a JSON chunk", "the end"));
    };
    Ok(Container {
        root: json::parse_in(json, &format!("JSON chunk at byte {start}, "))?,
        binary,
        trailing: bytes.len() - length,
    })
}

/// The bytes of each buffer; `None` for a placeholder that only an extension could fill.
pub(super) fn buffers<'a>(
    root: &Item<'a>,
    binary: Option<&'a [u8]>,
    source: &Source<'_>,
) -> Result<Vec<Option<Cow<'a, [u8]>>>> {
    let mut buffers = Vec::new();
    for (at, item) in root.list("buffers")?.into_iter().enumerate() {
        let item = item.object()?;
        let declared = item.need("byteLength")?;
        let length = declared.integer()?;
        if length == 0 {
            return Err(declared.wrong("at least 1"));
        }
        let bytes: Option<Cow<[u8]>> = match item.get("uri") {
            Some(uri) => Some(Cow::Owned(resolve(&uri, length, source)?)),
            None if at == 0 && binary.is_some() => binary.map(Cow::Borrowed),
            None => None,
        };
        if let Some(bytes) = &bytes
            && bytes.len() < length
        {
            return Err(Error::format(
                &declared.path,
                format!("at most the {} bytes that are there", bytes.len()),
                length,
            ));
        }
        buffers.push(bytes.map(|bytes| match bytes {
            Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[..length]),
            Cow::Owned(mut bytes) => {
                bytes.truncate(length);
                Cow::Owned(bytes)
            }
        }));
    }
    Ok(buffers)
}

/// The bytes that a URI stands for, at most `length` of a file beside this one.
pub(super) fn resolve(uri: &Item<'_>, length: usize, source: &Source<'_>) -> Result<Vec<u8>> {
    let text = uri.str()?;
    if let Some(data) = text.strip_prefix("data:") {
        let (kind, encoded) = data
            .split_once(',')
            .ok_or_else(|| uri.wrong("a data URI with a comma"))?;
        if !kind.ends_with(";base64") {
            return Err(uri.wrong("a data URI in base64"));
        }
        return base64(encoded).ok_or_else(|| uri.wrong("a data URI in valid base64"));
    }
    let decoded = percent_decoded(text).ok_or_else(|| uri.wrong("a percent-encoded URI"))?;
    source.neighbour(&uri.path, &decoded, length)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digit = |c: u8| char::from(c).to_digit(16);
            let (high, low) = (digit(bytes.next()?)?, digit(bytes.next()?)?);
            decoded.push((high * 16 + low) as u8);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

/// Standard or URL-safe base64, padded or not.
fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    // One character alone holds no byte.
    (text.len() % 4 != 1).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_and_checked() {
        assert_eq!(base64("aGVsbG8=").unwrap(), b"hello");
        assert_eq!(base64("aGVsbG8h").unwrap(), b"hello!");
        assert_eq!(base64("").unwrap(), b"");
        assert_eq!(base64("a$==").map(|_| ()), None);
        assert_eq!(base64("a").map(|_| ()), None);
    }
}
