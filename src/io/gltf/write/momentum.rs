//! The extension `FB_momentum` as Momentum writes it; see [`super::super::momentum`] for what is in it.

use serde_json::{Map, Value, json};

use super::super::momentum::{CENTIMETERS, JOINT_PARAMETERS};
use crate::character::{
    Character, CollisionShape, JointPhysicalProperties, LimitKind, Locator, PARAMETERS_PER_JOINT,
    ParameterLimit,
};

/// A number that JSON and single precision can hold.
fn real(x: f64) -> Value {
    let most = f64::from(f32::MAX);
    json!(if x.is_nan() {
        0.0
    } else {
        x.clamp(-most, most)
    })
}

fn reals(numbers: &[f64]) -> Value {
    numbers.iter().map(|&x| real(x)).collect()
}

/// What the document says about a character, which is in centimetres.
pub(super) fn document(character: &Character, into: &mut Map<String, Value>) {
    into.insert("transform".into(), transform(character));
    let parameters = &character.parameter_transform;
    let sets = parameters.parameter_sets().iter().map(|(name, mask)| {
        let members = parameters.names().iter().zip(mask);
        let members = members.filter(|&(_, &chosen)| chosen).map(|(name, _)| name);
        (name.clone(), members.map(|name| json!(name)).collect())
    });
    into.insert("parameterSet".into(), Value::Object(sets.collect()));
    into.insert("poseConstraints".into(), json!({}));
    if !character.parameter_limits.is_empty() {
        let limits = character.parameter_limits.iter();
        let limits = limits.map(|one| limit(one, character)).collect();
        into.insert("parameterLimits".into(), limits);
    }
    if !character.metadata.is_empty() {
        into.insert("metadata".into(), json!(character.metadata));
    }
}

fn transform(character: &Character) -> Value {
    let transform = &character.parameter_transform;
    let mut joints = Map::new();
    for (joint, noun) in character.skeleton.joints().iter().enumerate() {
        let mut channels = Map::new();
        for (at, channel) in JOINT_PARAMETERS.iter().enumerate() {
            let entries = transform.row(joint * PARAMETERS_PER_JOINT + at);
            let entries: Map<String, Value> = entries
                .map(|(column, value)| (transform.names()[column].clone(), real(value)))
                .collect();
            if !entries.is_empty() {
                channels.insert((*channel).to_owned(), Value::Object(entries));
            }
        }
        if !channels.is_empty() {
            joints.insert(noun.name.clone(), Value::Object(channels));
        }
    }
    json!({
        "parameters": transform.names(),
        "joints": joints,
        "blendShapeParameters": columns(transform.blend_shape_columns()),
        "faceExpressionParameters": columns(transform.face_expression_columns()),
    })
}

/// Which parameters coefficients are; -1 for none.
pub(super) fn columns(columns: &[Option<usize>]) -> Value {
    let places = columns.iter().map(|column| match column {
        Some(at) => json!(at),
        None => json!(-1),
    });
    places.collect()
}

fn limit(limit: &ParameterLimit, character: &Character) -> Value {
    let parameter = |at: usize| json!(character.parameter_transform.names()[at]);
    let joint = |at: usize| json!(character.skeleton.joints()[at].name);
    let bounded = |mut value: Value, range: &[f64; 2]| {
        if *range != [0.0, 0.0] {
            value["rangeMin"] = real(range[0]);
            value["rangeMax"] = real(range[1]);
        }
        value
    };
    let of_joint = |kind: &str, at: usize, which: usize, range: &[f64; 2]| {
        json!({
            "type": kind, "jointIndex": joint(at), "jointParameter": JOINT_PARAMETERS[which],
            "limits": reals(range),
        })
    };
    let mut value = match &limit.kind {
        LimitKind::MinMax {
            parameter: at,
            range,
        } => json!({"type": "minmax", "parameter": parameter(*at), "limits": reals(range)}),
        LimitKind::MinMaxJoint {
            joint,
            joint_parameter,
            range,
        } => of_joint("minmax_joint", *joint, *joint_parameter, range),
        LimitKind::MinMaxJointPassive {
            joint,
            joint_parameter,
            range,
        } => of_joint("minmax_joint_passive", *joint, *joint_parameter, range),
        LimitKind::Linear {
            reference,
            target,
            scale,
            offset,
            range,
        } => bounded(
            json!({
                "type": "linear",
                "referenceParameter": parameter(*reference), "targetParameter": parameter(*target),
                "scale": real(*scale), "offset": real(*offset),
            }),
            range,
        ),
        LimitKind::LinearJoint {
            reference,
            target,
            scale,
            offset,
            range,
        } => bounded(
            json!({
                "type": "linear_joint",
                "referenceJoint": joint(reference[0]), "referenceJointParameter": reference[1],
                "targetJoint": joint(target[0]), "targetJointParameter": target[1],
                "scale": real(*scale), "offset": real(*offset),
            }),
            range,
        ),
        LimitKind::HalfPlane {
            parameters,
            normal,
            offset,
        } => json!({
            "type": "half_plane", "param1": parameter(parameters[0]), "param2": parameter(parameters[1]),
            "normal": reals(normal), "offset": real(*offset),
        }),
        LimitKind::Ellipsoid {
            ellipsoid_parent,
            parent,
            offset,
            ellipsoid,
        } => {
            let columns: Vec<Value> = (0..4)
                .map(|column| {
                    let number = |row: usize| {
                        let x = ellipsoid[row * 4 + column];
                        // Ellipsoid limits alone are in metres.
                        let is_length = column == 3 && row < 3;
                        real(if is_length { x / CENTIMETERS } else { x })
                    };
                    (0..4).map(number).collect()
                })
                .collect();
            json!({
                "type": "ellipsoid", "ellipsoidParent": joint(*ellipsoid_parent), "parent": joint(*parent),
                "offset": reals(&offset.map(|x| x / CENTIMETERS)), "ellipsoid": columns,
            })
        }
    };
    value["weight"] = real(limit.weight);
    value
}

/// What a node says about a locator, which is in centimetres.
pub(super) fn locator(locator: &Locator) -> Value {
    json!({
        "type": "locator",
        "weight": real(locator.weight),
        "limitOrigin": reals(&locator.limit_origin),
        "limitWeight": reals(&locator.limit_weight),
        "locked": locator.locked.map(u8::from),
        "attachedToSkin": locator.attached_to_skin,
        "skinOffset": real(locator.skin_offset),
    })
}

/// What a node says about a solid, which is in centimetres.
pub(super) fn solid(shape: &CollisionShape) -> Value {
    match shape {
        CollisionShape::TaperedCapsule { radius, length } => json!({
            "type": "collision_capsule", "radius": reals(radius), "length": real(*length),
        }),
        CollisionShape::Ellipsoid { radii } => {
            json!({"type": "collision_ellipsoid", "radii": reals(radii)})
        }
        CollisionShape::Box { half_extents } => {
            json!({"type": "collision_box", "halfExtents": reals(half_extents)})
        }
    }
}

/// What a node says about what its joint weighs, in centimetres; Momentum takes a positive mass only.
pub(super) fn body(body: &JointPhysicalProperties) -> Option<Value> {
    let [ixx, ixy, ixz, _, iyy, iyz, _, _, izz] = body.inertia.map(real);
    let [x, y, z, w] = body.inertia_rotation;
    let is_turn = [x, y, z, w].iter().any(|&x| x != 0.0);
    (body.mass > 0.0 && is_turn).then(|| {
        json!({
            "mass": real(body.mass),
            "centerOfMass": reals(&body.center_of_mass_offset),
            "inertia": {"ixx": ixx, "ixy": ixy, "ixz": ixz, "iyy": iyy, "iyz": iyz, "izz": izz},
            "inertiaRotation": reals(&[w, x, y, z]),
        })
    })
}
