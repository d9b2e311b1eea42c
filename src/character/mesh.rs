//! A triangle mesh in its rest position.

use serde::{Deserialize, Serialize};

use super::material::Material;
use super::reals::Reals;
use crate::error::{Error, Result};

/// What a mesh is built from; fields without data stay empty.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MeshParts {
    /// `(n_vertices, 3)`, row-major, in the character's unit.
    pub vertices: Reals,
    /// Vertex indices of each triangle, counter-clockwise seen from outside.
    pub faces: Vec<[u32; 3]>,
    /// `(n_vertices, 3)` unit normals; empty asks for them to be computed.
    pub normals: Reals,
    /// Polylines over the vertices.
    pub lines: Vec<Vec<u32>>,
    /// `(n_vertices)` RGB colours.
    pub colors: Vec<[u8; 3]>,
    /// `(n_vertices)` confidence in each vertex.
    pub confidence: Reals,
    /// Texture coordinates, `(n_texcoords, 2)`; they have their own triangles.
    pub texcoords: Reals,
    /// Texture-coordinate indices of each triangle; as many as `faces`, or none.
    pub texcoord_faces: Vec<[u32; 3]>,
    /// Polylines over the texture coordinates.
    pub texcoord_lines: Vec<Vec<u32>>,
    /// Vertex indices of the polygons that the triangles were cut from, one polygon after the other.
    pub poly_faces: Vec<u32>,
    /// The number of corners of each polygon.
    pub poly_face_sizes: Vec<u32>,
    /// Texture-coordinate indices of the polygons' corners; as many as `poly_faces`, or none.
    pub poly_texcoord_faces: Vec<u32>,
    /// What its surfaces look like.
    pub materials: Vec<Material>,
    /// The material of each triangle; as many as `faces`, or none: all have the first.
    pub face_materials: Vec<u32>,
}

/// A checked triangle mesh.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "MeshParts", into = "MeshParts")]
pub struct Mesh(MeshParts);

impl TryFrom<MeshParts> for Mesh {
    type Error = Error;
    fn try_from(parts: MeshParts) -> Result<Self> {
        Self::new(parts)
    }
}

impl From<Mesh> for MeshParts {
    fn from(mesh: Mesh) -> Self {
        mesh.0
    }
}

impl std::ops::Deref for Mesh {
    type Target = MeshParts;
    fn deref(&self) -> &MeshParts {
        &self.0
    }
}

impl Mesh {
    /// Checks the parts; computes area-weighted normals where none are given.
    ///
    /// # Errors
    /// [`Error::Character`] for an index out of range or lists of unequal length.
    pub fn new(mut parts: MeshParts) -> Result<Self> {
        let wrong = |problem: String| Err(Error::character("mesh", problem));
        if !parts.vertices.len().is_multiple_of(3) {
            return wrong(format!(
                "vertices have {} numbers, which is not a multiple of 3",
                parts.vertices.len()
            ));
        }
        let count = parts.vertices.len() / 3;
        // Who is wrong is asked where somebody is.
        let out_of_range = |triangles: &[[u32; 3]], count: usize| {
            let corners = triangles.as_flattened().iter();
            let largest = corners.fold(0, |most: u32, &corner| most.max(corner));
            !triangles.is_empty() && largest as usize >= count
        };
        let wrong_faces = out_of_range(&parts.faces, count);
        for (index, face) in parts.faces.iter().enumerate().filter(|_| wrong_faces) {
            if let Some(vertex) = face.iter().find(|&&vertex| vertex as usize >= count) {
                return wrong(format!(
                    "triangle {index} {face:?} uses vertex {vertex}, but there are {count} vertices"
                ));
            }
        }
        for (index, line) in parts.lines.iter().enumerate() {
            if let Some(vertex) = line.iter().find(|&&vertex| vertex as usize >= count) {
                return wrong(format!(
                    "line {index} uses vertex {vertex}, but there are {count} vertices"
                ));
            }
        }
        for (name, len) in [
            ("normals", parts.normals.len() / 3),
            ("colors", parts.colors.len()),
            ("confidence", parts.confidence.len()),
        ] {
            if len != 0 && len != count {
                return wrong(format!("{len} {name} for {count} vertices"));
            }
        }
        let texcoords = parts.texcoords.len() / 2;
        if !parts.texcoord_faces.is_empty() && parts.texcoord_faces.len() != parts.faces.len() {
            return wrong(format!(
                "{} texcoord_faces for {} faces",
                parts.texcoord_faces.len(),
                parts.faces.len()
            ));
        }
        for (index, line) in parts.texcoord_lines.iter().enumerate() {
            if let Some(texcoord) = line.iter().find(|&&t| t as usize >= texcoords) {
                return wrong(format!(
                    "texcoord line {index} uses coordinate {texcoord}, but there are {texcoords}"
                ));
            }
        }
        let wrong_faces = out_of_range(&parts.texcoord_faces, texcoords);
        let faces = parts.texcoord_faces.iter().enumerate();
        for (index, face) in faces.filter(|_| wrong_faces) {
            if let Some(texcoord) = face.iter().find(|&&t| t as usize >= texcoords) {
                return wrong(format!(
                    "texcoord triangle {index} uses coordinate {texcoord}, but there are {texcoords}"
                ));
            }
        }
        check_polygons(&parts)?;
        check_materials(&parts)?;
        if parts.normals.is_empty() && count > 0 {
            parts.normals = rest_normals(&parts);
        }
        Ok(Self(parts))
    }

    /// The number of vertices.
    #[must_use]
    pub fn n_vertices(&self) -> usize {
        self.0.vertices.len() / 3
    }

    /// The polygons: vertex indices of each, and texture-coordinate indices, or none.
    pub fn polygons(&self) -> impl Iterator<Item = (&[u32], &[u32])> {
        let mut start = 0;
        self.0.poly_face_sizes.iter().map(move |&size| {
            let range = start..start + size as usize;
            start = range.end;
            let texcoords = self.0.poly_texcoord_faces.get(range.clone());
            (&self.0.poly_faces[range], texcoords.unwrap_or(&[]))
        })
    }

    /// The same mesh with normals computed again from its positions.
    #[must_use]
    pub fn with_updated_normals(&self) -> Self {
        let mut parts = self.0.clone();
        parts.normals = rest_normals(&parts);
        Self(parts)
    }

    /// The pairs of triangles that cross each other; see [`crate::mesh::self_intersections`].
    #[must_use]
    pub fn self_intersections(&self) -> Vec<[u32; 2]> {
        crate::mesh::self_intersections(self.0.vertices.as_f64(), &self.0.faces)
    }

    /// The same mesh with every position multiplied by `factor`.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let mut parts = self.0.clone();
        parts.vertices = parts.vertices.scaled(factor);
        Self(parts)
    }
}

/// Checks the materials.
fn check_materials(parts: &MeshParts) -> Result<()> {
    parts.materials.iter().try_for_each(Material::check)?;
    let (faces, count) = (parts.faces.len(), parts.materials.len());
    let wrong = |problem: String| Err(Error::character("mesh", problem));
    if !parts.face_materials.is_empty() && parts.face_materials.len() != faces {
        let given = parts.face_materials.len();
        return wrong(format!("{given} face_materials for {faces} faces"));
    }
    let mut used = parts.face_materials.iter().enumerate();
    match used.find(|&(_, &material)| material as usize >= count) {
        Some((face, material)) => wrong(format!(
            "triangle {face} has material {material}, but there are {count} materials"
        )),
        None => Ok(()),
    }
}

/// Checks the polygons.
fn check_polygons(parts: &MeshParts) -> Result<()> {
    let wrong = |problem: String| Err(Error::character("mesh", problem));
    if let Some(size) = parts.poly_face_sizes.iter().find(|&&size| size < 3) {
        return wrong(format!(
            "a polygon of poly_face_sizes has {size} corners; expected 3 or more"
        ));
    }
    let corners: u64 = parts
        .poly_face_sizes
        .iter()
        .map(|&size| u64::from(size))
        .sum();
    if corners != parts.poly_faces.len() as u64 {
        return wrong(format!(
            "poly_face_sizes sum to {corners}, but there are {} poly_faces",
            parts.poly_faces.len()
        ));
    }
    if !parts.poly_texcoord_faces.is_empty()
        && parts.poly_texcoord_faces.len() != parts.poly_faces.len()
    {
        return wrong(format!(
            "{} poly_texcoord_faces for {} poly_faces",
            parts.poly_texcoord_faces.len(),
            parts.poly_faces.len()
        ));
    }
    for (name, indices, count) in [
        ("poly_faces", &parts.poly_faces, parts.vertices.len() / 3),
        (
            "poly_texcoord_faces",
            &parts.poly_texcoord_faces,
            parts.texcoords.len() / 2,
        ),
    ] {
        if let Some(index) = indices.iter().find(|&&index| index as usize >= count) {
            return wrong(format!("{name} use index {index}, but there are {count}"));
        }
    }
    Ok(())
}

/// Area-weighted vertex normals of the rest mesh, in the precision of its vertices; zero where no
/// triangle of non-zero area meets the vertex.
fn rest_normals(parts: &MeshParts) -> Reals {
    let vertices = parts.vertices.as_f64();
    let at = |vertex: u32| {
        let start = vertex as usize * 3;
        nalgebra::Vector3::new(vertices[start], vertices[start + 1], vertices[start + 2])
    };
    let mut normals = vec![nalgebra::Vector3::<f64>::zeros(); vertices.len() / 3];
    for &[a, b, c] in &parts.faces {
        let area = (at(b) - at(a)).cross(&(at(c) - at(a)));
        for vertex in [a, b, c] {
            normals[vertex as usize] += area;
        }
    }
    let flat = normals.iter().flat_map(|normal| {
        let unit = normal.try_normalize(0.0).unwrap_or_default();
        [unit.x, unit.y, unit.z]
    });
    match parts.vertices.dtype() {
        crate::array::DType::Float64 => flat.collect::<Vec<f64>>().into(),
        _ => flat.map(|x| x as f32).collect::<Vec<f32>>().into(),
    }
}
