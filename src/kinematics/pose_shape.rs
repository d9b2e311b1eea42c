//! The coefficients of a pose shape: the rotations of joints relative to a base joint, for one pose.

use std::sync::Arc;

use super::blend_shape::{PreparedShapes, Shapes};
use crate::character::PoseShape;
use crate::math::quaternion::{Quaternion, conjugate, multiply};
use crate::math::{Lane, Real};

/// Numbers of a joint's state; its quaternion is 3 .. 7 of them.
const STATE: usize = 8;

/// A pose shape made ready for computing.
#[derive(Debug)]
pub struct PreparedPoseShape {
    shape: Arc<PoseShape>,
    shapes: PreparedShapes,
}

impl PreparedPoseShape {
    /// Cheap: the shapes are laid out on first use.
    #[must_use]
    pub fn new(shape: Arc<PoseShape>) -> Self {
        Self {
            shapes: PreparedShapes::new(Shapes::Whole(shape.shape().clone())),
            shape,
        }
    }

    /// The pose shape.
    #[must_use]
    pub fn shape(&self) -> &Arc<PoseShape> {
        &self.shape
    }

    /// Its base and displacements.
    #[must_use]
    pub fn shapes(&self) -> &PreparedShapes {
        &self.shapes
    }
}

/// A quaternion of length 1 and the length it had.
#[inline(always)]
fn unit<L: Lane>(q: Quaternion<L>) -> (Quaternion<L>, L) {
    let norm = dot(q, q).sqrt();
    (q.map(|x| x / norm), norm)
}

#[inline(always)]
fn dot<L: Lane>(a: Quaternion<L>, b: Quaternion<L>) -> L {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3]
}

/// The change of a unit quaternion with that of the one it was made from. It is its own transpose.
#[inline(always)]
fn along_unit<L: Lane>((u, norm): (Quaternion<L>, L), change: Quaternion<L>) -> Quaternion<L> {
    let radial = dot(u, change);
    std::array::from_fn(|c| (change[c] - u[c] * radial) / norm)
}

fn rotation<L: Lane<Scalar = L>>(states: &[L], joint: usize) -> Quaternion<L> {
    std::array::from_fn(|c| states[joint * STATE + 3 + c])
}

fn base_rotation<L: Real>(shape: &PoseShape) -> Quaternion<L> {
    shape.base_rotation().map(L::from_f64)
}

/// Writes `base_rotation · R_base⁻¹ · R_j` of each joint of the shape, from the states of all joints.
/// Quaternions may have any length but zero; the results have length 1.
pub fn relative_rotations<T: Real + Lane<Scalar = T>>(
    shape: &PoseShape,
    states: &[T],
    out: &mut [T],
) {
    let (base, _) = unit(rotation(states, shape.base_joint()));
    let base = multiply(base_rotation(shape), conjugate(base));
    for (&joint, out) in shape.joints().iter().zip(out.as_chunks_mut::<4>().0) {
        *out = multiply(base, unit(rotation(states, joint)).0);
    }
}

/// The derivative of [`relative_rotations`] in the direction `tangents`.
pub fn push_relative_rotations<T: Real + Lane<Scalar = T>>(
    shape: &PoseShape,
    states: &[T],
    tangents: &[T],
    out: &mut [T],
) {
    let of = |joint| unit(rotation(states, joint));
    let moved = |joint| along_unit(of(joint), rotation(tangents, joint));
    let turn = base_rotation(shape);
    let (base, _) = of(shape.base_joint());
    let base_moved = multiply(turn, conjugate(moved(shape.base_joint())));
    let base = multiply(turn, conjugate(base));
    for (&joint, out) in shape.joints().iter().zip(out.as_chunks_mut::<4>().0) {
        let (one, other) = (
            multiply(base_moved, of(joint).0),
            multiply(base, moved(joint)),
        );
        *out = std::array::from_fn(|c| one[c] + other[c]);
    }
}

/// The transpose of [`push_relative_rotations`]: adds to the cotangents of the states.
pub fn pull_relative_rotations<T: Real + Lane<Scalar = T>>(
    shape: &PoseShape,
    states: &[T],
    cotangents: &[T],
    gradient: &mut [T],
) {
    let mut add = |joint: usize, q: Quaternion<T>| {
        let place = &mut gradient[joint * STATE + 3..][..4];
        place.iter_mut().zip(q).for_each(|(place, x)| *place += x);
    };
    let turn = base_rotation(shape);
    let base_unit = unit(rotation(states, shape.base_joint()));
    let base = multiply(turn, conjugate(base_unit.0));
    let mut of_base = [T::ZERO; 4];
    for (&joint, &g) in shape.joints().iter().zip(cotangents.as_chunks::<4>().0) {
        let each = unit(rotation(states, joint));
        add(joint, along_unit(each, multiply(conjugate(base), g)));
        let more = multiply(g, conjugate(each.0));
        of_base = std::array::from_fn(|c| of_base[c] + more[c]);
    }
    let of_base = conjugate(multiply(conjugate(turn), of_base));
    add(shape.base_joint(), along_unit(base_unit, of_base));
}
