//! Every part of a character follows its joints.

use std::sync::Arc;

use super::frames;
use super::joint_map::JointMap;
use crate::array::DType;
use crate::character::{
    CharacterParts, CollisionGeometry, JointPhysicalProperties, LimitKind, Locator, ParameterLimit,
    SdfCollider, Skeleton, SkinWeights, SkinnedLocator,
};
use crate::error::{Error, Result};

/// The parts over another skeleton. Parameters all stay, also those that drive nothing any more.
///
/// # Errors
/// [`Error::Character`] where a vertex is left without a joint.
pub(super) fn remap_joints(
    parts: CharacterParts,
    skeleton: Skeleton,
    map: &JointMap,
) -> Result<CharacterParts> {
    // Named one by one: a new part does not compile until it is said here how it follows its joints.
    let CharacterParts {
        name,
        unit,
        skeleton: old,
        parameter_transform,
        parameter_limits,
        mesh,
        skin_weights,
        inverse_bind_pose,
        locators,
        collision_geometry,
        blend_shape,
        face_expression,
        pose_shape,
        metadata,
        skinned_locators,
        physical_properties,
        sdf_colliders,
    } = parts;
    let transform = parameter_transform.over_joints(&map.places(), map.n_joints(), [])?;
    Ok(CharacterParts {
        name,
        unit,
        skeleton: Arc::new(skeleton),
        parameter_transform: Arc::new(transform),
        parameter_limits: each(&parameter_limits, |each| limit(each, map)),
        mesh,
        skin_weights: match skin_weights {
            Some(weights) if !map.is_in_place() => Some(Arc::new(skin(&weights, &old, map)?)),
            shared => shared,
        },
        inverse_bind_pose: Arc::new(bind_pose(&inverse_bind_pose, map)),
        locators: each(&locators, |each| locator(each, map)),
        collision_geometry: each(&collision_geometry, |each| solid(each, map)),
        blend_shape,
        face_expression,
        // A shape by the rotation of a joint means nothing without the joint.
        pose_shape: pose_shape
            .and_then(|shape| shape.with_joints(|joint| map.place(joint)))
            .map(Arc::new),
        metadata,
        skinned_locators: each(&skinned_locators, |each| skinned_locator(each, map)),
        physical_properties: each(&physical_properties, |each| body(each, map)),
        sdf_colliders: each(&sdf_colliders, |each| collider(each, map)),
    })
}

/// A list without what has gone.
fn each<T>(list: &[T], follow: impl Fn(&T) -> Option<T>) -> Arc<Vec<T>> {
    Arc::new(list.iter().filter_map(follow).collect())
}

/// Limits of a joint's own parameters go with the joint: what no parameter drives needs no limit.
fn limit(old: &ParameterLimit, map: &JointMap) -> Option<ParameterLimit> {
    let mut limit = old.clone();
    match &mut limit.kind {
        LimitKind::MinMax { .. } | LimitKind::Linear { .. } | LimitKind::HalfPlane { .. } => {}
        LimitKind::MinMaxJoint { joint, .. } | LimitKind::MinMaxJointPassive { joint, .. } => {
            *joint = map.place(*joint)?;
        }
        LimitKind::LinearJoint {
            reference, target, ..
        } => {
            reference[0] = map.place(reference[0])?;
            target[0] = map.place(target[0])?;
        }
        LimitKind::Ellipsoid {
            ellipsoid_parent,
            parent,
            offset,
            ellipsoid,
        } => {
            let (carrier, frame) = map.carrier(*ellipsoid_parent)?;
            *ellipsoid = frames::carried(&frame, ellipsoid);
            *ellipsoid_parent = carrier;
            let (carrier, frame) = map.carrier(*parent)?;
            *offset = frames::point(&frame, *offset);
            *parent = carrier;
        }
    }
    Some(limit)
}

fn locator(old: &Locator, map: &JointMap) -> Option<Locator> {
    let (parent, frame) = map.carrier(old.parent)?;
    Some(Locator {
        parent,
        offset: frames::point(&frame, old.offset),
        limit_origin: frames::point(&frame, old.limit_origin),
        ..old.clone()
    })
}

fn solid(old: &CollisionGeometry, map: &JointMap) -> Option<CollisionGeometry> {
    let Some(joint) = old.parent else {
        return Some(old.clone());
    };
    let (parent, frame) = map.carrier(joint)?;
    Some(CollisionGeometry {
        parent: Some(parent),
        transformation: frames::carried(&frame, &old.transformation),
        shape: old.shape.clone(),
    })
}

/// It goes where a joint that carries it leaves none behind.
fn skinned_locator(old: &SkinnedLocator, map: &JointMap) -> Option<SkinnedLocator> {
    let mut carried: Vec<(u32, f64)> = Vec::new();
    for (joint, weight) in old.influences() {
        let place = map.skin(joint as usize)? as u32;
        match carried.iter_mut().find(|(known, _)| *known == place) {
            Some((_, sum)) => *sum += weight,
            None => carried.push((place, weight)),
        }
    }
    let (parents, weights) = carried.into_iter().unzip();
    old.with_influences(parents, weights)
}

/// A body stays as heavy when another joint carries it.
fn body(old: &JointPhysicalProperties, map: &JointMap) -> Option<JointPhysicalProperties> {
    let (carrier, frame) = map.carrier(old.joint_index?)?;
    Some(JointPhysicalProperties {
        mass: old.mass,
        center_of_mass_offset: frames::point(&frame, old.center_of_mass_offset),
        inertia: old.inertia,
        inertia_rotation: frames::turned(&frame, old.inertia_rotation),
        // The character fills in the name.
        joint_name: String::new(),
        joint_index: Some(carrier),
    })
}

fn collider(old: &SdfCollider, map: &JointMap) -> Option<SdfCollider> {
    let Some(joint) = old.parent else {
        return Some(old.clone());
    };
    let (carrier, frame) = map.carrier(joint)?;
    Some(SdfCollider {
        parent: Some(carrier),
        ..carried_collider(old, &frame)
    })
}

/// What a frame maps into another, mapped on.
pub(super) fn carried_collider(old: &SdfCollider, frame: &nalgebra::Isometry3<f64>) -> SdfCollider {
    SdfCollider {
        translation: frames::point(frame, old.translation),
        rotation: frames::turned(frame, old.rotation),
        ..old.clone()
    }
}

/// Weights of joints that became one are added up.
fn skin(old: &SkinWeights, skeleton: &Skeleton, map: &JointMap) -> Result<SkinWeights> {
    let width = old.n_influences();
    let mut index = vec![0_u32; old.index().len()];
    let mut weight = vec![0.0; old.index().len()];
    let weights: Vec<f64> = old.weight().iter().collect();
    let rows = old.index().chunks(width).zip(weights.chunks(width));
    for (vertex, (joints, weights)) in rows.enumerate() {
        let start = vertex * width;
        let mut used = 0;
        for (&joint, &w) in joints.iter().zip(weights).filter(|(_, w)| **w != 0.0) {
            let joint = joint as usize;
            let place = map.skin(joint).ok_or_else(|| {
                Error::character(
                    "skin weights",
                    format!(
                        "vertex {vertex} is carried by joint '{}', which goes without a joint above it \
                         that stays",
                        skeleton.joints()[joint].name
                    ),
                )
            })? as u32;
            let row = start..start + used;
            let at = index[row].iter().position(|&known| known == place);
            let at = start + at.unwrap_or(used);
            used += usize::from(at == start + used);
            index[at] = place;
            weight[at] += w;
        }
    }
    let weight = match old.weight().dtype() {
        DType::Float64 => weight.into(),
        _ => weight.iter().map(|&w| w as f32).collect::<Vec<_>>().into(),
    };
    SkinWeights::new(width, index, weight)
}

fn bind_pose(old: &[[f64; 16]], map: &JointMap) -> Vec<[f64; 16]> {
    let mut inverse = vec![[0.0; 16]; map.n_joints()];
    for (matrix, place) in old.iter().zip(map.places()) {
        if let Some(place) = place {
            inverse[place] = *matrix;
        }
    }
    for (place, world) in &map.added {
        inverse[*place] = frames::to_rows(&world.inverse().to_homogeneous());
    }
    inverse
}
