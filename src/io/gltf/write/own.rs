//! The extension `KA_character` on a character's root node: what neither glTF nor `FB_momentum` holds, in the
//! character's own unit; see [`super::super::own`].

use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::super::exact::{Difference, Numbers, difference};
use super::document::{Bytes, Document};
use super::mesh::metres;
use super::skeleton::Nodes;
use crate::array::DType;
use crate::character::{
    BlendShape, BlendShapeBase, Character, JointPhysicalProperties, Mesh, PoseShape, Reals,
    SdfCollider, SignedDistanceField, SkinnedLocator,
};

/// A number that may be infinite.
fn real(x: f64) -> Value {
    if x.is_finite() {
        json!(x)
    } else {
        json!(x.to_string())
    }
}

fn reals(numbers: &[f64]) -> Value {
    numbers.iter().map(|&x| real(x)).collect()
}

fn view<T: Bytes>(document: &mut Document, values: &[T], kind: &str) -> Value {
    json!({"view": document.view(values, None), "type": kind})
}

/// Numbers in the precision they have.
pub(super) fn array(document: &mut Document, values: &Reals) -> Value {
    match values.dtype() {
        DType::Float64 => view(document, values.as_f64(), "f64"),
        _ => view(document, values.as_f32(), "f32"),
    }
}

/// Numbers in the precision they have, where a reader finds others in the standard places: as steps from
/// those, or whole.
fn exact(
    document: &mut Document,
    values: &Reals,
    found: impl Iterator<Item = f32> + Clone,
) -> Option<Value> {
    match difference(values, found) {
        Difference::None => None,
        Difference::Steps(steps) => Some(view(document, &steps, "i8")),
        Difference::Other => Some(array(document, values)),
    }
}

/// The same for lengths: files are metres.
fn exact_lengths(document: &mut Document, values: &Reals, per_meter: f64) -> Option<Value> {
    let metres = metres(values, per_meter);
    let found = metres.iter();
    let found = found.map(|&x| match per_meter {
        1.0 => x,
        factor => (f64::from(x) * factor) as f32,
    });
    exact(document, values, found)
}

/// Fills an object with what there is.
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, name: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value);
        }
    }

    fn put_some(&mut self, name: &str, fields: Fields) {
        if !fields.0.is_empty() {
            self.0.insert(name.to_owned(), Value::Object(fields.0));
        }
    }
}

/// The whole block.
pub(super) fn block(document: &mut Document, character: &Character, nodes: &Nodes) -> Value {
    let mut block = Fields(Map::new());
    let per_meter = character.unit.per_meter();
    block.put("version", Some(json!(1)));
    block.put("unit", Some(json!(character.unit.symbol())));
    block.put("joints", Some(json!(nodes.joints)));
    block.put("locators", listed(&nodes.locators));
    block.put("solids", listed(&nodes.solids));
    let numbers = Numbers::of(character).list();
    if !numbers.is_empty() {
        block.put("numbers", Some(view(document, &numbers, "f64")));
    }
    let columns = character.parameter_transform.skinned_locator_columns();
    if !columns.is_empty() {
        let columns = super::momentum::columns(columns);
        block.put("skinnedLocatorParameters", Some(columns));
    }
    if let Some(mesh) = &character.mesh {
        let fields = mesh_fields(document, mesh, character, nodes, per_meter);
        block.put("mesh", Some(Value::Object(fields.0)));
    }
    if let Some(shape) = &character.blend_shape {
        let fields = shape_fields(document, shape, character.mesh.as_deref(), per_meter);
        block.put("blendShape", Some(Value::Object(fields.0)));
    }
    if let Some(shape) = &character.face_expression {
        block.put("faceExpression", Some(displacements(document, shape)));
    }
    if let Some(shape) = &character.pose_shape {
        block.put("poseShape", Some(pose_shape(document, shape)));
    }
    let locators = character.skinned_locators.iter();
    block.put(
        "skinnedLocators",
        listed_values(locators.map(skinned_locator)),
    );
    let bodies = character.physical_properties.iter();
    block.put("physicalProperties", listed_values(bodies.map(body)));
    let colliders = colliders(document, &character.sdf_colliders);
    block.put_some("distanceFields", colliders);
    Value::Object(block.0)
}

fn listed(nodes: &[usize]) -> Option<Value> {
    (!nodes.is_empty()).then(|| json!(nodes))
}

fn listed_values(values: impl Iterator<Item = Value>) -> Option<Value> {
    let values: Vec<Value> = values.collect();
    (!values.is_empty()).then_some(Value::Array(values))
}

fn mesh_fields(
    document: &mut Document,
    mesh: &Mesh,
    character: &Character,
    nodes: &Nodes,
    per_meter: f64,
) -> Fields {
    let mut fields = Fields(Map::new());
    fields.put("node", nodes.mesh.map(|node| json!(node)));
    if mesh.n_vertices() > 0 {
        fields.put(
            "vertices",
            exact_lengths(document, &mesh.vertices, per_meter),
        );
    }
    for (name, values) in [("normals", &mesh.normals), ("texcoords", &mesh.texcoords)] {
        if !values.is_empty() {
            // As a reader takes them.
            let finite = |&x: &f32| if x.is_finite() { x } else { 0.0 };
            let found = values.as_f32().iter().map(finite);
            // Texture coordinates without triangles are nowhere else.
            let is_stored = name != "texcoords" || !mesh.texcoord_faces.is_empty();
            let value = match is_stored {
                true => exact(document, values, found),
                false => Some(array(document, values)),
            };
            fields.put(name, value);
        }
    }
    if !mesh.confidence.is_empty() {
        fields.put("confidence", Some(array(document, &mesh.confidence)));
    }
    for (name, lines) in [
        ("lines", &mesh.lines),
        ("texcoordLines", &mesh.texcoord_lines),
    ] {
        if !lines.is_empty() {
            let sizes: Vec<u32> = lines.iter().map(|line| line.len() as u32).collect();
            let mut line = Fields(Map::new());
            line.put("sizes", Some(view(document, &sizes, "u32")));
            let flat = lines.concat();
            if !flat.is_empty() {
                line.put("indices", Some(view(document, &flat, "u32")));
            }
            fields.put_some(name, line);
        }
    }
    for (name, indices) in [
        ("polyFaceSizes", &mesh.poly_face_sizes),
        ("polyFaces", &mesh.poly_faces),
        ("polyTexcoordFaces", &mesh.poly_texcoord_faces),
    ] {
        if !indices.is_empty() {
            fields.put(name, Some(view(document, indices, "u32")));
        }
    }
    if !mesh.materials.is_empty() {
        // They were added one after the other, and last.
        let first = document.materials.len() - mesh.materials.len();
        let materials: Vec<usize> = (first..document.materials.len()).collect();
        fields.put("materials", Some(json!(materials)));
    }
    if !mesh.face_materials.is_empty() {
        // The pieces that are drawn are sorted by material.
        let corners = view(document, mesh.faces.as_flattened(), "u32");
        fields.put("faces", Some(corners));
        if !mesh.texcoord_faces.is_empty() {
            let corners = view(document, mesh.texcoord_faces.as_flattened(), "u32");
            fields.put("texcoordFaces", Some(corners));
        }
        let materials = view(document, &mesh.face_materials, "u32");
        fields.put("faceMaterials", Some(materials));
    }
    if let Some(weights) = &character.skin_weights {
        fields.put("influences", Some(json!(weights.n_influences())));
        if weights.n_vertices() > 0 {
            let found = weights.weight().as_f32().iter().copied();
            let value = exact(document, weights.weight(), found);
            fields.put("weights", value);
        }
    }
    fields
}

fn shape_fields(
    document: &mut Document,
    shape: &BlendShape,
    mesh: Option<&Mesh>,
    per_meter: f64,
) -> Fields {
    let mut fields = Fields(Map::new());
    let is_stored = mesh.is_some_and(|mesh| mesh.n_vertices() > 0) && !shape.names().is_empty();
    // A reader finds the mesh's vertices in the place of the base.
    let base = match mesh {
        Some(mesh)
            if is_stored
                && shape.base() == &mesh.vertices
                && shape.base().dtype() == mesh.vertices.dtype() =>
        {
            None
        }
        _ if shape.base().is_empty() => None,
        _ => Some(array(document, shape.base())),
    };
    fields.put("base", base);
    fields.put("names", Some(json!(shape.names())));
    let displacements = shape.displacements();
    let value = match is_stored {
        true => exact_lengths(document, displacements, per_meter),
        false if displacements.is_empty() => None,
        false => Some(array(document, displacements)),
    };
    fields.put("displacements", value);
    fields
}

fn displacements(document: &mut Document, shape: &BlendShapeBase) -> Value {
    let mut fields = Fields(Map::new());
    fields.put("names", Some(json!(shape.names())));
    fields.put("vertices", Some(json!(shape.n_vertices())));
    if !shape.displacements().is_empty() {
        let values = array(document, shape.displacements());
        fields.put("displacements", Some(values));
    }
    Value::Object(fields.0)
}

fn pose_shape(document: &mut Document, shape: &PoseShape) -> Value {
    let mut fields = Fields(Map::new());
    fields.put("baseJoint", Some(json!(shape.base_joint())));
    fields.put("baseRotation", Some(reals(shape.base_rotation())));
    fields.put("joints", Some(json!(shape.joints())));
    for (name, values) in [
        ("base", shape.shape().base()),
        ("displacements", shape.shape().displacements()),
    ] {
        if !values.is_empty() {
            fields.put(name, Some(array(document, values)));
        }
    }
    Value::Object(fields.0)
}

fn skinned_locator(locator: &SkinnedLocator) -> Value {
    json!({
        "name": locator.name,
        "joints": locator.parents(),
        "skinWeights": reals(locator.skin_weights()),
        "position": reals(&locator.position),
        "weight": real(locator.weight),
        "skinOffset": real(locator.skin_offset),
    })
}

fn body(body: &JointPhysicalProperties) -> Value {
    json!({
        "joint": body.joint_index,
        "mass": real(body.mass),
        "centerOfMass": reals(&body.center_of_mass_offset),
        "inertia": reals(&body.inertia),
        "inertiaRotation": reals(&body.inertia_rotation),
    })
}

fn colliders(document: &mut Document, colliders: &[SdfCollider]) -> Fields {
    let mut stored: Vec<Arc<SignedDistanceField>> = Vec::new();
    let mut fields = Vec::new();
    let mut places = Vec::new();
    for collider in colliders {
        let which = collider.sdf.as_ref().map(|field| {
            let known = stored.iter().position(|known| Arc::ptr_eq(known, field));
            known.unwrap_or_else(|| {
                stored.push(field.clone());
                fields.push(json!({
                    "bounds": field.bounds().map(|corner| reals(&corner)),
                    "resolution": field.resolution(),
                    "values": array(document, field.values()),
                }));
                fields.len() - 1
            })
        });
        places.push(json!({
            "joint": collider.parent,
            "translation": reals(&collider.translation),
            "rotation": reals(&collider.rotation),
            "field": which,
        }));
    }
    let mut all = Fields(Map::new());
    all.put("fields", listed_values(fields.into_iter()));
    all.put("colliders", listed_values(places.into_iter()));
    all
}
