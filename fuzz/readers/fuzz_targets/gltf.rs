#![no_main]
//! Arbitrary bytes as glTF: refused, or a character, motion and markers; never a panic.

use kinarray::io::{LoadOptions, MotionChoice, Source, gltf};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let source = Source::from_bytes(bytes);
    let options = LoadOptions::default();
    let _ = gltf::load_character(&source, &options);
    let _ = gltf::load_motion(&source, &options, &MotionChoice::default());
    let _ = gltf::load_markers(&source, &options);
});
