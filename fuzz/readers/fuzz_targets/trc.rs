#![no_main]
//! TRC: whatever loads is written and loads again.

use kinarray::character::Unit;
use kinarray::io::{Extras, Format, LoadOptions, Source, load_markers, save_markers};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let options = LoadOptions { unit: Unit::Millimeter, ..LoadOptions::default() };
    let read = |bytes: &[u8]| load_markers(&Source::from_bytes(bytes), Format::Trc, &options);
    let Ok(loaded) = read(bytes) else { return };
    let Ok(saved) = save_markers(&loaded.value, Format::Trc, &Extras::default()) else { return };
    let again = read(&saved.into_bytes()).expect("what we write loads").value;
    let (one, other) = (&loaded.value.sequences[0], &again.sequences[0]);
    assert_eq!((one.n_frames(), one.marker_names()), (other.n_frames(), other.marker_names()));
});
