//! Meshes of nodes, given to what gathers them.

use super::MeshPart;
use super::accessor::Data;
use super::mesh::{self, MeshItem};
use super::nodes::Node;
use crate::error::Result;
use crate::io::nodes::{Assembly, Skin};

/// Numbers, roughly: positions twice, normals, texture coordinates, colours, weights.
const KEPT_PER_VERTEX: usize = 16;

/// What a file holds, as far as meshes go.
pub(super) struct Stored<'s, 'a> {
    pub data: &'s Data<'a>,
    pub nodes: &'s [Node<'a>],
    pub meshes: &'s [MeshItem<'a>],
    pub skins: &'s [Skin],
    pub n_materials: usize,
    /// Whether the pieces of a mesh share all vertices, and the triangles come from elsewhere.
    pub is_sorted: bool,
    /// Whether attributes may be integers.
    pub is_quantized: bool,
}

/// Adds the mesh of a node: its skinned primitives or the others.
pub(super) fn add_mesh(
    assembly: &mut Assembly,
    stored: &Stored<'_, '_>,
    node: usize,
    skinned: bool,
    parts: &mut Vec<MeshPart>,
    warnings: &mut Vec<String>,
) -> Result<()> {
    let carrier = &stored.nodes[node];
    let Some(mesh) = carrier.mesh else {
        return Ok(());
    };
    let item = &stored.meshes[mesh];
    let skin = carrier.skin.map(|skin| &stored.skins[skin]);
    let weights = match &carrier.weights {
        Some(weights) => {
            let path = format!("nodes[{node}].weights");
            mesh::checked_weights(&path, weights.clone(), item.n_targets)?
        }
        None => item.weights.clone(),
    };
    for (at, place) in item.primitives.iter().enumerate() {
        if stored.is_sorted && at > 0 {
            break;
        }
        let has_joints = place
            .get("attributes")
            .is_some_and(|attributes| attributes.get("JOINTS_0").is_some());
        if (has_joints && skin.is_some()) != skinned {
            continue;
        }
        let Some(mut primitive) = mesh::read(
            stored.data,
            place,
            stored.n_materials,
            stored.is_quantized,
            warnings,
        )?
        else {
            continue;
        };
        // What is kept for each vertex besides what has been read.
        let kept = KEPT_PER_VERTEX * primitive.n_vertices();
        stored.data.charge(&place.path, kept)?;
        assembly.add_shapes(&carrier.name, node, &item.target_names, &weights);
        let (vertices, faces) = assembly.counts();
        let skin = skin.filter(|_| skinned);
        assembly.add_primitive(
            &place.path.to_string(),
            node,
            &mut primitive,
            skin,
            &weights,
        )?;
        let (last_vertex, last_face) = assembly.counts();
        parts.push(MeshPart {
            node,
            mesh,
            primitive: at,
            vertices: vertices..last_vertex,
            faces: faces..last_face,
            is_skinned: skinned,
        });
    }
    Ok(())
}
