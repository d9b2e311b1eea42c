#![no_main]
//! Any bytes as an FBX file: each loads or is refused.

use kinarray::io::{LoadOptions, MotionChoice, Source, fbx};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let source = Source::from_bytes(bytes);
    let options = LoadOptions::default();
    let _ = fbx::load_character(&source, &options);
    let _ = fbx::load_motion(&source, &options, &MotionChoice::default());
    let _ = fbx::load_markers(&source, &options);
});
