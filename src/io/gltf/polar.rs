//! Splitting a linear map into a rotation and a stretch.

use nalgebra::{Matrix3, Rotation3, UnitQuaternion};

/// Far more than any finite matrix needs; others must not turn forever.
const MAX_SWEEPS: usize = 1000;

/// `linear = rotation · stretch`, with a proper rotation and a symmetric stretch (negative where
/// `linear` mirrors). Also for singular maps.
pub(super) fn polar(linear: &Matrix3<f64>) -> (UnitQuaternion<f64>, Matrix3<f64>) {
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
pub(super) fn to_quaternion(rotation: &Matrix3<f64>) -> UnitQuaternion<f64> {
    UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(*rotation))
}

/// The factor and the orthogonal part of a map that keeps angles; `None` for any other.
pub(super) fn conformal(linear: &Matrix3<f64>) -> Option<(f64, Matrix3<f64>)> {
    let factor = linear.norm() / 3.0_f64.sqrt();
    if !(factor > 0.0) {
        return None;
    }
    let unit = linear / factor;
    let error = (unit.transpose() * unit - Matrix3::identity()).norm();
    (error < 1e-5).then_some((factor, unit))
}

/// The inverse where there is one, and the closest thing to it elsewhere.
pub(super) fn pseudo_inverse(linear: &Matrix3<f64>) -> Matrix3<f64> {
    linear
        .try_svd(true, true, f64::EPSILON, MAX_SWEEPS)
        .and_then(|svd| svd.pseudo_inverse(1e-12 * linear.norm()).ok())
        .unwrap_or_else(Matrix3::identity)
}
