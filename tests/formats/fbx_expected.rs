//! Files by Maya, 3ds Max, MotionBuilder and Blender: nodes, skinned points and blend weights are those
//! that ufbx 0.23 evaluates, and the meshes those that the programs themselves exported.

use crate::common::{files_below, morphed, posed, shared_data, skinned};
use kinarray::character::{Character, Unit};
use kinarray::io::{LoadOptions, Motion, MotionChoice, Source, fbx};
use nalgebra::{Matrix4, Vector3};
use serde_json::Value;
use std::path::Path;

/// Where the points of a mesh are, given the parameters of the joints and the coefficients of shapes.
fn points(character: &Character, worlds: &[Matrix4<f64>], coefficients: &[f64]) -> Vec<[f64; 3]> {
    let Some(mesh) = &character.mesh else {
        return Vec::new();
    };
    let rest: Vec<f64> = match character.blend_shape {
        Some(_) => morphed(character, coefficients),
        None => mesh.vertices.iter().collect(),
    };
    skinned(character, worlds, &rest)
}

fn vector(value: &Value) -> Vector3<f64> {
    Vector3::from_iterator(
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|x| x.as_f64().unwrap()),
    )
}

fn matrix(value: &Value) -> Matrix4<f64> {
    let mut matrix = Matrix4::identity();
    for row in 0..3 {
        for column in 0..4 {
            matrix[(row, column)] = value[row][column].as_f64().unwrap();
        }
    }
    matrix
}

/// The positions in a Wavefront file.
fn obj(path: &Path) -> Vec<Vector3<f64>> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("v "));
    let numbers = |line: &str| {
        let numbers = line
            .split_whitespace()
            .map(|word| word.parse::<f64>().unwrap());
        Vector3::from_iterator(numbers.take(3))
    };
    lines.map(numbers).collect()
}

#[derive(Default, Debug)]
struct Worst {
    nodes: f64,
    matrices: f64,
    skinned: f64,
    published: f64,
    poses: usize,
    published_meshes: usize,
}

struct Case<'a> {
    data: &'a Path,
    wanted: &'a Value,
    character: &'a Character,
    rest: Vec<Matrix4<f64>>,
    size: f64,
}

impl Case<'_> {
    fn compare(&self, pose: &Value, parameters: &[f64], coefficients: &[f64], worst: &mut Worst) {
        let character = self.character;
        let n_joints = character.skeleton.len();
        let worlds = posed(character, &parameters[..7 * n_joints]);
        let rest_pose = &self.wanted["poses"][0];
        for node in self.wanted["nodes"].as_array().unwrap() {
            let name = node["name"].as_str().unwrap();
            let name = name.rsplit(':').next().unwrap();
            let Some(joint) = character.skeleton.joint_index(name) else {
                continue;
            };
            let index = node["index"].as_u64().unwrap() as usize;
            let place = vector(&pose["world_positions"][index]);
            let own = worlds[joint].fixed_view::<3, 1>(0, 3).into_owned();
            worst.nodes = worst.nodes.max((place - own).norm() / self.size);
            let key = index.to_string();
            if let (Some(now), Some(rest)) = (
                pose["world_matrices"].get(&key),
                rest_pose["world_matrices"].get(&key),
            ) {
                // What the node has on top of the joint stays as it is at rest.
                let above = self.rest[joint].try_inverse().unwrap() * matrix(rest);
                let (now, own) = (matrix(now), worlds[joint] * above);
                let linear = |m: &Matrix4<f64>| m.fixed_view::<3, 3>(0, 0).into_owned();
                let error = (linear(&now) - linear(&own)).norm() / linear(&now).norm();
                worst.matrices = worst.matrices.max(error);
            }
        }
        let points = points(character, &worlds, coefficients);
        let geometry = pose["geometry"].as_array().unwrap();
        let order = [true, false]
            .into_iter()
            .flat_map(|skinned| geometry.iter().filter(move |one| one["skinned"] == skinned));
        let linear_only = self.wanted["skins"]
            .as_array()
            .unwrap()
            .iter()
            .all(|skin| skin["method"] == "linear");
        let mut start = 0;
        for one in order {
            let indices = one["vertex_indices"].as_array().unwrap();
            for (index, position) in indices.iter().zip(one["positions"].as_array().unwrap()) {
                let own = Vector3::from(points[start + index.as_u64().unwrap() as usize]);
                if linear_only {
                    let error = (own - vector(position)).norm() / self.size;
                    worst.skinned = worst.skinned.max(error);
                }
            }
            start += one["vertices"].as_u64().unwrap() as usize;
        }
        assert_eq!(start, points.len());
        let published = &pose["published_reference"];
        // Maya moves a skinned mesh once more with its node, which no other program does.
        if published.is_object() && published.get("note").is_none() && linear_only {
            let wanted = obj(&self.data.join(published["obj"].as_str().unwrap()));
            assert_eq!(wanted.len(), points.len());
            if published["max_abs_diff_in_order"]
                .as_f64()
                .is_some_and(|diff| diff < 1e-2)
            {
                worst.published_meshes += 1;
                for (wanted, own) in wanted.iter().zip(&points) {
                    let error = (Vector3::from(*own) - wanted).norm() / self.size;
                    worst.published = worst.published.max(error);
                }
            }
        }
        worst.poses += 1;
    }
}

fn options(unit: Unit) -> LoadOptions {
    LoadOptions {
        unit,
        ..LoadOptions::default()
    }
}

#[test]
fn nodes_skins_and_shapes_are_where_other_programs_see_them() {
    let Some(data) = shared_data() else { return };
    let (mut n_files, mut n_sheared) = (0, 0);
    println!(
        "file | joints | vertices | shapes | poses | nodes | matrices | skinned | published | warnings"
    );
    for path in files_below(&data.join("fbx"), &["fbx"]) {
        let name = path
            .strip_prefix(&data)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let expected = std::fs::read(data.join(format!("expected/{name}.json"))).unwrap();
        let wanted: Value = serde_json::from_slice(&expected).unwrap();
        let source = Source::open(&path).unwrap();
        let loaded = fbx::load_character(&source, &options(Unit::Centimeter)).unwrap();
        let character = &loaded.value;
        let rest = posed(character, &vec![0.0; 7 * character.skeleton.len()]);
        let places = rest.iter().map(|m| m.fixed_view::<3, 1>(0, 3).into_owned());
        let mut size = places.map(|p| p.norm()).fold(0.0, f64::max);
        if let Some(mesh) = &character.mesh {
            size = mesh.vertices.iter().fold(size, |size, x| size.max(x.abs()));
        }
        let case = Case {
            data: &data,
            wanted: &wanted,
            character,
            rest,
            size,
        };
        let mut worst = Worst::default();
        let none = vec![0.0; 7 * character.skeleton.len()];
        let weights = rest_coefficients(&path);
        case.compare(&wanted["poses"][0], &none, &weights, &mut worst);
        let mut motion_warnings = Vec::new();
        for pose in &wanted["poses"].as_array().unwrap()[1..] {
            let stacks = wanted["stacks"].as_array().unwrap();
            let at = pose["stack"].as_u64().unwrap_or(0) as usize;
            let start = stacks[at]["begin"].as_f64().unwrap();
            // Behind the last key everything stays as it is there.
            let end = stacks[at]["end"].as_f64().unwrap();
            let after = pose["time"].as_f64().unwrap().min(end) - start;
            let is_first = after.abs() < 1e-9;
            let choice = MotionChoice {
                clip: Some(kinarray::io::ClipChoice::Index(at)),
                fps: Some(if is_first { 24.0 } else { 1.0 / after }),
            };
            let in_centimeters = options(Unit::Centimeter);
            let loaded = fbx::load_motion(&source, &in_centimeters, &choice).unwrap();
            let motion: Motion = loaded.value;
            motion_warnings = loaded.warnings;
            assert_eq!(motion.name, stacks[at]["name"].as_str().unwrap());
            let width = motion.character.parameter_transform.len();
            let frame = usize::from(!is_first);
            let row = &motion.model_parameters[frame * width..][..width];
            let coefficients = &row[7 * character.skeleton.len()..];
            case.compare(pose, row, coefficients, &mut worst);
        }
        let mesh = character.mesh.as_ref();
        println!(
            "{name} | {} | {} | {} | {} of {} | {:.1e} | {:.1e} | {:.1e} | {:.1e} ({}) | {:?}",
            character.skeleton.len(),
            mesh.map_or(0, |mesh| mesh.n_vertices()),
            character
                .blend_shape
                .as_ref()
                .map_or(0, |s| s.names().len()),
            worst.poses,
            wanted["poses"].as_array().unwrap().len(),
            worst.nodes,
            worst.matrices,
            worst.skinned,
            worst.published,
            worst.published_meshes,
            motion_warnings,
        );
        assert_eq!(worst.poses, wanted["poses"].as_array().unwrap().len());
        let largest = [worst.nodes, worst.matrices, worst.skinned, worst.published];
        let sheared = motion_warnings
            .iter()
            .any(|warning| warning.contains("sheared"));
        assert!(
            largest.iter().all(|&x| x < 1e-6) || sheared,
            "{name}: {worst:?}"
        );
        n_sheared += usize::from(sheared);
        n_files += 1;
    }
    // Maya's squash and stretch, as text and as binary.
    assert_eq!((n_files, n_sheared), (17, 2));
}

/// Coefficients of shapes at rest, which the first frame need not have: those that make the mesh of the base.
fn rest_coefficients(path: &Path) -> Vec<f64> {
    let source = Source::open(path).unwrap();
    let character = fbx::load_character(&source, &LoadOptions::default())
        .unwrap()
        .value;
    let Some(shape) = &character.blend_shape else {
        return Vec::new();
    };
    let mesh = character.mesh.as_ref().unwrap();
    let count = shape.names().len();
    let moved = mesh
        .vertices
        .iter()
        .zip(shape.base().iter())
        .map(|(x, base)| x - base);
    let moved = nalgebra::DVector::from_iterator(mesh.vertices.len(), moved);
    let rows =
        nalgebra::DMatrix::from_iterator(mesh.vertices.len(), count, shape.displacements().iter());
    let solved = rows.svd(true, true).solve(&moved, 1e-9).unwrap();
    solved.iter().copied().collect()
}
