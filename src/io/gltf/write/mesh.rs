//! A mesh, its skin weights and its shapes as one primitive. Vertices stay as they are: where texture
//! coordinates have triangles of their own they are kept as Momentum keeps them, beside the primitive, since
//! in glTF itself a vertex has one texture coordinate.

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::super::momentum::NAME as MOMENTUM;
use super::document::{Document, INDICES, VERTICES};
use super::material;
use crate::character::{BlendShape, Mesh, Reals, SkinWeights};
use crate::error::{Error, Result};

/// Lengths in metres.
pub(super) fn metres(lengths: &Reals, per_meter: f64) -> std::borrow::Cow<'_, [f32]> {
    if per_meter == 1.0 {
        return lengths.as_f32().into();
    }
    let factor = 1.0 / per_meter;
    let scaled = lengths.as_f32().par_iter();
    let scaled = scaled.map(|&x| (f64::from(x) * factor) as f32);
    scaled.collect::<Vec<_>>().into()
}

fn finite(what: &str, numbers: &[f32]) -> Result<()> {
    match numbers.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::character(
            what,
            format!(
                "number {at} is {}; glTF holds finite numbers only",
                numbers[at]
            ),
        )),
    }
}

/// Adds a mesh; its index. `None` for one without vertices.
pub(super) fn add(
    document: &mut Document,
    mesh: &Mesh,
    per_meter: f64,
    colors: bool,
    weights: Option<&SkinWeights>,
    shapes: Option<&BlendShape>,
    extensions: bool,
) -> Result<Option<usize>> {
    let first = material::add(document, mesh)?;
    if mesh.n_vertices() == 0 {
        return Ok(None);
    }
    document.reserve(mesh.n_vertices() * 100);
    let mut attributes = Map::new();
    let mut extension = Map::new();
    let mut primitive = json!({});
    let positions = metres(&mesh.vertices, per_meter);
    finite("mesh", &positions)?;
    let accessor = document.bounded(&positions, "VEC3", Some(VERTICES));
    attributes.insert("POSITION".into(), accessor.into());
    if !mesh.normals.is_empty() {
        let accessor = document.floats(mesh.normals.as_f32(), "VEC3", Some(VERTICES));
        attributes.insert("NORMAL".into(), accessor.into());
    }
    if colors && !mesh.colors.is_empty() {
        let accessor = document.colors(&mesh.colors);
        attributes.insert("COLOR_0".into(), accessor.into());
    }
    let n_texcoords = mesh.texcoords.len() / 2;
    let mut texcoords = None;
    if n_texcoords == mesh.n_vertices() && mesh.texcoord_faces == mesh.faces {
        let accessor = document.floats(mesh.texcoords.as_f32(), "VEC2", Some(VERTICES));
        attributes.insert("TEXCOORD_0".into(), accessor.into());
    } else if n_texcoords > 0 && !mesh.texcoord_faces.is_empty() && extensions {
        let accessor = document.floats(mesh.texcoords.as_f32(), "VEC2", Some(VERTICES));
        texcoords = Some(accessor);
    }
    let mut item = json!({});
    if let Some(weights) = weights {
        add_influences(document, weights, &mut attributes)?;
    }
    if let Some(shapes) = shapes.filter(|shapes| !shapes.names().is_empty()) {
        let deltas = metres(shapes.displacements(), per_meter);
        finite("blend shape", &deltas)?;
        let targets = deltas.chunks_exact(positions.len()).map(|deltas| {
            let accessor = document.bounded(deltas, "VEC3", Some(VERTICES));
            json!({"POSITION": accessor})
        });
        primitive["targets"] = targets.collect();
        item["extras"] = json!({"targetNames": shapes.names()});
        extension.insert("shapeNames".into(), json!(shapes.names()));
    }
    primitive["attributes"] = Value::Object(attributes);
    let mut primitives = Vec::new();
    for (material, faces) in material::pieces(mesh) {
        let mut piece = primitive.clone();
        let mut extension = extension.clone();
        if mesh.faces.is_empty() {
            piece["mode"] = 0.into();
        } else {
            piece["indices"] = corners(document, &mesh.faces, &faces).into();
        }
        if let Some(material) = material {
            piece["material"] = (first + material).into();
        }
        if let Some(accessor) = texcoords {
            extension.insert("texcoords".into(), accessor.into());
            let accessor = corners(document, &mesh.texcoord_faces, &faces);
            extension.insert("texfaces".into(), accessor.into());
        }
        if extensions && !extension.is_empty() {
            document.extensions_used.insert(MOMENTUM);
            piece["extensions"] = json!({MOMENTUM: extension});
        }
        primitives.push(piece);
    }
    item["primitives"] = primitives.into();
    document.meshes.push(item);
    Ok(Some(document.meshes.len() - 1))
}

/// An accessor of the corners of triangles: of some, or of all where there is no list.
fn corners(document: &mut Document, triangles: &[[u32; 3]], some: &Option<Vec<usize>>) -> usize {
    match some {
        None => document.indices(triangles.as_flattened(), INDICES),
        Some(some) => {
            let taken: Vec<[u32; 3]> = some.iter().map(|&at| triangles[at]).collect();
            document.indices(taken.as_flattened(), INDICES)
        }
    }
}

/// Joints and weights, four columns a set.
fn add_influences(
    document: &mut Document,
    weights: &SkinWeights,
    attributes: &mut Map<String, Value>,
) -> Result<()> {
    let columns = weights.n_influences();
    let values = weights.weight().as_f32();
    let largest = weights.index().iter().max();
    if largest.is_some_and(|&joint| joint > u32::from(u16::MAX)) {
        return Err(Error::character(
            "skin weights",
            "a joint index is larger than 65535, the last one that glTF holds",
        ));
    }
    for (set, start) in (0..columns).step_by(4).enumerate() {
        let taken = 4.min(columns - start);
        let mut joints = vec![0_u16; weights.n_vertices() * 4];
        let mut factors = vec![0.0_f32; weights.n_vertices() * 4];
        let rows = weights
            .index()
            .chunks_exact(columns)
            .zip(values.chunks_exact(columns));
        let (joint_rows, factor_rows) = (
            joints.as_chunks_mut::<4>().0,
            factors.as_chunks_mut::<4>().0,
        );
        for ((index, weight), (joints, factors)) in rows.zip(joint_rows.iter_mut().zip(factor_rows))
        {
            for at in 0..taken {
                joints[at] = index[start + at] as u16;
                factors[at] = weight[start + at];
            }
        }
        let joints = document.joints(&joints);
        let factors = document.floats(&factors, "VEC4", Some(VERTICES));
        attributes.insert(format!("JOINTS_{set}"), joints.into());
        attributes.insert(format!("WEIGHTS_{set}"), factors.into());
    }
    Ok(())
}
