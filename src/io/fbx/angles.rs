//! Rotations as angles that go on from those before.

use nalgebra::UnitQuaternion;
use std::f64::consts::{PI, TAU};

/// How close to a quarter turn `ry` counts as gimbal lock, as a cosine.
const LOCK: f64 = 1e-7;

/// Angles with `R = Rz(rz) · Ry(ry) · Rx(rx)`, of all that give this rotation those nearest to `previous`.
pub(super) fn euler_near(rotation: &UnitQuaternion<f64>, previous: [f64; 3]) -> [f64; 3] {
    let r = rotation.to_rotation_matrix().into_inner();
    let cosine = r[(0, 0)].hypot(r[(1, 0)]);
    // Where rx and rz turn about the same axis, rz stays as it was.
    let rz = if cosine < LOCK {
        previous[2]
    } else {
        r[(1, 0)].atan2(r[(0, 0)])
    };
    let (sine, cosine) = rz.sin_cos();
    let ry = (-r[(2, 0)]).atan2(cosine * r[(0, 0)] + sine * r[(1, 0)]);
    let rx = (sine * r[(0, 2)] - cosine * r[(1, 2)]).atan2(cosine * r[(1, 1)] - sine * r[(0, 1)]);
    let near = |angles: [f64; 3]| {
        let mut angles = angles;
        for (angle, old) in angles.iter_mut().zip(previous) {
            *angle -= ((*angle - old) / TAU).round() * TAU;
        }
        angles
    };
    let distance = |angles: &[f64; 3]| -> f64 {
        let squares = angles.iter().zip(previous).map(|(a, b)| (a - b).powi(2));
        squares.sum()
    };
    let (one, other) = (near([rx, ry, rz]), near([rx + PI, PI - ry, rz + PI]));
    if distance(&other) < distance(&one) {
        other
    } else {
        one
    }
}
