//! `kinarray.geometry.Mesh`.

use pyo3::prelude::*;
use std::sync::Arc;

use super::{hash, html_tables, pickle};
use crate::character::{Mesh, MeshParts, Reals};
use crate::error::{Error, Result};
use crate::python::values;

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
/// lines, colors, confidence, texcoords, texcoord_faces : optional
///     Polylines; ``(n_vertices, 3)`` uint8; ``(n_vertices,)``; ``(n_texcoords, 2)``; ``(n_faces, 3)``.
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
                        confidence = None, texcoords = None, texcoord_faces = None))]
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
    ) -> PyResult<Self> {
        let colors = match colors {
            None => Vec::new(),
            Some(colors) => {
                let (flat, shape) = values::indices(colors, "colors")?;
                values::require("colors", &shape, &[None, Some(3)], "(n_vertices, 3)")?;
                let bytes: Vec<u8> = flat
                    .into_iter()
                    .map(|c| {
                        u8::try_from(c).map_err(|_| {
                            Error::value("colors", format!("expected 0 to 255, got {c}"))
                        })
                    })
                    .collect::<Result<_>>()?;
                bytes.as_chunks().0.to_vec()
            }
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

    /// The same mesh with normals computed again from its positions.
    fn with_updated_normals(&self) -> PyResult<Self> {
        let parts = MeshParts {
            normals: Reals::default(),
            ..MeshParts::from((*self.0).clone())
        };
        Ok(Self(Arc::new(Mesh::new(parts)?)))
    }

    fn __repr__(&self) -> String {
        format!(
            "Mesh({} vertices, {} faces, {})",
            self.0.n_vertices(),
            self.0.faces.len(),
            self.0.vertices.dtype()
        )
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
