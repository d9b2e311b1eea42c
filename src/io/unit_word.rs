//! Units of length as files spell them.

use super::LoadOptions;
use super::source::shortened;
use crate::character::Unit;
use crate::error::{Error, Result};

/// How many metres a unit is, by its symbol or name in any case.
pub(super) fn metres(word: &str) -> Option<f64> {
    let lower = word.trim().to_lowercase();
    Some(match lower.as_str() {
        "m" | "meter" | "meters" | "metre" | "metres" => 1.0,
        "dm" | "decimeter" | "decimeters" | "decimetre" | "decimetres" => 0.1,
        "cm" | "centimeter" | "centimeters" | "centimetre" | "centimetres" => 0.01,
        "mm" | "millimeter" | "millimeters" | "millimetre" | "millimetres" => 0.001,
        "um" | "micrometer" | "micrometers" | "micrometre" | "micrometres" => 1e-6,
        "in" | "inch" | "inches" => 0.0254,
        "ft" | "foot" | "feet" => 0.3048,
        _ => return None,
    })
}

/// A unit that we have and the factor to it, so that lengths in one of ours stay as they are.
pub(super) fn nearest(metres: f64) -> (Unit, f64) {
    match metres {
        0.01 => (Unit::Centimeter, 1.0),
        0.001 => (Unit::Millimeter, 1.0),
        _ => (Unit::Meter, metres),
    }
}

/// Metres of the unit of a file that says `word` at `place`; millimetres where it says nothing and nobody else
/// does.
pub(super) fn of_file(word: &str, place: &str, options: &LoadOptions) -> Result<f64> {
    let own = options.file_unit.map(|unit| 1.0 / unit.per_meter());
    match (metres(word), own) {
        (Some(metres), _) | (None, Some(metres)) => Ok(metres),
        (None, None) if word.is_empty() => Ok(1.0 / Unit::Millimeter.per_meter()),
        (None, None) => Err(Error::format(
            place,
            "a unit of length such as 'mm'; pass file_unit= otherwise",
            format!("{:?}", shortened(word)),
        )),
    }
}
