//! `.mmo`: bytes put together by `tests/data/momentum/make.py`, there and back, and faults.

use crate::common::flat;
use crate::momentum_figure::{expected, figure, message, single};
use kinarray::character::{Character, Unit};
use kinarray::io::model_definition::load_model_definition;
use kinarray::io::{
    Extras, Format, LoadOptions, Loaded, Motion, MotionChoice, SaveOptions, Source, load_motion,
    save_motion,
};

const FILE: &[u8] = include_bytes!("../data/momentum/figure.mmo");
const MODEL: &[u8] = include_bytes!("../data/momentum/figure.model");

fn modelled() -> Character {
    load_model_definition(&Source::from_bytes(MODEL), &figure())
        .unwrap()
        .value
}

fn read(bytes: &[u8], unit: Unit, fps: Option<f64>) -> kinarray::Result<Loaded<Motion>> {
    let options = LoadOptions {
        unit,
        ..LoadOptions::default()
    };
    let choice = MotionChoice { fps, clip: None };
    let character = modelled();
    let source = Source::from_bytes(bytes);
    load_motion(&source, Format::Mmo, &options, &choice, Some(&character))
}

#[test]
fn values_go_to_the_parameters_and_joints_of_their_names() {
    let wanted = &expected()["mmo"];
    let loaded = read(FILE, Unit::Centimeter, Some(90.0)).unwrap();
    let motion = &loaded.value;
    assert_eq!(motion.n_frames(), 3);
    assert_eq!(motion.fps, 90.0);
    assert_eq!(
        single(&motion.model_parameters),
        single(&flat(&wanted["poses"]))
    );
    assert_eq!(single(&motion.identity), single(&flat(&wanted["offsets"])));
    let warnings = &loaded.warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("'__heart_rate__', 'tail_rx'"));
    assert!(warnings[1].contains("'tail'"));
    let unsaid = read(FILE, Unit::Centimeter, None).unwrap();
    assert_eq!(unsaid.value.fps, 120.0);
    assert!(unsaid.warnings[0].contains("frames a second"));

    // Only the three translations of the root and a shift of the head are lengths.
    let metres = read(FILE, Unit::Meter, Some(90.0)).unwrap().value;
    let names = metres.character.parameter_transform.names();
    let count = names.len();
    let pairs = metres.model_parameters.iter().zip(&motion.model_parameters);
    for (at, (own, centimetres)) in pairs.enumerate() {
        let name = &*names[at % count];
        let is_length = ["root_tx", "root_ty", "root_tz", "head_shift"].contains(&name);
        let factor = if is_length { 0.01 } else { 1.0 };
        assert_eq!(*own, centimetres * factor, "{name}");
    }
    assert_eq!(
        metres.identity[..3],
        [0, 1, 2].map(|at| motion.identity[at] * 0.01)
    );
    assert_eq!(metres.identity[3..7], motion.identity[3..7]);
}

#[test]
fn what_is_written_is_read_again() {
    let motion = read(FILE, Unit::Meter, Some(90.0)).unwrap().value;
    let options = SaveOptions::default();
    let saved = save_motion(&motion, Format::Mmo, &options, &Extras::default()).unwrap();
    assert_eq!(saved.warnings.len(), 1, "{:?}", saved.warnings);
    // Three sizes; 14 parameters with names, 5 joints with names; 35 offsets; 3 frames.
    let names = motion.character.parameter_transform.names().iter();
    let letters: usize = names.map(String::len).sum();
    let joints = motion.character.skeleton.joints().iter();
    let letters: usize = letters + joints.map(|joint| joint.name.len()).sum::<usize>();
    assert_eq!(
        saved.parts[0].len(),
        24 + 8 * 19 + letters + 4 * (35 + 3 * 14)
    );
    assert_eq!(
        saved.parts[0][..24],
        [
            [14, 0, 0, 0, 0, 0, 0, 0],
            [5, 0, 0, 0, 0, 0, 0, 0],
            [3, 0, 0, 0, 0, 0, 0, 0]
        ]
        .concat()
    );
    assert_eq!(saved.parts[0][24..39], *b"\x07\0\0\0\0\0\0\0root_tx");
    let back = read(&saved.clone().into_bytes(), Unit::Centimeter, Some(90.0)).unwrap();
    assert_eq!(back.warnings, Vec::<String>::new());
    let wanted = &expected()["mmo"];
    assert_eq!(
        single(&back.value.model_parameters),
        single(&flat(&wanted["poses"]))
    );
    assert_eq!(
        single(&back.value.identity),
        single(&flat(&wanted["offsets"]))
    );
}

#[test]
fn faults_are_named_with_their_place() {
    let options = LoadOptions::default();
    let choice = MotionChoice::default();
    let source = Source::from_bytes(FILE);
    let alone = load_motion(&source, Format::Mmo, &options, &choice, None);
    assert!(message(alone).contains("pass character="));
    let read = |bytes: &[u8]| read(bytes, Unit::Centimeter, Some(30.0));
    // Every lie about a size, and every file that ends too early.
    for at in [0, 8, 16, 24] {
        for lie in [u64::MAX, 1 << 40, 1_000_000] {
            let mut bytes = FILE.to_vec();
            bytes[at..at + 8].copy_from_slice(&lie.to_le_bytes());
            let got = message(read(&bytes));
            assert!(got.contains(&format!("byte {at}: expected")), "{got}");
        }
    }
    for end in 0..FILE.len() {
        let got = message(read(&FILE[..end]));
        assert!(got.contains("byte "), "{end}: {got}");
    }
    let mut bytes = FILE.to_vec();
    bytes.extend(b"more");
    let warnings = read(&bytes).unwrap().warnings;
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("4 bytes after the motion"))
    );
    let last = FILE.len() - 4;
    bytes[last..last + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let got = message(read(&bytes));
    assert!(
        got.contains(&format!(
            "byte {last}, parameters of frames: expected a finite number"
        )),
        "{got}"
    );
    // Frames without parameters need no bytes: there are none.
    let empty = [0_u64, 0, 0].map(u64::to_le_bytes).concat();
    let loaded = read(&empty).unwrap();
    assert_eq!(loaded.value.n_frames(), 0);
    assert!(loaded.warnings[0].contains("have no values in the file and are 0"));
}
