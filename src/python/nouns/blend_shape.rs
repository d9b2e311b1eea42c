//! `kinarray.geometry.BlendShapeBase` and `BlendShape`.

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::path::PathBuf;
use std::sync::Arc;

use super::numbered::number_of;
use super::{hash, pickle};
use crate::backend::operations::{ComputeShape, EstimateCoefficients};
use crate::character::{BlendShape, BlendShapeBase};
use crate::error::Result;
use crate::io::blend_shape::{self as file, Keep};
use crate::kinematics::{CoefficientEstimate, PreparedShapes, Shapes};
use crate::python::apply::apply;
use crate::python::{files, values};

/// Named displacements of a mesh: ``sum_k c_k · d_k``. What facial expressions are made of.
///
/// Made by :meth:`from_tensors`, :meth:`from_bytes` or :meth:`load`; constant afterwards.
///
/// Examples
/// --------
/// >>> import numpy as np
/// >>> from kinarray.geometry import BlendShapeBase
/// >>> face = BlendShapeBase.from_tensors(np.ones((2, 4, 3)), ["smile", "frown"])
/// >>> face.compute_shape(np.array([0.5, 0.25]))[0]
/// array([0.75, 0.75, 0.75])
#[pyclass(
    name = "BlendShapeBase",
    module = "kinarray.geometry",
    frozen,
    eq,
    subclass
)]
pub struct PyBlendShapeBase(pub Arc<PreparedShapes>);

impl PartialEq for PyBlendShapeBase {
    fn eq(&self, other: &Self) -> bool {
        self.0.shapes() == other.0.shapes()
    }
}

/// Named displacements on a base shape: ``base + sum_k c_k · d_k``. What body shapes are made of.
///
/// Made by :meth:`from_tensors`, :meth:`from_bytes` or :meth:`load`; constant afterwards.
///
/// Examples
/// --------
/// >>> import numpy as np
/// >>> from kinarray.geometry import BlendShape
/// >>> body = BlendShape.from_tensors(np.zeros((4, 3)), np.ones((2, 4, 3)), ["tall", "wide"])
/// >>> body.compute_shape(np.zeros((10, 2), np.float32)).shape
/// (10, 4, 3)
#[pyclass(name = "BlendShape", module = "kinarray.geometry", frozen, extends = PyBlendShapeBase)]
pub struct PyBlendShape;

/// An object of the class that the shapes are of.
pub fn wrap(py: Python<'_>, shapes: &Arc<PreparedShapes>) -> PyResult<Py<PyAny>> {
    let base = PyBlendShapeBase(shapes.clone());
    Ok(match shapes.shapes() {
        Shapes::Offsets(_) => Py::new(py, base)?.into_any(),
        Shapes::Whole(_) => Py::new(
            py,
            PyClassInitializer::from(base).add_subclass(PyBlendShape),
        )?
        .into_any(),
    })
}

pub fn wrap_offsets(py: Python<'_>, offsets: BlendShapeBase) -> PyResult<Py<PyAny>> {
    let shapes = Shapes::Offsets(Arc::new(offsets));
    wrap(py, &Arc::new(PreparedShapes::new(shapes)))
}

pub fn wrap_whole(py: Python<'_>, whole: BlendShape) -> PyResult<Py<PyAny>> {
    let shapes = Shapes::Whole(Arc::new(whole));
    wrap(py, &Arc::new(PreparedShapes::new(shapes)))
}

impl PyBlendShapeBase {
    fn offsets(&self) -> &Arc<BlendShapeBase> {
        self.0.shapes().offsets()
    }

    /// The shapes without their base.
    pub fn as_offsets(&self) -> Arc<BlendShapeBase> {
        self.offsets().clone()
    }

    /// The shapes with their base, of a `BlendShape`.
    pub fn as_whole(&self) -> Option<Arc<BlendShape>> {
        match self.0.shapes() {
            Shapes::Offsets(_) => None,
            Shapes::Whole(whole) => Some(whole.clone()),
        }
    }
}

fn names_for(names: Vec<String>, count: usize) -> Vec<String> {
    match names.len() {
        0 => file::generated_names(count),
        _ => names,
    }
}

fn keep(shapes: i64, vertices: i64) -> Keep {
    // As in PyMomentum, -1 is all of them, and so is 0.
    let some = |count| usize::try_from(count).ok().filter(|&count| count > 0);
    Keep {
        shapes: some(shapes),
        vertices: some(vertices),
    }
}

#[pymethods]
impl PyBlendShapeBase {
    /// What stands for it in graphs that torch compiles.
    #[getter]
    fn _number(slf: &Bound<'_, Self>) -> usize {
        number_of(slf.as_any())
    }

    /// From displacements ``(n_shapes, n_vertices, 3)``, kept in the precision given, and their names
    /// (``shape_0``, … where not given).
    ///
    /// Raises ``ShapeError``, or ``CharacterError`` where the names are too many or too few, or a
    /// displacement is not finite.
    #[staticmethod]
    #[pyo3(signature = (shape_vectors, shape_names = Vec::new()))]
    fn from_tensors(
        py: Python<'_>,
        shape_vectors: &Bound<'_, PyAny>,
        shape_names: Vec<String>,
    ) -> PyResult<Py<PyAny>> {
        let (vectors, shape) = values::reals(shape_vectors, "shape_vectors")?;
        let words = "(n_shapes, n_vertices, 3)";
        values::require("shape_vectors", &shape, &[None, None, Some(3)], words)?;
        let names = names_for(shape_names, shape[0]);
        wrap_offsets(py, BlendShapeBase::new(names, shape[1], vectors)?)
    }

    /// From the bytes of :meth:`to_bytes`, or of PyMomentum's.
    ///
    /// At most ``num_expected_shapes`` shapes and ``num_expected_vertices`` vertices are kept, the first
    /// ones; -1 keeps all. Raises ``FormatError`` for other bytes, also those of a ``BlendShape``.
    #[staticmethod]
    #[pyo3(signature = (blend_shape_bytes, num_expected_shapes = -1, num_expected_vertices = -1))]
    fn from_bytes(
        py: Python<'_>,
        blend_shape_bytes: &Bound<'_, PyAny>,
        num_expected_shapes: i64,
        num_expected_vertices: i64,
    ) -> PyResult<Py<PyAny>> {
        let keep = keep(num_expected_shapes, num_expected_vertices);
        let read = |bytes: &[u8]| file::read_offsets(bytes, keep);
        wrap_offsets(py, files::read_bytes(blend_shape_bytes, read)?)
    }

    /// The same as :meth:`from_bytes`, from a file.
    #[staticmethod]
    #[pyo3(signature = (path, num_expected_shapes = -1, num_expected_vertices = -1))]
    fn load(
        py: Python<'_>,
        path: &Bound<'_, PyAny>,
        num_expected_shapes: i64,
        num_expected_vertices: i64,
    ) -> PyResult<Py<PyAny>> {
        Self::from_bytes(py, path, num_expected_shapes, num_expected_vertices)
    }

    /// The shapes as bytes that PyMomentum can read too. Numbers are float32 there: float64 is rounded.
    /// Names are kept, behind what PyMomentum reads.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let bytes = match self.0.shapes() {
            Shapes::Offsets(offsets) => file::write_offsets(offsets),
            Shapes::Whole(whole) => file::write_whole(whole),
        };
        PyBytes::new(py, &bytes)
    }

    /// Writes :meth:`to_bytes` to a file.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        Ok(std::fs::write(path, self.to_bytes(py).as_bytes())?)
    }

    /// The shapes' names.
    #[getter]
    fn shape_names(&self) -> Vec<String> {
        self.offsets().names().to_vec()
    }

    /// Displacements, ``(n_shapes, n_vertices, 3)``; a read-only view.
    #[getter]
    fn shape_vectors<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let shape = slf.get().offsets();
        let sizes = [shape.n_shapes(), shape.n_vertices(), 3];
        values::view_reals(slf.as_any(), shape.displacements(), &sizes)
    }

    /// The number of shapes.
    #[getter]
    fn n_shapes(&self) -> usize {
        self.offsets().n_shapes()
    }

    /// The number of vertices.
    #[getter]
    fn n_vertices(&self) -> usize {
        self.offsets().n_vertices()
    }

    /// The index of the shape called ``name``: the first one, should there be several.
    ///
    /// Raises ``KeyError``, with the closest name there is; or gives -1 where ``allow_missing``.
    #[pyo3(signature = (name, allow_missing = false))]
    fn shape_index(&self, py: Python<'_>, name: &str, allow_missing: bool) -> PyResult<isize> {
        match self.offsets().shape_index(name) {
            Some(index) => Ok(index as isize),
            None if allow_missing => Ok(-1),
            None => {
                let names = self.offsets().names().iter().map(String::as_str);
                let hint = values::did_you_mean(name, names, py);
                Err(PyKeyError::new_err(format!("no shape '{name}'{hint}")))
            }
        }
    }

    /// Combines the shapes: ``sum_k c_k · d_k``, on the base shape where there is one.
    ///
    /// Parameters
    /// ----------
    /// coefficients : array (..., n_shapes)
    /// out : array (..., n_vertices, 3), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., n_vertices, 3)
    ///     In the shapes' unit; kind, device and dtype of ``coefficients``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import numpy as np
    /// >>> from kinarray.geometry import BlendShape
    /// >>> body = BlendShape.from_tensors([[1.0, 0.0, 0.0]], [[[0.0, 2.0, 0.0]]], ["tall"])
    /// >>> body.compute_shape(np.array([0.5]))
    /// array([[1., 1., 0.]])
    #[pyo3(signature = (coefficients, *, out = None))]
    fn compute_shape(
        &self,
        py: Python<'_>,
        coefficients: &Bound<'_, PyAny>,
        out: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let shapes = self.0.clone();
        apply(py, &ComputeShape { shapes }, &[coefficients], out)
    }

    /// The coefficients whose shape comes closest to vertices, by least squares.
    ///
    /// They minimise ``sum_v w_v² |shape_v - vertex_v|² + regularization² sum_k c_k²``. Where shapes depend
    /// on each other the smallest coefficients are taken.
    ///
    /// Parameters
    /// ----------
    /// vertices : array (..., n_vertices, 3)
    ///     Positions; displacements where the shapes have no base.
    /// regularization : float
    ///     How strongly coefficients are drawn to zero, in the shapes' unit.
    /// weights : array (n_vertices,), optional
    ///     How much each vertex counts; 1 where not given.
    /// out : array (..., n_shapes), optional
    ///
    /// Returns
    /// -------
    /// array (..., n_shapes)
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    /// ValueError
    ///     A weight or a regularization that is negative or not finite.
    ///
    /// Examples
    /// --------
    /// >>> import numpy as np
    /// >>> from kinarray.geometry import BlendShape
    /// >>> body = BlendShape.from_tensors([[1.0, 0.0, 0.0]], [[[0.0, 2.0, 0.0]]], ["tall"])
    /// >>> body.estimate_coefficients(np.array([[1.0, 3.0, 0.0]]))
    /// array([1.5])
    #[pyo3(signature = (vertices, regularization = 0.0, weights = None, *, out = None))]
    fn estimate_coefficients(
        &self,
        py: Python<'_>,
        vertices: &Bound<'_, PyAny>,
        regularization: f64,
        weights: Option<&Bound<'_, PyAny>>,
        out: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let weights = match weights {
            Some(weights) => {
                let (weights, shape) = values::reals(weights, "weights")?;
                let count = self.n_vertices();
                let words = format!("({count},) = (n_vertices,)");
                values::require("weights", &shape, &[Some(count)], &words)?;
                Some(weights)
            }
            None => None,
        };
        let weights = weights.as_ref().map(crate::character::Reals::as_f64);
        let shapes = self.0.shapes();
        let solve = || CoefficientEstimate::new(shapes, regularization, weights);
        let estimate: Result<CoefficientEstimate> = py.detach(solve);
        let operation = EstimateCoefficients {
            estimate: Arc::new(estimate?),
        };
        apply(py, &operation, &[vertices], out)
    }

    fn __repr__(&self) -> String {
        let class = match self.0.shapes() {
            Shapes::Offsets(_) => "BlendShapeBase",
            Shapes::Whole(_) => "BlendShape",
        };
        let (shapes, vertices) = (self.n_shapes(), self.n_vertices());
        format!("{class}({shapes} shapes, {vertices} vertices)")
    }

    fn __hash__(&self) -> u64 {
        hash::of(&**self.offsets())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        match self.0.shapes() {
            Shapes::Offsets(offsets) => pickle::reduce(py, "BlendShapeBase", &**offsets),
            Shapes::Whole(whole) => pickle::reduce(py, "BlendShape", &**whole),
        }
    }
}

#[pymethods]
impl PyBlendShape {
    /// From base positions ``(n_vertices, 3)`` and displacements ``(n_shapes, n_vertices, 3)``, kept in the
    /// precision given, and the shapes' names (``shape_0``, … where not given).
    ///
    /// Raises ``ShapeError``, or ``CharacterError`` where the names are too many or too few, or a
    /// displacement is not finite.
    #[staticmethod]
    #[pyo3(signature = (base_shape, shape_vectors, shape_names = Vec::new()))]
    fn from_tensors(
        py: Python<'_>,
        base_shape: &Bound<'_, PyAny>,
        shape_vectors: &Bound<'_, PyAny>,
        shape_names: Vec<String>,
    ) -> PyResult<Py<PyAny>> {
        let (base, shape) = values::reals(base_shape, "base_shape")?;
        values::require("base_shape", &shape, &[None, Some(3)], "(n_vertices, 3)")?;
        let (vectors, vectors_shape) = values::reals(shape_vectors, "shape_vectors")?;
        let want = [None, Some(shape[0]), Some(3)];
        let words = format!("(n_shapes, {}, 3) = (n_shapes, n_vertices, 3)", shape[0]);
        values::require("shape_vectors", &vectors_shape, &want, &words)?;
        let names = names_for(shape_names, vectors_shape[0]);
        wrap_whole(py, BlendShape::new(names, base, vectors)?)
    }

    /// From the bytes of :meth:`to_bytes`, or of PyMomentum's.
    ///
    /// At most ``num_expected_shapes`` shapes and ``num_expected_vertices`` vertices are kept, the first
    /// ones; -1 keeps all. Raises ``FormatError`` for other bytes, also those of a ``BlendShapeBase``.
    #[staticmethod]
    #[pyo3(signature = (blend_shape_bytes, num_expected_shapes = -1, num_expected_vertices = -1))]
    fn from_bytes(
        py: Python<'_>,
        blend_shape_bytes: &Bound<'_, PyAny>,
        num_expected_shapes: i64,
        num_expected_vertices: i64,
    ) -> PyResult<Py<PyAny>> {
        let keep = keep(num_expected_shapes, num_expected_vertices);
        let read = |bytes: &[u8]| file::read_whole(bytes, keep);
        wrap_whole(py, files::read_bytes(blend_shape_bytes, read)?)
    }

    /// The same as :meth:`from_bytes`, from a file.
    #[staticmethod]
    #[pyo3(signature = (path, num_expected_shapes = -1, num_expected_vertices = -1))]
    fn load(
        py: Python<'_>,
        path: &Bound<'_, PyAny>,
        num_expected_shapes: i64,
        num_expected_vertices: i64,
    ) -> PyResult<Py<PyAny>> {
        Self::from_bytes(py, path, num_expected_shapes, num_expected_vertices)
    }

    /// Positions without displacement, ``(n_vertices, 3)``; a read-only view.
    #[getter]
    fn base_shape<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let shapes = slf.as_super().get().0.shapes();
        let sizes = [shapes.offsets().n_vertices(), 3];
        let base = shapes.base();
        base.map(|base| values::view_reals(slf.as_any(), base, &sizes))
            .transpose()
    }
}
