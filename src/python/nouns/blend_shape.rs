//! `kinarray.geometry.BlendShape`.

use pyo3::prelude::*;
use std::sync::Arc;

use super::{hash, pickle};
use crate::character::BlendShape;
use crate::python::values;

/// Named displacements of a mesh: ``vertices = base + sum(coefficient * displacement)``.
#[pyclass(name = "BlendShape", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq)]
pub struct PyBlendShape(pub Arc<BlendShape>);

#[pymethods]
impl PyBlendShape {
    /// From base positions ``(n_vertices, 3)`` and displacements ``(n_shapes, n_vertices, 3)``.
    #[staticmethod]
    #[pyo3(signature = (base_shape, shape_vectors, shape_names = Vec::new()))]
    fn from_tensors(
        base_shape: &Bound<'_, PyAny>,
        shape_vectors: &Bound<'_, PyAny>,
        shape_names: Vec<String>,
    ) -> PyResult<Self> {
        let (base, shape) = values::reals(base_shape, "base_shape")?;
        values::require("base_shape", &shape, &[None, Some(3)], "(n_vertices, 3)")?;
        let (vectors, vectors_shape) = values::reals(shape_vectors, "shape_vectors")?;
        let want = [None, Some(shape[0]), Some(3)];
        values::require(
            "shape_vectors",
            &vectors_shape,
            &want,
            "(n_shapes, n_vertices, 3)",
        )?;
        let names = match shape_names.len() {
            0 => (0..vectors_shape[0])
                .map(|index| format!("shape_{index}"))
                .collect(),
            _ => shape_names,
        };
        Ok(Self(Arc::new(BlendShape::new(names, base, vectors)?)))
    }

    /// The shapes' names.
    #[getter]
    fn shape_names(&self) -> Vec<String> {
        self.0.names().to_vec()
    }

    /// Positions without displacement, ``(n_vertices, 3)``; a read-only view.
    #[getter]
    fn base_shape<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let base = slf.get().0.base();
        values::view_reals(slf.as_any(), base, &[base.len() / 3, 3])
    }

    /// Displacements, ``(n_shapes, n_vertices, 3)``; a read-only view.
    #[getter]
    fn shape_vectors<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let shape = &slf.get().0;
        let sizes = [shape.names().len(), shape.base().len() / 3, 3];
        values::view_reals(slf.as_any(), shape.displacements(), &sizes)
    }

    /// The number of shapes.
    #[getter]
    fn n_shapes(&self) -> usize {
        self.0.names().len()
    }

    /// The number of vertices.
    #[getter]
    fn n_vertices(&self) -> usize {
        self.0.base().len() / 3
    }

    fn __repr__(&self) -> String {
        format!(
            "BlendShape({} shapes, {} vertices)",
            self.n_shapes(),
            self.n_vertices()
        )
    }

    fn __hash__(&self) -> u64 {
        hash::of(&*self.0)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "BlendShape", &*self.0)
    }
}
