//! Locators, onto a small character; what can be read can be written.
#![no_main]

use kinarray::character::Character;
use kinarray::io::locators::{LocatorSpace, load_locators, save_locators};
use kinarray::io::{LoadOptions, Source, legacy_json};
use std::sync::OnceLock;

const FIGURE: &[u8] = include_bytes!("../seeds/legacy_json/figure.json");

static CHARACTER: OnceLock<Character> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let character = CHARACTER.get_or_init(|| {
        let source = Source::from_bytes(FIGURE);
        let loaded = legacy_json::load_character(&source, &LoadOptions::default());
        loaded.expect("our own seed").value
    });
    if let Ok(loaded) = load_locators(&Source::from_bytes(bytes), character) {
        let _ = save_locators(&loaded.value, LocatorSpace::Local);
        let _ = save_locators(&loaded.value, LocatorSpace::Global);
    }
});
