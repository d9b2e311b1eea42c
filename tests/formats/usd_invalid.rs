//! USD files that are broken, hostile or merely odd: each loads or is refused with what is wrong.

use crate::common::{Noise, files_below, shared_data};
use crate::usd_handmade::{TRIANGLE, file, moving, read as load};
use kinarray::Error;
use kinarray::io::{Format, LoadOptions, MotionChoice, Source, load_character, load_motion};
use std::time::Instant;

/// Reads everything that a file offers.
fn read(source: &Source<'_>) -> Result<(), Error> {
    let options = LoadOptions::default();
    load_character(source, Format::Usd, &options)?;
    match load_motion(
        source,
        Format::Usd,
        &options,
        &MotionChoice::default(),
        None,
    ) {
        Ok(_) | Err(Error::Format { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

fn assert_survived(name: &str, outcome: &Result<(), Error>, start: Instant) {
    if let Err(error) = outcome {
        assert!(matches!(error, Error::Format { .. }), "{name}: {error:?}");
    }
    let seconds = start.elapsed().as_secs_f64();
    assert!(seconds < 2.0, "{name}: {seconds} s");
}

#[test]
fn broken_files_are_refused_or_load() {
    let Some(data) = shared_data() else { return };
    let mut count = 0;
    for folder in ["usda", "usdc"] {
        for path in files_below(&data.join("invalid").join(folder), &[folder]) {
            let name = path.file_name().unwrap().to_str().unwrap();
            let start = Instant::now();
            let outcome = read(&Source::open(&path).unwrap());
            assert_survived(name, &outcome, start);
            // Those that are sound hold nothing that could be a character.
            let error = outcome.unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
            count += 1;
        }
    }
    assert_eq!(count, 20);
}

#[test]
fn damaged_bytes_never_panic() {
    let Some(data) = shared_data() else { return };
    let mut noise = Noise(7);
    for name in [
        "tinyusdz/blendshape.usdc",
        "tinyusdz/skintest.usdc",
        "openusd/skinnedArm.usda",
        "tinyusdz/blendshape.usda",
    ] {
        let bytes = std::fs::read(data.join("usd").join(name)).unwrap();
        for length in (0..bytes.len()).step_by(211) {
            let start = Instant::now();
            assert_survived(name, &read(&Source::from_bytes(&bytes[..length])), start);
        }
        let mut refused = 0;
        for _ in 0..400 {
            let mut damaged = bytes.clone();
            for _ in 0..=noise.below(4) {
                let at = noise.below(damaged.len());
                damaged[at] = noise.below(256) as u8;
            }
            let start = Instant::now();
            let outcome = read(&Source::from_bytes(&damaged));
            assert_survived(name, &outcome, start);
            refused += usize::from(outcome.is_err());
        }
        assert!(
            (20..400).contains(&refused),
            "{name}: {refused} of 400 refused"
        );
    }
}

/// The tables of a crate file hold counts and places of eight bytes; none of them is to be believed.
#[test]
fn lying_counts_of_a_crate_file_are_survived() {
    let Some(data) = shared_data() else { return };
    let bytes = std::fs::read(data.join("usd/tinyusdz/blendshape.usdc")).unwrap();
    for at in (8..bytes.len() - 8).step_by(8) {
        for lie in [u64::MAX, 1 << 40, bytes.len() as u64] {
            let mut lying = bytes.clone();
            lying[at..at + 8].copy_from_slice(&lie.to_le_bytes());
            let start = Instant::now();
            assert_survived("blendshape.usdc", &read(&Source::from_bytes(&lying)), start);
        }
    }
}

#[test]
fn deep_nesting_does_not_overflow() {
    for depth in [1_000, 50_000] {
        let open = "def Xform \"a\" {\n".repeat(depth);
        let close = "}\n".repeat(depth);
        let text = format!("#usda 1.0\n{open}def Skeleton \"s\" {{}}\n{close}");
        let loaded = load(text.as_bytes(), &LoadOptions::default());
        // A skeleton without joints: there is nothing to move.
        assert!(
            matches!(loaded, Ok(_) | Err(Error::Format { .. })),
            "{loaded:?}"
        );
        let unclosed = load(
            format!("#usda 1.0\n{open}").as_bytes(),
            &LoadOptions::default(),
        );
        assert!(matches!(unclosed, Err(Error::Format { .. })));
        for brackets in ["[", "{", "("] {
            let text = format!(
                "#usda 1.0\n(\n customLayerData = {}",
                brackets.repeat(depth)
            );
            let error = load(text.as_bytes(), &LoadOptions::default()).unwrap_err();
            assert!(matches!(error, Error::Format { .. }), "{error:?}");
        }
    }

    let joint = "a/".repeat(100_000);
    let text = file("", "", "").replace("\"a/b\"", &format!("\"{joint}b\""));
    assert!(load(text.as_bytes(), &LoadOptions::default()).is_ok());
}

/// What is changed in a sound file, and what is said about it.
#[test]
fn what_does_not_fit_together_is_named() {
    let sound = file("", "", "");
    for (from, to, wanted) in [
        (
            "[0, 1, 2]",
            "[0, 1, 3]",
            "/Root/Mesh.faceVertexIndices[2]: expected one of 3 points, got 3",
        ),
        (
            "[0, 1, 2]",
            "[0, 1, -1]",
            "faceVertexIndices[2]: expected one of 3 points, got -1",
        ),
        (
            "[0, 1, 2]",
            "[0, 1]",
            "faceVertexCounts[0]: expected corners among the 2",
        ),
        ("Counts = [3]", "Counts = [1e300]", "faceVertexCounts[0]"),
        (
            "(1, 1, 0)",
            "(1, nan, 0)",
            "/Root/Mesh.points: expected tuples of 3 finite numbers, got NaN",
        ),
        (
            "(1, 1, 0)",
            "(1, 1e200, 0)",
            "points within single precision",
        ),
        ("(1, 1, 0)", "(1, 1)", "3 numbers in a tuple"),
        (
            "Indices = [1]",
            "Indices = [2]",
            "jointIndices[0]: expected one of 2 joints, got 2",
        ),
        (
            "Indices = [1]",
            "Indices = [1, 0]",
            "joints and weights for 1 x 1 influences, got 2 and 1",
        ),
        (
            "\"a/b\"",
            "\"a\"",
            "/Root/Skel.joints: expected joints of different names",
        ),
        (
            "\"a\", \"a/b\"",
            "\"a/b\", \"a\"",
            "parents before their children",
        ),
        (
            "(1,0,0,1))]",
            "(1,0,0,1)), ((1,0,0,0),(0,1,0,0),(0,0,1,0),(1,0,0,1))]",
            "a matrix for each of 2 joints, got 3",
        ),
        (
            "(0,0,0,1)), ((1,0,0,0)",
            "(0,0,0,1)), ((0,0,0,0)",
            "a transform that can be inverted",
        ),
        (
            "metersPerUnit = 1",
            "metersPerUnit = 0",
            "metersPerUnit: expected a positive number, got 0",
        ),
        (
            "metersPerUnit = 1",
            "upAxis = \"W\"",
            "upAxis: expected 'X', 'Y' or 'Z', got 'W'",
        ),
        ("metersPerUnit = 1", "metersPerUnit = 1e308", "finite"),
    ] {
        assert!(sound.contains(from), "{from}");
        let changed = sound.replace(from, to);
        let message = match load(changed.as_bytes(), &LoadOptions::default()) {
            Ok(_) => panic!("{from} -> {to} loads"),
            Err(error @ Error::Format { .. }) => error.to_string(),
            Err(error) => panic!("{error:?}"),
        };
        assert!(message.contains(wanted), "{message}\n{wanted}");
    }
    assert!(load(sound.as_bytes(), &LoadOptions::default()).is_ok());
    assert!(TRIANGLE.contains("Indices = [1]"));
}

#[test]
fn motion_that_does_not_fit_is_named() {
    let animation = |samples: &str, range: &str| {
        let text = format!(
            "def SkelAnimation \"Anim\"\n{{\n uniform token[] joints = [\"a\"]\n \
             float3[] translations.timeSamples = {{ {samples} }}\n}}"
        );
        file(&text, "", "").replace("metersPerUnit = 1", range)
    };
    for (samples, range, wanted) in [
        (
            "0: [(0, 0, 0), (1, 0, 0)]",
            "",
            "/Root/Anim.translations: expected 3 numbers at every time, got 6",
        ),
        (
            "0: [(0, 0, 0)], 1e300: [(0, 0, 0)]",
            "",
            "the time codes: expected at most",
        ),
        (
            "0: [(0, 0, 0)]",
            "startTimeCode = 0\n endTimeCode = 1e18",
            "the time codes: expected at most",
        ),
        ("0: [(0, 0, inf)]", "", "finite numbers"),
        ("nan: [(0, 0, 0)]", "", "a finite time"),
    ] {
        let error = moving(&animation(samples, range), None).unwrap_err();
        assert!(matches!(error, Error::Format { .. }), "{error:?}");
        assert!(error.to_string().contains(wanted), "{error}\n{wanted}");
    }
    let sound = animation("0: [(0, 0, 0)], 1: [(0, 0, 0)]", "");
    assert_eq!(moving(&sound, None).unwrap().value.n_frames(), 2);
    assert!(moving(&sound, Some(0.0)).is_err());
    assert!(moving(&sound, Some(1e300)).is_err());
}

/// An archive of files as they are.
pub fn package(files: &[(&str, &[u8])], method: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, content) in files {
        bytes.extend(b"PK\x03\x04\x0a\0\0\0");
        bytes.extend(method.to_le_bytes());
        bytes.extend([0; 8]);
        let size = u32::try_from(content.len()).unwrap().to_le_bytes();
        bytes.extend(size);
        bytes.extend(size);
        bytes.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        bytes.extend([0; 2]);
        bytes.extend(name.as_bytes());
        bytes.extend(*content);
    }
    bytes
}

#[test]
fn a_package_is_its_first_layer() {
    let text = file("", "", "");
    let packed = package(
        &[("root.usda", text.as_bytes()), ("picture.png", b"...")],
        0,
    );
    let source = Source::from_bytes(&packed);
    assert_eq!(Format::of(&source).unwrap(), Format::Usd);
    let loaded = load(&packed, &LoadOptions::default()).unwrap();
    assert_eq!(loaded.value.skeleton.len(), 2);
    let crate_file =
        shared_data().map(|data| std::fs::read(data.join("usd/tinyusdz/skintest.usdc")).unwrap());
    if let Some(bytes) = crate_file {
        let packed = package(&[("root.usdc", &bytes)], 0);
        assert_eq!(
            load(&packed, &LoadOptions::default())
                .unwrap()
                .value
                .skeleton
                .len(),
            2
        );
    }
    let says = |bytes: &[u8], wanted: &str| {
        let error = load(bytes, &LoadOptions::default()).unwrap_err();
        assert!(matches!(error, Error::Format { .. }), "{error:?}");
        assert!(error.to_string().contains(wanted), "{error}");
    };
    says(
        &package(&[("root.usda", text.as_bytes())], 8),
        "stored as it is",
    );
    says(&packed[..100], "an entry inside the file");
    says(&packed[..20], "the head of a zip entry");
    says(
        &package(&[("root.usda", b"#usda 1.0\ndef 5")], 0),
        "root.usda, line 2",
    );
    let noisy = |noise: &mut Noise| {
        let mut damaged = packed.clone();
        let at = noise.below(80);
        damaged[at] = noise.below(256) as u8;
        damaged
    };
    let mut noise = Noise(3);
    for _ in 0..300 {
        let outcome = load(&noisy(&mut noise), &LoadOptions::default());
        assert!(
            matches!(outcome, Ok(_) | Err(Error::Format { .. })),
            "{outcome:?}"
        );
    }
}
