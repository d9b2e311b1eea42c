//! `kinarray.geometry.SignedDistanceField` and `SDFCollider`.

use pyo3::prelude::*;
use std::sync::Arc;

use super::pickle;
use crate::array::DType;
use crate::backend::operations::{DistanceFieldGradient, SampleDistanceField};
use crate::character::{Reals, SdfCollider, SignedDistanceField};
use crate::python::apply::apply;
use crate::python::values;

/// Signed distances to a surface on a regular grid, negative inside.
///
/// Value ``[i, j, k]`` belongs to the point ``min + [i, j, k] * voxel_size``, where ``voxel_size`` is the
/// extent of the bounds divided by the resolution: the last samples lie one voxel inside the upper
/// corner. Between samples the distance is trilinear; outside them it is the value at the nearest point of
/// the grid of samples, plus the distance from there.
///
/// Parameters
/// ----------
/// bounds : array (2, 3)
///     The lower and the upper corner.
/// data : array (nx, ny, nz)
///     The distances, in the unit of the bounds, of any memory order.
///
/// Raises
/// ------
/// ShapeError, DTypeError
/// InvalidValueError
///     An empty grid, or bounds without a volume.
///
/// Examples
/// --------
/// >>> import numpy as np
/// >>> from kinarray.geometry import SignedDistanceField
/// >>> x = np.arange(4.0)
/// >>> field = SignedDistanceField([[0, 0, 0], [4, 4, 4]], np.broadcast_to(x[:, None, None] - 1, (4, 4, 4)))
/// >>> field.sample([1.5, 2.0, 2.0]).item(), field.gradient([1.5, 2.0, 2.0]).tolist()
/// (0.5, [1.0, 0.0, 0.0])
#[pyclass(name = "SignedDistanceField", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq)]
pub struct PySignedDistanceField(pub Arc<SignedDistanceField>);

/// From row-major order to x running fastest.
fn x_fastest<T: Copy>(values: &[T], [nx, ny, nz]: [usize; 3]) -> Vec<T> {
    let mut ordered = Vec::with_capacity(values.len());
    for k in 0..nz {
        for j in 0..ny {
            ordered.extend((0..nx).map(|i| values[(i * ny + j) * nz + k]));
        }
    }
    ordered
}

#[pymethods]
impl PySignedDistanceField {
    #[new]
    fn new(bounds: &Bound<'_, PyAny>, data: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (corners, shape) = values::reals(bounds, "bounds")?;
        values::require("bounds", &shape, &[Some(2), Some(3)], "(2, 3)")?;
        let corners: Vec<f64> = corners.iter().collect();
        let corner = |which: usize| std::array::from_fn(|axis| corners[3 * which + axis]);
        let (data, shape) = values::reals(data, "data")?;
        values::require("data", &shape, &[None; 3], "(nx, ny, nz)")?;
        let resolution = [shape[0], shape[1], shape[2]];
        let ordered: Reals = match data.dtype() {
            DType::Float64 => x_fastest(data.as_f64(), resolution).into(),
            _ => x_fastest(data.as_f32(), resolution).into(),
        };
        let field = SignedDistanceField::new([corner(0), corner(1)], resolution, ordered)?;
        Ok(Self(Arc::new(field)))
    }

    /// The lower and the upper corner, ``(2, 3)``; a read-only view.
    #[getter]
    fn bounds<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let bounds = slf.get().0.bounds().as_flattened();
        values::view(slf.as_any(), bounds, &[2, 3])
    }

    /// The number of samples along x, y and z.
    #[getter]
    fn resolution(&self) -> (usize, usize, usize) {
        self.0.resolution().into()
    }

    /// The distance between two samples along x, y and z, ``(3,)``.
    #[getter]
    fn voxel_size<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::fresh(py, self.0.voxel_size().to_vec(), &[3])
    }

    /// The number of samples.
    #[getter]
    fn total_voxels(&self) -> usize {
        self.0.values().len()
    }

    /// The distances, ``(nx, ny, nz)``; a read-only view in Fortran order.
    #[getter]
    fn data<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let field = &slf.get().0;
        let [nx, ny, nz] = field.resolution();
        values::view_reals(slf.as_any(), field.values(), &[nz, ny, nx])?.getattr("T")
    }

    /// Signed distances at points.
    ///
    /// Parameters
    /// ----------
    /// positions : array (..., 3)
    /// out : array (...), optional
    ///
    /// Returns
    /// -------
    /// array (...)
    ///     Negative inside; kind, device and dtype of ``positions``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import numpy as np
    /// >>> from kinarray.geometry import SignedDistanceField
    /// >>> field = SignedDistanceField([[0, 0, 0], [1, 1, 1]], np.zeros((2, 2, 2)))
    /// >>> field.sample(np.array([[0.2, 0.3, 0.5], [0.0, 0.0, 3.5]])).tolist()
    /// [0.0, 3.0]
    #[pyo3(signature = (positions, *, out = None))]
    fn sample<'py>(
        &self,
        py: Python<'py>,
        positions: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        apply(
            py,
            &SampleDistanceField {
                field: self.0.clone(),
            },
            &[positions],
            out,
        )
    }

    /// Gradients of the signed distance at points: the derivative of :meth:`sample`, outside the box too.
    ///
    /// Parameters
    /// ----------
    /// positions : array (..., 3)
    /// out : array (..., 3), optional
    ///
    /// Returns
    /// -------
    /// array (..., 3)
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import numpy as np
    /// >>> from kinarray.geometry import SignedDistanceField
    /// >>> field = SignedDistanceField([[0, 0, 0], [1, 1, 1]], np.zeros((2, 2, 2)))
    /// >>> field.gradient(np.array([0.0, 0.0, 3.5])).tolist()
    /// [0.0, 0.0, 1.0]
    #[pyo3(signature = (positions, *, out = None))]
    fn gradient<'py>(
        &self,
        py: Python<'py>,
        positions: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        apply(
            py,
            &DistanceFieldGradient {
                field: self.0.clone(),
            },
            &[positions],
            out,
        )
    }

    fn __repr__(&self) -> String {
        let [min, max] = self.0.bounds();
        format!(
            "SignedDistanceField(resolution={:?}, bounds=({min:?}, {max:?}))",
            self.0.resolution()
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "SignedDistanceField", &*self.0)
    }
}

/// A signed distance field that a joint carries.
///
/// Parameters
/// ----------
/// translation : array (3,), optional
///     Field to joint, in the character's unit; default 0.
/// rotation : array (4,), optional
///     Field to joint, a unit quaternion ``x y z w``.
/// parent : int
///     Index of the joint; -1 is the world.
/// sdf : SignedDistanceField, optional
///
/// Raises
/// ------
/// ShapeError, CharacterError
///
/// Examples
/// --------
/// >>> from kinarray.geometry import SDFCollider
/// >>> SDFCollider([0, 0.1, 0], parent=2)
/// SDFCollider(translation=[0.0, 0.1, 0.0], parent=2, valid=False)
#[pyclass(name = "SDFCollider", module = "kinarray.geometry", frozen, eq)]
#[derive(PartialEq)]
pub struct PySdfCollider(pub SdfCollider);

#[pymethods]
impl PySdfCollider {
    #[new]
    #[pyo3(signature = (translation = None, rotation = None, parent = -1, sdf = None))]
    fn new(
        translation: Option<&Bound<'_, PyAny>>,
        rotation: Option<&Bound<'_, PyAny>>,
        parent: i64,
        sdf: Option<&Bound<'_, PySignedDistanceField>>,
    ) -> PyResult<Self> {
        let translation = translation
            .map(|translation| values::fixed(translation, "translation"))
            .transpose()?;
        let rotation = rotation
            .map(|rotation| values::fixed(rotation, "rotation"))
            .transpose()?;
        Ok(Self(SdfCollider::new(
            translation.unwrap_or_default(),
            rotation.unwrap_or([0.0, 0.0, 0.0, 1.0]),
            // A negative parent is the world, as in the peer.
            usize::try_from(parent).ok(),
            sdf.map(|sdf| sdf.get().0.clone()),
        )?))
    }

    /// Field to joint, ``(3,)``; a read-only view.
    #[getter]
    fn translation<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::view(slf.as_any(), &slf.get().0.translation, &[3])
    }

    /// Field to joint, a unit quaternion ``x y z w``, ``(4,)``; a read-only view.
    #[getter]
    fn rotation<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        values::view(slf.as_any(), &slf.get().0.rotation, &[4])
    }

    /// Index of the joint that carries it; -1 is the world.
    #[getter]
    fn parent(&self) -> i64 {
        self.0.parent.map_or(-1, |parent| parent as i64)
    }

    /// The field, or ``None``.
    #[getter]
    fn sdf(&self) -> Option<PySignedDistanceField> {
        self.0.sdf.clone().map(PySignedDistanceField)
    }

    /// Whether it has a field.
    fn is_valid(&self) -> bool {
        self.0.sdf.is_some()
    }

    /// Whether another collider is the same up to ``tol`` in each number of its place, with an equal field.
    #[pyo3(signature = (other, tol = 1e-4))]
    fn is_approx(&self, other: &Bound<'_, Self>, tol: f64) -> bool {
        let (a, b) = (&self.0, &other.get().0);
        let near = |a: &[f64], b: &[f64], sign: f64| {
            a.iter().zip(b).all(|(a, b)| (a - sign * b).abs() <= tol)
        };
        near(&a.translation, &b.translation, 1.0)
            && [1.0, -1.0]
                .into_iter()
                .any(|sign| near(&a.rotation, &b.rotation, sign))
            && a.parent == b.parent
            && a.sdf == b.sdf
    }

    fn __repr__(&self) -> String {
        format!(
            "SDFCollider(translation={:?}, parent={}, valid={})",
            self.0.translation,
            self.parent(),
            if self.is_valid() { "True" } else { "False" }
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<impl IntoPyObject<'py> + use<'py>> {
        pickle::reduce(py, "SDFCollider", &self.0)
    }
}
