//! Rotations as the joint parameters `rx ry rz`, with `R = Rz(rz) · Ry(ry) · Rx(rx)`.

use nalgebra::{Matrix3, Rotation3, UnitQuaternion, Vector3};
use rayon::prelude::*;
use std::f64::consts::{PI, TAU};

/// The matrix of a rotation.
#[must_use]
pub fn matrix(rotation: &UnitQuaternion<f64>) -> Matrix3<f64> {
    rotation.to_rotation_matrix().into_inner()
}

/// Angles `rx ry rz` with `R = Rz(rz) · Ry(ry) · Rx(rx)` and `|ry| <= π/2`. At gimbal lock, where `rx` and
/// `rz` turn about the same axis, `rx` is found after `rz`, so the three give the rotation back exactly.
#[must_use]
pub fn euler_xyz(r: &Matrix3<f64>) -> [f64; 3] {
    let rz = r[(1, 0)].atan2(r[(0, 0)]);
    remaining(r, rz)
}

/// Of all angles of a rotation those nearest to `previous`, so that curves have no jumps. There are two
/// families, `(rx, ry, rz)` and `(rx + π, π - ry, rz + π)`, each up to whole turns; at gimbal lock, where
/// any `rz` will do, the previous one is kept.
#[must_use]
pub fn euler_near(r: &Matrix3<f64>, previous: [f64; 3]) -> [f64; 3] {
    /// The length of the part of the rotated x axis across z below which `rz` is noise.
    const LOCKED: f64 = 1e-9;
    let first = if r[(0, 0)].hypot(r[(1, 0)]) < LOCKED {
        remaining(r, previous[2])
    } else {
        euler_xyz(r)
    };
    let second = [first[0] + PI, PI - first[1], first[2] + PI];
    let near = |angles: [f64; 3]| -> [f64; 3] {
        std::array::from_fn(|at| angles[at] + TAU * ((previous[at] - angles[at]) / TAU).round())
    };
    let distance =
        |angles: &[f64; 3]| -> f64 { (0..3).map(|at| (angles[at] - previous[at]).powi(2)).sum() };
    let (first, second) = (near(first), near(second));
    if distance(&second) < distance(&first) {
        second
    } else {
        first
    }
}

/// `ry` and `rx` where `rz` is known.
fn remaining(r: &Matrix3<f64>, rz: f64) -> [f64; 3] {
    let (sine, cosine) = rz.sin_cos();
    let ry = (-r[(2, 0)]).atan2(cosine * r[(0, 0)] + sine * r[(1, 0)]);
    let rx = (sine * r[(0, 2)] - cosine * r[(1, 2)]).atan2(cosine * r[(1, 1)] - sine * r[(0, 1)]);
    [rx, ry, rz]
}

/// The rotation about one of the axes x, y, z.
#[must_use]
pub fn about(axis: usize, angle: f64) -> Matrix3<f64> {
    let axes = [Vector3::x_axis(), Vector3::y_axis(), Vector3::z_axis()];
    Rotation3::from_axis_angle(&axes[axis % 3], angle).into_inner()
}

/// A joint whose angles, as stored, are about these axes, the first outermost, in columns from
/// `first_column` on; [`turn`] puts `rx ry rz` in their place.
#[derive(Debug, Clone)]
pub struct Turned {
    /// Up to three of 0, 1, 2.
    pub axes: Vec<usize>,
    /// The first of the three columns.
    pub first_column: usize,
}

/// Turns angles about other axes into `rx ry rz`, each frame near the one before.
pub fn turn(values: &mut [f64], n_columns: usize, turned: &[Turned]) {
    let of_joint = |joint: &Turned, values: &[f64]| -> Vec<[f64; 3]> {
        let mut previous = [0.0; 3];
        let one = |row: &[f64]| {
            let angles = joint.axes.iter().zip(&row[joint.first_column..][..3]);
            let rotation: Matrix3<f64> = angles.map(|(&axis, &angle)| about(axis, angle)).product();
            previous = euler_near(&rotation, previous);
            previous
        };
        values.chunks_exact(n_columns.max(1)).map(one).collect()
    };
    // A few joints at a time, so that little is held twice.
    for joints in turned.chunks(rayon::current_num_threads()) {
        let own: &[f64] = values;
        let angles: Vec<_> = joints
            .par_iter()
            .map(|joint| of_joint(joint, own))
            .collect();
        for (joint, angles) in joints.iter().zip(angles) {
            for (row, angles) in values.chunks_exact_mut(n_columns.max(1)).zip(angles) {
                row[joint.first_column..][..3].copy_from_slice(&angles);
            }
        }
    }
}
