//! Between rotations: interpolation and blending.

use pyo3::prelude::*;

use crate::backend::operations::{Blended, NormalizeWeights, Pointwise, quaternion as op};
use crate::error::Error;
use crate::interop::AnyArray;
use crate::python::algebra::Array;
use crate::python::algebra::blend::{blend_of, count, is_column, weights_or_equal};
use crate::python::apply::apply_to;
use crate::python::record::{record, shapes_to_record};

/// Interpolates between rotations at constant speed, along the shorter arc.
///
/// Parameters
/// ----------
/// q0, q1 : array (..., 4)
///     Quaternions ``x y z w`` of any length but 0. Batch axes broadcast.
/// t : float or array (...)
///     0 is ``q0``, 1 is ``q1``; beyond, the rotation goes on. One number for each item: batch axes of its
///     own, which broadcast, or with a last axis of size 1 where it has as many axes as the quaternions.
/// out : array (..., 4), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., 4)
///     Unit quaternions, of the kind, device and dtype of ``q0``; at ``t`` = 1 ``q1`` or ``-q1``, whichever
///     is nearer to ``q0``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> q0, q1 = np.array([0.0, 0.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0, 0.0])
/// >>> ka.quaternion.slerp(q0, q1, 0.5).round(4)
/// array([0.    , 0.    , 0.7071, 0.7071])
#[pyfunction]
#[pyo3(signature = (q0, q1, t, *, out = None))]
fn slerp<'py>(
    py: Python<'py>,
    q0: &Array<'py>,
    q1: &Array<'py>,
    t: &Array<'py>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    if let Some([first, second, way]) = shapes_to_record(py, [q0, q1, t])? {
        let column = is_column(&way, &[&first, &second]);
        let operation = Pointwise(op::Slerp { column });
        return record(py, &operation, &[q0, q1, t], out);
    }
    let arrays = [
        AnyArray::read("slerp", "q0", q0)?,
        AnyArray::read("slerp", "q1", q1)?,
        AnyArray::read("slerp", "t", t)?,
    ];
    let column = is_column(arrays[2].shape(), &[arrays[0].shape(), arrays[1].shape()]);
    apply_to::<3>(py, &Pointwise(op::Slerp { column }), &arrays, out)
}

/// Blends rotations: the one with the smallest weighted sum of squared distances of the matrices.
///
/// Parameters
/// ----------
/// quaternions : array (..., k, 4)
///     Quaternions ``x y z w``; only their directions count, and ``q`` and ``-q`` are the same.
/// weights_in : array (..., k), optional
///     Weights, also as ``(..., k, 1)``; negative ones count as 0. Equal ones without. Batch axes broadcast.
/// out : array (..., 4), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., 4)
///     Unit quaternions on the side of the first one, of the kind, device and dtype of ``quaternions``. 0
///     where all weights are 0. Where several rotations are equally good it is one of them, and
///     derivatives are finite.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> ends = np.array([[0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0]])
/// >>> ka.quaternion.to_axis_angle(ka.quaternion.blend(ends)).round(4)
/// array([0.    , 0.    , 0.7854])
#[pyfunction]
#[pyo3(signature = (quaternions, weights_in = None, *, out = None))]
fn blend<'py>(
    py: Python<'py>,
    quaternions: &Array<'py>,
    weights_in: Option<&Array<'py>>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    blend_of(
        py,
        Blended::Quaternions,
        "quaternions",
        quaternions,
        weights_in,
        out,
    )
}

/// Makes weights for :func:`blend` sum to 1.
///
/// Parameters
/// ----------
/// quaternions : array (..., k, 4)
///     What shall be blended; only its shape matters.
/// weights_in : array (..., k), optional
///     Weights, also as ``(..., k, 1)``; negative ones count as 0. Equal ones without.
///
/// Returns
/// -------
/// array (..., k)
///     Of the kind of ``weights_in``, or NumPy. 0 where all weights are 0.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> ka.quaternion.check_and_normalize_weights(np.ones((2, 4)), np.array([1.0, 3.0]))
/// array([0.25, 0.75])
#[pyfunction]
#[pyo3(signature = (quaternions, weights_in = None))]
fn check_and_normalize_weights<'py>(
    py: Python<'py>,
    quaternions: &Array<'py>,
    weights_in: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let function = "check_and_normalize_weights";
    let given = weights_in.unwrap_or(quaternions);
    if let Some([shape, weight_shape]) = shapes_to_record(py, [quaternions, given])? {
        let count = count("quaternions", &shape, 4)?;
        let column = weights_in.is_some() && is_column(&weight_shape, &[&shape]);
        let weights = weights_or_equal(py, weights_in, count)?;
        return record(py, &NormalizeWeights { count, column }, &[&weights], None);
    }
    let all = AnyArray::read(function, "quaternions", quaternions)?;
    let count = count("quaternions", all.shape(), 4)?;
    let weights = weights_or_equal(py, weights_in, count)?;
    let weights = [AnyArray::read(function, "weights_in", &weights)?];
    let column = is_column(weights[0].shape(), &[all.shape()]);
    apply_to::<1>(py, &NormalizeWeights { count, column }, &weights, None)
}

/// Checks that an array can hold quaternions.
///
/// Parameters
/// ----------
/// q : array (..., 4)
///
/// Raises
/// ------
/// ShapeError
///     Where the last axis is not of size 4.
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> ka.quaternion.check(np.zeros((3, 4)))
#[pyfunction]
fn check(q: &Array<'_>) -> PyResult<()> {
    let array = AnyArray::read("check", "q", q)?;
    if array.shape().ends_with(&[4]) {
        return Ok(());
    }
    let got = crate::array::show_shape(array.shape());
    Err(Error::shape("q", "(..., 4)", got).into())
}

/// Adds the functions to the module.
pub(in crate::python::algebra) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(slerp, module)?)?;
    module.add_function(wrap_pyfunction!(blend, module)?)?;
    module.add_function(wrap_pyfunction!(check_and_normalize_weights, module)?)?;
    module.add_function(wrap_pyfunction!(check, module)?)
}
