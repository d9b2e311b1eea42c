//! Every valid file of the shared set, against what three.js, numpy and Blender make of it.

use crate::common::{files_below, load_file, morphed, posed, shared_data, skinned, state_matrix};
use kinarray::io::LoadOptions;
use kinarray::io::gltf::LoadedScene;
use nalgebra::{Matrix3, Matrix4};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap();
    list.iter().map(|x| x.as_f64().unwrap()).collect()
}

struct Report {
    /// Of the scene's size.
    tolerance: f64,
    size: f64,
    worst: f64,
    problems: Vec<String>,
}

impl Report {
    /// Values of a certain size.
    fn compare(&mut self, what: &str, size: f64, got: &[f64], wanted: &[f64]) {
        assert_eq!(got.len(), wanted.len(), "{what}");
        for (got, wanted) in got.iter().zip(wanted) {
            let error = (got - wanted).abs() / size;
            self.worst = self.worst.max(error);
            if (error.is_nan() || error > self.tolerance) && self.problems.len() < 8 {
                self.problems
                    .push(format!("{what}: {got} instead of {wanted}"));
            }
        }
    }
}

/// World matrices of the joints, all rest vertices, and the same skinned.
fn check_pose(
    scene: &LoadedScene,
    pose: &Value,
    worlds: &[Matrix4<f64>],
    weights: &[f64],
    positions_key: &str,
    report: &mut Report,
) -> usize {
    let character = &scene.character;
    let mut compared = 0;
    let why = format!("{} at {}", pose["animation"], pose["time"]);
    for (joint, node) in scene.joint_nodes.iter().enumerate() {
        let Some(node) = *node else { continue };
        let world = &worlds[joint];
        let wanted = numbers(&pose["world_positions"][node]);
        let place = [world.m14, world.m24, world.m34];
        report.compare(
            &format!("{why}: node {node} position"),
            report.size,
            &place,
            &wanted,
        );
        compared += 1;
        let linear = Matrix3::from_row_slice(&scene.node_linear[joint]);
        let got = world.fixed_view::<3, 3>(0, 0) * linear;
        if let Some(wanted) = pose["world_matrices"].get(node.to_string()) {
            // Entries are relative to the node's own size.
            let size = got.amax().max(1.0);
            for row in 0..3 {
                let got: Vec<f64> = got.row(row).iter().copied().collect();
                let what = format!("{why}: node {node} matrix");
                report.compare(&what, size, &got, &numbers(&wanted[row])[..3]);
            }
        }
    }
    let parts = pose["geometry"].as_array().unwrap();
    if parts.is_empty() {
        return compared;
    }
    let vertices = skinned(character, worlds, &morphed(character, weights));
    for wanted in parts {
        let (node, primitive) = (&wanted["node"], &wanted["primitive"]);
        let part = scene
            .mesh_parts
            .iter()
            .find(|part| *node == part.node && *primitive == part.primitive)
            .unwrap_or_else(|| panic!("no mesh part for node {node}, primitive {primitive}"));
        let own = &vertices[part.vertices.clone()];
        let Some(positions) = wanted[positions_key].as_array() else {
            continue;
        };
        let indices = wanted["vertex_indices"].as_array().unwrap();
        for (index, position) in indices.iter().zip(positions) {
            let vertex = own[index.as_u64().unwrap() as usize];
            let what = format!("{why}: node {node} primitive {primitive} vertex {index}");
            report.compare(&what, report.size, &vertex, &numbers(position));
            compared += 1;
        }
        if positions_key == "positions" {
            for (key, pick) in [
                ("bbox_min", f64::min as fn(f64, f64) -> f64),
                ("bbox_max", f64::max),
            ] {
                let own: Vec<f64> = (0..3)
                    .map(|axis| own.iter().map(|p| p[axis]).reduce(pick).unwrap())
                    .collect();
                let what = format!("{why}: node {node} {key}");
                report.compare(&what, report.size, &own, &numbers(&wanted[key]));
            }
        }
    }
    compared
}

#[test]
fn nodes_and_vertices_agree_with_the_reference_values() {
    let Some(data) = shared_data() else { return };
    let expected = data.join("expected/gltf");
    let mut failures = Vec::new();
    let mut n_files = 0;
    for path in files_below(&expected, &["json"]) {
        let wanted: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let name = wanted["file"].as_str().unwrap();
        let scene = match load_file(&data.join(name), &LoadOptions::default()) {
            Ok(scene) => scene,
            Err(error) => {
                failures.push(format!("{name}: {error}"));
                continue;
            }
        };
        let as_stored = LoadOptions {
            normalize_weights: false,
            ..LoadOptions::default()
        };
        let raw = load_file(&data.join(name), &as_stored).unwrap();
        n_files += 1;
        let size = wanted["magnitude"].as_f64().unwrap();
        let lengths = &wanted["non_unit_quaternions"]["max_norm_error"];
        let mut report = Report {
            // The reference uses quaternions as stored; one that is longer than 1 by e scales by about
            // 1 + 2e, which a rotation of ours does not (`magnitude` is somewhat less than the size).
            tolerance: 1e-4 + 3.0 * lengths.as_f64().unwrap_or(0.0),
            size,
            worst: 0.0,
            problems: Vec::new(),
        };
        let mut compared = 0;
        for pose in wanted["poses"].as_array().unwrap() {
            let Some(clip) = pose["animation"].as_u64() else {
                let zero = vec![0.0; 7 * scene.character.skeleton.len()];
                let worlds = posed(&scene.character, &zero);
                let weights = &scene.morph_weights;
                for (scene, key) in [(&scene, "positions"), (&raw, "positions_raw_weights")] {
                    compared += check_pose(scene, pose, &worlds, weights, key, &mut report);
                }
                continue;
            };
            let clip = &scene.clips[clip as usize];
            let mut time = pose["time"].as_f64().unwrap();
            // Times are printed with ten digits: on a key means exactly on it.
            for key in clip.key_times() {
                if (key - time).abs() < 1e-8 * key.abs().max(1.0) {
                    time = key;
                }
            }
            let weights = clip.morph_weights(&[time]);
            let states = clip.skeleton_states(&[time]);
            let worlds: Vec<_> = states.chunks_exact(8).map(state_matrix).collect();
            compared += check_pose(&scene, pose, &worlds, &weights, "positions", &mut report);
            // The same once more through joint parameters.
            let worlds = posed(&scene.character, &clip.joint_parameters(&[time]));
            check_pose(&scene, pose, &worlds, &weights, "positions", &mut report);
        }
        println!(
            "{name}: {compared} points, largest difference {:.1e} of the size, {} joints, {:?}",
            report.worst,
            scene.character.skeleton.len(),
            scene.warnings
        );
        if !report.problems.is_empty() {
            failures.push(format!("{name}: {:#?}", report.problems));
        }
    }
    assert!(n_files > 40, "{n_files}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
