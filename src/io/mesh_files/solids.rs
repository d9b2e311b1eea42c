//! Solids around the origin as triangles.

use std::f64::consts::{PI, TAU};

use super::Triangles;

/// Corners around.
const AROUND: u32 = 24;
/// Rings from pole to pole.
const RINGS: u32 = 12;

/// A box with these edges.
#[must_use]
pub fn block(edges: [f64; 3]) -> Triangles {
    let corner = |at: usize| {
        std::array::from_fn(|axis| {
            let side = if at >> axis & 1 == 1 { 0.5 } else { -0.5 };
            side * edges[axis]
        })
    };
    // Each side's corners, counter-clockwise from outside.
    const SIDES: [[u32; 4]; 6] = [
        [0, 4, 6, 2],
        [1, 3, 7, 5],
        [0, 1, 5, 4],
        [2, 6, 7, 3],
        [0, 2, 3, 1],
        [4, 5, 7, 6],
    ];
    Triangles {
        vertices: (0..8).map(corner).collect(),
        faces: SIDES
            .iter()
            .flat_map(|&[a, b, c, d]| [[a, b, c], [a, c, d]])
            .collect(),
    }
}

/// A turned body about z: rings from below, `(radius, z)`, closed by the first and last point on the axis.
fn turned(profile: &[(f64, f64)]) -> Triangles {
    let (first, last) = (profile[0].1, profile[profile.len() - 1].1);
    let mut body = Triangles {
        vertices: vec![[0.0, 0.0, first], [0.0, 0.0, last]],
        faces: Vec::new(),
    };
    for &(radius, z) in profile {
        body.vertices.extend((0..AROUND).map(|at| {
            let (sine, cosine) = (TAU * f64::from(at) / f64::from(AROUND)).sin_cos();
            [radius * cosine, radius * sine, z]
        }));
    }
    let n_rings = profile.len() as u32;
    let at = |ring: u32, corner: u32| 2 + ring * AROUND + corner % AROUND;
    for corner in 0..AROUND {
        body.faces.push([0, at(0, corner + 1), at(0, corner)]);
        body.faces
            .push([1, at(n_rings - 1, corner), at(n_rings - 1, corner + 1)]);
        for ring in 0..n_rings - 1 {
            let [a, b] = [at(ring, corner), at(ring, corner + 1)];
            let [c, d] = [at(ring + 1, corner), at(ring + 1, corner + 1)];
            body.faces.extend([[a, b, d], [a, d, c]]);
        }
    }
    body
}

/// A cylinder about z.
#[must_use]
pub fn cylinder(radius: f64, length: f64) -> Triangles {
    turned(&[(radius, -0.5 * length), (radius, 0.5 * length)])
}

/// A ball, or with a length along z the capsule around that segment.
#[must_use]
pub fn ball(radius: f64, length: f64) -> Triangles {
    let half = 0.5 * length;
    let ring = |ring: u32, shift: f64| {
        let (sine, cosine) = (PI * f64::from(ring) / f64::from(RINGS)).sin_cos();
        (radius * sine, shift - radius * cosine)
    };
    let equator = RINGS / 2;
    let upper = if length > 0.0 { equator } else { equator + 1 };
    let below = (0..=equator).map(|at| ring(at, -half));
    let profile: Vec<_> = below
        .chain((upper..=RINGS).map(|at| ring(at, half)))
        .collect();
    turned(&profile)
}
