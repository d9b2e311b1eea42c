//! The mesh and its weights.

use super::numbers::{indices, offsets, rows, single};
use crate::character::{Mesh, MeshParts, SkinWeights};
use crate::error::{Error, Result};
use crate::io::json::Item;

/// No vertex has more weights in PyMomentum.
const MOST_WEIGHTS: usize = 8;

/// The mesh of `SkinnedModel`, where it has vertices.
pub(super) fn mesh(
    item: &Item<'_>,
    n_joints: usize,
    warnings: &mut Vec<String>,
) -> Result<Option<(Mesh, SkinWeights)>> {
    let numbers = |names: [&str; 2]| either(item, names);
    let Some(vertices) = numbers(["RestPositions", "vertices"]) else {
        return Ok(None);
    };
    let mut parts = MeshParts {
        vertices: rows::<3>(&vertices)?.into(),
        ..MeshParts::default()
    };
    let count = parts.vertices.len() / 3;
    if count == 0 {
        return Ok(None);
    }
    if let Some(normals) = numbers(["RestVertexNormals", "normals"]) {
        parts.normals = rows::<3>(&normals)?.into();
    }
    if let Some(texcoords) = numbers(["TextureCoordinates", "texcoords"]) {
        parts.texcoords = rows::<2>(&texcoords)?.into();
    }
    if let Some(faces) = numbers(["Faces", "faces"]) {
        add_faces(&faces, count, &mut parts)?;
    }
    let weights = weights(item, count, n_joints, warnings)?;
    Ok(Some((Mesh::new(parts)?, weights)))
}

/// What is there under one of two names.
pub(super) fn either<'a>(item: &Item<'a>, names: [&str; 2]) -> Option<Item<'a>> {
    let mut found = names.iter().filter_map(|name| item.get(name));
    found.find(|item| !item.value.is_null())
}

/// Polygons one after the other, as triangles around their first corners.
fn add_faces(item: &Item<'_>, n_vertices: usize, parts: &mut MeshParts) -> Result<()> {
    let corners = indices(&item.need("Indices")?, "vertices", n_vertices)?;
    let list = item.need("Offsets")?;
    let offsets = offsets(&list, "Indices", corners.len())?;
    let texcoords = match item.get("TextureIndices") {
        Some(list) if !list.value.is_null() => {
            let texcoords = indices(&list, "TextureCoordinates", parts.texcoords.len() / 2)?;
            if texcoords.len() != corners.len() && !texcoords.is_empty() {
                let expected = format!("{} indices, as many as 'Indices'", corners.len());
                return Err(list.wrong(expected));
            }
            texcoords
        }
        _ => Vec::new(),
    };
    for (at, range) in offsets.windows(2).enumerate() {
        let (start, end) = (range[0], range[1]);
        if end - start < 3 {
            let place = format!("{}[{}]", list.path, at + 1);
            let got = format!("{}", end - start);
            return Err(Error::format(place, "a face of 3 corners or more", got));
        }
        let fan = |corners: &[u32], faces: &mut Vec<[u32; 3]>| {
            if let Some([first, others @ ..]) = corners.get(start..end) {
                faces.extend(others.windows(2).map(|pair| [*first, pair[0], pair[1]]));
            }
        };
        fan(&corners, &mut parts.faces);
        fan(&texcoords, &mut parts.texcoord_faces);
    }
    Ok(())
}

/// Pairs of joint and weight, vertex after vertex.
fn weights(
    item: &Item<'_>,
    count: usize,
    n_joints: usize,
    warnings: &mut Vec<String>,
) -> Result<SkinWeights> {
    if n_joints == 0 {
        return Err(item.wrong("no mesh, as there are no joints that could carry it"));
    }
    let there = |key: &str| item.get(key).filter(|item| !item.value.is_null());
    let (Some(pairs), Some(list)) = (there("SkinningWeights"), there("SkinningOffsets")) else {
        warnings.push("the mesh has no weights; the first joint carries all of it".into());
        return SkinWeights::new(1, vec![0; count], vec![1.0_f32; count].into());
    };
    let values = pairs
        .value
        .as_array()
        .ok_or_else(|| pairs.wrong("an array"))?;
    let offsets = offsets(&list, "SkinningWeights", values.len())?;
    if offsets.len() != count + 1 {
        let expected = format!("{} places, one more than there are vertices", count + 1);
        return Err(list.wrong(expected));
    }
    let stored = |at: usize| -> Result<(u32, f32)> {
        let pair = &values[at];
        if let Some([joint, weight]) = pair.as_array().map(Vec::as_slice) {
            let joint = joint.as_u64().and_then(|joint| u32::try_from(joint).ok());
            if let (Some(joint), Some(weight)) = (joint, single(weight))
                && (joint as usize) < n_joints
            {
                return Ok((joint, weight));
            }
        }
        let expected = format!("[joint, weight], the joint below {n_joints}");
        Err(Item::new(pair, format!("{}[{at}]", pairs.path)).wrong(expected))
    };
    let lengths = offsets.windows(2).map(|range| range[1] - range[0]);
    let width = lengths.max().unwrap_or(0).clamp(1, MOST_WEIGHTS);
    let (mut joints, mut weights) = (vec![0; width * count], vec![0.0; width * count]);
    let (mut n_bare, mut n_shortened) = (0, 0);
    let slots = joints.chunks_mut(width).zip(weights.chunks_mut(width));
    for (range, (joints, weights)) in offsets.windows(2).zip(slots) {
        let mut own = (range[0]..range[1])
            .map(stored)
            .collect::<Result<Vec<_>>>()?;
        if own.len() > width {
            n_shortened += 1;
            own.sort_by(|a, b| b.1.total_cmp(&a.1));
        }
        n_bare += usize::from(own.iter().all(|(_, weight)| *weight == 0.0));
        for ((joint, weight), stored) in joints.iter_mut().zip(weights).zip(own) {
            (*joint, *weight) = stored;
        }
    }
    if n_bare > 0 {
        warnings.push(format!(
            "{n_bare} vertices have no weights; no joint carries them"
        ));
    }
    if n_shortened > 0 {
        warnings.push(format!(
            "{n_shortened} vertices have more than {MOST_WEIGHTS} weights; the largest are kept"
        ));
    }
    SkinWeights::new(width, joints, weights.into())
}
