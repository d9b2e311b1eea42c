//! One more root that moves freely.

use super::frames;
use super::joint_map::{Fate, JointMap};
use super::remap::remap_joints;
use crate::character::{Character, Joint, PARAMETERS_PER_JOINT, Skeleton};
use crate::error::Result;
use std::sync::Arc;

impl Character {
    /// The same character with one more root joint, moved by six parameters `<name>_tx` to `<name>_rz` of
    /// its own; and the index of the joint, and of the first of the parameters. Both come last.
    ///
    /// # Errors
    /// [`crate::Error::Character`] where the joint is not a good one, or a joint or a parameter has its
    /// name already.
    pub fn add_rigid_transform_node(&self, node: Joint) -> Result<(Self, usize, usize)> {
        let (joint, parameter) = (self.skeleton.len(), self.parameter_transform.len());
        let names =
            ["tx", "ty", "tz", "rx", "ry", "rz"].map(|axis| format!("{}_{axis}", node.name));
        let mut joints = self.skeleton.joints().to_vec();
        joints.push(Joint {
            parent: None,
            ..node
        });
        let skeleton = Skeleton::new(joints)?;
        let map = JointMap {
            fates: (0..joint).map(Fate::Kept).collect(),
            added: vec![(joint, frames::local(&skeleton.joints()[joint]))],
        };
        let mut parts = remap_joints(self.parts(), skeleton, &map)?;
        let transform = (*parts.parameter_transform).clone();
        let transform = transform.with_appended(names.to_vec())?;
        let places: Vec<Option<usize>> = (0..=joint).map(Some).collect();
        let own = (0..6).map(|at| (joint * PARAMETERS_PER_JOINT + at, parameter + at, 1.0));
        parts.parameter_transform = Arc::new(transform.over_joints(&places, joint + 1, own)?);
        Ok((Self::new(parts)?, joint, parameter))
    }
}
