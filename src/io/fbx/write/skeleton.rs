//! Joints as limb nodes, and the pose they are bound in.

use nalgebra::{Quaternion, UnitQuaternion};

use super::record::Record;
use super::scene::{Id, Property, ROOT, Scene, properties};
use crate::character::{Character, Joint, Skeleton};
use crate::io::angles::{euler_xyz, matrix};
use crate::io::fbx::LOCATOR;

/// Moved by animations.
pub(super) const ANIMATED: &str = "A";

/// A property of the one who made the file.
const USER: &str = "U";

/// The record of a node.
pub(super) fn model(
    scene: &mut Scene,
    name: &str,
    kind: &str,
    parent: Id,
    more: impl IntoIterator<Item = Property>,
) -> Id {
    let (id, record) = scene.object("Model", name, "Model", kind);
    let inherit = Property::choice("InheritType", 1);
    let record = record
        .field("Version", 232)
        .inside(properties(std::iter::once(inherit).chain(more)))
        .field("Shading", true)
        .field("Culling", "CullingOff");
    scene.add(record);
    scene.connect(id, parent);
    id
}

pub(super) fn translation(xyz: [f64; 3]) -> Property {
    Property::vector("Lcl Translation", ["Lcl Translation", ""], ANIMATED, xyz)
}

/// What says what a node is.
pub(super) fn attribute(scene: &mut Scene, node: Id, name: &str, kind: &'static str, flags: &str) {
    let (id, record) = scene.object("NodeAttribute", name, "NodeAttribute", kind);
    scene.add(record.inside(properties([])).field("TypeFlags", flags));
    scene.connect(id, node);
}

/// Where a joint is at rest.
pub(super) fn placed(joint: &Joint) -> [Property; 3] {
    let [x, y, z, w] = joint.pre_rotation;
    let turn = UnitQuaternion::new_unchecked(Quaternion::new(w, x, y, z));
    let pre = euler_xyz(&matrix(&turn)).map(f64::to_degrees);
    [
        Property::new("RotationActive", ["bool", ""], "").value(1),
        Property::vector("PreRotation", ["Vector3D", "Vector"], "", pre),
        translation(joint.translation_offset),
    ]
}

/// The limb nodes of all joints.
pub(super) fn joints(scene: &mut Scene, skeleton: &Skeleton, namespace: &str) -> Vec<Id> {
    let mut nodes: Vec<Id> = Vec::with_capacity(skeleton.len());
    for joint in skeleton.joints() {
        let name = named(namespace, &joint.name);
        let parent = joint.parent.map_or(ROOT, |parent| nodes[parent]);
        let node = model(scene, &name, "LimbNode", parent, placed(joint));
        attribute(scene, node, &name, "LimbNode", "Skeleton");
        nodes.push(node);
    }
    nodes
}

/// A name in its namespace.
pub(super) fn named(namespace: &str, name: &str) -> String {
    match namespace {
        "" => name.to_owned(),
        _ => format!("{namespace}:{name}"),
    }
}

/// A matrix as files store it, by columns.
pub(super) fn columns(row_major: &[f64; 16]) -> Vec<f64> {
    (0..16).map(|at| row_major[at % 4 * 4 + at / 4]).collect()
}

/// Where nodes were when the mesh was bound, world from node.
pub(super) fn bind_pose(scene: &mut Scene, places: &[(Id, [f64; 16])]) {
    let (_, record) = scene.object("Pose", "bind pose", "Pose", "BindPose");
    let nodes = places.iter().map(|(node, place)| {
        Record::new("PoseNode")
            .field("Node", *node)
            .field("Matrix", columns(place))
    });
    let record = record
        .field("Type", "BindPose")
        .field("Version", 100)
        .field("NbPoseNodes", places.len() as i32)
        .all(nodes);
    scene.add(record);
}

/// Locators as null nodes of their joints.
pub(super) fn locators(scene: &mut Scene, character: &Character, joints: &[Id], namespace: &str) {
    for locator in character.locators.iter() {
        let name = named(namespace, &locator.name);
        let node = model(
            scene,
            &name,
            "Null",
            joints[locator.parent],
            [
                translation(locator.offset),
                Property::new(LOCATOR, ["bool", ""], USER).value(1),
            ],
        );
        attribute(scene, node, &name, "Null", "Null");
    }
}
