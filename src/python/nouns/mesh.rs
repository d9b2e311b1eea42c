//! `kinarray.geometry.Mesh`.

use pyo3::prelude::*;
use std::sync::Arc;

use super::material::PyMaterial;
use super::{hash, html_tables, pickle};
use crate::character::{Mesh, MeshParts, Reals};
use crate::python::{interrupt, values};

/// A triangle mesh in its rest position.
///
/// Parameters
/// ----------
/// vertices : array (n_vertices, 3)
///     Positions in the character's unit of length; kept in the precision given.
/// faces : integer array (n_faces, 3)
///     Vertex indices of each triangle, counter-clockwise seen from outside.
/// normals : array (n_vertices, 3), optional
///     Computed (area-weighted) where not given.
/// lines, colors, confidence, texcoords, texcoord_faces, texcoord_lines : optional
///     Polylines; ``(n_vertices, 3)`` uint8; ``(n_vertices,)``; ``(n_texcoords, 2)``; ``(n_faces, 3)``;
///     polylines over the texture coordinates.
/// poly_faces, poly_face_sizes, poly_texcoord_faces : sequence of int, optional
///     The polygons that the triangles were cut from: vertex indices, one polygon after the other; the
///     number of corners of each; texture-coordinate indices in the same order, or none.
/// materials : sequence of Material, optional
/// face_materials : integer array (n_faces,), optional
///     The material of each triangle; all have the first where not given.
///
/// Raises
/// ------
/// CharacterError
///     An index out of range, or lists of unequal length.
///
/// Examples
/// --------
/// >>> from kinarray.geometry import Mesh
/// >>> mesh = Mesh([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[0, 1, 2]])
/// >>> mesh.normals[0]
/// array([0., 0., 1.])
#[pyclass(name = "Mesh", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq)]
pub struct PyMesh(pub Arc<Mesh>);

/// `(n, width)` numbers, or none.
fn table(
    object: Option<&Bound<'_, PyAny>>,
    what: &'static str,
    width: usize,
    words: &str,
) -> PyResult<Reals> {
    let Some(object) = object else {
        return Ok(Reals::default());
    };
    let (reals, shape) = values::reals(object, what)?;
    if !(reals.is_empty() && shape.len() <= 1) {
        values::require(what, &shape, &[None, Some(width)], words)?;
    }
    Ok(reals)
}

#[pymethods]
impl PyMesh {
    #[new]
    #[pyo3(signature = (vertices, faces, *, normals = None, lines = Vec::new(), colors = None,
                        confidence = None, texcoords = None, texcoord_faces = None,
                        texcoord_lines = Vec::new(), poly_faces = Vec::new(),
                        poly_face_sizes = Vec::new(), poly_texcoord_faces = Vec::new(),
                        materials = Vec::new(), face_materials = None))]
    #[allow(clippy::too_many_arguments)] // the peer's keywords
    fn new(
        vertices: &Bound<'_, PyAny>,
        faces: &Bound<'_, PyAny>,
        normals: Option<&Bound<'_, PyAny>>,
        lines: Vec<Vec<u32>>,
        colors: Option<&Bound<'_, PyAny>>,
        confidence: Option<&Bound<'_, PyAny>>,
        texcoords: Option<&Bound<'_, PyAny>>,
        texcoord_faces: Option<&Bound<'_, PyAny>>,
        texcoord_lines: Vec<Vec<u32>>,
        poly_faces: Vec<u32>,
        poly_face_sizes: Vec<u32>,
        poly_texcoord_faces: Vec<u32>,
        materials: Vec<PyRef<'_, PyMaterial>>,
        face_materials: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let colors = match colors {
            None => Vec::new(),
            Some(colors) => values::colors(colors, "colors", 2, "(n_vertices, 3)")?.0,
        };
        let parts = MeshParts {
            vertices: table(Some(vertices), "vertices", 3, "(n_vertices, 3)")?,
            faces: values::triangles(faces, "faces")?,
            normals: table(normals, "normals", 3, "(n_vertices, 3)")?,
            lines,
            colors,
            confidence: confidence.map_or(Ok(Reals::default()), |c| {
                Ok::<_, PyErr>(values::reals(c, "confidence")?.0)
            })?,
            texcoords: table(texcoords, "texcoords", 2, "(n_texcoords, 2)")?,
            texcoord_faces: texcoord_faces.map_or(Ok(Vec::new()), |faces| {
                values::triangles(faces, "texcoord_faces")
            })?,
            texcoord_lines,
            poly_faces,
            poly_face_sizes,
            poly_texcoord_faces,
            materials: materials.iter().map(|one| one.0.clone()).collect(),
            face_materials: face_materials.map_or(Ok(Vec::new()), |materials| {
                let (indices, shape) = values::indices(materials, "face_materials")?;
                values::require("face_materials", &shape, &[None], "(n_faces,)")?;
                Ok::<_, PyErr>(indices)
            })?,
        };
        Ok(Self(Arc::new(Mesh::new(parts)?)))
    }

    /// The number of vertices.
    #[getter]
    fn n_vertices(&self) -> usize {
        self.0.n_vertices()
    }

    /// The number of triangles.
    #[getter]
    fn n_faces(&self) -> usize {
        self.0.faces.len()
    }

    /// Positions, ``(n_vertices, 3)``; a read-only view.
    #[getter]
    fn vertices<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let mesh = &slf.get().0;
        values::view_reals(slf.as_any(), &mesh.vertices, &[mesh.n_vertices(), 3])
    }

    /// Unit normals, ``(n_vertices, 3)``; zero where no triangle of non-zero area meets the vertex.
    #[getter]
    fn normals<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let mesh = &slf.get().0;
        values::view_reals(slf.as_any(), &mesh.normals, &[mesh.normals.len() / 3, 3])
    }

    /// Vertex indices of each triangle, ``(n_faces, 3)`` uint32; a read-only view.
    #[getter]
    fn faces<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let faces = &slf.get().0.faces;
        values::view(slf.as_any(), faces.as_flattened(), &[faces.len(), 3])
    }

    /// Polylines over the vertices.
    #[getter]
    fn lines(&self) -> Vec<Vec<u32>> {
        self.0.lines.clone()
    }

    /// RGB colours, ``(n_vertices, 3)`` uint8, or ``(0, 3)``.
    #[getter]
    fn colors<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let colors = &slf.get().0.colors;
        values::view(slf.as_any(), colors.as_flattened(), &[colors.len(), 3])
    }

    /// Confidence in each vertex, ``(n_vertices,)``, or ``(0,)``.
    #[getter]
    fn confidence<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let confidence = &slf.get().0.confidence;
        values::view_reals(slf.as_any(), confidence, &[confidence.len()])
    }

    /// Texture coordinates, ``(n_texcoords, 2)``; ``texcoord_faces`` says which triangle uses which.
    #[getter]
    fn texcoords<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let texcoords = &slf.get().0.texcoords;
        values::view_reals(slf.as_any(), texcoords, &[texcoords.len() / 2, 2])
    }

    /// Texture-coordinate indices of each triangle, ``(n_faces, 3)`` uint32, or ``(0, 3)``.
    #[getter]
    fn texcoord_faces<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let faces = &slf.get().0.texcoord_faces;
        values::view(slf.as_any(), faces.as_flattened(), &[faces.len(), 3])
    }

    /// Polylines over the texture coordinates.
    #[getter]
    fn texcoord_lines(&self) -> Vec<Vec<u32>> {
        self.0.texcoord_lines.clone()
    }

    /// The number of polygons.
    #[getter]
    fn n_poly_faces(&self) -> usize {
        self.0.poly_face_sizes.len()
    }

    /// Vertex indices of the polygons, one after the other; uint32.
    #[getter]
    fn poly_faces<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let indices = &slf.get().0.poly_faces;
        values::view(slf.as_any(), indices, &[indices.len()])
    }

    /// The number of corners of each polygon; uint32.
    #[getter]
    fn poly_face_sizes<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let sizes = &slf.get().0.poly_face_sizes;
        values::view(slf.as_any(), sizes, &[sizes.len()])
    }

    /// Texture-coordinate indices of the polygons, in the order of ``poly_faces``, or none; uint32.
    #[getter]
    fn poly_texcoord_faces<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let indices = &slf.get().0.poly_texcoord_faces;
        values::view(slf.as_any(), indices, &[indices.len()])
    }

    /// What its surfaces look like.
    #[getter]
    fn materials(&self) -> Vec<PyMaterial> {
        self.0.materials.iter().cloned().map(PyMaterial).collect()
    }

    /// The material of each triangle, ``(n_faces,)`` uint32, or ``(0,)``.
    #[getter]
    fn face_materials<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let materials = &slf.get().0.face_materials;
        values::view(slf.as_any(), materials, &[materials.len()])
    }

    /// The same mesh with normals computed again from its positions.
    fn with_updated_normals(&self) -> Self {
        Self(Arc::new(self.0.with_updated_normals()))
    }

    /// The pairs of triangles that cross each other.
    ///
    /// Exact: two triangles cross where an edge of one passes through the other, from one side to the
    /// other. Touching, or lying in one plane, is no crossing, nor is being neighbours across an edge.
    ///
    /// Returns
    /// -------
    /// int32 array (n_pairs, 2)
    ///     The two triangles, in ascending order.
    ///
    /// Examples
    /// --------
    /// >>> from kinarray.geometry import Mesh
    /// >>> Mesh([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[0, 1, 2]]).self_intersections().shape
    /// (0, 2)
    fn self_intersections<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let numbers = 64 * self.0.faces.len();
        let pairs = interrupt::run(py, numbers, |_| Ok(self.0.self_intersections()))?;
        let flat: Vec<i32> = pairs.iter().flatten().map(|&face| face as i32).collect();
        values::fresh(py, flat, &[pairs.len(), 2])
    }

    fn __repr__(&self) -> String {
        let mesh = &self.0;
        let mut text = format!(
            "Mesh({} vertices, {} faces, {}",
            mesh.n_vertices(),
            mesh.faces.len(),
            mesh.vertices.dtype()
        );
        for (what, count) in [
            ("polygons", mesh.poly_face_sizes.len()),
            ("lines", mesh.lines.len()),
            ("colors", mesh.colors.len()),
            ("texcoords", mesh.texcoords.len() / 2),
        ] {
            if count > 0 {
                text += &format!(", {count} {what}");
            }
        }
        text + ")"
    }

    fn __hash__(&self) -> u64 {
        hash::of(&*self.0)
    }

    fn _repr_html_(&self) -> String {
        html_tables::mesh(&self.0)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "Mesh", &*self.0)
    }
}
