//! Model definitions, onto a small character; what can be read can be written, if names allow.
#![no_main]

use kinarray::character::Character;
use kinarray::io::model_definition::{load_model_definition, save_model_definition};
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
    if let Ok(loaded) = load_model_definition(&Source::from_bytes(bytes), character)
        && let Ok(saved) = save_model_definition(&loaded.value)
    {
        let again = load_model_definition(&Source::from_bytes(&saved.clone().into_bytes()), character);
        let (own, again) = (&loaded.value, again.expect("our own file").value);
        assert_eq!(
            own.parameter_transform.names(),
            again.parameter_transform.names()
        );
    }
});
