//! Momentum's binary motion, onto a small character; what can be read can be written, and read again.
#![no_main]

use kinarray::character::Character;
use kinarray::io::mmo::{load_motion, save_motion};
use kinarray::io::model_definition::load_model_definition;
use kinarray::io::{Extras, LoadOptions, MotionChoice, Source, legacy_json};
use std::sync::OnceLock;

const FIGURE: &[u8] = include_bytes!("../seeds/legacy_json/figure.json");
const MODEL: &[u8] = include_bytes!("../seeds/model_definition/figure.model");

static CHARACTER: OnceLock<Character> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let options = LoadOptions::default();
    let choice = MotionChoice::default();
    let character = CHARACTER.get_or_init(|| {
        let loaded = legacy_json::load_character(&Source::from_bytes(FIGURE), &options);
        let figure = loaded.expect("our own seed").value;
        let loaded = load_model_definition(&Source::from_bytes(MODEL), &figure);
        loaded.expect("our own seed").value
    });
    if let Ok(loaded) = load_motion(
        &Source::from_bytes(bytes),
        &options,
        &choice,
        Some(character),
    ) {
        let saved = save_motion(&loaded.value, &Extras::default()).expect("single precision");
        let bytes = saved.clone().into_bytes();
        let source = Source::from_bytes(&bytes);
        let again = load_motion(&source, &options, &choice, Some(character));
        let again = again.expect("our own file").value;
        assert_eq!(again.model_parameters, loaded.value.model_parameters);
    }
});
