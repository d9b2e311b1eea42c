//! What brings in layers and prims: references, payloads, inherited prims, sublayers.

use std::sync::Arc;

use super::super::value::{Reach, Value};
use super::bytes::Bytes;
use super::values::{PATH_LIST, PAYLOAD, Values};
use crate::error::Result;

const REFERENCE_LIST: u64 = 35;
const ONE_PAYLOAD: u64 = 47;
const CLOCKS: u64 = 49;
const STRINGS: u64 = 50;
const PAYLOAD_LIST: u64 = 55;

/// The bits of the lists that are there, in their order in the file, and which of them add something: all
/// but those of what is deleted and how the rest is ordered.
const LISTS: [(u8, bool); 6] = [
    (1 << 1, true),
    (1 << 2, true),
    (1 << 5, true),
    (1 << 6, true),
    (1 << 3, false),
    (1 << 4, false),
];

/// Bytes that a reach takes, roughly.
const KEPT: usize = 96;

impl Values<'_, '_> {
    /// The reaches of a prim.
    pub fn reaches(&mut self, rep: u64) -> Result<Value> {
        let kind = rep >> 48 & 0xff;
        let mut bytes = self.bytes.seek(rep & PAYLOAD)?;
        let mut found = Vec::new();
        match kind {
            ONE_PAYLOAD => found.push(self.reach(&mut bytes, kind)?),
            PATH_LIST | REFERENCE_LIST | PAYLOAD_LIST => {
                let lists = bytes.u8()?;
                for (bit, is_adding) in LISTS {
                    if lists & bit == 0 {
                        continue;
                    }
                    for _ in 0..bytes.count(4)? {
                        let reach = self.reach(&mut bytes, kind)?;
                        let size = KEPT + reach.prim.len();
                        self.budget.charge(|| bytes.location(), size, 1)?;
                        if is_adding {
                            found.push(reach);
                        }
                    }
                }
            }
            _ => return Ok(Value::Other),
        }
        Ok(Value::Reaches(Arc::new(found)))
    }

    fn reach(&self, bytes: &mut Bytes<'_>, kind: u64) -> Result<Reach> {
        const LONGEST: usize = 1 << 16;
        let mut reach = Reach {
            asset: Arc::default(),
            prim: Arc::default(),
            clock: [0.0, 1.0],
        };
        if kind != PATH_LIST {
            reach.asset = self.text(u64::from(bytes.u32()?), true)?;
        }
        let index = bytes.u32()?;
        // All bits set, or the root, stand for no path.
        let path = match usize::try_from(index) {
            Ok(at) if index != u32::MAX => self.tables.paths.text(at, LONGEST),
            _ => None,
        };
        let path = path.unwrap_or_default();
        reach.prim = if path == "/" {
            Arc::default()
        } else {
            path.into()
        };
        let has_clock = kind == REFERENCE_LIST || self.tables.version >= [0, 8];
        if kind != PATH_LIST && has_clock {
            reach.clock = clock(bytes)?;
        }
        if kind == REFERENCE_LIST {
            // Data of the user's: a name and a value somewhere else, each.
            for _ in 0..bytes.count(12)? {
                bytes.u32()?;
                let start = bytes.at;
                let by = bytes.i64()?;
                *bytes = bytes.jump(start, by)?;
                bytes.u64()?;
            }
        }
        Ok(reach)
    }

    /// The layers below a layer.
    pub fn sub_layers(&mut self, rep: u64) -> Result<Value> {
        if rep >> 48 & 0xff != STRINGS {
            return Ok(Value::Other);
        }
        let mut bytes = self.bytes.seek(rep & PAYLOAD)?;
        let count = bytes.count(4)?;
        self.budget.charge(|| bytes.location(), count, KEPT)?;
        let mut found = Vec::with_capacity(count);
        for _ in 0..count {
            found.push(Reach {
                asset: self.text(u64::from(bytes.u32()?), true)?,
                prim: Arc::default(),
                clock: [0.0, 1.0],
            });
        }
        Ok(Value::Reaches(Arc::new(found)))
    }

    /// The clocks of the layers below a layer.
    pub fn clocks(&mut self, rep: u64) -> Result<Vec<[f64; 2]>> {
        if rep >> 48 & 0xff != CLOCKS {
            return Ok(Vec::new());
        }
        let mut bytes = self.bytes.seek(rep & PAYLOAD)?;
        let count = bytes.count(16)?;
        (0..count).map(|_| clock(&mut bytes)).collect()
    }
}

fn clock(bytes: &mut Bytes<'_>) -> Result<[f64; 2]> {
    let offset = f64::from_bits(bytes.u64()?);
    Ok([offset, f64::from_bits(bytes.u64()?)])
}
