//! A character's joints, locators and solids as nodes. Nodes are in metres; what the extensions add is in
//! centimetres.

use nalgebra::{Matrix3, Matrix4};
use serde_json::{Map, Value, json};

use super::super::momentum::NAME as MOMENTUM;
use super::super::own::NAME as OWN;
use super::document::Document;
use super::momentum;
use crate::character::{Character, CollisionGeometry};
use crate::error::{Error, Result};
use crate::io::nodes::polar::{cleaned, polar};

/// The nodes of a character.
#[derive(Debug, Clone, Default)]
pub(super) struct Nodes {
    /// Above everything else of the character.
    pub root: usize,
    pub joints: Vec<usize>,
    pub locators: Vec<usize>,
    pub solids: Vec<usize>,
    /// The node of the mesh.
    pub mesh: Option<usize>,
    /// The skin, which binds every joint.
    pub skin: Option<usize>,
}

/// A node's `translation` and `rotation`; those of no effect are left out.
pub(super) fn place(node: &mut Map<String, Value>, translation: [f64; 3], rotation: [f64; 4]) {
    if translation.iter().any(|x| x.to_bits() != 0) {
        node.insert("translation".into(), json!(translation));
    }
    if rotation.map(f64::to_bits) != [0.0, 0.0, 0.0, 1.0_f64].map(f64::to_bits) {
        node.insert("rotation".into(), json!(rotation));
    }
}

/// Adds the nodes of a character in metres; `character` is the same one in centimetres.
pub(super) fn add(
    document: &mut Document,
    metric: &Character,
    character: &Character,
    extensions: bool,
) -> Result<Nodes> {
    let finite = |what: &str, numbers: &[f64]| match numbers.iter().all(|x| x.is_finite()) {
        true => Ok(()),
        false => Err(Error::character(what, "glTF holds finite numbers only")),
    };
    let root = document.node(&metric.name);
    document.roots.push(root);
    let mut nodes = Nodes {
        root,
        ..Nodes::default()
    };
    for joint in metric.skeleton.joints() {
        finite(&joint.name, &joint.translation_offset)?;
        let node = document.node(&joint.name);
        place(
            &mut document.nodes[node],
            joint.translation_offset,
            joint.pre_rotation,
        );
        document.hang(
            node,
            joint.parent.map_or(root, |parent| nodes.joints[parent]),
        );
        if extensions {
            document.extend_node(node, MOMENTUM, json!({"type": "skeleton_joint"}));
        }
        nodes.joints.push(node);
    }
    if extensions {
        let mut described = vec![false; nodes.joints.len()];
        for body in character.physical_properties.iter() {
            let Some(joint) = body.joint_index else {
                continue;
            };
            if let Some(value) = momentum::body(body)
                && !std::mem::replace(&mut described[joint], true)
            {
                let node = &mut document.nodes[nodes.joints[joint]];
                node["extensions"][MOMENTUM]["physicalProperties"] = value;
            }
        }
    }
    let pairs = metric.collision_geometry.iter();
    for (solid, same) in pairs.zip(character.collision_geometry.iter()) {
        finite("collision geometry", &solid.transformation)?;
        let (name, parent) = match solid.parent {
            Some(joint) => (
                format!("{}_col", metric.skeleton.joints()[joint].name),
                nodes.joints[joint],
            ),
            None => ("world_col".to_owned(), root),
        };
        let node = document.node(&name);
        document.hang(node, parent);
        let whole = add_place(&mut document.nodes[node], solid);
        if extensions {
            let mut value = momentum::solid(&same.shape);
            if let Some(matrix) = whole {
                let matrix = json!({"transformation": matrix});
                document.extend_node(node, OWN, matrix);
            }
            // Momentum knows solids of joints only.
            match solid.parent {
                Some(_) => document.extend_node(node, MOMENTUM, value),
                None => {
                    if let Some(matrix) = whole {
                        value["transformation"] = json!(matrix);
                    }
                    document.extend_node(node, OWN, value);
                }
            }
        }
        nodes.solids.push(node);
    }
    let pairs = metric.locators.iter().zip(character.locators.iter());
    for (locator, same) in pairs {
        finite(&locator.name, &locator.offset)?;
        let node = document.node(&locator.name);
        document.hang(node, nodes.joints[locator.parent]);
        place(
            &mut document.nodes[node],
            locator.offset,
            [0.0, 0.0, 0.0, 1.0],
        );
        if extensions {
            document.extend_node(node, MOMENTUM, momentum::locator(same));
        }
        nodes.locators.push(node);
    }
    nodes.skin = skin(document, metric, &nodes.joints)?;
    Ok(nodes)
}

/// A solid's place, as far as a node of Momentum can hold it; the whole matrix where that is not all.
fn add_place(node: &mut Map<String, Value>, solid: &CollisionGeometry) -> Option<[f64; 16]> {
    let matrix = Matrix4::from_row_slice(&solid.transformation);
    let (rotation, stretch) = polar(&matrix.fixed_view::<3, 3>(0, 0).into_owned());
    let translation = [matrix[(0, 3)], matrix[(1, 3)], matrix[(2, 3)]];
    let turn = rotation.coords.into();
    let is_identity = |turn: &[f64; 4]| turn[..3].iter().all(|x| x.abs() < 1e-15);
    let turn = if is_identity(&turn) {
        [0.0, 0.0, 0.0, 1.0]
    } else {
        turn
    };
    place(node, translation, turn);
    let last_row = solid.transformation[12..] != [0.0, 0.0, 0.0, 1.0];
    let is_rigid = cleaned(stretch) == Matrix3::identity() && !last_row;
    (!is_rigid).then_some(solid.transformation)
}

/// The skin of all joints.
fn skin(document: &mut Document, metric: &Character, joints: &[usize]) -> Result<Option<usize>> {
    let Some(&first) = joints.first() else {
        return Ok(None);
    };
    let columns = |m: &[f64; 16]| -> [f32; 16] {
        std::array::from_fn(|at| match at {
            3 | 7 | 11 => 0.0,
            15 => 1.0,
            _ => m[at % 4 * 4 + at / 4] as f32,
        })
    };
    let matrices: Vec<f32> = metric.inverse_bind_pose.iter().flat_map(columns).collect();
    if matrices.iter().any(|x| !x.is_finite()) {
        return Err(Error::character(
            "inverse bind pose",
            "glTF holds finite numbers in single precision only",
        ));
    }
    // Rounding in an inverse may have touched it.
    let affine = |m: &[f64; 16]| {
        let mut last_row = m[12..].iter().zip([0.0, 0.0, 0.0, 1.0]);
        last_row.all(|(x, wanted)| (x - wanted).abs() < 1e-5)
    };
    if !metric.inverse_bind_pose.iter().all(affine) {
        return Err(Error::character(
            "inverse bind pose",
            "a matrix has another last row than 0 0 0 1",
        ));
    }
    let accessor = document.floats(&matrices, "MAT4", None);
    let mut skin = json!({"joints": joints, "inverseBindMatrices": accessor});
    let roots = metric.skeleton.joints().iter();
    if roots.filter(|joint| joint.parent.is_none()).count() == 1 {
        skin["skeleton"] = first.into();
    }
    document.skins.push(skin);
    Ok(Some(document.skins.len() - 1))
}
