//! Joints, and everything below them, taken away.

use super::joint_map::{Fate, JointMap};
use super::remap::remap_joints;
use crate::character::{Character, Joint, PARAMETERS_PER_JOINT, Skeleton};
use crate::error::{Error, Result};

impl Character {
    /// The same character without some joints and everything below them: without what they carry, the
    /// parameters that drive nothing else, and the limits that speak of those. The mesh stays whole; what
    /// the joints carried of it goes to the nearest joint that stays.
    ///
    /// # Errors
    /// [`Error::Value`] for a joint there is not, [`Error::Character`] where no joint would be left, or a
    /// vertex would be left without one.
    pub fn strip_joints<S: AsRef<str>>(&self, joint_names: &[S]) -> Result<Self> {
        let mut stripped = vec![false; self.skeleton.len()];
        for name in joint_names {
            let name = name.as_ref();
            let joint = self.skeleton.joint_index(name).ok_or_else(|| {
                Error::value("joint_names", format!("the skeleton has no joint '{name}'"))
            })?;
            stripped[joint] = true;
        }
        let mut joints: Vec<Joint> = Vec::new();
        let mut fates: Vec<Fate> = Vec::with_capacity(stripped.len());
        for (joint, stripped) in self.skeleton.joints().iter().zip(stripped) {
            let above = joint.parent.map(|parent| fates[parent]);
            let parent = match above {
                Some(Fate::Kept(place)) => Some(place),
                _ => None,
            };
            fates.push(match above {
                Some(Fate::Removed { .. }) => above.unwrap_or(Fate::Removed { skin: None }),
                _ if stripped => Fate::Removed { skin: parent },
                _ => {
                    joints.push(Joint {
                        parent,
                        ..joint.clone()
                    });
                    Fate::Kept(joints.len() - 1)
                }
            });
        }
        if joints.is_empty() && !self.skeleton.is_empty() {
            return Err(Error::character("strip_joints", "no joint would be left"));
        }
        let map = JointMap {
            fates,
            added: Vec::new(),
        };
        let mut parts = remap_joints(self.parts(), Skeleton::new(joints)?, &map)?;
        parts.keep_parameters(&self.still_in_use(&map))?;
        Self::new(parts)
    }

    /// The parameters that drive a joint that stays, or never drove one (those are coefficients).
    pub(super) fn still_in_use(&self, map: &JointMap) -> Vec<bool> {
        let transform = &self.parameter_transform;
        let mut drives = vec![(false, false); transform.len()];
        for row in 0..PARAMETERS_PER_JOINT * self.skeleton.len() {
            let stays = map.place(row / PARAMETERS_PER_JOINT).is_some();
            for (column, _) in transform.row(row) {
                drives[column].0 |= stays;
                drives[column].1 |= !stays;
            }
        }
        drives.iter().map(|&(stays, went)| stays || !went).collect()
    }
}
