//! Values: eight bytes that say a kind and hold the value itself or its place.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::value::{Budget, Value};
use super::bytes::Bytes;
use super::scalars::{Scalar, inline, numbers_of, plain};
use super::tables::{Tables, token_at};
use crate::error::{Error, Result};

const IS_ARRAY: u64 = 1 << 63;
const IS_INLINE: u64 = 1 << 62;
const IS_COMPRESSED: u64 = 1 << 61;
pub(super) const PAYLOAD: u64 = (1 << 48) - 1;

/// Arrays shorter than this are never compressed.
const MIN_COMPRESSED: usize = 16;

const STRING: u64 = 10;
const TOKEN: u64 = 11;
const ASSET: u64 = 12;
pub(super) const PATH_LIST: u64 = 34;
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
            _ => Value::Other,
        })
    }

    pub(super) fn text(&self, at: u64, is_string: bool) -> Result<Arc<str>> {
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
