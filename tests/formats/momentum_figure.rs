//! The figure of `tests/data/momentum`, which PyMomentum 0.1.114 wrote, and what PyMomentum reads from it.

use kinarray::character::{Character, Unit};
use kinarray::io::{LoadOptions, Source, legacy_json};
use serde_json::Value;

/// PyMomentum's own file of it.
pub const JSON: &[u8] = include_bytes!("../data/momentum/figure.json");

/// What PyMomentum reads.
pub fn expected() -> Value {
    serde_json::from_str(include_str!("../data/momentum/expected.json")).unwrap()
}

/// As it is in the file, in centimetres.
pub fn figure() -> Character {
    let source = Source::from_bytes(JSON);
    let loaded = legacy_json::load_character(&source, &LoadOptions::default()).unwrap();
    assert_eq!(loaded.warnings, Vec::<String>::new());
    assert_eq!(loaded.value.unit, Unit::Centimeter);
    loaded.value
}

/// Numbers as single precision holds them, to be compared bit for bit.
pub fn single(numbers: &[f64]) -> Vec<f32> {
    numbers.iter().map(|&x| x as f32).collect()
}

/// The start of a message that names its place.
pub fn message<T>(result: kinarray::Result<T>) -> String {
    match result {
        Ok(_) => "no error".into(),
        Err(error) => error.to_string(),
    }
}
