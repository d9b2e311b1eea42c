//! `kinarray.geometry.SkinWeights`.

use pyo3::prelude::*;
use std::sync::Arc;

use super::{hash, html_tables, pickle};
use crate::array::show_shape;
use crate::character::SkinWeights;
use crate::error::Error;
use crate::python::values;

/// Joint indices and weights of each vertex.
///
/// Weights are used as given: they need not sum to one (see :meth:`normalize_weights`).
///
/// Parameters
/// ----------
/// index : integer array (n_vertices, n_influences)
/// weights : array (n_vertices, n_influences)
///     Unused places have weight 0. Any number of influences; PyMomentum stops at 8.
///
/// Examples
/// --------
/// >>> from kinarray.geometry import SkinWeights
/// >>> SkinWeights([[0, 1]], [[0.75, 0.25]]).num_vertices
/// 1
#[pyclass(name = "SkinWeights", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq)]
pub struct PySkinWeights(pub Arc<SkinWeights>);

impl PySkinWeights {
    fn normalized_if(normalize: bool, weights: SkinWeights) -> Self {
        Self(Arc::new(match normalize {
            true => weights.normalized(),
            false => weights,
        }))
    }
}

#[pymethods]
impl PySkinWeights {
    #[new]
    fn new(index: &Bound<'_, PyAny>, weights: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (index, index_shape) = values::indices(index, "index")?;
        let (weights, shape) = values::reals(weights, "weights")?;
        if shape != index_shape || shape.len() != 2 {
            return Err(PyErr::from(Error::shape(
                "skin weights",
                "index and weights of one shape (n_vertices, n_influences)",
                format!("{} and {}", show_shape(&index_shape), show_shape(&shape)),
            )));
        }
        let weights = SkinWeights::new(shape[1].max(1), index, weights)?;
        Ok(Self(Arc::new(weights)))
    }

    /// From a dense matrix of weights: the largest of each vertex, largest first.
    ///
    /// Parameters
    /// ----------
    /// dense_weights : array (n_vertices, n_joints)
    /// weight_threshold : float
    ///     Weights that are not above it are left out.
    /// max_influences : int, optional
    ///     How many are kept of a vertex, 8 as in PyMomentum; all of them where ``None``.
    /// normalize : bool
    ///     Whether what is kept is divided by its sum. Without it nothing is made up for what is left out.
    ///
    /// Raises
    /// ------
    /// CharacterError
    ///     A vertex without a weight above the threshold: skinning would send it to the origin.
    ///
    /// Examples
    /// --------
    /// >>> from kinarray.geometry import SkinWeights
    /// >>> weights = SkinWeights.from_dense([[0.1, 0.6, 0.3]], max_influences=2, normalize=True)
    /// >>> weights.index[0, :2].tolist(), weights.weight[0, :2].round(3).tolist()
    /// ([1, 2], [0.667, 0.333])
    #[staticmethod]
    #[pyo3(signature = (dense_weights, weight_threshold = 1e-6, *, max_influences = Some(8), normalize = false))]
    fn from_dense(
        dense_weights: &Bound<'_, PyAny>,
        weight_threshold: f64,
        max_influences: Option<usize>,
        normalize: bool,
    ) -> PyResult<Self> {
        let (dense, shape) = values::reals(dense_weights, "dense_weights")?;
        values::require(
            "dense_weights",
            &shape,
            &[None, None],
            "(n_vertices, n_joints)",
        )?;
        let most = max_influences.unwrap_or(usize::MAX);
        let weights = SkinWeights::from_dense(&dense, shape[1], weight_threshold, most)?;
        Ok(Self::normalized_if(normalize, weights))
    }

    /// The same weights with at most ``max_influences`` of each vertex, the largest, in that many columns.
    ///
    /// Parameters
    /// ----------
    /// max_influences : int
    /// normalize : bool
    ///     Whether what is kept is divided by its sum.
    ///
    /// Examples
    /// --------
    /// >>> from kinarray.geometry import SkinWeights
    /// >>> SkinWeights([[0, 1, 2]], [[0.2, 0.5, 0.3]]).limit_influences(2).index.tolist()
    /// [[1, 2]]
    #[pyo3(signature = (max_influences, *, normalize = false))]
    fn limit_influences(&self, max_influences: usize, normalize: bool) -> PyResult<Self> {
        let weights = self.0.limited(max_influences)?;
        Ok(Self::normalized_if(normalize, weights))
    }

    /// The dense ``(n_vertices, num_joints)`` matrix.
    fn to_dense<'py>(&self, py: Python<'py>, num_joints: usize) -> PyResult<Bound<'py, PyAny>> {
        self.0.check_joints(num_joints)?;
        let dense = self.0.to_dense(num_joints);
        let shape = [self.0.n_vertices(), num_joints];
        match self.0.weight().dtype() {
            crate::array::DType::Float64 => values::fresh(py, dense, &shape),
            _ => values::fresh(py, dense.iter().map(|&w| w as f32).collect(), &shape),
        }
    }

    /// The same weights, each vertex' divided by their sum; a vertex whose weights sum to 0 stays.
    fn normalize_weights(&self) -> Self {
        Self(Arc::new(self.0.normalized()))
    }

    /// Joint indices, ``(n_vertices, n_influences)`` uint32; a read-only view.
    #[getter]
    fn index<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let weights = &slf.get().0;
        values::view(
            slf.as_any(),
            weights.index(),
            &[weights.n_vertices(), weights.n_influences()],
        )
    }

    /// Weights, ``(n_vertices, n_influences)``; a read-only view.
    #[getter]
    fn weight<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let weights = &slf.get().0;
        let shape = [weights.n_vertices(), weights.n_influences()];
        values::view_reals(slf.as_any(), weights.weight(), &shape)
    }

    /// The number of vertices.
    #[getter]
    fn num_vertices(&self) -> usize {
        self.0.n_vertices()
    }

    /// The number of columns.
    #[getter]
    fn max_influences_per_vertex(&self) -> usize {
        self.0.n_influences()
    }

    fn __len__(&self) -> usize {
        self.0.n_vertices()
    }

    fn __repr__(&self) -> String {
        format!(
            "SkinWeights({} vertices, up to {} influences)",
            self.0.n_vertices(),
            self.0.n_influences()
        )
    }

    fn __hash__(&self) -> u64 {
        hash::of(&*self.0)
    }

    fn _repr_html_(&self) -> String {
        html_tables::skin_weights(&self.0)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "SkinWeights", &*self.0)
    }
}
