//! Constant numbers, kept in the precision they came in and readable in both.

use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

use crate::array::DType;

/// A constant array of real numbers in the precision it was given in. The other precision is made on
/// first use and kept, so that kernels of either precision read plain slices.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Reals {
    native: DTypeTag,
    single: OnceLock<Vec<f32>>,
    double: OnceLock<Vec<f64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DTypeTag {
    Single,
    Double,
}

#[derive(Serialize, Deserialize)]
enum Stored {
    Single(Vec<f32>),
    Double(Vec<f64>),
}

impl From<Stored> for Reals {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Single(values) => values.into(),
            Stored::Double(values) => values.into(),
        }
    }
}

impl From<Reals> for Stored {
    fn from(reals: Reals) -> Self {
        match reals.native {
            DTypeTag::Single => Self::Single(reals.single.into_inner().unwrap_or_default()),
            DTypeTag::Double => Self::Double(reals.double.into_inner().unwrap_or_default()),
        }
    }
}

impl From<Vec<f32>> for Reals {
    fn from(values: Vec<f32>) -> Self {
        Self {
            native: DTypeTag::Single,
            single: values.into(),
            double: OnceLock::new(),
        }
    }
}

impl From<Vec<f64>> for Reals {
    fn from(values: Vec<f64>) -> Self {
        Self {
            native: DTypeTag::Double,
            single: OnceLock::new(),
            double: values.into(),
        }
    }
}

impl Default for Reals {
    fn default() -> Self {
        Vec::<f32>::new().into()
    }
}

impl PartialEq for Reals {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Reals {
    /// The precision the numbers were given in.
    #[must_use]
    pub fn dtype(&self) -> DType {
        match self.native {
            DTypeTag::Single => DType::Float32,
            DTypeTag::Double => DType::Float64,
        }
    }

    /// The number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        match self.native {
            DTypeTag::Single => self.as_f32().len(),
            DTypeTag::Double => self.as_f64().len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// In single precision; rounded where the values were given in double.
    #[must_use]
    pub fn as_f32(&self) -> &[f32] {
        self.single.get_or_init(|| {
            let double = self.double.get().map(Vec::as_slice).unwrap_or_default();
            double.iter().map(|&value| value as f32).collect()
        })
    }

    /// In double precision; exact.
    #[must_use]
    pub fn as_f64(&self) -> &[f64] {
        self.double.get_or_init(|| {
            let single = self.single.get().map(Vec::as_slice).unwrap_or_default();
            single.iter().map(|&value| f64::from(value)).collect()
        })
    }

    /// The values as `f64`, one after the other, without keeping a second copy.
    pub fn iter(&self) -> impl Iterator<Item = f64> + '_ {
        let (single, double): (&[f32], &[f64]) = match self.native {
            DTypeTag::Single => (self.as_f32(), &[]),
            DTypeTag::Double => (&[], self.as_f64()),
        };
        single
            .iter()
            .map(|&value| f64::from(value))
            .chain(double.iter().copied())
    }

    /// Every value multiplied by `factor`, in the same precision.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        match self.native {
            DTypeTag::Single => self
                .as_f32()
                .iter()
                .map(|&value| (f64::from(value) * factor) as f32)
                .collect::<Vec<_>>()
                .into(),
            DTypeTag::Double => self
                .as_f64()
                .iter()
                .map(|&value| value * factor)
                .collect::<Vec<_>>()
                .into(),
        }
    }
}
