//! A tree (or several) of joints, parents before children.

use nalgebra::{Isometry3, Quaternion, Translation3, UnitQuaternion};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

use super::joint::Joint;
use crate::error::{Error, Result};

/// How far from unit length a pre-rotation may be and still be taken for a rounded unit quaternion.
const UNIT_TOLERANCE: f64 = 1e-3;

/// Joints in an order in which parents come before their children.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<Joint>", into = "Vec<Joint>")]
pub struct Skeleton {
    joints: Vec<Joint>,
    by_name: HashMap<String, usize>,
}

impl PartialEq for Skeleton {
    fn eq(&self, other: &Self) -> bool {
        self.joints == other.joints
    }
}

impl From<Skeleton> for Vec<Joint> {
    fn from(skeleton: Skeleton) -> Self {
        skeleton.joints
    }
}

impl TryFrom<Vec<Joint>> for Skeleton {
    type Error = Error;
    fn try_from(joints: Vec<Joint>) -> Result<Self> {
        Self::new(joints)
    }
}

impl Skeleton {
    /// Checks the joints and normalises their pre-rotations (which differ from unit length only by
    /// rounding).
    ///
    /// # Errors
    /// [`Error::Character`] for a parent that is missing or not before its child, two joints of one
    /// name, a pre-rotation that is not of unit length, or a number that is not finite.
    pub fn new(mut joints: Vec<Joint>) -> Result<Self> {
        let count = joints.len();
        let mut by_name = HashMap::with_capacity(count);
        for (index, joint) in joints.iter_mut().enumerate() {
            let wrong =
                |problem: String| Err(Error::character(format!("joint '{}'", joint.name), problem));
            if let Some(parent) = joint.parent {
                if parent >= count {
                    return wrong(format!(
                        "parent index {parent}, but the skeleton has {count} joints"
                    ));
                }
                if parent >= index {
                    return wrong(format!(
                        "parent index {parent} is not before the joint's own index {index}; \
                         parents must precede their children"
                    ));
                }
            }
            if !joint.translation_offset.iter().all(|x| x.is_finite()) {
                return wrong(format!(
                    "translation_offset {:?} is not finite",
                    joint.translation_offset
                ));
            }
            let norm = joint.pre_rotation.iter().map(|x| x * x).sum::<f64>().sqrt();
            if norm.is_nan() || (norm - 1.0).abs() > UNIT_TOLERANCE {
                return wrong(format!(
                    "pre_rotation {:?} has length {norm}; expected a unit quaternion (x, y, z, w)",
                    joint.pre_rotation
                ));
            }
            // Exact where the quaternion is already the closest unit one in its own precision.
            if (norm - 1.0).abs() > f64::EPSILON {
                joint.pre_rotation = joint.pre_rotation.map(|x| x / norm);
            }
            if by_name.insert(joint.name.clone(), index).is_some() {
                return wrong("another joint has the same name".into());
            }
        }
        Ok(Self { joints, by_name })
    }

    /// The joints.
    #[must_use]
    pub fn joints(&self) -> &[Joint] {
        &self.joints
    }

    /// The number of joints.
    #[must_use]
    pub fn len(&self) -> usize {
        self.joints.len()
    }

    /// Whether there are no joints.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.joints.is_empty()
    }

    /// The index of the joint called `name`.
    #[must_use]
    pub fn joint_index(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The indices of the joints whose parent is `joint`, or of everything below it.
    #[must_use]
    pub fn children(&self, joint: usize, recursive: bool) -> Vec<usize> {
        let mut inside = vec![false; self.len()];
        let mut found = Vec::new();
        if joint < self.len() {
            inside[joint] = true;
        }
        for (index, candidate) in self.joints.iter().enumerate() {
            let Some(parent) = candidate.parent else {
                continue;
            };
            if parent == joint || (recursive && inside[parent]) {
                inside[index] = true;
                found.push(index);
            }
        }
        found
    }

    /// Whether `ancestor` lies on the way from `joint` to its root; a joint is its own ancestor.
    #[must_use]
    pub fn is_ancestor(&self, joint: usize, ancestor: usize) -> bool {
        let mut current = Some(joint);
        while let Some(index) = current {
            if index == ancestor {
                return true;
            }
            current = self.joints.get(index).and_then(|joint| joint.parent);
        }
        false
    }

    /// World from joint in the zero pose, for each joint.
    #[must_use]
    pub fn rest_places(&self) -> Vec<Isometry3<f64>> {
        let mut worlds: Vec<Isometry3<f64>> = Vec::with_capacity(self.len());
        for joint in &self.joints {
            let [x, y, z, w] = joint.pre_rotation;
            let local = Isometry3::from_parts(
                Translation3::from(joint.translation_offset),
                UnitQuaternion::new_unchecked(Quaternion::new(w, x, y, z)),
            );
            worlds.push(joint.parent.map_or(local, |parent| worlds[parent] * local));
        }
        worlds
    }

    /// The same skeleton with every offset multiplied by `factor`.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let mut scaled = self.clone();
        for joint in &mut scaled.joints {
            joint.translation_offset = joint.translation_offset.map(|x| x * factor);
        }
        scaled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(joints: Vec<Joint>) -> String {
        Skeleton::new(joints).unwrap_err().to_string()
    }

    #[test]
    fn wrong_joints_are_named() {
        let root = Joint::new("root", None, [0.0; 3]);
        assert_eq!(
            message(vec![
                root.clone(),
                Joint::new("l_wrist", Some(41), [0.0; 3])
            ]),
            "joint 'l_wrist': parent index 41, but the skeleton has 2 joints"
        );
        assert!(
            message(vec![Joint::new("a", Some(1), [0.0; 3]), root.clone()]).contains("precede")
        );
        assert!(message(vec![root.clone(), root.clone()]).contains("same name"));
        let mut long = root.clone();
        long.pre_rotation = [0.0, 0.0, 0.0, 2.0];
        assert!(message(vec![long]).contains("length 2"));
        let mut nan = root;
        nan.pre_rotation[0] = f64::NAN;
        assert!(message(vec![nan]).contains("unit quaternion"));
    }

    #[test]
    fn relations_follow_the_parents() {
        let skeleton = Skeleton::new(vec![
            Joint::new("a", None, [0.0; 3]),
            Joint::new("b", Some(0), [0.0; 3]),
            Joint::new("c", Some(1), [0.0; 3]),
            Joint::new("d", Some(0), [0.0; 3]),
        ])
        .unwrap();
        assert_eq!(skeleton.children(0, false), [1, 3]);
        assert_eq!(skeleton.children(0, true), [1, 2, 3]);
        assert!(skeleton.is_ancestor(2, 0) && skeleton.is_ancestor(2, 2));
        assert!(!skeleton.is_ancestor(3, 1));
    }
}
