//! Fewer joints, the same body.

use super::frames;
use super::joint_map::{Fate, JointMap};
use super::remap::remap_joints;
use crate::character::{Character, PARAMETERS_PER_JOINT, Skeleton};
use crate::error::{Error, Result};
use nalgebra::Isometry3;

impl Character {
    /// The same character with only some of its joints. What the others carried goes to the nearest joint
    /// above them that stays, where it was at rest. All parameters stay, also those that drive nothing any
    /// more; limits of the parameters of joints that go, go too.
    ///
    /// The posed mesh is the same where the joints that go are at rest, provided that the mesh is bound to
    /// the rest pose.
    ///
    /// # Errors
    /// [`Error::Character`] for no joints or a joint that has none above it that stays, [`Error::Value`]
    /// for one there is not.
    pub fn simplify_skeleton(&self, enabled_joints: &[usize]) -> Result<Self> {
        let enabled = joint_mask(&self.skeleton, "enabled_joint_indices", enabled_joints)?;
        if !enabled.contains(&true) {
            return Err(Error::character(
                "simplify_skeleton",
                "no joints are enabled; a character keeps at least its root",
            ));
        }
        let mut joints = Vec::new();
        let mut fates: Vec<Fate> = Vec::with_capacity(enabled.len());
        for (joint, enabled) in self.skeleton.joints().iter().zip(enabled) {
            // The nearest joint above that stays, and its frame from the parent's.
            let above = joint.parent.map(|parent| match fates[parent] {
                Fate::Kept(place) => (place, Isometry3::identity()),
                Fate::Merged { into, frame } => (into, frame),
                Fate::Removed { .. } => unreachable!("nothing is removed here"),
            });
            let local = frames::local(joint);
            fates.push(match (above, enabled) {
                (Some((_, frame)), true) if frame == Isometry3::identity() => {
                    joints.push(crate::character::Joint {
                        parent: above.map(|(place, _)| place),
                        ..joint.clone()
                    });
                    Fate::Kept(joints.len() - 1)
                }
                (Some((place, frame)), true) => {
                    joints.push(frames::placed(joint, Some(place), &(frame * local)));
                    Fate::Kept(joints.len() - 1)
                }
                (Some((into, frame)), false) => Fate::Merged {
                    into,
                    frame: frame * local,
                },
                (None, true) => {
                    joints.push(joint.clone());
                    Fate::Kept(joints.len() - 1)
                }
                (None, false) => {
                    return Err(Error::character(
                        format!("joint '{}'", joint.name),
                        "it is a root and not among the enabled joints; every joint that goes needs one \
                         above it that stays",
                    ));
                }
            });
        }
        let map = JointMap {
            fates,
            added: Vec::new(),
        };
        Self::new(remap_joints(self.parts(), Skeleton::new(joints)?, &map)?)
    }

    /// The same character with only the joints that the chosen parameters drive, and the roots.
    ///
    /// # Errors
    /// [`Error::Character`] where the mask does not have one entry per parameter.
    pub fn simplify(&self, enabled_parameters: &[bool]) -> Result<Self> {
        let mut joints = self.joints_for_parameters(enabled_parameters)?;
        let all = self.skeleton.joints().iter().enumerate();
        joints.extend(all.filter(|(_, joint)| joint.parent.is_none()).map(|j| j.0));
        if joints.is_empty() {
            return Ok(self.clone());
        }
        self.simplify_skeleton(&joints)
    }

    /// The same character with only the chosen parameters, and the limits that speak of no other.
    ///
    /// # Errors
    /// [`Error::Character`] where the mask does not have one entry per parameter.
    pub fn simplify_parameter_transform(&self, enabled_parameters: &[bool]) -> Result<Self> {
        let mut parts = self.parts();
        parts.keep_parameters(enabled_parameters)?;
        Self::new(parts)
    }

    /// The joints that any of the chosen parameters drive, in order.
    ///
    /// # Errors
    /// [`Error::Character`] where the mask does not have one entry per parameter.
    pub fn joints_for_parameters(&self, active_parameters: &[bool]) -> Result<Vec<usize>> {
        let transform = &self.parameter_transform;
        if active_parameters.len() != transform.len() {
            return Err(Error::character(
                "parameter mask",
                format!(
                    "it has {} entries, but there are {} parameters",
                    active_parameters.len(),
                    transform.len()
                ),
            ));
        }
        let driven = |joint: &usize| {
            let mut rows = joint * PARAMETERS_PER_JOINT..(joint + 1) * PARAMETERS_PER_JOINT;
            rows.any(|row| {
                transform
                    .row(row)
                    .any(|(column, _)| active_parameters[column])
            })
        };
        Ok((0..self.skeleton.len()).filter(driven).collect())
    }

    /// Which parameters drive any of the joints.
    ///
    /// # Errors
    /// [`Error::Value`] for a joint there is not.
    pub fn parameters_for_joints(&self, joints: &[usize]) -> Result<Vec<bool>> {
        joint_mask(&self.skeleton, "joint_indices", joints)?;
        Ok(self.parameter_transform.parameters_for_joints(joints))
    }
}

/// Which joints are in a list of indices.
fn joint_mask(skeleton: &Skeleton, what: &str, joints: &[usize]) -> Result<Vec<bool>> {
    let mut mask = vec![false; skeleton.len()];
    for &joint in joints {
        *mask.get_mut(joint).ok_or_else(|| {
            Error::value(
                what,
                format!(
                    "joint index {joint}, but the skeleton has {} joints",
                    skeleton.len()
                ),
            )
        })? = true;
    }
    Ok(mask)
}
