//! The axis that points up and the unit of length are as asked for, in characters and in motion.

use crate::common::{posed, shared_data};
use kinarray::character::Unit;
use kinarray::io::{Format, LoadOptions, MotionChoice, Source, Up, load_character, load_motion};
use nalgebra::{Matrix4, Vector3, Vector4};

fn turn(up: Up) -> Matrix4<f64> {
    Up::Y.turn_to(up).to_homogeneous()
}

/// Where the joints and a point beside each are, in the last frame.
fn places(bytes: &[u8], format: Format, options: &LoadOptions) -> Vec<Vector3<f64>> {
    let source = Source::from_bytes(bytes);
    let choice = MotionChoice::default();
    let motion = load_motion(&source, format, options, &choice, None)
        .unwrap()
        .value;
    let joints = motion.joint_parameters();
    let count = 7 * motion.character.skeleton.len();
    let last = &joints[joints.len() - count..];
    let beside = Vector4::new(0.1, 0.2, -0.3, 1.0) * options.unit.per_meter();
    let beside = beside.xyz().push(1.0);
    let worlds = posed(&motion.character, last);
    worlds.iter().map(|world| (world * beside).xyz()).collect()
}

fn compare(bytes: &[u8], format: Format) {
    let file = places(bytes, format, &LoadOptions::default());
    for up in [Up::X, Up::Y, Up::Z] {
        for unit in [Unit::Meter, Unit::Centimeter, Unit::Millimeter] {
            let options = LoadOptions {
                unit,
                up: Some(up),
                ..LoadOptions::default()
            };
            let got = places(bytes, format, &options);
            for (own, got) in file.iter().zip(&got) {
                let wanted = turn(up).transform_vector(own) * unit.per_meter();
                let error = (wanted - got).amax() / unit.per_meter();
                assert!(error < 1e-6, "{up:?} {unit}: {got} instead of {wanted}");
            }
        }
    }
}

#[test]
fn motion_in_joint_parameters_turns() {
    let Some(data) = shared_data() else { return };
    let bytes = std::fs::read(data.join("gltf/khronos/CesiumMan.glb")).unwrap();
    compare(&bytes, Format::Gltf);
}

/// The parameters of this file drive several joints each.
#[test]
fn motion_in_parameters_of_its_own_turns() {
    compare(include_bytes!("../data/momentum_hero.glb"), Format::Gltf);
}

#[test]
fn a_character_and_its_motion_are_the_same_character() {
    let bytes = include_bytes!("../data/momentum_hero.glb");
    let options = LoadOptions {
        up: Some(Up::Z),
        ..LoadOptions::default()
    };
    let source = Source::from_bytes(bytes);
    let character = load_character(&source, Format::Gltf, &options).unwrap();
    let choice = MotionChoice::default();
    let motion = load_motion(&source, Format::Gltf, &options, &choice, None).unwrap();
    assert_eq!(character.value, motion.value.character);
    assert_eq!(character.up, Up::Z);
}
