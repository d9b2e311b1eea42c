//! The nodes of a file: their transforms, names, and the forest they form.

use nalgebra::{Matrix3, Quaternion, UnitQuaternion, Vector3};
use std::collections::HashSet;

use crate::error::{Error, Result};
use crate::io::json::Item;
use crate::io::nodes::polar::{cleaned, polar};
use crate::io::nodes::{Local, Names};

pub(super) struct Node<'a> {
    pub item: Item<'a>,
    /// As stored; unique and not empty for joints once [`name`] has been called.
    pub name: String,
    pub parent: Option<usize>,
    pub children: Vec<usize>,
    pub local: Local,
    pub has_matrix: bool,
    pub mesh: Option<usize>,
    pub skin: Option<usize>,
    /// Holds a camera or a light.
    pub is_view: bool,
    /// Default morph weights, where the node gives its own.
    pub weights: Option<Vec<f64>>,
}

impl<'a> Node<'a> {
    /// A node's own extension.
    pub fn extension(&self, name: &str) -> Option<Item<'a>> {
        self.item.get("extensions")?.get(name)
    }
}

/// A unit quaternion from four numbers in the order `x y z w`.
pub(super) fn unit_quaternion([x, y, z, w]: [f64; 4]) -> Option<UnitQuaternion<f64>> {
    let quaternion = Quaternion::new(w, x, y, z);
    // What is of unit length already stays as it is, to the last bit.
    if (quaternion.norm() - 1.0).abs() <= f64::EPSILON {
        return Some(UnitQuaternion::new_unchecked(quaternion));
    }
    UnitQuaternion::try_new(quaternion, 1e-9)
}

/// Reads all nodes; parents and children form a forest.
pub(super) fn read<'a>(root: &Item<'a>, n_meshes: usize, n_skins: usize) -> Result<Vec<Node<'a>>> {
    let items = root.list("nodes")?;
    let count = items.len();
    let n_cameras = root.list("cameras")?.len();
    let mut nodes = Vec::with_capacity(count);
    for item in items {
        nodes.push(read_node(item, count, n_meshes, n_skins, n_cameras)?);
    }
    link(&mut nodes)?;
    Ok(nodes)
}

fn read_node(
    item: Item<'_>,
    count: usize,
    n_meshes: usize,
    n_skins: usize,
    n_cameras: usize,
) -> Result<Node<'_>> {
    let item = item.object()?;
    let (local, has_matrix) = read_local(&item)?;
    let children = item
        .list("children")?
        .iter()
        .map(|child| child.index("nodes", count))
        .collect::<Result<_>>()?;
    let name = item.get("name").map_or(Ok(""), |name| name.str())?;
    let mesh = item.optional_index("mesh", "meshes", n_meshes)?;
    let skin = item.optional_index("skin", "skins", n_skins)?;
    if skin.is_some() && mesh.is_none() {
        return Err(Error::format(
            &item.path,
            "a mesh, since there is a skin",
            "none",
        ));
    }
    let weights = item
        .get("weights")
        .map(|weights| weights.number_list())
        .transpose()?;
    if weights.is_some() && mesh.is_none() {
        return Err(Error::format(
            &item.path,
            "a mesh, since there are weights",
            "none",
        ));
    }
    let camera = item.optional_index("camera", "cameras", n_cameras)?;
    let light = item
        .get("extensions")
        .is_some_and(|extensions| extensions.get("KHR_lights_punctual").is_some());
    Ok(Node {
        name: name.to_owned(),
        parent: None,
        children,
        local,
        has_matrix,
        mesh,
        skin,
        is_view: camera.is_some() || light,
        weights,
        item,
    })
}

fn read_local(item: &Item<'_>) -> Result<(Local, bool)> {
    if let Some(matrix) = item.get("matrix") {
        if ["translation", "rotation", "scale"]
            .iter()
            .any(|key| item.get(key).is_some())
        {
            return Err(Error::format(
                &item.path,
                "either a matrix or translation, rotation and scale",
                "both",
            ));
        }
        // Stored by columns.
        let m = matrix.numbers::<16>()?;
        let last_row = [m[3], m[7], m[11], m[15] - 1.0];
        if last_row.iter().any(|x| x.abs() > 1e-6) {
            return Err(matrix.wrong("an affine matrix with the last row 0 0 0 1"));
        }
        let linear = Matrix3::new(m[0], m[4], m[8], m[1], m[5], m[9], m[2], m[6], m[10]);
        let (rotation, stretch) = polar(&linear);
        return Ok((
            Local {
                translation: Vector3::new(m[12], m[13], m[14]),
                rotation,
                stretch: cleaned(stretch),
            },
            true,
        ));
    }
    let translation = item.optional_numbers("translation")?.unwrap_or([0.0; 3]);
    let scale = item.optional_numbers("scale")?.unwrap_or([1.0; 3]);
    let rotation = match item.get("rotation") {
        Some(rotation) => unit_quaternion(rotation.numbers()?)
            .ok_or_else(|| rotation.wrong("a unit quaternion, not one of length zero"))?,
        None => UnitQuaternion::identity(),
    };
    Ok((
        Local {
            translation: translation.into(),
            rotation,
            stretch: Matrix3::from_diagonal(&scale.into()),
        },
        false,
    ))
}

/// Fills in the parents; refuses a node with two of them, and loops.
fn link(nodes: &mut [Node<'_>]) -> Result<()> {
    for parent in 0..nodes.len() {
        for at in 0..nodes[parent].children.len() {
            let child = nodes[parent].children[at];
            if let Some(other) = nodes[child].parent {
                return Err(Error::format(
                    format!("nodes[{parent}].children[{at}]"),
                    format!("a node without another parent than nodes[{parent}]"),
                    format!("nodes[{child}], which is a child of nodes[{other}] already"),
                ));
            }
            nodes[child].parent = Some(parent);
        }
    }
    // With one parent each, whatever a walk from the roots does not reach hangs on a loop.
    let roots: Vec<usize> = (0..nodes.len())
        .filter(|&node| nodes[node].parent.is_none())
        .collect();
    let reached: HashSet<usize> = preorder(nodes, &roots).into_iter().collect();
    if let Some(looped) = (0..nodes.len()).find(|node| !reached.contains(node)) {
        return Err(Error::format(
            format!("nodes[{looped}]"),
            "a tree of nodes",
            "a node that is its own ancestor",
        ));
    }
    Ok(())
}

/// `roots` and everything below them, parents first, in the order of the children.
pub(super) fn preorder(nodes: &[Node<'_>], roots: &[usize]) -> Vec<usize> {
    let mut order = Vec::with_capacity(nodes.len());
    let mut stack: Vec<usize> = roots.iter().rev().copied().collect();
    while let Some(node) = stack.pop() {
        order.push(node);
        stack.extend(nodes[node].children.iter().rev());
    }
    order
}

/// Gives every node in `joints` a name of its own.
pub(super) fn name(nodes: &mut [Node<'_>], joints: &[usize], warnings: &mut Vec<String>) -> Names {
    let mut names = Names::new(joints.iter().map(|&node| nodes[node].name.clone()));
    let mut seen = HashSet::new();
    for &index in joints {
        let own = nodes[index].name.clone();
        if own.is_empty() {
            nodes[index].name = names.fresh(&format!("node_{index}"));
        } else if !seen.insert(own.clone()) {
            let fresh = names.fresh(&own);
            warnings.push(format!(
                "nodes[{index}].name: another joint is called {own:?}; this one is now {fresh:?}"
            ));
            nodes[index].name = fresh;
        }
    }
    names
}

/// The nodes that belong to the scene shown by default and to skins, parents first.
pub(super) fn in_scene(
    root: &Item<'_>,
    nodes: &[Node<'_>],
    skin_joints: impl Iterator<Item = usize>,
) -> Result<Vec<usize>> {
    let scenes = root.list("scenes")?;
    let shown = root.optional_index("scene", "scenes", scenes.len())?;
    let mut all = Vec::with_capacity(scenes.len());
    for scene in &scenes {
        let list = scene.clone().object()?.list("nodes")?;
        let list: Vec<usize> = list
            .iter()
            .map(|node| {
                let index = node.index("nodes", nodes.len())?;
                match nodes[index].parent {
                    None => Ok(index),
                    Some(parent) => Err(Error::format(
                        &node.path,
                        "a root node",
                        format!("nodes[{index}], a child of nodes[{parent}]"),
                    )),
                }
            })
            .collect::<Result<_>>()?;
        all.push(list);
    }
    let is_root = |&node: &usize| nodes[node].parent.is_none();
    let mut roots: Vec<usize> = match all.into_iter().nth(shown.unwrap_or(0)) {
        Some(list) if !list.is_empty() => list,
        _ => (0..nodes.len()).filter(is_root).collect(),
    };
    let mut seen = vec![false; nodes.len()];
    roots.retain(|&root| !std::mem::replace(&mut seen[root], true));
    let all_roots: Vec<usize> = (0..nodes.len()).filter(is_root).collect();
    let mut tops: Vec<usize> = (0..nodes.len()).collect();
    for node in preorder(nodes, &all_roots) {
        if let Some(parent) = nodes[node].parent {
            tops[node] = tops[parent];
        }
    }
    for joint in skin_joints {
        let top = tops[joint];
        if !std::mem::replace(&mut seen[top], true) {
            roots.push(top);
        }
    }
    Ok(preorder(nodes, &roots))
}
