//! A character as such a file.

use nalgebra::{Matrix3, Rotation3, UnitQuaternion};
use serde_json::{Map, Value, json};

use crate::array::DType;
use crate::character::{
    Character, CollisionGeometry, CollisionShape, Locator, Mesh, ParameterTransform, Reals,
    SkinWeights,
};
use crate::error::{Error, Result};
use crate::io::{SaveOptions, Saved, json};

/// The file; `character` is in centimetres.
pub(super) fn document(character: &Character, options: &SaveOptions) -> Result<Saved> {
    let mut warnings = left_out(character, options);
    let mut root = Map::new();
    root.insert("Skeleton".into(), skeleton(character));
    if let (true, Some(mesh), Some(weights)) =
        (options.mesh, &character.mesh, &character.skin_weights)
    {
        root.insert("SkinnedModel".into(), model(mesh, weights));
    }
    if options.collisions && !character.collision_geometry.is_empty() {
        let mut solids = Vec::new();
        for (at, one) in character.collision_geometry.iter().enumerate() {
            match solid(one) {
                Some(value) => solids.push(value),
                None => warnings.push(format!(
                    "collision geometry {at} is left out: its transformation is more than a shift, \
                     a turn and one scale"
                )),
            }
        }
        root.insert("Collision".into(), json!(solids));
    }
    if options.locators && !character.locators.is_empty() {
        let points: Vec<Value> = character.locators.iter().map(locator).collect();
        root.insert("Locators".into(), json!(points));
    }
    let root = Value::Object(root);
    if let Some(place) = null(&root) {
        let what = place.trim_start_matches('.');
        return Err(Error::value(
            what,
            "expected a finite number, as JSON has no others",
        ));
    }
    Ok(Saved {
        parts: vec![json::indented(&root, "  ")?],
        warnings,
    })
}

fn skeleton(character: &Character) -> Value {
    let bones = character.skeleton.joints().iter().map(|joint| {
        json!({
            "Name": joint.name,
            // What -1 becomes as a number without sign.
            "Parent": joint.parent.map_or(u64::MAX, |parent| parent as u64),
            "PreRotation": joint.pre_rotation,
            "TranslationOffset": joint.translation_offset,
            "RestState": {"Rot": [0.0, 0.0, 0.0], "Trans": [0.0, 0.0, 0.0], "Scale": 0.0},
            "JointType": if joint.parent.is_none() { "Root" } else { "Limb" },
            "RotationOrder": "XYZ",
        })
    });
    json!({ "Bones": bones.collect::<Vec<_>>() })
}

fn model(mesh: &Mesh, weights: &SkinWeights) -> Value {
    let corners = |faces: &[[u32; 3]]| json!(faces.as_flattened());
    let mut faces = json!({
        "Indices": corners(&mesh.faces),
        "Offsets": (0..=mesh.faces.len()).map(|at| 3 * at).collect::<Vec<_>>(),
    });
    if !mesh.texcoord_faces.is_empty() {
        faces["TextureIndices"] = corners(&mesh.texcoord_faces);
    }
    let mut pairs = Vec::new();
    let mut offsets = vec![0];
    let values = weights.weight();
    let values: Vec<f64> = values.iter().collect();
    let width = weights.n_influences();
    for (joints, weights) in weights.index().chunks(width).zip(values.chunks(width)) {
        let own = joints
            .iter()
            .zip(weights)
            .filter(|(_, weight)| **weight != 0.0);
        pairs.extend(own.map(|(joint, weight)| json!([joint, weight])));
        offsets.push(pairs.len());
    }
    let mut model = json!({
        "RestPositions": rows(&mesh.vertices, 3),
        "Faces": faces,
        "SkinningWeights": pairs,
        "SkinningOffsets": offsets,
    });
    for (key, numbers, width) in [
        ("RestVertexNormals", &mesh.normals, 3),
        ("TextureCoordinates", &mesh.texcoords, 2),
    ] {
        if !numbers.is_empty() {
            model[key] = rows(numbers, width);
        }
    }
    model
}

fn rows(numbers: &Reals, width: usize) -> Value {
    let numbers: Vec<f64> = numbers.iter().collect();
    numbers.chunks(width).collect()
}

/// `None` for a transformation that the format cannot hold.
fn solid(solid: &CollisionGeometry) -> Option<Value> {
    const TOLERANCE: f64 = 1e-5;
    let at = &solid.transformation;
    let linear = Matrix3::from_fn(|row, column| at[4 * row + column]);
    let scale = linear.determinant().cbrt();
    let turn = linear / scale;
    let error = turn.transpose() * turn - Matrix3::identity();
    // Also where it is not a number.
    let is_turn = error.iter().all(|x| x.abs() <= TOLERANCE);
    if !is_turn || at[12..] != [0.0, 0.0, 0.0, 1.0] {
        return None;
    }
    // Rounding of a turn is no scale.
    let scale = if (scale - 1.0).abs() <= TOLERANCE {
        1.0
    } else {
        scale
    };
    let turn = UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(turn));
    let mut value = match &solid.shape {
        CollisionShape::TaperedCapsule { radius, length } => {
            json!({"type": "tapered_capsule", "radius": radius, "length": length})
        }
        CollisionShape::Ellipsoid { radii } => json!({"type": "ellipsoid", "radii": radii}),
        CollisionShape::Box { half_extents } => {
            json!({"type": "box", "halfExtents": half_extents})
        }
    };
    value["parent"] = json!(solid.parent.map_or(u64::MAX, |parent| parent as u64));
    value["transformation"] = json!({
        "Translation": [at[3], at[7], at[11]],
        "Rotation": turn.coords.as_slice(),
        "Scale": scale,
    });
    Some(value)
}

fn locator(locator: &Locator) -> Value {
    let [x, y, z] = locator.offset;
    json!({
        "name": locator.name,
        "parent": locator.parent,
        "offsetX": x,
        "offsetY": y,
        "offsetZ": z,
    })
}

/// Where a number has become null, which is what JSON has for one that is not finite.
fn null(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(at, item)| null(item).map(|rest| format!("[{at}]{rest}")))
        }
        Value::Object(entries) => {
            let mut entries = entries.iter();
            entries.find_map(|(key, item)| null(item).map(|rest| format!(".{key}{rest}")))
        }
        _ => None,
    }
}

fn left_out(character: &Character, options: &SaveOptions) -> Vec<String> {
    let mesh = character.mesh.as_deref().filter(|_| options.mesh);
    let points = &character.locators;
    let plain = |own: &Locator| *own == Locator::new(&*own.name, own.parent, own.offset);
    let transform = ParameterTransform::identity(&character.skeleton);
    let has_own_parameters = *character.parameter_transform != transform;
    let is_double = |mesh: &Mesh| mesh.vertices.dtype() == DType::Float64;
    let parts = [
        (
            has_own_parameters || !character.parameter_limits.is_empty(),
            "parameters and limits are left out; a model definition (.model) holds them",
        ),
        (
            options.locators && points.iter().any(|own| !plain(own)),
            "all of locators but name, joint and offset is left out; a .locators file holds more",
        ),
        (
            !character.skinned_locators.is_empty(),
            "skinned locators are left out",
        ),
        (
            options.blend_shapes
                && (character.blend_shape.is_some() || character.face_expression.is_some()),
            "blend shapes and face expressions are left out",
        ),
        (character.pose_shape.is_some(), "pose shapes are left out"),
        (
            !character.physical_properties.is_empty(),
            "masses are left out",
        ),
        (
            !character.sdf_colliders.is_empty(),
            "distance fields are left out",
        ),
        (!character.metadata.is_empty(), "metadata is left out"),
        (
            mesh.is_some_and(|mesh| {
                !mesh.colors.is_empty()
                    || !mesh.confidence.is_empty()
                    || !mesh.lines.is_empty()
                    || !mesh.materials.is_empty()
            }),
            "colors, confidence, lines and materials of the mesh are left out",
        ),
        (
            mesh.is_some_and(|mesh| !mesh.poly_face_sizes.is_empty()),
            "polygons of the mesh are left out; its triangles are kept",
        ),
        (
            mesh.is_some_and(is_double),
            "the mesh is in double precision; readers keep single",
        ),
        (
            mesh.is_some() && !is_bound_at_rest(character),
            "the bind pose is left out: readers take the pose in which all parameters are 0",
        ),
    ];
    let there = parts.iter().filter(|(is_there, _)| *is_there);
    there.map(|(_, what)| (*what).to_owned()).collect()
}

/// Whether the mesh was bound in the zero pose.
fn is_bound_at_rest(character: &Character) -> bool {
    let rest = character.skeleton.rest_places();
    let mut pairs = character.inverse_bind_pose.iter().zip(&rest);
    pairs.all(|(inverse, place)| {
        let own = place.inverse().to_homogeneous();
        let size = 1.0 + place.translation.vector.amax();
        (0..16).all(|at| (inverse[at] - own[(at / 4, at % 4)]).abs() <= 1e-4 * size)
    })
}
