//! A random but reproducible rig of any size, for benchmarks and tests of scale.

use std::sync::Arc;

use crate::character::{
    Character, CharacterParts, Joint, Mesh, MeshParts, ParameterTransform, Skeleton, SkinWeights,
};
use crate::error::{Error, Result};

/// A rig of `n_joints` joints in a tree with offsets and pre-rotations everywhere, `n_parameters`
/// parameters (six of the root, then rotations, each joint's in turn, then shared ones), and a mesh of
/// `n_vertices` vertices with `n_influences` weights each (none for 0 vertices). Equal arguments give
/// equal characters.
///
/// # Errors
/// [`Error::Value`] without joints, or for vertices without influences.
pub fn create_character(
    n_joints: usize,
    n_parameters: usize,
    n_vertices: usize,
    n_influences: usize,
) -> Result<Character> {
    if n_joints == 0 {
        return Err(Error::value("n_joints", "expected at least 1, got 0"));
    }
    if n_vertices > 0 && !(1..=n_joints).contains(&n_influences) {
        return Err(Error::value(
            "n_influences",
            format!("expected 1 to {n_joints} (the number of joints), got {n_influences}"),
        ));
    }
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let skeleton = skeleton(&mut random, n_joints)?;
    let transform = transform(&mut random, n_joints, n_parameters)?;
    let mut parts = CharacterParts::new("synthetic", skeleton, transform);
    if n_vertices > 0 {
        parts.mesh = Some(Arc::new(mesh(&mut random, n_vertices)?));
        let weights = weights(&mut random, n_joints, n_vertices, n_influences)?;
        parts.skin_weights = Some(Arc::new(weights));
    }
    Character::new(parts)
}

fn skeleton(random: &mut Random, n_joints: usize) -> Result<Skeleton> {
    let joints = (0..n_joints).map(|index| {
        // Mostly chains, with a branch now and then, as bodies are.
        let back = 1 + random.below(4) * random.below(2) * random.below(3);
        let parent = (index > 0).then(|| index.saturating_sub(back.max(1)).min(index - 1));
        let offset = std::array::from_fn(|_| 0.1 * random.symmetric());
        let mut joint = Joint::new(format!("joint{index}"), parent, offset);
        let turn: [f64; 4] =
            std::array::from_fn(|axis| random.symmetric() * 0.4 + f64::from(u8::from(axis == 3)));
        let norm = turn.iter().map(|x| x * x).sum::<f64>().sqrt();
        joint.pre_rotation = turn.map(|x| x / norm);
        joint
    });
    Skeleton::new(joints.collect())
}

fn transform(
    random: &mut Random,
    n_joints: usize,
    n_parameters: usize,
) -> Result<ParameterTransform> {
    let mut names = Vec::with_capacity(n_parameters);
    let mut entries = Vec::new();
    for parameter in 0..n_parameters {
        if parameter < 6 {
            names.push(format!(
                "root_{}",
                ["tx", "ty", "tz", "rx", "ry", "rz"][parameter]
            ));
            entries.push((parameter, parameter, 1.0));
            continue;
        }
        let turn = parameter - 6;
        let (joint, axis) = (
            1 + turn % n_joints.max(2).saturating_sub(1),
            turn / n_joints % 3,
        );
        if joint < n_joints && turn < 3 * n_joints {
            names.push(format!("joint{joint}_r{axis}_{parameter}"));
            entries.push((joint * 7 + 3 + axis, parameter, 1.0));
            // Every eighth is shared with another joint.
            if parameter % 8 == 0 {
                entries.push((random.below(n_joints) * 7 + 3 + axis, parameter, 0.5));
            }
        } else {
            names.push(format!("scale_joint{parameter}"));
            entries.push((random.below(n_joints) * 7 + 6, parameter, 0.1));
        }
    }
    ParameterTransform::new(names, n_joints, entries)
}

/// Vertices in a box, joined into a strip of triangles.
fn mesh(random: &mut Random, n_vertices: usize) -> Result<Mesh> {
    let vertices: Vec<f32> = (0..3 * n_vertices)
        .map(|_| random.symmetric() as f32)
        .collect();
    let faces = (2..n_vertices as u32)
        .map(|last| {
            if last % 2 == 0 {
                [last - 2, last - 1, last]
            } else {
                [last - 1, last - 2, last]
            }
        })
        .collect();
    Mesh::new(MeshParts {
        vertices: vertices.into(),
        faces,
        ..MeshParts::default()
    })
}

fn weights(
    random: &mut Random,
    n_joints: usize,
    n_vertices: usize,
    n_influences: usize,
) -> Result<SkinWeights> {
    let mut index = Vec::with_capacity(n_vertices * n_influences);
    let mut weight = Vec::with_capacity(n_vertices * n_influences);
    for _ in 0..n_vertices {
        let first = random.below(n_joints);
        let raw: Vec<f64> = (0..n_influences).map(|_| random.unit() + 1e-3).collect();
        let total: f64 = raw.iter().sum();
        for (step, value) in raw.iter().enumerate() {
            index.push(((first + step) % n_joints) as u32);
            weight.push((value / total) as f32);
        }
    }
    SkinWeights::new(n_influences, index, weight.into())
}

/// splitmix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1, without 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn symmetric(&mut self) -> f64 {
        2.0 * self.unit() - 1.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rig_has_the_sizes_asked_for_and_is_always_the_same() {
        let rig = create_character(127, 136, 1000, 4).unwrap();
        assert_eq!(
            (rig.skeleton.len(), rig.parameter_transform.len()),
            (127, 136)
        );
        assert_eq!(rig.mesh.as_ref().unwrap().n_vertices(), 1000);
        let weights = rig.skin_weights.as_ref().unwrap();
        assert_eq!(weights.n_influences(), 4);
        for row in weights.weight().as_f64().chunks(4) {
            assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        }
        assert_eq!(rig, create_character(127, 136, 1000, 4).unwrap());
    }

    #[test]
    fn every_parameter_drives_something() {
        for (n_joints, n_parameters) in [(1, 6), (2, 30), (127, 136), (20, 100)] {
            let rig = create_character(n_joints, n_parameters, 0, 0).unwrap();
            let dense = rig.parameter_transform.to_dense();
            for column in 0..n_parameters {
                let used = dense
                    .iter()
                    .skip(column)
                    .step_by(n_parameters)
                    .any(|&x| x != 0.0);
                assert!(used, "{n_joints} joints: parameter {column}");
            }
        }
    }

    #[test]
    fn impossible_sizes_are_refused() {
        assert!(create_character(0, 0, 0, 0).is_err());
        assert!(
            create_character(3, 6, 10, 4)
                .unwrap_err()
                .to_string()
                .contains("n_influences")
        );
    }
}
