//! Units of length as files spell them.

use crate::character::Unit;

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
