//! What the glTF tests share: where the files are, and posing written down once more, independently of
//! the library, in double precision.

#![allow(dead_code)]

use kinarray::Result;
use kinarray::character::Character;
use kinarray::io::gltf::{LoadedScene, load_scene};
use kinarray::io::{LoadOptions, Source};
use nalgebra::{Matrix4, Quaternion, Translation3, UnitQuaternion, Vector3, Vector4};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The folder of shared test data; `None`, after saying why, where it is absent.
pub fn shared_data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let candidates = [
        std::env::var_os("KINARRAY_SHARED").map(PathBuf::from),
        Some(beside),
        Some(PathBuf::from("/work/shared")),
    ];
    let found = candidates
        .into_iter()
        .flatten()
        .map(|folder| folder.join("data"))
        .find(|data| data.join("gltf").is_dir());
    if found.is_none() {
        eprintln!("skipped: no shared test data (set KINARRAY_SHARED)");
    }
    found
}

/// All files below a folder with one of the extensions.
pub fn files_below(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if extensions
                .iter()
                .any(|wanted| path.extension().is_some_and(|own| own == *wanted))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The matrix of a state row `tx ty tz qx qy qz qw s`.
pub fn state_matrix(row: &[f64]) -> Matrix4<f64> {
    let rotation = UnitQuaternion::new_unchecked(Quaternion::new(row[6], row[3], row[4], row[5]));
    Matrix4::new_translation(&Vector3::new(row[0], row[1], row[2]))
        * rotation.to_homogeneous()
        * Matrix4::new_scaling(row[7])
}

/// World matrices from joint parameters: `T(offset + t) Rpre Rz Ry Rx 2^sc`, parent by parent.
pub fn posed(character: &Character, parameters: &[f64]) -> Vec<Matrix4<f64>> {
    let mut worlds: Vec<Matrix4<f64>> = Vec::new();
    for (joint, p) in character
        .skeleton
        .joints()
        .iter()
        .zip(parameters.chunks_exact(7))
    {
        let [x, y, z, w] = joint.pre_rotation;
        let offset = Vector3::from(joint.translation_offset) + Vector3::new(p[0], p[1], p[2]);
        let turn = |axis, angle| UnitQuaternion::from_axis_angle(&axis, angle).to_homogeneous();
        let local = Translation3::from(offset).to_homogeneous()
            * UnitQuaternion::new_unchecked(Quaternion::new(w, x, y, z)).to_homogeneous()
            * turn(Vector3::z_axis(), p[5])
            * turn(Vector3::y_axis(), p[4])
            * turn(Vector3::x_axis(), p[3])
            * Matrix4::new_scaling(p[6].exp2());
        worlds.push(joint.parent.map_or(local, |parent| worlds[parent] * local));
    }
    worlds
}

/// The rest mesh with some weights of its morph targets.
pub fn morphed(character: &Character, weights: &[f64]) -> Vec<f64> {
    let Some(shape) = &character.blend_shape else {
        let mesh = character.mesh.as_ref().unwrap();
        return mesh.vertices.iter().collect();
    };
    let mut vertices: Vec<f64> = shape.base().iter().collect();
    let displacements = shape.displacements().as_f64();
    for (weight, row) in weights.iter().zip(displacements.chunks(vertices.len())) {
        for (x, delta) in vertices.iter_mut().zip(row) {
            *x += weight * delta;
        }
    }
    vertices
}

/// Linear blend skinning of rest vertices.
pub fn skinned(character: &Character, worlds: &[Matrix4<f64>], rest: &[f64]) -> Vec<[f64; 3]> {
    let weights = character.skin_weights.as_ref().unwrap();
    let columns = weights.n_influences();
    let values = weights.weight().as_f64();
    let to_rest: Vec<Matrix4<f64>> = character
        .inverse_bind_pose
        .iter()
        .zip(worlds)
        .map(|(m, world)| world * Matrix4::from_row_slice(m))
        .collect();
    rest.chunks_exact(3)
        .enumerate()
        .map(|(vertex, p)| {
            let p = Vector4::new(p[0], p[1], p[2], 1.0);
            let mut sum = Vector4::zeros();
            for at in vertex * columns..(vertex + 1) * columns {
                if values[at] != 0.0 {
                    sum += to_rest[weights.index()[at] as usize] * p * values[at];
                }
            }
            [sum.x, sum.y, sum.z]
        })
        .collect()
}

/// A GLB file of a document and a binary chunk.
pub fn glb(document: &serde_json::Value, binary: &[u8]) -> Vec<u8> {
    let mut json = serde_json::to_vec(document).unwrap();
    json.resize(json.len().next_multiple_of(4), b' ');
    let mut binary = binary.to_vec();
    binary.resize(binary.len().next_multiple_of(4), 0);
    let word = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let mut file = b"glTF".to_vec();
    file.extend(word(2));
    file.extend(word(28 + json.len() + binary.len()));
    for (kind, chunk) in [(b"JSON", json), (b"BIN\0", binary)] {
        file.extend(word(chunk.len()));
        file.extend(kind);
        file.extend(chunk);
    }
    file
}

/// The scene in a file.
pub fn load_file(path: &Path, options: &LoadOptions) -> Result<LoadedScene> {
    load_scene(&Source::open(path)?, options)
}

/// The scene in bytes.
pub fn load(bytes: &[u8], options: &LoadOptions) -> Result<LoadedScene> {
    load_scene(&Source::from_bytes(bytes), options)
}

/// All numbers of nested lists.
pub fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(flat).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

/// Whether each number is within `tolerance` of the one wanted.
pub fn assert_close(what: &str, got: &[f64], wanted: &[f64], tolerance: f64) {
    assert_eq!(got.len(), wanted.len(), "{what}");
    for (at, (got, wanted)) in got.iter().zip(wanted).enumerate() {
        let error = (got - wanted).abs();
        assert!(
            error <= tolerance,
            "{what} [{at}]: {got} instead of {wanted}"
        );
    }
}

/// Numbers that look random, the same in each run.
pub struct Noise(pub u64);

impl Noise {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }
}
