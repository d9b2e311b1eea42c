//! The unit of length of a character.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::error::{Error, Result};

/// The unit of length in which a character's data is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Unit {
    /// Metres, as glTF, URDF and USD say; the default.
    #[default]
    Meter,
    /// Centimetres, as PyMomentum has it.
    Centimeter,
    /// Millimetres.
    Millimeter,
}

impl Unit {
    /// From its symbol: `m`, `cm` or `mm`.
    ///
    /// # Errors
    /// [`Error::Value`] for any other text.
    pub fn parse(symbol: &str) -> Result<Self> {
        match symbol {
            "m" => Ok(Self::Meter),
            "cm" => Ok(Self::Centimeter),
            "mm" => Ok(Self::Millimeter),
            other => Err(Error::value(
                "unit",
                format!("expected 'm', 'cm' or 'mm', got {other:?}"),
            )),
        }
    }

    /// The symbol.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Meter => "m",
            Self::Centimeter => "cm",
            Self::Millimeter => "mm",
        }
    }

    /// How many of this unit make one metre.
    #[must_use]
    pub const fn per_meter(self) -> f64 {
        match self {
            Self::Meter => 1.0,
            Self::Centimeter => 100.0,
            Self::Millimeter => 1000.0,
        }
    }
}

impl Unit {
    /// Refuses lengths in another unit.
    ///
    /// # Errors
    /// [`Error::Value`] naming both units.
    pub fn require(self, what: &str, other: Self) -> Result<()> {
        if self == other {
            return Ok(());
        }
        Err(Error::value(
            what,
            format!("its lengths are in '{other}', the others in '{self}'; convert with in_unit"),
        ))
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}
