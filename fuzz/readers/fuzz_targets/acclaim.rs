//! Acclaim: the bytes as a skeleton, and as the motion of a small one.
#![no_main]

use kinarray::character::Character;
use kinarray::io::acclaim::{load_character, load_motion};
use kinarray::io::{LoadOptions, MotionChoice, Source};
use std::sync::OnceLock;

const SKELETON: &[u8] = include_bytes!("../seeds/acclaim/two_bones.asf");

static CHARACTER: OnceLock<Character> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let options = LoadOptions::default();
    let source = Source::from_bytes(bytes);
    let _ = load_character(&source, &options);
    let character = CHARACTER.get_or_init(|| {
        let source = Source::from_bytes(SKELETON);
        load_character(&source, &options).expect("our own seed").value
    });
    let _ = load_motion(&source, &options, &MotionChoice::default(), Some(character));
});
