//! Which joints carry a mesh.

use super::record::Value;
use super::scene::{Id, Scene};
use super::skeleton::columns;
use crate::character::{Character, SkinWeights};
use crate::error::Result;

/// The skin of a geometry: one cluster a joint, so that each keeps where it was bound.
pub(super) fn skin(
    scene: &mut Scene,
    character: &Character,
    weights: &SkinWeights,
    joints: &[Id],
    geometry: Id,
) -> Result<()> {
    let (skin, record) = scene.object("Deformer", "skin", "Deformer", "Skin");
    scene.add(
        record
            .field("Version", 101)
            .field("Link_DeformAcuracy", 50.0)
            .field("SkinningType", "Linear"),
    );
    scene.connect(skin, geometry);
    let mut carried: Vec<(Vec<i32>, Vec<f64>)> = vec![Default::default(); joints.len()];
    for (at, (&joint, weight)) in weights
        .index()
        .iter()
        .zip(weights.weight().iter())
        .enumerate()
    {
        let Some((vertices, numbers)) = carried.get_mut(joint as usize).filter(|_| weight != 0.0)
        else {
            continue;
        };
        let vertex = (at / weights.n_influences()) as i32;
        match (vertices.last(), numbers.last_mut()) {
            // A vertex that names the same joint twice.
            (Some(&last), Some(number)) if last == vertex => *number += weight,
            _ => {
                vertices.push(vertex);
                numbers.push(weight);
            }
        }
    }
    let bind = character.bind_pose()?;
    for (joint, (vertices, numbers)) in carried.into_iter().enumerate() {
        let name = &character.skeleton.joints()[joint].name;
        let (cluster, record) = scene.object("Deformer", name, "SubDeformer", "Cluster");
        let mut record = record.field("Version", 100);
        if !vertices.is_empty() {
            record = record.field("Indexes", vertices).field("Weights", numbers);
        }
        let transform: Value = columns(&character.inverse_bind_pose[joint]).into();
        scene.add(
            record
                .field("Transform", transform)
                .field("TransformLink", columns(&bind[joint])),
        );
        scene.connect(cluster, skin);
        scene.connect(joints[joint], cluster);
    }
    Ok(())
}
