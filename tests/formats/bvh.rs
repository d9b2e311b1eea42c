//! BVH: against three.js, Blender and numpy, round trips, and small files of our own.

use crate::common::{files_below, posed, shared_data};
use kinarray::io::bvh::{WriteOptions, load_motion, save_motion};
use kinarray::io::{LoadOptions, Loaded, Motion, MotionChoice, PositionChannels, Progress, Source};
use serde_json::Value;
use std::path::Path;

fn choice() -> MotionChoice {
    MotionChoice::default()
}

fn open(path: &Path, options: &LoadOptions) -> Loaded<Motion> {
    load_motion(&Source::open(path).unwrap(), options, &choice()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap())
        .collect()
}

/// The joint parameters of one frame.
fn frame(motion: &Motion, at: usize) -> Vec<f64> {
    let n_rows = 7 * motion.character.skeleton.len();
    motion.joint_parameters()[at * n_rows..][..n_rows].to_vec()
}

#[test]
fn joints_agree_with_the_reference_values_in_both_readings() {
    let Some(data) = shared_data() else { return };
    let mut paths = files_below(&data.join("expected/bvh"), &["json"]);
    paths.push(data.join("expected/momentum/simple.bvh.json"));
    for path in &paths {
        let wanted: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let name = wanted["file"].as_str().unwrap();
        let mut worst: f64 = 0.0;
        for (positions, key) in [
            (PositionChannels::AddToOffset, "offset_plus_channels"),
            (PositionChannels::ReplaceOffset, "channels_replace_offset"),
        ] {
            let options = LoadOptions {
                position_channels: positions,
                ..LoadOptions::default()
            };
            let loaded = open(&data.join(name), &options);
            assert_eq!(loaded.warnings, Vec::<String>::new(), "{name}");
            let motion = loaded.value;
            let joints = motion.character.skeleton.joints();
            let counts = &wanted["counts"];
            assert_eq!(counts["joints"], joints.len());
            assert_eq!(counts["frames"], motion.n_frames());
            assert_eq!(
                counts["channels"],
                motion.character.parameter_transform.len()
            );
            assert_eq!(counts["end_sites"], motion.character.locators.len());
            let seconds = counts["frame_time"].as_f64().unwrap();
            assert!((seconds * motion.fps - 1.0).abs() < 5e-4);
            for (joint, wanted) in joints.iter().zip(wanted["joints"].as_array().unwrap()) {
                assert_eq!(joint.name, wanted["name"].as_str().unwrap());
                let parent = joint.parent.map_or(-1, |parent| parent as i64);
                assert_eq!(wanted["parent"], parent);
                assert_eq!(
                    joint.translation_offset.to_vec(),
                    numbers(&wanted["offset"])
                );
            }
            for pose in wanted["poses"].as_array().unwrap() {
                let at = pose["frame"].as_u64().unwrap() as usize;
                let worlds = posed(&motion.character, &frame(&motion, at));
                let places = pose.get(key).unwrap_or(&pose["offset_plus_channels"]);
                let places: Vec<_> = places.as_array().unwrap().iter().map(numbers).collect();
                let size = places
                    .iter()
                    .flatten()
                    .fold(1.0_f64, |size, x| size.max(x.abs()));
                assert_eq!(places.len(), worlds.len());
                for (world, place) in worlds.iter().zip(&places) {
                    for axis in 0..3 {
                        worst = worst.max((world[(axis, 3)] - place[axis]).abs() / size);
                    }
                }
                for (joint, wanted) in pose["world_rotations"].as_object().unwrap() {
                    let world = &worlds[joint.parse::<usize>().unwrap()];
                    for (row, wanted) in wanted.as_array().unwrap().iter().enumerate() {
                        for (column, wanted) in numbers(wanted).iter().enumerate() {
                            worst = worst.max((world[(row, column)] - wanted).abs());
                        }
                    }
                }
            }
        }
        println!("{name}: largest difference {worst:.1e}");
        // The reference values are printed with nine digits.
        assert!(worst < 5e-9, "{name}: {worst}");
    }
}

#[test]
fn saved_files_load_as_the_same_motion() {
    let Some(data) = shared_data() else { return };
    for path in files_below(&data.join("bvh"), &["bvh"]) {
        let first = open(&path, &LoadOptions::default()).value;
        let saved = save_motion(&first, &WriteOptions::default(), Progress::default()).unwrap();
        let bytes = saved.clone().into_bytes();
        let source = Source::from_bytes(&bytes);
        let second = load_motion(&source, &LoadOptions::default(), &choice())
            .unwrap()
            .value;
        let name = path.file_name().unwrap();
        println!(
            "{name:?}: {} bytes, {:?}",
            saved.clone().into_bytes().len(),
            saved.warnings
        );
        assert_eq!(first.fps, second.fps);
        assert_eq!(first.character.skeleton, second.character.skeleton);
        assert_eq!(
            first.character.locators.len() + usize::from(name == "sinusoidal.bvh"),
            second.character.locators.len()
        );
        let worst = largest_difference(&first, &second);
        if ["cmu_01_01.bvh", "pfnn_hierarchy.bvh", "test_freebvh.bvh"]
            .iter()
            .any(|zyx| name == *zyx)
        {
            assert!(worst == 0.0, "{name:?}: {worst}");
        } else {
            // Radians that no number of degrees gives: the nearest one.
            assert!(worst < 1e-15, "{name:?}: {worst}");
        }
        // From then on nothing changes any more.
        let again = save_motion(&second, &WriteOptions::default(), Progress::default()).unwrap();
        let bytes = again.clone().into_bytes();
        let source = Source::from_bytes(&bytes);
        let third = load_motion(&source, &LoadOptions::default(), &choice())
            .unwrap()
            .value;
        assert!(largest_difference(&second, &third) == 0.0, "{name:?}");
    }
}

fn largest_difference(left: &Motion, right: &Motion) -> f64 {
    let (left, right) = (left.joint_parameters(), right.joint_parameters());
    assert_eq!(left.len(), right.len());
    left.iter()
        .zip(&right)
        .fold(0.0, |worst, (left, right)| worst.max((left - right).abs()))
}
