//! BVH: whatever loads is written and loads again.
#![no_main]

use kinarray::io::bvh::{WriteOptions, load_character, load_motion, save_motion};
use kinarray::io::{LoadOptions, MotionChoice, PositionChannels, Progress, Source};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let source = Source::from_bytes(bytes);
    let _ = load_character(&source, &LoadOptions::default());
    let choice = MotionChoice::default();
    for position_channels in [PositionChannels::AddToOffset, PositionChannels::ReplaceOffset] {
        let options = LoadOptions { position_channels, ..LoadOptions::default() };
        let Ok(loaded) = load_motion(&source, &options, &choice) else { continue };
        let written = WriteOptions { position_channels, ..WriteOptions::default() };
        let Ok(saved) = save_motion(&loaded.value, &written, Progress::default()) else { continue };
        let again = load_motion(&Source::from_bytes(&saved.clone().into_bytes()), &options, &choice);
        assert_eq!(again.expect("what we write loads").value.n_frames(), loaded.value.n_frames());
    }
});
