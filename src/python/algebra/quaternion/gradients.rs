//! Gradients of single functions.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::backend::operations::{Pointwise, quaternion as op};
use crate::python::algebra::Array;
use crate::python::algebra::backprop::backprop;

/// The gradient of :func:`normalize`.
///
/// Parameters
/// ----------
/// q : array (..., 4)
/// grad : array (..., 4)
///     The gradient by the result.
///
/// Returns
/// -------
/// array (..., 4)
///     The gradient by ``q``, of its kind and shape; 0 where ``q`` is 0.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> ka.quaternion.normalize_backprop(np.array([0.0, 0, 0, 2]), np.array([1.0, 0, 0, 1]))
/// array([0.5, 0. , 0. , 0. ])
#[pyfunction]
fn normalize_backprop<'py>(
    py: Python<'py>,
    q: &Array<'py>,
    grad: &Array<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    backprop(py, &Pointwise(op::Normalize), &[q], "grad", grad)?.get_item(0)
}

/// The gradients of :func:`rotate_vector`.
///
/// Parameters
/// ----------
/// q : array (..., 4)
/// v : array (..., 3)
/// grad : array (..., 3)
///     The gradient by the result.
///
/// Returns
/// -------
/// tuple of arrays
///     The gradients by ``q`` and by ``v``. Each of the kind and shape of its array: summed over axes
///     along which that was broadcast.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> identity, v = np.array([0.0, 0, 0, 1]), np.array([1.0, 0, 0])
/// >>> ka.quaternion.rotate_vector_backprop(identity, v, np.array([0.0, 1, 0]))[1]
/// array([0., 1., 0.])
#[pyfunction]
fn rotate_vector_backprop<'py>(
    py: Python<'py>,
    q: &Array<'py>,
    v: &Array<'py>,
    grad: &Array<'py>,
) -> PyResult<Bound<'py, PyTuple>> {
    backprop(py, &Pointwise(op::RotateVector), &[q, v], "grad", grad)
}

/// The gradients of :func:`rotate_vector_assume_normalized`.
///
/// Parameters
/// ----------
/// q : array (..., 4)
/// v : array (..., 3)
/// grad : array (..., 3)
///     The gradient by the result.
///
/// Returns
/// -------
/// tuple of arrays
///     The gradients by ``q`` and by ``v``. Each of the kind and shape of its array: summed over axes
///     along which that was broadcast.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> identity, v = np.array([0.0, 0, 0, 1]), np.array([1.0, 0, 0])
/// >>> ka.quaternion.rotate_vector_backprop_assume_normalized(identity, v, np.array([0.0, 1, 0]))[1]
/// array([0., 1., 0.])
#[pyfunction]
fn rotate_vector_backprop_assume_normalized<'py>(
    py: Python<'py>,
    q: &Array<'py>,
    v: &Array<'py>,
    grad: &Array<'py>,
) -> PyResult<Bound<'py, PyTuple>> {
    backprop(
        py,
        &Pointwise(op::RotateVectorAssumeNormalized),
        &[q, v],
        "grad",
        grad,
    )
}

/// The gradients of :func:`multiply`.
///
/// Parameters
/// ----------
/// q1, q2 : array (..., 4)
/// grad_q : array (..., 4)
///     The gradient by the result.
///
/// Returns
/// -------
/// tuple of arrays
///     The gradients by ``q1`` and by ``q2``. Each of the kind and shape of its array: summed over axes
///     along which that was broadcast.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> identity = np.array([0.0, 0, 0, 1])
/// >>> ka.quaternion.multiply_backprop(identity, identity, np.array([1.0, 0, 0, 0]))[0]
/// array([1., 0., 0., 0.])
#[pyfunction]
fn multiply_backprop<'py>(
    py: Python<'py>,
    q1: &Array<'py>,
    q2: &Array<'py>,
    grad_q: &Array<'py>,
) -> PyResult<Bound<'py, PyTuple>> {
    backprop(py, &Pointwise(op::Multiply), &[q1, q2], "grad_q", grad_q)
}

/// The gradients of :func:`multiply_assume_normalized`.
///
/// Parameters
/// ----------
/// q1, q2 : array (..., 4)
/// grad_q : array (..., 4)
///     The gradient by the result.
///
/// Returns
/// -------
/// tuple of arrays
///     The gradients by ``q1`` and by ``q2``. Each of the kind and shape of its array: summed over axes
///     along which that was broadcast.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> identity = np.array([0.0, 0, 0, 1])
/// >>> ka.quaternion.multiply_backprop_assume_normalized(identity, identity, np.array([1.0, 0, 0, 0]))[0]
/// array([1., 0., 0., 0.])
#[pyfunction]
fn multiply_backprop_assume_normalized<'py>(
    py: Python<'py>,
    q1: &Array<'py>,
    q2: &Array<'py>,
    grad_q: &Array<'py>,
) -> PyResult<Bound<'py, PyTuple>> {
    backprop(
        py,
        &Pointwise(op::MultiplyAssumeNormalized),
        &[q1, q2],
        "grad_q",
        grad_q,
    )
}

/// Adds the functions to the module.
pub(in crate::python::algebra) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(normalize_backprop, module)?)?;
    module.add_function(wrap_pyfunction!(rotate_vector_backprop, module)?)?;
    module.add_function(wrap_pyfunction!(
        rotate_vector_backprop_assume_normalized,
        module
    )?)?;
    module.add_function(wrap_pyfunction!(multiply_backprop, module)?)?;
    module.add_function(wrap_pyfunction!(
        multiply_backprop_assume_normalized,
        module
    )?)?;
    Ok(())
}
