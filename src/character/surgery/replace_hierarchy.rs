//! One character's limb on another's body.

use nalgebra::Isometry3;
use std::sync::Arc;

use super::frames;
use super::joint_map::{Fate, JointMap};
use super::remap::remap_joints;
use crate::character::{
    Character, CharacterParts, Joint, PARAMETERS_PER_JOINT, ParameterTransform, Skeleton,
};
use crate::error::{Error, Result};

impl Character {
    /// `target` with everything below its joint `target_root` replaced by what is below `source_root` of
    /// `source`. The root itself stays the target's. Joints, the parameters that drive them, limits,
    /// locators and solids come along; parameters of one name become one. The mesh stays the target's; what
    /// the joints that go carried of it goes to `target_root`.
    ///
    /// # Errors
    /// [`Error::Value`] for a joint there is not, [`Error::Character`] where the units differ or a joint of
    /// the source has the name of one that stays.
    pub fn replace_skeleton_hierarchy(
        source: &Self,
        target: &Self,
        source_root: &str,
        target_root: &str,
    ) -> Result<Self> {
        let find = |character: &Self, what: &str, name: &str| {
            character
                .skeleton
                .joint_index(name)
                .ok_or_else(|| Error::value(what, format!("the skeleton has no joint '{name}'")))
        };
        let from = find(source, "source_root", source_root)?;
        let to = find(target, "target_root", target_root)?;
        if source.unit != target.unit {
            return Err(Error::character(
                "source character",
                format!(
                    "its unit is '{}', but the target's is '{}'; use in_unit",
                    source.unit, target.unit
                ),
            ));
        }
        let plan = Plan::new(source, target, from, to)?;
        let mut parts = remap_joints(target.parts(), plan.skeleton, &plan.of_target)?;
        parts.keep_parameters(&target.still_in_use(&plan.of_target))?;
        let joints = Arc::clone(&parts.skeleton);
        let mut limb = remap_joints(source.parts(), (*joints).clone(), &plan.of_source)?;
        // Of the source only what drives its limb.
        limb.keep_parameters(&driving(&limb.parameter_transform))?;
        join(parts, limb)
    }
}

/// Which joints the new skeleton has, and where they come from.
struct Plan {
    skeleton: Skeleton,
    of_target: JointMap,
    of_source: JointMap,
}

impl Plan {
    fn new(source: &Character, target: &Character, from: usize, to: usize) -> Result<Self> {
        let below = |character: &Character, joint: usize, root: usize| {
            joint != root && character.skeleton.is_ancestor(joint, root)
        };
        // The limb goes right behind its root, so that skeletons stay in the order of their branches.
        let mut joints: Vec<Joint> = Vec::new();
        let mut of_target = Vec::new();
        let mut of_source = vec![Fate::Removed { skin: None }; source.skeleton.len()];
        let mut added = Vec::new();
        for (index, joint) in target.skeleton.joints().iter().enumerate() {
            if below(target, index, to) {
                of_target.push(Fate::Removed { skin: None });
                continue;
            }
            let parent = joint.parent.and_then(|parent| place(&of_target, parent));
            of_target.push(Fate::Kept(joints.len()));
            joints.push(Joint {
                parent,
                ..joint.clone()
            });
            if index != to {
                continue;
            }
            // The root of the limb stands for the target's in what refers to it, but brings nothing.
            let mut frames: Vec<Isometry3<f64>> = frames::at_rest(&source.skeleton);
            let socket = bind_frame(target, to)? * frames[from].inverse();
            for (index, joint) in source.skeleton.joints().iter().enumerate() {
                if !below(source, index, from) {
                    continue;
                }
                let parent = match joint.parent {
                    Some(parent) if parent != from => place(&of_source, parent),
                    _ => place(&of_target, to),
                };
                frames[index] = socket * frames[index];
                added.push((joints.len(), frames[index]));
                of_source[index] = Fate::Kept(joints.len());
                joints.push(Joint {
                    parent,
                    ..joint.clone()
                });
            }
        }
        let root = place(&of_target, to);
        for fate in of_target.iter_mut().chain(&mut of_source) {
            if let Fate::Removed { skin } = fate {
                *skin = root;
            }
        }
        // Seen from the source, the joints of the target are new; their bind pose is not asked for.
        let others = of_target.iter().filter_map(|fate| match fate {
            Fate::Kept(place) => Some((*place, Isometry3::identity())),
            Fate::Merged { .. } | Fate::Removed { .. } => None,
        });
        let others = others.collect();
        Ok(Self {
            skeleton: Skeleton::new(joints)?,
            of_target: JointMap {
                fates: of_target,
                added,
            },
            of_source: JointMap {
                fates: of_source,
                added: others,
            },
        })
    }
}

fn place(fates: &[Fate], joint: usize) -> Option<usize> {
    match fates.get(joint) {
        Some(Fate::Kept(place)) => Some(*place),
        _ => None,
    }
}

/// World from joint in the bind pose, as far as it is a rigid motion.
fn bind_frame(character: &Character, joint: usize) -> Result<Isometry3<f64>> {
    let bind = frames::to_matrix(&character.bind_pose()?[joint]);
    let block: nalgebra::Matrix3<f64> = bind.fixed_view::<3, 3>(0, 0).into();
    let shift: nalgebra::Vector3<f64> = bind.fixed_view::<3, 1>(0, 3).into();
    let turn = frames::closest_rotation(&block);
    Ok(Isometry3::from_parts(shift.into(), turn))
}

/// Which parameters drive anything.
fn driving(transform: &ParameterTransform) -> Vec<bool> {
    let joints: Vec<usize> = (0..transform.n_joints()).collect();
    transform.parameters_for_joints(&joints)
}

/// The parts with what the limb brings.
fn join(mut parts: CharacterParts, limb: CharacterParts) -> Result<Character> {
    let ours = &parts.parameter_transform;
    let known = |name: &String| ours.names().iter().position(|known| known == name);
    let fresh = limb.parameter_transform.names().iter();
    let fresh: Vec<String> = fresh
        .filter(|name| known(name).is_none())
        .cloned()
        .collect();
    let transform = (**ours).clone().with_appended(fresh)?;
    // Where the limb's parameters land.
    let places: Vec<Option<usize>> = limb
        .parameter_transform
        .names()
        .iter()
        .map(|name| transform.names().iter().position(|known| known == name))
        .collect();
    let rows = 0..PARAMETERS_PER_JOINT * limb.skeleton.len();
    let entries = rows.flat_map(|row| {
        let entries = limb.parameter_transform.row(row);
        let places = &places;
        entries.filter_map(move |(column, value)| Some((row, places[column]?, value)))
    });
    let all: Vec<Option<usize>> = (0..limb.skeleton.len()).map(Some).collect();
    let transform = transform.over_joints(&all, limb.skeleton.len(), entries)?;
    parts.parameter_transform = Arc::new(transform);

    // Named one by one, as in `remap_joints`: what a limb brings, and what stays the source's.
    let CharacterParts {
        parameter_limits,
        locators,
        collision_geometry,
        physical_properties,
        sdf_colliders,
        name: _,
        unit: _,
        skeleton: _,
        parameter_transform: _,
        mesh: _,
        skin_weights: _,
        inverse_bind_pose: _,
        blend_shape: _,
        face_expression: _,
        pose_shape: _,
        metadata: _,
        // Like the skin that they lie on.
        skinned_locators: _,
    } = limb;
    let limits = parameter_limits.iter();
    Arc::make_mut(&mut parts.parameter_limits)
        .extend(limits.filter_map(|limit| limit.moved(&places)));
    Arc::make_mut(&mut parts.locators).extend_from_slice(&locators);
    // What the source's world carries stays there.
    let solids = collision_geometry.iter().filter(|s| s.parent.is_some());
    Arc::make_mut(&mut parts.collision_geometry).extend(solids.cloned());
    Arc::make_mut(&mut parts.physical_properties).extend_from_slice(&physical_properties);
    let colliders = sdf_colliders.iter().filter(|c| c.parent.is_some());
    Arc::make_mut(&mut parts.sdf_colliders).extend(colliders.cloned());
    Character::new(parts)
}
