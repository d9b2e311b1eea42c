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
        let members = members(stage, prim)?;
        let mut knots: Vec<f64> = members.iter().map(|member| member.at).collect();
        knots.push(0.0);
        knots.sort_by(f64::total_cmp);
        let knots = Arc::new(knots);
        for Member { name, part, at } in &members {
            let deltas = match numbers(layer, prim, name, 3)? {
                Some(offsets) => displacements(stage, prim, name, &offsets, &indices, owner)?,
                None => Vec::new(),
            };
            let wanted = part.map_or_else(|| token.to_string(), |part| format!("{token}.{part}"));
            let shape = Shape {
                name: wanted,
                rig: owner.rig,
                token: token.clone(),
                at: *at,
                knots: knots.clone(),
                deltas: vec![(3 * owner.first, deltas)],
            };
            push(draft, names, shape);
        }
    }
    Ok(())
}

/// A shape or one of its in-betweens.
struct Member<'a> {
    /// The attribute with its offsets.
    name: &'a str,
    /// What an in-between is called.
    part: Option<&'a str>,
    /// The weight at which it is reached.
    at: f64,
}

/// A shape and its in-betweens.
fn members<'a>(stage: &mut Stage<'a>, prim: usize) -> Result<Vec<Member<'a>>> {
    let layer = stage.layer;
    let mut members = vec![Member {
        name: "offsets",
        part: None,
        at: 1.0,
    }];
    for (name, property) in &layer.prims[prim].properties {
        let part = name.strip_prefix("inbetweens:");
        let Some(part) = part.filter(|part| !part.contains(':')) else {
            continue;
        };
        let path = || format!("{}.{name}", layer.path(prim));
        if numbers(layer, prim, name, 3)?.is_none() {
            continue;
        }
        let Some(at) = about(property, "weight").and_then(Value::number) else {
            let text = "in-betweens without a weight are left out";
            stage.notes.add(text, &path());
            continue;
        };
        if !at.is_finite() || at == 0.0 || at == 1.0 {
            return Err(Error::format(path(), "a weight other than 0 and 1", at));
        }
        if members.iter().any(|member| member.at == at) {
            let text = "in-betweens with the weight of another one are left out";
            stage.notes.add(text, &path());
            continue;
        }
        members.push(Member {
            name,
            part: Some(part),
            at,
        });
    }
    Ok(members)
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

/// Adds a shape, which meshes of one skeleton share where they have it at the same weights.
fn push(draft: &mut Draft, names: &mut Names, shape: Shape) {
    let bits = shape.knots.iter().map(|knot| knot.to_bits()).collect();
    let key = (shape.rig, shape.token.clone(), bits, shape.at.to_bits());
    let place = draft.known.get(&key);
    let known = place.and_then(|&known| draft.shapes.get_mut(known));
    // A mesh may not name one twice.
    let start = |shape: &Shape| shape.deltas.last().map(|(start, _)| *start);
    match known.filter(|known| start(known) != start(&shape)) {
        Some(known) => known.deltas.extend(shape.deltas),
        None => {
            draft.known.insert(key, draft.shapes.len());
            draft.shapes.push(Shape {
                name: names.fresh(&shape.name),
                ..shape
            });
        }
    }
}
