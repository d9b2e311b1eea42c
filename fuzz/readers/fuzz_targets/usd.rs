#![no_main]
//! Any bytes as a USD file, text, crate or package: each loads or is refused.

use kinarray::io::{LoadOptions, MotionChoice, Source, usd};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let source = Source::from_bytes(bytes);
    let options = LoadOptions::default();
    let _ = usd::load_character(&source, &options);
    let _ = usd::load_motion(&source, &options, &MotionChoice::default());
});
