//! A skeleton and what drives it, joint by joint.

use nalgebra::{Isometry3, Matrix3, Rotation3, UnitQuaternion, Vector3};

use crate::character::{
    Joint, LimitKind, PARAMETERS_PER_JOINT, ParameterLimit, ParameterTransform, Skeleton,
};
use crate::error::Result;

/// How far an axis of length 1 may lean away from one of x, y, z to be turned about by a joint's own angle.
const ALIGNED: f64 = 1e-9;

/// Joints so far, and what drives them.
#[derive(Default)]
pub(in crate::io) struct Rig {
    pub joints: Vec<Joint>,
    entries: Vec<(usize, usize, f64)>,
    pub parameters: Vec<String>,
    pub limits: Vec<ParameterLimit>,
}

impl Rig {
    /// A joint that stands still so far.
    pub fn add(&mut self, name: String, parent: Option<usize>, place: &Isometry3<f64>) -> usize {
        let turn = place.rotation.coords;
        self.joints.push(Joint {
            name,
            parent,
            pre_rotation: [turn.x, turn.y, turn.z, turn.w],
            translation_offset: place.translation.vector.into(),
        });
        self.joints.len() - 1
    }

    /// One of a joint's seven parameters follows a model parameter.
    pub fn drive(&mut self, joint: usize, channel: usize, column: usize, factor: f64) {
        let row = PARAMETERS_PER_JOINT * joint + channel;
        self.entries.push((row, column, factor));
    }

    /// Drives the translation of a joint along a direction in its parent's frame.
    pub fn drive_along(
        &mut self,
        joint: usize,
        direction: &Vector3<f64>,
        column: usize,
        factor: f64,
    ) {
        for axis in 0..3 {
            if direction[axis] != 0.0 {
                self.drive(joint, axis, column, factor * direction[axis]);
            }
        }
    }

    /// Keeps a model parameter in a range.
    pub fn limit(&mut self, parameter: usize, range: [f64; 2]) {
        self.limits.push(ParameterLimit {
            kind: LimitKind::MinMax { parameter, range },
            weight: 1.0,
        });
    }

    /// All of it together.
    pub fn finish(self) -> Result<(Skeleton, ParameterTransform, Vec<ParameterLimit>)> {
        let skeleton = Skeleton::new(self.joints)?;
        let transform = ParameterTransform::new(self.parameters, skeleton.len(), self.entries)?;
        Ok((skeleton, transform, self.limits))
    }
}

/// Which of x, y, z an axis is, and its sign; `None` for an oblique one.
pub(in crate::io) fn channel_along(axis: &Vector3<f64>) -> Option<(usize, f64)> {
    let across = |at: usize| (1..3).all(|next| axis[(at + next) % 3].abs() < ALIGNED);
    let channel = (0..3).find(|&at| across(at))?;
    Some((channel, axis[channel].signum()))
}

/// Two directions that make a right-handed frame with an axis; x and y for z.
pub(in crate::io) fn plane(axis: &Vector3<f64>) -> [Vector3<f64>; 2] {
    let start = if axis.x.abs() < 0.9 {
        Vector3::x()
    } else {
        Vector3::y()
    };
    let x = (start - axis * axis.dot(&start)).normalize();
    [x, axis.cross(&x)]
}

/// A rotation that takes z to an axis.
pub(in crate::io) fn frame_along(axis: &Vector3<f64>) -> UnitQuaternion<f64> {
    let [x, y] = plane(axis);
    let turn = Rotation3::from_matrix_unchecked(Matrix3::from_columns(&[x, y, *axis]));
    UnitQuaternion::from_rotation_matrix(&turn)
}
