//! The kinds of numbers, from their bytes.

use super::bytes::Bytes;
use crate::error::Result;

const MATRIX_2: u64 = 13;
const MATRIX_4: u64 = 15;

/// The numbers of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
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
    pub fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 => 1,
            Self::F16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// A number from its bytes, of which there are as many as its size.
    pub fn of(self, bytes: &[u8]) -> f64 {
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
    pub fn of_integer(self, integer: i64) -> f64 {
        match self {
            Self::U32 => f64::from(integer as u32),
            Self::U64 => integer as u64 as f64,
            _ => integer as f64,
        }
    }
}

/// The kinds of numbers: what they consist of and how many of these there are.
pub(super) fn numbers_of(kind: u64) -> Option<(Scalar, usize)> {
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

/// Numbers one after the other.
pub(super) fn plain(bytes: &mut Bytes<'_>, scalar: Scalar, count: usize) -> Result<Vec<f64>> {
    let size = scalar.size();
    let block = bytes.take(count.saturating_mul(size))?;
    Ok(block
        .chunks_exact(size)
        .map(|bytes| scalar.of(bytes))
        .collect())
}

/// A value inside its four bytes: as it is, or as signed bytes where each number fits into one (of a
/// matrix the diagonal), doubles in single precision.
pub(super) fn inline(kind: u64, scalar: Scalar, width: usize, payload: u64) -> Vec<f64> {
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
