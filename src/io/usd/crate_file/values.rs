//! Values: eight bytes that say a kind and hold the value itself or its place.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::value::{Budget, Value};
use super::bytes::Bytes;
use super::tables::{Tables, token_at};
use crate::error::{Error, Result};

const IS_ARRAY: u64 = 1 << 63;
const IS_INLINE: u64 = 1 << 62;
const IS_COMPRESSED: u64 = 1 << 61;
const PAYLOAD: u64 = (1 << 48) - 1;

/// Arrays shorter than this are never compressed.
const MIN_COMPRESSED: usize = 16;

/// The numbers of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scalar {
    Bool,
    U8,
    I32,
    U32,
    I64,
    U64,
    F16,
    F32,
    F64,
}

impl Scalar {
    fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 => 1,
            Self::F16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// A number from its bytes, of which there are as many as its size.
    fn of(self, bytes: &[u8]) -> f64 {
        let mut wide = [0; 8];
        for (to, from) in wide.iter_mut().zip(bytes) {
            *to = *from;
        }
        let bits = u64::from_le_bytes(wide);
        match self {
            Self::Bool | Self::U8 | Self::U32 => bits as f64,
            Self::I32 => f64::from(bits as i32),
            Self::I64 => bits as i64 as f64,
            Self::U64 => bits as f64,
            Self::F16 => f64::from(half::f16::from_bits(bits as u16)),
            Self::F32 => f64::from(f32::from_bits(bits as u32)),
            Self::F64 => f64::from_bits(bits),
        }
    }

    /// A number from a compressed integer.
    fn of_integer(self, integer: i64) -> f64 {
        match self {
            Self::U32 => f64::from(integer as u32),
            Self::U64 => integer as u64 as f64,
            _ => integer as f64,
        }
    }
}

/// The kinds of numbers: what they consist of and how many of these there are.
fn numbers_of(kind: u64) -> Option<(Scalar, usize)> {
    use Scalar::{Bool, F16, F32, F64, I32, I64, U8, U32, U64};
    const KINDS: [(u64, Scalar, usize); 29] = [
        (1, Bool, 1),
        (2, U8, 1),
        (3, I32, 1),
        (4, U32, 1),
        (5, I64, 1),
        (6, U64, 1),
        (7, F16, 1),
        (8, F32, 1),
        (9, F64, 1),
        (13, F64, 4),
        (14, F64, 9),
        (15, F64, 16),
        (16, F64, 4),
        (17, F32, 4),
        (18, F16, 4),
        (19, F64, 2),
        (20, F32, 2),
        (21, F16, 2),
        (22, I32, 2),
        (23, F64, 3),
        (24, F32, 3),
        (25, F16, 3),
        (26, I32, 3),
        (27, F64, 4),
        (28, F32, 4),
        (29, F16, 4),
        (30, I32, 4),
        (48, F64, 1),
        (56, F64, 1),
    ];
    let found = KINDS.iter().find(|(own, ..)| *own == kind);
    found.map(|&(_, scalar, width)| (scalar, width))
}

const STRING: u64 = 10;
const TOKEN: u64 = 11;
const ASSET: u64 = 12;
const MATRIX_2: u64 = 13;
const MATRIX_4: u64 = 15;
const TOKEN_LIST: u64 = 32;
const PATH_LIST: u64 = 34;
const PATHS: u64 = 40;
const TOKENS: u64 = 41;
const SPECIFIER: u64 = 42;
const TIME_SAMPLES: u64 = 46;
const NUMBERS: u64 = 48;
const BLOCK: u64 = 51;

/// Times and values of an attribute.
pub(super) type Samples = Vec<(f64, Value)>;

/// Reads values; each but once, as many properties may share it.
pub(super) struct Values<'a, 't> {
    pub bytes: Bytes<'a>,
    pub tables: &'t Tables,
    pub budget: Budget,
    known: HashMap<u64, Value>,
}

impl<'a, 't> Values<'a, 't> {
    pub fn new(file: &'a [u8], tables: &'t Tables, budget: Budget) -> Self {
        Self {
            bytes: Bytes::new(file),
            tables,
            budget,
            known: HashMap::new(),
        }
    }

    /// The value.
    pub fn value(&mut self, rep: u64) -> Result<Value> {
        if let Some(value) = self.known.get(&rep) {
            return Ok(value.clone());
        }
        let value = self.read(rep)?;
        self.budget.charge(|| "the values".into(), 1, 64)?;
        self.known.insert(rep, value.clone());
        Ok(value)
    }

    fn read(&mut self, rep: u64) -> Result<Value> {
        let (kind, payload) = (rep >> 48 & 0xff, rep & PAYLOAD);
        let is_array = rep & IS_ARRAY != 0;
        let is_inline = rep & IS_INLINE != 0;
        if let Some((scalar, width)) = numbers_of(kind) {
            let mut values = if is_array || kind == NUMBERS {
                self.array(rep, scalar, width)?
            } else if is_inline {
                inline(kind, scalar, width, payload)
            } else {
                let bytes = self.bytes.seek(payload)?.take(scalar.size() * width)?;
                bytes
                    .chunks_exact(scalar.size())
                    .map(|bytes| scalar.of(bytes))
                    .collect()
            };
            if scalar == Scalar::Bool {
                values
                    .iter_mut()
                    .for_each(|x| *x = f64::from(u8::from(*x != 0.0)));
            }
            return Ok(Value::numbers(values, width));
        }
        Ok(match kind {
            STRING | TOKEN | ASSET if is_array => {
                let mut bytes = self.bytes.seek(payload)?;
                if payload == 0 {
                    return Ok(Value::Texts(Arc::default()));
                }
                let count = self.length(&mut bytes, 4)?;
                self.texts(bytes, count, kind == STRING)?
            }
            STRING | TOKEN | ASSET => {
                let at = if is_inline {
                    payload
                } else {
                    u64::from(self.bytes.seek(payload)?.u32()?)
                };
                let is_string = kind == STRING || (kind == ASSET && !is_inline);
                Value::text(self.text(at, is_string)?)
            }
            TOKENS => {
                let mut bytes = self.bytes.seek(payload)?;
                let count = bytes.count(4)?;
                self.texts(bytes, count, false)?
            }
            SPECIFIER => Value::numbers(vec![payload as f64], 1),
            BLOCK => Value::Blocked,
            TOKEN_LIST => Value::Other,
            _ => Value::Other,
        })
    }

    fn text(&self, at: u64, is_string: bool) -> Result<Arc<str>> {
        let location = || "a value".to_owned();
        let tables = self.tables;
        let at = if is_string {
            let string = usize::try_from(at)
                .ok()
                .and_then(|at| tables.strings.get(at));
            let string = string.ok_or_else(|| {
                Error::format(
                    location(),
                    format!("one of the file's {} strings", tables.strings.len()),
                    at,
                )
            })?;
            u64::from(*string)
        } else {
            at
        };
        token_at(&tables.tokens, at, location)
    }

    fn texts(&mut self, mut bytes: Bytes<'_>, count: usize, is_string: bool) -> Result<Value> {
        self.budget.charge(|| bytes.location(), count, 16)?;
        let mut texts = Vec::with_capacity(count);
        for _ in 0..count {
            texts.push(self.text(u64::from(bytes.u32()?), is_string)?);
        }
        Ok(Value::Texts(Arc::new(texts)))
    }

    /// The length of an array, which older files write in 32 bits. Each element takes some bytes.
    fn length(&self, bytes: &mut Bytes<'_>, size: usize) -> Result<usize> {
        if self.tables.version < [0, 5] {
            bytes.u32()?;
        }
        if self.tables.version >= [0, 7] {
            return bytes.count(size);
        }
        let count = bytes.u32()? as usize;
        let mut probe = bytes.clone();
        probe.take(count.saturating_mul(size))?;
        Ok(count)
    }

    fn array(&mut self, rep: u64, scalar: Scalar, width: usize) -> Result<Vec<f64>> {
        let payload = rep & PAYLOAD;
        if payload == 0 {
            return Ok(Vec::new());
        }
        let mut bytes = self.bytes.seek(payload)?;
        let location = bytes.location();
        if rep >> 48 & 0xff == NUMBERS {
            let count = bytes.count(8)?;
            self.budget.charge(|| location.clone(), count, 8)?;
            return plain(&mut bytes, scalar, count);
        }
        if rep & IS_COMPRESSED == 0 || width != 1 {
            let count = self.length(&mut bytes, scalar.size() * width)?;
            self.budget.charge(|| location.clone(), count * width, 8)?;
            return plain(&mut bytes, scalar, count * width);
        }
        let count = self.length(&mut bytes, 0)?;
        self.budget.charge(|| location.clone(), count, 24)?;
        if count < MIN_COMPRESSED {
            return plain(&mut bytes, scalar, count);
        }
        let is_wide = matches!(scalar, Scalar::I64 | Scalar::U64);
        if !matches!(scalar, Scalar::F16 | Scalar::F32 | Scalar::F64) {
            let integers = bytes.integers(count, is_wide)?;
            return Ok(integers.into_iter().map(|x| scalar.of_integer(x)).collect());
        }
        match bytes.u8()? {
            b'i' => {
                let integers = bytes.integers(count, false)?;
                Ok(integers.into_iter().map(|x| x as f64).collect())
            }
            b't' => {
                let n_different = bytes.u32()? as usize;
                let table = plain(&mut bytes, scalar, n_different)?;
                let places = bytes.integers(count, false)?;
                let numbers = places.iter().map(|&at| {
                    let number = usize::try_from(at).ok().and_then(|at| table.get(at));
                    number.copied().ok_or_else(|| {
                        Error::format(
                            &location,
                            format!("one of {n_different} different numbers"),
                            at,
                        )
                    })
                });
                numbers.collect()
            }
            code => Err(bytes.wrong("numbers compressed as 'i' or 't'", code)),
        }
    }

    /// Times and values, each value at its own place.
    pub fn samples(&mut self, rep: u64) -> Result<Option<Samples>> {
        if rep >> 48 & 0xff != TIME_SAMPLES {
            return Ok(None);
        }
        let mut bytes = self.bytes.seek(rep & PAYLOAD)?;
        let start = bytes.at;
        let by = bytes.i64()?;
        let mut bytes = bytes.jump(start, by)?;
        let times = bytes.u64()?;
        let Value::Numbers(times) = self.value(times)? else {
            return Err(bytes.wrong("the times of samples", "another kind of value"));
        };
        let start = bytes.at;
        let by = bytes.i64()?;
        let mut bytes = bytes.jump(start, by)?;
        let count = bytes.count(8)?;
        if count != times.values.len() || times.width != 1 {
            return Err(bytes.wrong(
                format!("a value for each of {} times", times.values.len()),
                format!("{count} values"),
            ));
        }
        let finite = times.values.iter().all(|time| time.is_finite());
        if !finite || !times.values.is_sorted_by(|left, right| left < right) {
            return Err(bytes.wrong("times that increase", "others"));
        }
        self.budget.charge(|| bytes.location(), count, 48)?;
        let mut samples = Vec::with_capacity(count);
        for &time in &times.values {
            let rep = bytes.u64()?;
            samples.push((time, self.value(rep)?));
        }
        Ok(Some(samples))
    }

    /// The targets of a relationship.
    pub fn targets(&mut self, rep: u64) -> Result<Vec<Arc<str>>> {
        const HAS_LIST: [u8; 6] = [1 << 1, 1 << 2, 1 << 5, 1 << 6, 1 << 3, 1 << 4];
        /// Those that add to the list come first; what is deleted or only ordered adds nothing.
        const N_ADDING: usize = 4;
        let mut bytes = self.bytes.seek(rep & PAYLOAD)?;
        let lists = match rep >> 48 & 0xff {
            PATH_LIST => bytes.u8()?,
            PATHS => HAS_LIST[0],
            _ => return Ok(Vec::new()),
        };
        let mut targets = Vec::new();
        for bit in &HAS_LIST[..N_ADDING] {
            if lists & bit == 0 {
                continue;
            }
            for _ in 0..bytes.count(4)? {
                let index = bytes.u32()? as usize;
                let limit = 1 << 16;
                let path = self.tables.paths.text(index, limit).ok_or_else(|| {
                    bytes.wrong(
                        format!("a path of at most {limit} bytes"),
                        format!("path {index}"),
                    )
                })?;
                self.budget
                    .charge(|| bytes.location(), 32 + path.len(), 1)?;
                targets.push(path.into());
            }
        }
        Ok(targets)
    }
}

/// Numbers one after the other.
fn plain(bytes: &mut Bytes<'_>, scalar: Scalar, count: usize) -> Result<Vec<f64>> {
    let size = scalar.size();
    let block = bytes.take(count.saturating_mul(size))?;
    Ok(block
        .chunks_exact(size)
        .map(|bytes| scalar.of(bytes))
        .collect())
}

/// A value inside its four bytes: as it is, or as signed bytes where each number fits into one (of a
/// matrix the diagonal), doubles in single precision.
fn inline(kind: u64, scalar: Scalar, width: usize, payload: u64) -> Vec<f64> {
    let bytes = (payload as u32).to_le_bytes();
    let small = |at: usize| bytes.get(at).map_or(0.0, |&byte| f64::from(byte as i8));
    if (MATRIX_2..=MATRIX_4).contains(&kind) {
        let rows = (kind - MATRIX_2) as usize + 2;
        let entry = |at: usize| {
            if at / rows == at % rows {
                small(at % rows)
            } else {
                0.0
            }
        };
        return (0..rows * rows).map(entry).collect();
    }
    if width > 1 {
        return (0..width).map(small).collect();
    }
    vec![match scalar {
        Scalar::F64 => Scalar::F32.of(&bytes),
        Scalar::I64 => Scalar::I32.of(&bytes),
        Scalar::U64 => Scalar::U32.of(&bytes),
        other => other.of(&bytes[..other.size()]),
    }]
}
