//! Pieces of meshes and what binds them, as files give them.

use nalgebra::Matrix4;

/// One primitive's vertices and what connects them.
pub(in crate::io) struct Primitive {
    pub positions: Vec<f32>,
    pub normals: Option<Vec<f32>>,
    pub texcoords: Option<Vec<f32>>,
    /// Texture triangles, where they are not those of the vertices.
    pub texcoord_faces: Option<Vec<[u32; 3]>>,
    pub colors: Option<Vec<[u8; 3]>>,
    pub faces: Vec<[u32; 3]>,
    /// The polygons that the triangles were cut from; empty where the format has triangles only.
    pub polygons: Polygons,
    pub lines: Vec<Vec<u32>>,
    /// The material in the file and the number of triangles that have it, run after run; none where nothing
    /// is said.
    pub materials: Vec<(Option<usize>, usize)>,
    /// Joint indices and weights, four columns a set, set after set.
    pub influences: Vec<(Vec<u32>, Vec<f32>)>,
    /// Displacements of each morph target, where it moves the vertices.
    pub targets: Vec<Option<Vec<f32>>>,
}

impl Primitive {
    pub fn n_vertices(&self) -> usize {
        self.positions.len() / 3
    }
}

/// Polygons, one after the other.
#[derive(Debug, Clone, Default)]
pub(in crate::io) struct Polygons {
    pub sizes: Vec<u32>,
    pub vertices: Vec<u32>,
    /// As many as `vertices`, or none.
    pub texcoords: Vec<u32>,
}

/// A skin of the file.
pub(in crate::io) struct Skin {
    /// The node of each joint.
    pub joints: Vec<usize>,
    /// For each joint, from the mesh's space to the node's space when bound.
    pub inverse_bind: Vec<Matrix4<f64>>,
}
