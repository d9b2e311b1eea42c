//! Frames of joints at rest, as rigid motions.

use nalgebra::{
    Isometry3, Matrix3, Matrix4, Point3, Quaternion, Rotation3, Translation3, UnitQuaternion,
};

use crate::character::{Joint, Skeleton};

/// Parent from joint at rest.
pub(super) fn local(joint: &Joint) -> Isometry3<f64> {
    let [x, y, z, w] = joint.pre_rotation;
    Isometry3::from_parts(
        Translation3::from(joint.translation_offset),
        UnitQuaternion::new_unchecked(Quaternion::new(w, x, y, z)),
    )
}

/// The same joint with another frame in another parent.
pub(super) fn placed(joint: &Joint, parent: Option<usize>, local: &Isometry3<f64>) -> Joint {
    let q = local.rotation.coords;
    Joint {
        name: joint.name.clone(),
        parent,
        pre_rotation: [q.x, q.y, q.z, q.w],
        translation_offset: local.translation.vector.into(),
    }
}

/// World from joint at rest, for each joint.
pub(super) fn at_rest(skeleton: &Skeleton) -> Vec<Isometry3<f64>> {
    let mut world: Vec<Isometry3<f64>> = Vec::with_capacity(skeleton.len());
    for joint in skeleton.joints() {
        let frame = local(joint);
        world.push(joint.parent.map_or(frame, |parent| world[parent] * frame));
    }
    world
}

/// A point seen from another frame.
pub(super) fn point(frame: &Isometry3<f64>, at: [f64; 3]) -> [f64; 3] {
    (frame * Point3::from(at)).coords.into()
}

/// A rotation `x y z w` into a frame, turned on by that frame.
pub(super) fn turned(frame: &Isometry3<f64>, [x, y, z, w]: [f64; 4]) -> [f64; 4] {
    let q = UnitQuaternion::new_normalize(Quaternion::new(w, x, y, z));
    (frame.rotation * q).coords.into()
}

/// A row-major matrix as nalgebra has it.
pub(super) fn to_matrix(rows: &[f64; 16]) -> Matrix4<f64> {
    Matrix4::from_row_slice(rows)
}

/// A matrix as we keep it: row-major.
pub(super) fn to_rows(matrix: &Matrix4<f64>) -> [f64; 16] {
    std::array::from_fn(|at| matrix[(at / 4, at % 4)])
}

/// What a matrix maps into a frame, mapped on by that frame.
pub(super) fn carried(frame: &Isometry3<f64>, rows: &[f64; 16]) -> [f64; 16] {
    to_rows(&(frame.to_homogeneous() * to_matrix(rows)))
}

/// The rotation closest to a matrix that is one but for rounding and a scale.
pub(super) fn closest_rotation(matrix: &Matrix3<f64>) -> UnitQuaternion<f64> {
    let svd = matrix.svd(true, true);
    let turn = svd.u.zip(svd.v_t).map_or(*matrix, |(u, v_t)| u * v_t);
    UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(turn))
}
