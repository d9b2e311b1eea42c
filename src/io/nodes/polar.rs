//! Splitting a linear map into a rotation and a stretch.

use nalgebra::{Matrix3, Rotation3, UnitQuaternion};

/// Far more than any finite matrix needs; others must not turn forever.
const MAX_SWEEPS: usize = 1000;

/// `linear = rotation · stretch`, with a proper rotation and a symmetric stretch (negative where
/// `linear` mirrors). Also for singular maps.
pub(in crate::io) fn polar(linear: &Matrix3<f64>) -> (UnitQuaternion<f64>, Matrix3<f64>) {
    let svd = linear.try_svd(true, true, f64::EPSILON, MAX_SWEEPS);
    let Some((u, v_t)) = svd.and_then(|svd| svd.u.zip(svd.v_t)) else {
        return (UnitQuaternion::identity(), *linear);
    };
    let mut rotation = u * v_t;
    if rotation.determinant() < 0.0 {
        rotation = -rotation;
    }
    (to_quaternion(&rotation), rotation.transpose() * linear)
}

/// A rotation matrix, exact up to rounding, as a quaternion.
pub(in crate::io) fn to_quaternion(rotation: &Matrix3<f64>) -> UnitQuaternion<f64> {
    UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(*rotation))
}

/// How far from keeping angles a map may be by rounding alone: files are in single precision.
const ROUNDING: f64 = 2e-6;

/// The orthogonal part of a map that keeps angles up to rounding; `None` for any other.
pub(in crate::io) fn conformal(linear: &Matrix3<f64>) -> Option<Matrix3<f64>> {
    let factor = linear.norm() / 3.0_f64.sqrt();
    if factor.is_nan() || factor == 0.0 {
        return None;
    }
    let unit = linear / factor;
    if (unit - Matrix3::identity()).norm() < ROUNDING {
        return Some(Matrix3::identity());
    }
    if strain(linear) > ROUNDING {
        return None;
    }
    // Exactly orthogonal, so that a rotation seen through it is one.
    let turn = polar(&unit).0.to_rotation_matrix().into_inner();
    Some(turn * unit.determinant().signum())
}

/// How far a map is from keeping angles, relative to its size.
pub(in crate::io) fn strain(linear: &Matrix3<f64>) -> f64 {
    let square = linear.transpose() * linear;
    let size = square.trace() / 3.0;
    if size > 0.0 {
        (square / size - Matrix3::identity()).norm()
    } else {
        0.0
    }
}

/// A stretch without what rounding has added to a uniform one.
pub(in crate::io) fn cleaned(stretch: Matrix3<f64>) -> Matrix3<f64> {
    let factor = stretch.trace() / 3.0;
    if (stretch - Matrix3::identity() * factor).norm() > ROUNDING * factor.abs() {
        return stretch;
    }
    let factor = if (factor - 1.0).abs() < ROUNDING {
        1.0
    } else {
        factor
    };
    Matrix3::identity() * factor
}

/// The inverse where there is one, and the closest thing to it elsewhere.
pub(in crate::io) fn pseudo_inverse(linear: &Matrix3<f64>) -> Matrix3<f64> {
    linear
        .try_svd(true, true, f64::EPSILON, MAX_SWEEPS)
        .and_then(|svd| svd.pseudo_inverse(1e-12 * linear.norm()).ok())
        .unwrap_or_else(Matrix3::identity)
}
