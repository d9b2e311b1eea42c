//! The mesh on the surface of the body, and which joints carry it.

use rayon::prelude::*;

use super::bones::{Bone, Bones, V3};
use super::cage::Cage;
use super::cut::Cut;
use super::surface::Surface;
use crate::character::{Mesh, MeshParts, SkinWeights};
use crate::error::Result;

const INFLUENCES: usize = 8;

/// How sharply a joint's weight falls with the distance from its bone, in units of its radius squared.
const FALLOFF: f64 = 1.7;

/// Weights below this are dropped.
const SMALLEST_WEIGHT: f32 = 1e-3;

/// How often weights are averaged with their neighbours'.
const SMOOTHING: usize = 4;

/// The skin and its weights, in single precision, as meshes have it.
pub(super) fn skin(bones: &Bones, n_vertices: usize) -> Result<(Mesh, SkinWeights)> {
    let cage = Cage::new(bones);
    let cut = cage.cut(n_vertices);
    let neighbours = neighbours(&cut);
    let vertices = settle(&cut, &neighbours);
    let (index, weight) = weights(bones, &cage, &cut, &vertices, &neighbours);
    let mesh = Mesh::new(MeshParts {
        vertices: vertices
            .iter()
            .flat_map(|p| [p.x as f32, p.y as f32, p.z as f32])
            .collect::<Vec<f32>>()
            .into(),
        faces: triangles(&cut.quads, &vertices),
        ..MeshParts::default()
    })?;
    Ok((mesh, SkinWeights::new(INFLUENCES, index, weight.into())?))
}

/// Each vertex' neighbours along the edges, in a fixed order so that sums round alike every time.
fn neighbours(cut: &Cut) -> Vec<Vec<usize>> {
    let mut lists = vec![Vec::new(); cut.vertices.len()];
    for quad in &cut.quads {
        for side in 0..4 {
            let (a, b) = (quad[side], quad[(side + 1) % 4]);
            lists[a].push(b);
            lists[b].push(a);
        }
    }
    for list in &mut lists {
        list.sort_unstable();
        list.dedup();
    }
    lists
}

/// Brings the vertices to the surface and spreads them evenly over it.
fn settle(cut: &Cut, neighbours: &[Vec<usize>]) -> Vec<V3> {
    let surface = Surface::new();
    let mut vertices: Vec<V3> = cut
        .vertices
        .par_iter()
        .map(|&p| surface.project(p, 8))
        .collect();
    for _ in 0..4 {
        vertices = neighbours
            .par_iter()
            .enumerate()
            .map(|(at, around)| {
                let middle = around.iter().map(|&i| vertices[i]).sum::<V3>() / around.len() as f64;
                surface.project(vertices[at] * 0.5 + middle * 0.5, 3)
            })
            .collect();
    }
    vertices
}

/// Two triangles for each quadrilateral, along its shorter diagonal.
fn triangles(quads: &[[usize; 4]], vertices: &[V3]) -> Vec<[u32; 3]> {
    let mut faces = Vec::with_capacity(2 * quads.len());
    for quad in quads {
        let [a, b, c, d] = quad.map(|at| at as u32);
        let length = |i: usize, j: usize| (vertices[quad[i]] - vertices[quad[j]]).norm_squared();
        if length(0, 2) <= length(1, 3) {
            faces.extend([[a, b, c], [a, c, d]]);
        } else {
            faces.extend([[a, b, d], [b, c, d]]);
        }
    }
    faces
}

/// `(n_vertices, 8)` joints and weights: each joint counts by how near its bone is, among those that the
/// cage allows there; then averaged with the neighbours.
fn weights(
    bones: &Bones,
    cage: &Cage,
    cut: &Cut,
    vertices: &[V3],
    neighbours: &[Vec<usize>],
) -> (Vec<u32>, Vec<f32>) {
    let mut rows: Vec<Vec<f32>> = vertices
        .par_iter()
        .zip(&cut.corners)
        .map(|(vertex, corners)| {
            let share = |(joint, bone): (usize, &Bone)| {
                let allowed: f64 = corners
                    .iter()
                    .filter(|&&(corner, _)| cage.joints[corner] >> joint & 1 == 1)
                    .map(|&(_, nearness)| nearness)
                    .sum();
                if allowed > 0.0 {
                    allowed * (-FALLOFF * reach(bone, vertex)).exp()
                } else {
                    0.0
                }
            };
            let shares: Vec<f64> = bones.bones.iter().enumerate().map(share).collect();
            let total: f64 = shares.iter().sum();
            shares.iter().map(|share| (share / total) as f32).collect()
        })
        .collect();
    for _ in 0..SMOOTHING {
        rows = rows
            .par_iter()
            .zip(neighbours)
            .map(|(row, around)| {
                let part = 0.5 / around.len() as f32;
                let mut mixed: Vec<f32> = row.iter().map(|share| 0.5 * share).collect();
                for &other in around {
                    mixed
                        .iter_mut()
                        .zip(&rows[other])
                        .for_each(|(sum, share)| *sum += part * share);
                }
                mixed
            })
            .collect();
    }
    let (mut index, mut weight) = (Vec::new(), Vec::new());
    for row in rows {
        let (joints, shares) = strongest(&row);
        index.extend(joints);
        weight.extend(shares);
    }
    (index, weight)
}

/// The most important joints of a vertex; their shares sum to one.
fn strongest(row: &[f32]) -> ([u32; INFLUENCES], [f32; INFLUENCES]) {
    let mut found: Vec<(f32, u32)> = row.iter().copied().zip(0..).collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    found.truncate(INFLUENCES);
    found.retain(|&(share, _)| share > SMALLEST_WEIGHT);
    let total: f32 = found.iter().map(|&(share, _)| share).sum();
    let (mut joints, mut shares) = ([0; INFLUENCES], [0.0; INFLUENCES]);
    for (at, &(share, joint)) in found.iter().enumerate() {
        joints[at] = joint;
        shares[at] = share / total;
    }
    // What rounding left over goes to the strongest.
    shares[0] += 1.0 - shares.iter().sum::<f32>();
    (joints, shares)
}

/// Squared distance from a bone, in units of its radius there.
fn reach(bone: &Bone, p: &V3) -> f64 {
    let along = bone.tail - bone.head;
    let t = ((p - bone.head).dot(&along) / along.norm_squared()).clamp(0.0, 1.0);
    let radius = bone.radius[0] * (1.0 - t) + bone.radius[1] * t;
    (p - (bone.head + along * t)).norm_squared() / (radius * radius)
}
