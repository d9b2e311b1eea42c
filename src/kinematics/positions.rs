//! World positions of points that are given in the frames of joints, and their derivatives.

use super::{Load, Motion};
use crate::math::{Lane, Transform, Vector, quaternion, vector};

/// Which joint carries each point.
#[derive(Debug, Clone)]
pub struct PointsPlan {
    /// The joint of each point.
    pub parents: Vec<u32>,
    /// The joints whose states are needed, in order.
    pub joints: Vec<u32>,
}

impl PointsPlan {
    /// The needed joints, parents first.
    pub fn ascending(&self) -> impl Iterator<Item = usize> + '_ {
        self.joints.iter().map(|&joint| joint as usize)
    }

    /// The needed joints, children first.
    pub fn descending(&self) -> impl Iterator<Item = usize> + '_ {
        self.joints.iter().rev().map(|&joint| joint as usize)
    }
}

/// The velocity of a carried point, whose own offset changes by `slide`.
#[inline(always)]
pub fn point_velocity<L: Lane>(
    state: &Transform<L>,
    motion: &Motion<L>,
    offset: Vector<L>,
    slide: Option<Vector<L>>,
) -> Vector<L> {
    let arm = vector::scale(quaternion::rotate(state.q, offset), state.s);
    let velocity = motion.carried(arm);
    match slide {
        Some(slide) => vector::scale_add(quaternion::rotate(state.q, slide), state.s, velocity),
        None => velocity,
    }
}

/// Adds a force on a carried point to the joint's load, and returns the cotangent of its offset.
#[inline(always)]
pub fn pull_point<L: Lane>(
    state: &Transform<L>,
    load: &mut Load<L>,
    offset: Vector<L>,
    force: Vector<L>,
) -> Vector<L> {
    let arm = vector::scale(quaternion::rotate(state.q, offset), state.s);
    load.add_force(force, arm);
    vector::scale(quaternion::rotate_inverse(state.q, force), state.s)
}
