//! The skeleton file, and as a character.

use nalgebra::UnitQuaternion;
use serde::Deserialize;
use std::sync::Arc;

use crate::character::{
    Character, CharacterParts, Joint, LimitKind, PARAMETERS_PER_JOINT, ParameterLimit,
    ParameterTransform, Skeleton,
};
use crate::error::{Error, Result};

/// The file.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SkeletonFile {
    skeleton: StoredSkeleton,
    #[serde(default)]
    body_defs: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoredSkeleton {
    joints: Vec<StoredJoint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoredJoint {
    name: String,
    #[serde(rename = "Type")]
    kind: String,
    parent: i64,
    #[serde(default)]
    attach_x: f64,
    #[serde(default)]
    attach_y: f64,
    #[serde(default)]
    attach_z: f64,
    #[serde(default)]
    attach_theta_x: f64,
    #[serde(default)]
    attach_theta_y: f64,
    #[serde(default)]
    attach_theta_z: f64,
    #[serde(rename = "LimLow0")]
    low: Option<f64>,
    #[serde(rename = "LimHigh0")]
    high: Option<f64>,
}

/// What a fault of the JSON text is.
pub(super) fn json_error(error: &serde_json::Error) -> Error {
    let place = format!("line {}, column {}", error.line(), error.column());
    let message = error.to_string();
    let message = message
        .split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned();
    Error::format(place, "JSON as DeepMimic writes it", message)
}

pub(super) fn character(text: &str, name: String, warnings: &mut Vec<String>) -> Result<Character> {
    let file: SkeletonFile = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let (mut joints, mut parameters, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    let mut limits = Vec::new();
    let mut n_spherical = 0;
    for (at, stored) in file.skeleton.joints.iter().enumerate() {
        let place = format!("Skeleton.Joints[{at}]");
        let parent = match usize::try_from(stored.parent) {
            Ok(parent) => Some(parent),
            Err(_) if at == 0 => None,
            Err(_) => {
                let got = stored.parent;
                return Err(Error::format(
                    format!("{place}.Parent"),
                    "a joint before it",
                    got,
                ));
            }
        };
        let offset = [stored.attach_x, stored.attach_y, stored.attach_z];
        let mut joint = Joint::new(stored.name.as_str(), parent, offset);
        joint.pre_rotation = UnitQuaternion::from_euler_angles(
            stored.attach_theta_x,
            stored.attach_theta_y,
            stored.attach_theta_z,
        )
        .coords
        .into();
        let own = match (at, stored.kind.as_str()) {
            (0, _) => 0..6,
            (_, "spherical") => 3..6,
            (_, "revolute") => 5..6,
            (_, "fixed") => 0..0,
            (_, other) => {
                let expected = "'spherical', 'revolute' or 'fixed'";
                return Err(Error::format(
                    format!("{place}.Type"),
                    expected,
                    format!("{other:?}"),
                ));
            }
        };
        n_spherical += usize::from(own.start == 3);
        if let (5, Some(low), Some(high)) = (own.start, stored.low, stored.high)
            && low <= high
        {
            let (parameter, range) = (parameters.len(), [low, high]);
            let limit = ParameterLimit::new(LimitKind::MinMax { parameter, range }, 1.0);
            limits.push(limit.map_err(|error| Error::format(&place, "limits", error))?);
        }
        for parameter in own {
            entries.push((at * PARAMETERS_PER_JOINT + parameter, parameters.len(), 1.0));
            let suffix = ["tx", "ty", "tz", "rx", "ry", "rz"][parameter];
            parameters.push(format!("{}_{suffix}", stored.name));
        }
        joints.push(joint);
    }
    if joints.is_empty() {
        return Err(Error::format("Skeleton.Joints", "a root", "no joints"));
    }
    if n_spherical > 0 {
        warnings
            .push("limits of spherical joints are left out, as they limit no single angle".into());
    }
    if file.body_defs.is_some() {
        warnings.push("bodies and drawn shapes are left out".into());
    }
    let transform = ParameterTransform::new(parameters, joints.len(), entries)?;
    let mut parts = CharacterParts::new(name, Skeleton::new(joints)?, transform);
    parts.parameter_limits = Arc::new(limits);
    Character::new(parts)
}
