//! Files that are broken, hostile or merely odd: each loads or is refused with what is wrong.

use crate::common::{files_below, shared_data};
use kinarray::Error;
use kinarray::io::{LoadOptions, MotionChoice, Source, fbx};
use std::time::Instant;

/// Reads everything that a file offers.
fn read(bytes: &[u8]) -> Result<Vec<String>, Error> {
    let source = Source::from_bytes(bytes);
    let options = LoadOptions::default();
    let loaded = fbx::load_character(&source, &options)?;
    let mut warnings = loaded.warnings;
    match fbx::load_motion(&source, &options, &MotionChoice::default()) {
        Ok(motion) => warnings.extend(motion.warnings),
        Err(error @ Error::Format { .. }) => warnings.push(error.to_string()),
        Err(error) => return Err(error),
    }
    let _ = fbx::load_markers(&source, &options);
    Ok(warnings)
}

#[test]
fn broken_files_are_refused_or_load() {
    let Some(data) = shared_data() else { return };
    let mut count = 0;
    for folder in ["fbx_fail", "fbx_fuzz", "fbx_odd"] {
        for path in files_below(&data.join("invalid").join(folder), &["fbx"]) {
            let bytes = std::fs::read(&path).unwrap();
            let name = path.file_name().unwrap().to_str().unwrap();
            let start = Instant::now();
            let outcome = read(&bytes);
            let seconds = start.elapsed().as_secs_f64();
            match &outcome {
                Ok(warnings) => println!("{name}: loads, {seconds:.3} s, {warnings:?}"),
                Err(error) => {
                    println!("{name}: {seconds:.3} s, {error}");
                    assert!(matches!(error, Error::Format { .. }), "{error:?}");
                }
            }
            assert!(seconds < 2.0, "{name}: {seconds} s");
            if folder == "fbx_fail" {
                assert!(outcome.is_err(), "{name} loads");
            }
            count += 1;
        }
    }
    assert_eq!(count, 70);
}
