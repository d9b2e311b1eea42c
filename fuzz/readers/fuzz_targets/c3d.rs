#![no_main]
//! Any bytes as a C3D file: each loads or is refused.

use kinarray::io::{Format, LoadOptions, Source, load_markers};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = load_markers(&Source::from_bytes(bytes), Format::C3d, &LoadOptions::default());
});
