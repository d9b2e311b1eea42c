//! A mesh that follows the rotations of joints.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::blend_shape::BlendShape;
use super::reals::Reals;
use crate::error::{Error, Result};

/// Numbers of a quaternion.
const COMPONENTS: [&str; 4] = ["x", "y", "z", "w"];
/// How far from unit length the base rotation may be and still be taken for a rounded unit quaternion.
const UNIT_TOLERANCE: f64 = 1e-3;

/// A mesh whose vertices are linear in the rotations of some joints, each relative to a base joint:
/// `base + Σ_j Σ_c q_jc · displacement_jc`, where `q_j = base_rotation · R_base⁻¹ · R_j` is a unit
/// quaternion `x y z w`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct PoseShape(Parts);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Parts {
    /// One shape for each component of each joint.
    shape: Arc<BlendShape>,
    base_joint: usize,
    base_rotation: [f64; 4],
    joints: Vec<usize>,
}

impl TryFrom<Parts> for PoseShape {
    type Error = Error;
    fn try_from(parts: Parts) -> Result<Self> {
        Self::checked(parts)
    }
}

impl From<PoseShape> for Parts {
    fn from(shape: PoseShape) -> Self {
        shape.0
    }
}

impl PoseShape {
    /// From `(n_vertices, 3)` base positions and `(4 · n_joints, n_vertices, 3)` displacements: by
    /// `x y z w` of the first of `joints`, then of the second, …
    ///
    /// # Errors
    /// [`Error::Character`] where the sizes do not belong together, a displacement is not finite, or
    /// the base rotation is not of unit length.
    pub fn new(
        base: Reals,
        displacements: Reals,
        base_joint: usize,
        base_rotation: [f64; 4],
        joints: Vec<usize>,
    ) -> Result<Self> {
        let names = joints.iter().flat_map(|joint| {
            let name = move |component: &str| format!("joint {joint} {component}");
            COMPONENTS.iter().map(move |component| name(component))
        });
        let shape = BlendShape::new(names.collect(), base, displacements);
        let shape = shape.map_err(|error| Error::character("pose shape", error.to_string()))?;
        Self::checked(Parts {
            shape: Arc::new(shape),
            base_joint,
            base_rotation,
            joints,
        })
    }

    fn checked(mut parts: Parts) -> Result<Self> {
        let wrong = |problem| Err(Error::character("pose shape", problem));
        let n_shapes = parts.shape.names().len();
        if n_shapes != COMPONENTS.len() * parts.joints.len() {
            return wrong(format!(
                "{n_shapes} shapes for {} joints",
                parts.joints.len()
            ));
        }
        let rotation = &mut parts.base_rotation;
        let norm = rotation.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm.is_nan() || (norm - 1.0).abs() > UNIT_TOLERANCE {
            return wrong(format!(
                "base_rotation {rotation:?} has length {norm}; expected a unit quaternion (x, y, z, w)"
            ));
        }
        if (norm - 1.0).abs() > f64::EPSILON {
            *rotation = rotation.map(|x| x / norm);
        }
        Ok(Self(parts))
    }

    /// The base shape, and one shape for each component of each joint's quaternion.
    #[must_use]
    pub fn shape(&self) -> &Arc<BlendShape> {
        &self.0.shape
    }

    /// The joint that rotations are measured from.
    #[must_use]
    pub fn base_joint(&self) -> usize {
        self.0.base_joint
    }

    /// What the relative rotations are turned by, a unit quaternion `x y z w`.
    #[must_use]
    pub fn base_rotation(&self) -> &[f64; 4] {
        &self.0.base_rotation
    }

    /// The joints whose rotations count.
    #[must_use]
    pub fn joints(&self) -> &[usize] {
        &self.0.joints
    }

    /// The number of vertices.
    #[must_use]
    pub fn n_vertices(&self) -> usize {
        self.0.shape.offsets().n_vertices()
    }

    /// The highest joint index in it.
    #[must_use]
    pub fn last_joint(&self) -> usize {
        let last = self.0.joints.iter().copied().max().unwrap_or(0);
        last.max(self.0.base_joint)
    }

    /// The same shape with every length multiplied by `factor`.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        Self(Parts {
            shape: Arc::new(self.0.shape.scaled(factor)),
            ..self.0.clone()
        })
    }

    /// The same shape for a skeleton whose joint `j` was joint `old` with `new_of(old) == Some(j)`;
    /// `None` where a joint of it is gone.
    #[must_use]
    pub fn with_joints(&self, new_of: impl Fn(usize) -> Option<usize>) -> Option<Self> {
        Some(Self(Parts {
            base_joint: new_of(self.0.base_joint)?,
            joints: self
                .0
                .joints
                .iter()
                .map(|&joint| new_of(joint))
                .collect::<Option<_>>()?,
            ..self.0.clone()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDENTITY: [f64; 4] = [0.0, 0.0, 0.0, 1.0];

    fn make(displacements: usize, rotation: [f64; 4]) -> Result<PoseShape> {
        let displacements = vec![0.5_f32; displacements];
        PoseShape::new(
            vec![1.0_f32; 6].into(),
            displacements.into(),
            3,
            rotation,
            vec![1, 5],
        )
    }

    #[test]
    fn four_shapes_for_each_joint() {
        let shape = make(48, IDENTITY).unwrap();
        assert_eq!((shape.n_vertices(), shape.last_joint()), (2, 5));
        assert_eq!(shape.shape().names()[6], "joint 5 z");
        let error = make(42, IDENTITY).unwrap_err().to_string();
        assert!(error.starts_with("pose shape"), "{error}");
    }

    #[test]
    fn the_base_rotation_is_a_rotation() {
        let error = make(48, [0.0, 0.0, 0.0, 2.0]).unwrap_err().to_string();
        assert!(error.contains("length 2"), "{error}");
        assert!(make(48, [f64::NAN; 4]).is_err());
    }

    #[test]
    fn joints_are_renumbered_or_it_is_gone() {
        let shape = make(48, IDENTITY).unwrap();
        let moved = shape.with_joints(|joint| Some(joint + 1)).unwrap();
        assert_eq!((moved.base_joint(), moved.joints()), (4, &[2, 6][..]));
        assert!(
            shape
                .with_joints(|joint| (joint != 5).then_some(joint))
                .is_none()
        );
    }

    #[test]
    fn it_survives_serialisation() {
        let shape = make(48, IDENTITY).unwrap();
        let bytes = postcard::to_stdvec(&shape).unwrap();
        assert_eq!(postcard::from_bytes::<PoseShape>(&bytes).unwrap(), shape);
    }
}
