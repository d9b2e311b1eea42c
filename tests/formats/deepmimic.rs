//! DeepMimic: against numpy, and faults.

use crate::common::{posed, shared_data};
use kinarray::io::deepmimic::{load_character, load_motion};
use kinarray::io::{Format, LoadOptions, MotionChoice, Source};
use serde_json::Value;

#[test]
fn joints_agree_with_the_reference_values() {
    let Some(data) = shared_data() else { return };
    for (name, fps) in [("humanoid3d_walk", 30.0), ("humanoid3d_cartwheel", 60.0)] {
        let path = data.join(format!("expected/deepmimic/{name}.txt.json"));
        let wanted: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let source = Source::open(&data.join(format!("deepmimic/{name}.txt"))).unwrap();
        assert_eq!(Format::of(&source).unwrap(), Format::DeepMimic);
        let choice = MotionChoice::default();
        let loaded = load_motion(&source, &LoadOptions::default(), &choice, None).unwrap();
        let motion = loaded.value;
        println!("{name}: fps {} {:?}", motion.fps, loaded.warnings);
        assert!((motion.fps - fps).abs() < 0.1, "{}", motion.fps);
        assert_eq!(wanted["counts"]["frames"], motion.n_frames());
        let duration = wanted["counts"]["duration"].as_f64().unwrap();
        assert!((motion.times.last().unwrap() - duration).abs() < 1e-6);
        let n_rows = 7 * motion.character.skeleton.len();
        let parameters = motion.joint_parameters();
        let mut worst: f64 = 0.0;
        for pose in wanted["frames"].as_array().unwrap() {
            let at = pose["frame"].as_u64().unwrap() as usize;
            let worlds = posed(&motion.character, &parameters[at * n_rows..][..n_rows]);
            let positions = pose["positions"].as_array().unwrap();
            assert_eq!(positions.len(), worlds.len());
            for (world, position) in worlds.iter().zip(positions) {
                for axis in 0..3 {
                    worst = worst.max((world[(axis, 3)] - position[axis].as_f64().unwrap()).abs());
                }
            }
        }
        println!("{name}: largest difference {worst:.1e}");
        // The reference values are printed with nine digits.
        assert!(worst < 1e-8, "{worst}");
    }
}

const SKELETON: &str = r#"{"Skeleton": {"Joints": [
 {"ID": 0, "Name": "root", "Type": "none", "Parent": -1, "AttachX": 0},
 {"ID": 1, "Name": "ball", "Type": "spherical", "Parent": 0, "AttachY": 1},
 {"ID": 2, "Name": "hinge", "Type": "revolute", "Parent": 1, "AttachY": 1, "LimLow0": -3, "LimHigh0": 0}
]}}"#;
const MOTION: &str = r#"{"Loop": "none", "Frames": [
 [0.5, 1, 2, 3, 1, 0, 0, 0, 1, 0, 0, 0, 0.25],
 [0, 1, 2, 3, 1, 0, 0, 0, 0, 0, 2, 0, -0.5]
]}"#;

#[test]
fn a_small_file_is_read_and_faults_are_named() {
    let options = LoadOptions::default();
    let choice = MotionChoice::default();
    let source = Source::from_bytes(SKELETON.as_bytes());
    assert_eq!(Format::of(&source).unwrap(), Format::DeepMimic);
    let character = load_character(&source, &options).unwrap().value;
    assert_eq!(character.parameter_limits.len(), 1);
    let load = |text: &str| {
        load_motion(
            &Source::from_bytes(text.as_bytes()),
            &options,
            &choice,
            Some(&character),
        )
    };
    let motion = load(MOTION).unwrap().value;
    assert_eq!((motion.fps, motion.times), (2.0, vec![0.0, 0.5]));
    assert_eq!(motion.model_parameters[9], 0.25);
    for (from, to, message) in [
        (
            "0.25]",
            "0.25, 1]",
            "Frames[0]: expected 13 numbers, for the joints of the skeleton, got 14",
        ),
        ("0.25]", "]", "line 2, column"),
        (
            "[0.5,",
            "[-0.5,",
            "Frames[0][0]: expected a duration in seconds, got -0.5",
        ),
        (
            "2, 0, -0.5",
            "0, 0, -0.5",
            "Frames[1]: expected quaternions of unit length",
        ),
        ("Frames", "Frame", "missing field `Frames`"),
    ] {
        let error = load(&MOTION.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(message), "{from} -> {to}: {error}");
    }
    for (from, to, message) in [
        (
            "spherical",
            "planar",
            "Skeleton.Joints[1].Type: expected 'spherical'",
        ),
        (
            "\"Parent\": 0",
            "\"Parent\": -1",
            "Skeleton.Joints[1].Parent: expected a joint before it",
        ),
        ("\"Parent\": 0", "\"Parent\": 7", "parent index 7"),
    ] {
        let text = SKELETON.replacen(from, to, 1);
        let error = load_character(&Source::from_bytes(text.as_bytes()), &options).unwrap_err();
        assert!(
            error.to_string().contains(message),
            "{from} -> {to}: {error}"
        );
    }
    for end in 0..MOTION.len() {
        assert!(load(&MOTION[..end]).is_err());
    }
    for end in 0..SKELETON.len() {
        assert!(
            load_character(&Source::from_bytes(&SKELETON.as_bytes()[..end]), &options).is_err()
        );
    }
}
