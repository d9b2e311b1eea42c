//! What a joint weighs.

use serde::{Deserialize, Serialize};

use super::Skeleton;
use crate::error::{Error, Result};

/// The mass of the body that a joint carries, and how it is spread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JointPhysicalProperties {
    /// Mass, kilograms.
    pub mass: f64,
    /// Centre of mass in the joint's frame, in the character's unit.
    pub center_of_mass_offset: [f64; 3],
    /// Moments of inertia in the inertia frame, row-major 3x3, kilograms times the unit squared.
    pub inertia: [f64; 9],
    /// Inertia frame to joint frame, a quaternion `x y z w`.
    pub inertia_rotation: [f64; 4],
    /// The joint's name; empty where only the index says which.
    pub joint_name: String,
    /// The joint; `None` where only the name says which.
    pub joint_index: Option<usize>,
}

impl Default for JointPhysicalProperties {
    fn default() -> Self {
        Self {
            mass: 0.0,
            center_of_mass_offset: [0.0; 3],
            inertia: [0.0; 9],
            inertia_rotation: [0.0, 0.0, 0.0, 1.0],
            joint_name: String::new(),
            joint_index: None,
        }
    }
}

impl JointPhysicalProperties {
    /// The same with name and index both filled in, from whichever is given.
    ///
    /// # Errors
    /// [`Error::Character`] where there is no such joint, where the two name different joints, or
    /// where the mass is negative or not finite.
    pub fn resolved(&self, skeleton: &Skeleton) -> Result<Self> {
        let wrong = |problem: String| {
            let which = match (self.joint_name.as_str(), self.joint_index) {
                ("", Some(index)) => format!("of joint {index}"),
                (name, _) => format!("of joint '{name}'"),
            };
            Err(Error::character(
                format!("physical properties {which}"),
                problem,
            ))
        };
        if !(self.mass >= 0.0 && self.mass.is_finite()) {
            return wrong(format!("mass is {}", self.mass));
        }
        let by_name = skeleton.joint_index(&self.joint_name);
        let index = match (self.joint_index, by_name) {
            (Some(index), _) if index >= skeleton.len() => {
                return wrong(format!(
                    "joint index {index}, but the skeleton has {} joints",
                    skeleton.len()
                ));
            }
            (Some(index), _) if self.joint_name.is_empty() => index,
            (Some(index), Some(named)) if index == named => index,
            (Some(index), _) => {
                return wrong(format!(
                    "joint index {index} is joint '{}'",
                    skeleton.joints()[index].name
                ));
            }
            (None, Some(named)) => named,
            (None, None) => return wrong("there is no such joint".into()),
        };
        Ok(Self {
            joint_name: skeleton.joints()[index].name.clone(),
            joint_index: Some(index),
            ..self.clone()
        })
    }

    /// The same body with lengths in another unit: every length multiplied by `factor`, the mass as
    /// it was.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        Self {
            center_of_mass_offset: self.center_of_mass_offset.map(|x| x * factor),
            inertia: self.inertia.map(|x| x * factor * factor),
            ..self.clone()
        }
    }

    /// The same with mass, and so inertia, multiplied by `factor`.
    #[must_use]
    pub fn heavier(&self, factor: f64) -> Self {
        Self {
            mass: self.mass * factor,
            inertia: self.inertia.map(|x| x * factor),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::character::Joint;

    #[test]
    fn a_joint_is_found_by_name_or_by_index() {
        let skeleton = Skeleton::new(vec![
            Joint::new("root", None, [0.0; 3]),
            Joint::new("hand", Some(0), [0.0; 3]),
        ])
        .unwrap();
        let of = |name: &str, joint_index| JointPhysicalProperties {
            joint_name: name.into(),
            joint_index,
            ..JointPhysicalProperties::default()
        };
        for (name, index) in [("hand", None), ("", Some(1)), ("hand", Some(1))] {
            let found = of(name, index).resolved(&skeleton).unwrap();
            assert_eq!(
                (found.joint_name.as_str(), found.joint_index),
                ("hand", Some(1))
            );
        }
        for (name, index, words) in [
            ("", None, "no such joint"),
            ("foot", None, "no such joint"),
            ("hand", Some(0), "joint index 0 is joint 'root'"),
            ("", Some(2), "the skeleton has 2 joints"),
        ] {
            let error = of(name, index).resolved(&skeleton).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
