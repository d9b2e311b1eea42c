//! MJCF: whatever loads is in one piece.
#![no_main]

use kinarray::io::mjcf::load_character;
use kinarray::io::{LoadOptions, Source};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(loaded) = load_character(&Source::from_bytes(bytes), &LoadOptions::default()) else {
        return;
    };
    let character = loaded.value;
    assert!(!character.skeleton.is_empty());
    assert!(
        character
            .physical_properties
            .iter()
            .all(|body| body.mass >= 0.0)
    );
});
