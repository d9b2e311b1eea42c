//! Blend shapes of a mesh. An in-between is a shape of its own, called `<shape>.<in-between>`; an
//! animation's weight is divided between neighbours, as USD does.

use nalgebra::{Matrix3, Vector3};
use std::sync::Arc;

use super::super::value::{Numbers, Value};
use super::attribute::{about, numbers, texts};
use super::draft::{Draft, Shape};
use super::stage::Stage;
use crate::error::{Error, Result};
use crate::io::nodes::Names;

/// Mesh, its first vertex and the number of them, the map of its displacements, and its skeleton.
pub(super) struct Owner {
    pub prim: usize,
    pub first: usize,
    pub n_points: usize,
    pub linear: Matrix3<f64>,
    pub rig: Option<usize>,
}

/// Adds the shapes that a mesh names.
pub(super) fn add(
    stage: &mut Stage<'_>,
    draft: &mut Draft,
    names: &mut Names,
    owner: &Owner,
) -> Result<()> {
    let layer = stage.layer;
    let tokens = texts(layer, owner.prim, "skel:blendShapes")?.unwrap_or_default();
    let relation = layer.prims[owner.prim]
        .properties
        .get("skel:blendShapeTargets");
    let targets = relation.map_or(&[][..], |relation| &relation.targets);
    if tokens.len() != targets.len() {
        return Err(Error::format(
            format!("{}.skel:blendShapeTargets", layer.path(owner.prim)),
            format!("a target for each of {} skel:blendShapes", tokens.len()),
            targets.len(),
        ));
    }
    for (token, target) in tokens.iter().zip(targets) {
        let prim = layer.find(owner.prim, target);
        let Some(prim) = prim.filter(|&prim| &*layer.prims[prim].type_name == "BlendShape") else {
            return Err(Error::format(
                format!("{}.skel:blendShapeTargets", layer.path(owner.prim)),
                "paths of BlendShape prims",
                format!("'{}'", crate::io::source::shortened(target)),
            ));
        };
        let own = &layer.prims[prim].properties;
        if own.contains_key("normalOffsets") {
            let text = "normals of blend shapes are left out; normals follow the surface";
            stage.notes.add(text, &layer.path(prim));
        }
        let indices = numbers(layer, prim, "pointIndices", 1)?.filter(|x| !x.values.is_empty());
        if let Some(offsets) = numbers(layer, prim, "offsets", 3)? {
            let deltas = displacements(stage, prim, "offsets", &offsets, &indices, owner)?;
            push(draft, names, owner, token, None, 1.0, deltas);
        } else {
            push(draft, names, owner, token, None, 1.0, Vec::new());
        }
        for (name, property) in own {
            let Some(part) = name.strip_prefix("inbetweens:") else {
                continue;
            };
            if part.contains(':') {
                continue;
            }
            let Some(at) = about(property, "weight").and_then(Value::number) else {
                let text = "in-betweens without a weight are left out";
                stage
                    .notes
                    .add(text, &format!("{}.{name}", layer.path(prim)));
                continue;
            };
            if !at.is_finite() || at == 0.0 || at == 1.0 {
                return Err(Error::format(
                    format!("{}.{name}", layer.path(prim)),
                    "a weight other than 0 and 1",
                    at,
                ));
            }
            if let Some(offsets) = numbers(layer, prim, name, 3)? {
                let deltas = displacements(stage, prim, name, &offsets, &indices, owner)?;
                push(draft, names, owner, token, Some(part), at, deltas);
            }
        }
    }
    Ok(())
}

/// Displacements of all points in the world at rest.
fn displacements(
    stage: &mut Stage<'_>,
    prim: usize,
    name: &str,
    offsets: &Arc<Numbers>,
    indices: &Option<Arc<Numbers>>,
    owner: &Owner,
) -> Result<Vec<f32>> {
    let path = || format!("{}.{name}", stage.layer.path(prim));
    let n_offsets = offsets.values.len() / 3;
    let wanted = indices
        .as_ref()
        .map_or(owner.n_points, |indices| indices.values.len());
    if n_offsets != wanted {
        return Err(Error::format(
            path(),
            format!("{wanted} offsets"),
            n_offsets,
        ));
    }
    let location = path();
    stage
        .budget
        .charge(|| location.clone(), 3 * owner.n_points, 4)?;
    let mut deltas = vec![0.0_f32; 3 * owner.n_points];
    for (at, offset) in offsets.values.chunks_exact(3).enumerate() {
        let point = match indices {
            None => at as f64,
            Some(indices) => indices.values[at],
        };
        if !(point >= 0.0 && (point as usize) < owner.n_points) {
            return Err(Error::format(
                format!("{}.pointIndices[{at}]", stage.layer.path(prim)),
                format!("one of {} points", owner.n_points),
                point,
            ));
        }
        let moved = owner.linear * Vector3::new(offset[0], offset[1], offset[2]);
        let start = 3 * (point as usize);
        for (to, from) in deltas[start..start + 3].iter_mut().zip(moved.iter()) {
            *to = *from as f32;
        }
    }
    Ok(deltas)
}

/// Meshes of one skeleton share the shapes of one name.
fn push(
    draft: &mut Draft,
    names: &mut Names,
    owner: &Owner,
    token: &Arc<str>,
    part: Option<&str>,
    at: f64,
    deltas: Vec<f32>,
) {
    let key = (owner.rig, token.clone(), at.to_bits());
    let deltas = (3 * owner.first, deltas);
    let known = draft
        .known
        .get(&key)
        .and_then(|&known| draft.shapes.get_mut(known));
    // A mesh may not name one twice.
    match known.filter(|shape| {
        shape
            .deltas
            .last()
            .is_none_or(|(start, _)| *start != deltas.0)
    }) {
        Some(shape) => shape.deltas.push(deltas),
        None => {
            let wanted = part.map_or_else(|| token.to_string(), |part| format!("{token}.{part}"));
            draft.known.insert(key, draft.shapes.len());
            draft.shapes.push(Shape {
                name: names.fresh(&wanted),
                rig: owner.rig,
                token: token.clone(),
                at,
                deltas: vec![deltas],
            });
        }
    }
}
