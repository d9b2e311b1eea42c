//! From nodes, which scale in any way, to joints, whose rest transform is rigid.
//!
//! A joint `j` stands for node `j` up to a constant linear map, its *residual* `K`: at every time
//! `world(node) = world(joint) · K`. In the rest pose the joint has scale 1, so `K` holds the scale
//! that the node inherits and has there. Choosing `K(child) = K(parent) · stretch(child)` keeps this
//! exact under animation as long as `K(parent)` keeps angles (uniform scale, mirroring), because a
//! rotation stays one when seen through such a map. Below a non-uniform scale it is exact for
//! everything that does not turn.

use nalgebra::{Matrix3, UnitQuaternion, Vector3};

use super::polar::{conformal, polar, pseudo_inverse, strain, to_quaternion};

/// What a difference in scale between axes may be without being worth a warning.
const NEGLIGIBLE: f64 = 1e-4;

/// A node's transform to its parent: `T(translation) · R(rotation) · stretch`.
#[derive(Debug, Clone, Copy)]
pub(in crate::io) struct Local {
    pub translation: Vector3<f64>,
    pub rotation: UnitQuaternion<f64>,
    /// The scale of a node with TRS; symmetric for one with a matrix.
    pub stretch: Matrix3<f64>,
}

/// A joint's transform to its parent joint.
#[derive(Debug, Clone, Copy)]
pub(in crate::io) struct Similarity {
    pub translation: Vector3<f64>,
    pub rotation: UnitQuaternion<f64>,
    pub scale: f64,
}

impl Similarity {
    /// A child's transform to this joint, as one to this joint's parent.
    pub fn with_child(&self, child: &Self) -> Self {
        Self {
            translation: self.translation + self.rotation * child.translation * self.scale,
            rotation: self.rotation * child.rotation,
            scale: self.scale * child.scale,
        }
    }
}

/// How a joint follows its node.
#[derive(Debug, Clone)]
pub(in crate::io) struct Frame {
    /// The node's rest transform.
    pub local: Local,
    parent_residual: Matrix3<f64>,
    /// The orthogonal part of the parent's residual, where that keeps angles.
    turn: Option<Matrix3<f64>>,
    /// `world(node) = world(joint) · residual`.
    pub residual: Matrix3<f64>,
    /// The diagonal of the rest scale, zeros replaced by one where the scale is animated.
    scale: Vector3<f64>,
    /// The joint's rest transform.
    pub rest: Similarity,
}

impl Frame {
    /// The joint for a node with the rest transform `local` under a joint with `parent_residual`.
    pub fn new(local: Local, parent_residual: Matrix3<f64>, scale_is_animated: bool) -> Self {
        let turn = conformal(&parent_residual);
        let mut stretch = local.stretch;
        if scale_is_animated {
            // A scale of zero at rest could never be left again.
            for axis in 0..3 {
                if stretch[(axis, axis)] == 0.0 {
                    stretch[(axis, axis)] = 1.0;
                }
            }
        }
        let (rotation, residual) = match turn {
            Some(turn) => (through(&turn, local.rotation), parent_residual * stretch),
            None => polar(&(parent_residual * local.rotation.to_rotation_matrix() * stretch)),
        };
        Self {
            local,
            parent_residual,
            turn,
            residual,
            scale: stretch.diagonal(),
            rest: Similarity {
                translation: parent_residual * local.translation,
                rotation,
                scale: 1.0,
            },
        }
    }

    /// A joint that stays with its parent.
    pub fn fixed(parent_residual: Matrix3<f64>) -> Self {
        let local = Local {
            translation: Vector3::zeros(),
            rotation: UnitQuaternion::identity(),
            stretch: Matrix3::identity(),
        };
        Self::new(local, parent_residual, false)
    }

    /// Whether any rotation of the node is a rotation of the joint, as exactly as matters.
    pub fn can_turn(&self) -> bool {
        self.turn.is_some() || strain(&self.parent_residual) < NEGLIGIBLE
    }

    /// The factor by which a scale of the node scales the joint, and whether that is exact.
    pub fn relative_scale(&self, scale: &Vector3<f64>) -> (f64, bool) {
        let ratio = scale.component_div(&self.scale);
        let (low, high) = (ratio.min(), ratio.max());
        if low >= 0.0 && high - low <= NEGLIGIBLE * high {
            return (ratio.mean(), true);
        }
        (ratio.product().abs().cbrt(), false)
    }

    /// The joint's transform when the node's is given; parts that are not animated are `None`.
    pub fn follow(
        &self,
        translation: Option<Vector3<f64>>,
        rotation: Option<UnitQuaternion<f64>>,
        scale: Option<Vector3<f64>>,
    ) -> Similarity {
        let mut result = self.rest;
        if let Some(translation) = translation {
            result.translation = self.parent_residual * translation;
        }
        if let Some(scale) = scale {
            result.scale = self.relative_scale(&scale).0;
        }
        if let Some(rotation) = rotation {
            result.rotation = match &self.turn {
                Some(turn) => through(turn, rotation),
                None => {
                    // The closest rotation: what turns below a non-uniform scale also shears.
                    let linear = self.parent_residual
                        * rotation.to_rotation_matrix()
                        * self.local.stretch
                        * pseudo_inverse(&self.residual);
                    polar(&linear).0
                }
            };
        }
        result
    }
}

/// A rotation seen through an orthogonal map.
fn through(turn: &Matrix3<f64>, rotation: UnitQuaternion<f64>) -> UnitQuaternion<f64> {
    if *turn == Matrix3::identity() {
        return rotation;
    }
    to_quaternion(&(turn * rotation.to_rotation_matrix().matrix() * turn.transpose()))
}
