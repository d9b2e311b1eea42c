//! The JSON of PyMomentum's predecessors; what can be read can be written, and read again.
#![no_main]

use kinarray::io::legacy_json::{load_character, save_character};
use kinarray::io::{LoadOptions, SaveOptions, Source};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let options = LoadOptions::default();
    if let Ok(loaded) = load_character(&Source::from_bytes(bytes), &options)
        // Normals of a mesh that is very large may be no numbers.
        && let Ok(saved) = save_character(&loaded.value, &SaveOptions::default())
    {
        let again = load_character(&Source::from_bytes(&saved.clone().into_bytes()), &options);
        let (own, again) = (&loaded.value, again.expect("our own file").value);
        assert_eq!(own.skeleton.len(), again.skeleton.len());
    }
});
