//! Markers on the skin, as motion capture glues them, and capsules around the bones.

use nalgebra::{Rotation3, UnitQuaternion};

use super::bones::{Bones, Side, V3, in_arm, v};
use super::surface::Surface;
use crate::character::{CollisionGeometry, CollisionShape, Locator};

/// How far the middle of a marker stands off the skin, in metres.
const MARKER_RADIUS: f64 = 0.007;

/// 28 markers.
pub(super) fn markers(bones: &Bones) -> Vec<Locator> {
    let surface = Surface::new();
    let middle = [
        ("c7", "neck1", v(0.0, 1.47, -0.09)),
        ("t10", "spine2", v(0.0, 1.20, -0.12)),
        ("clavicle_notch", "spine3", v(0.0, 1.42, 0.06)),
        ("sternum", "spine3", v(0.0, 1.25, 0.11)),
    ];
    let left = [
        ("forehead", "head", v(0.05, 1.70, 0.075)),
        ("head_back", "head", v(0.05, 1.70, -0.075)),
        ("acromion", "clavicle", v(0.165, 1.49, -0.02)),
        ("elbow_outer", "elbow", in_arm(v(-0.25, 0.045, -0.01))),
        ("wrist_thumb", "wrist", in_arm(v(0.0, 0.0, 0.035))),
        ("wrist_pinky", "wrist", in_arm(v(0.0, 0.0, -0.035))),
        ("hand", "wrist", in_arm(v(0.075, 0.02, 0.01))),
        ("pelvis_front", "hips", v(0.12, 1.0, 0.10)),
        ("pelvis_back", "hips", v(0.05, 1.0, -0.12)),
        ("knee_outer", "knee", v(0.16, 0.495, 0.008)),
        ("ankle_outer", "ankle", v(0.15, 0.085, -0.022)),
        ("heel", "ankle", v(0.107, 0.045, -0.09)),
    ];
    let marker = |name: String, joint: &str, near: V3| {
        let index = bones.index(joint);
        let bone = &bones.bones[index];
        let skin = surface.project(near, 12);
        let outward = (near - skin).try_normalize(1e-9).unwrap_or_default();
        let local = bone.rotation.inverse() * (skin + outward * MARKER_RADIUS - bone.head);
        let mut locator = Locator::new(name, index, local.into());
        locator.attached_to_skin = true;
        locator.skin_offset = MARKER_RADIUS;
        locator
    };
    let mut markers: Vec<Locator> = middle
        .into_iter()
        .map(|(name, joint, near)| marker(name.into(), joint, near))
        .collect();
    for side in Side::BOTH {
        for (name, joint, near) in left {
            let own = format!("{}{joint}", side.prefix());
            let central = matches!(joint, "head" | "hips");
            let joint = if central { joint } else { own.as_str() };
            markers.push(marker(
                format!("{}{name}", side.prefix()),
                joint,
                side.point(near),
            ));
        }
    }
    markers
}

/// A tapered capsule around each bone of trunk and limbs.
pub(super) fn capsules(bones: &Bones) -> Vec<CollisionGeometry> {
    let carries = |name: &str| {
        let part = name.split_once('_').map_or(name, |(_, rest)| rest);
        !name.ends_with("eye")
            && name != "jaw"
            && part != "clavicle"
            && !part.ends_with(['1', '2', '3'])
            || name.starts_with("spine")
            || name.starts_with("neck")
    };
    bones
        .bones
        .iter()
        .enumerate()
        .filter(|(_, bone)| carries(&bone.name))
        .map(|(joint, bone)| {
            let along = bone.rotation.inverse() * (bone.tail - bone.head);
            let turn = UnitQuaternion::rotation_between(&V3::x(), &along).unwrap_or_default();
            let m = Rotation3::from(turn).to_homogeneous();
            CollisionGeometry {
                parent: Some(joint),
                transformation: std::array::from_fn(|at| m[(at / 4, at % 4)]),
                shape: CollisionShape::TaperedCapsule {
                    radius: bone.radius,
                    length: along.norm(),
                },
            }
        })
        .collect()
}
