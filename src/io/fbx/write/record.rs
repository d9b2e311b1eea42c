//! The records of a binary file: a name, values, and records inside.

use crate::error::{Error, Result};

/// Readers since 2013 know it; offsets are 32 bits.
pub(super) const VERSION: u32 = 7400;

/// A value of a record.
pub(super) enum Value {
    Bool(bool),
    Short(i16),
    Int(i32),
    Long(i64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
    Ints(Vec<i32>),
    Longs(Vec<i64>),
    Floats(Vec<f32>),
    Doubles(Vec<f64>),
}

macro_rules! value_from {
    ($($own:ty => $kind:ident),*) => {$(
        impl From<$own> for Value {
            fn from(value: $own) -> Self {
                Self::$kind(value)
            }
        }
    )*};
}
value_from!(bool => Bool, i16 => Short, i32 => Int, i64 => Long, f64 => Double, String => Text,
    Vec<i32> => Ints, Vec<i64> => Longs, Vec<f32> => Floats, Vec<f64> => Doubles);

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A record.
pub(super) struct Record {
    name: &'static str,
    values: Vec<Value>,
    children: Vec<Record>,
}

impl Record {
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            values: Vec::new(),
            children: Vec::new(),
        }
    }

    /// The same with one more value.
    pub fn with(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// The same with one more record inside.
    pub fn inside(mut self, record: Record) -> Self {
        self.children.push(record);
        self
    }

    /// The same with a record of one value inside.
    pub fn field(self, name: &'static str, value: impl Into<Value>) -> Self {
        self.inside(Self::new(name).with(value))
    }

    /// The same with these records inside.
    pub fn all(mut self, records: impl IntoIterator<Item = Record>) -> Self {
        self.children.extend(records);
        self
    }

    fn write(&self, file: &mut Vec<u8>) -> Result<()> {
        let start = file.len();
        file.extend([0; 12]);
        file.push(self.name.len() as u8);
        file.extend(self.name.as_bytes());
        let values = file.len();
        for value in &self.values {
            value.write(file)?;
        }
        let length = file.len() - values;
        for child in &self.children {
            child.write(file)?;
        }
        let is_block = !self.children.is_empty()
            || self.values.is_empty()
            || self.name.starts_with("Animation");
        if is_block {
            file.extend([0; 13]);
        }
        let end = file.len();
        for (at, number) in [end, self.values.len(), length].into_iter().enumerate() {
            file[start + 4 * at..][..4].copy_from_slice(&word(number)?);
        }
        Ok(())
    }
}

fn word(number: usize) -> Result<[u8; 4]> {
    let word = u32::try_from(number).map_err(|_| {
        Error::value(
            "the file",
            "it would be larger than the 4 GiB that FBX 7.4 can be",
        )
    })?;
    Ok(word.to_le_bytes())
}

impl Value {
    fn write(&self, file: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Bool(value) => file.extend([b'C', u8::from(*value)]),
            Self::Short(value) => {
                file.push(b'Y');
                file.extend(value.to_le_bytes());
            }
            Self::Int(value) => {
                file.push(b'I');
                file.extend(value.to_le_bytes());
            }
            Self::Long(value) => {
                file.push(b'L');
                file.extend(value.to_le_bytes());
            }
            Self::Double(value) => {
                file.push(b'D');
                file.extend(value.to_le_bytes());
            }
            Self::Text(text) => {
                file.push(b'S');
                file.extend(word(text.len())?);
                file.extend(text.as_bytes());
            }
            Self::Bytes(bytes) => {
                file.push(b'R');
                file.extend(word(bytes.len())?);
                file.extend(bytes);
            }
            Self::Ints(list) => array(file, b'i', 4, list, |x| x.to_le_bytes())?,
            Self::Longs(list) => array(file, b'l', 8, list, |x| x.to_le_bytes())?,
            Self::Floats(list) => array(file, b'f', 4, list, |x| x.to_le_bytes())?,
            Self::Doubles(list) => array(file, b'd', 8, list, |x| x.to_le_bytes())?,
        }
        Ok(())
    }
}

/// An array, uncompressed.
fn array<T: Copy, const N: usize>(
    file: &mut Vec<u8>,
    kind: u8,
    size: usize,
    list: &[T],
    bytes: impl Fn(T) -> [u8; N],
) -> Result<()> {
    file.push(kind);
    file.extend(word(list.len())?);
    file.extend(word(0)?);
    file.extend(word(list.len().saturating_mul(size))?);
    file.reserve(list.len().saturating_mul(size));
    for &value in list {
        file.extend(bytes(value));
    }
    Ok(())
}

/// The time of making and the identity of the file belong together with the first bytes of its footer:
/// the ones of a fixed moment, so that equal scenes are equal files.
pub(super) const CREATION_TIME: &str = "1970-01-01 10:00:00:000";
/// See [`CREATION_TIME`].
pub(super) const FILE_ID: [u8; 16] = [
    0x28, 0xb3, 0x2a, 0xeb, 0xb6, 0x24, 0xcc, 0xc2, 0xbf, 0xc8, 0xb0, 0x2a, 0xa9, 0x2b, 0xfc, 0xf1,
];
const FOOTER: [u8; 16] = [
    0xfa, 0xbc, 0xab, 0x09, 0xd0, 0xc8, 0xd4, 0x66, 0xb1, 0x76, 0xfb, 0x83, 0x1c, 0xf7, 0x26, 0x7e,
];
const END: [u8; 16] = [
    0xf8, 0x5a, 0x8c, 0x6a, 0xde, 0xf5, 0xd9, 0x7e, 0xec, 0xe9, 0x0c, 0xe3, 0x75, 0x8f, 0x29, 0x0b,
];

/// A whole file of these records.
pub(super) fn file(records: &[Record]) -> Result<Vec<u8>> {
    let mut file = b"Kaydara FBX Binary  \0\x1a\0".to_vec();
    file.extend(VERSION.to_le_bytes());
    for record in records {
        record.write(&mut file)?;
    }
    file.extend([0; 13]);
    file.extend(FOOTER);
    file.extend([0; 4]);
    let padded = (file.len() / 16 + 1) * 16;
    file.resize(padded, 0);
    file.extend(VERSION.to_le_bytes());
    file.extend([0; 120]);
    file.extend(END);
    Ok(file)
}
