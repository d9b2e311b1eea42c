//! `kinarray.quaternion`.

use pyo3::prelude::*;

use crate::backend::operations::{Pointwise, quaternion as op};
use crate::python::apply::apply;

type Array<'py> = Bound<'py, PyAny>;

/// Multiplies rotations: rotating by the product is rotating by ``q2``, then by ``q1``.
///
/// Parameters
/// ----------
/// q1, q2 : array (..., 4)
///     Quaternions ``x y z w`` of any length but 0; they are brought to unit length first. Batch axes
///     broadcast.
/// out : array (..., 4), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., 4)
///     Unit quaternions, of the kind, device and dtype of ``q1``. 0 where a quaternion has length 0.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> quarter = np.array([0, 0, np.sqrt(0.5), np.sqrt(0.5)])
/// >>> ka.quaternion.multiply(quarter, quarter).round(6)
/// array([0., 0., 1., 0.])
#[pyfunction]
#[pyo3(signature = (q1, q2, *, out = None))]
fn multiply<'py>(
    py: Python<'py>,
    q1: &Array<'py>,
    q2: &Array<'py>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    apply(py, &Pointwise(op::Multiply), &[q1, q2], out)
}

/// Multiplies quaternions as they are: for unit quaternions the same as :func:`multiply`, and quicker.
///
/// Parameters
/// ----------
/// q1, q2 : array (..., 4)
///     Quaternions ``x y z w``. Batch axes broadcast.
/// out : array (..., 4), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., 4)
///     The Hamilton product, of the kind, device and dtype of ``q1``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> i, j = np.array([1.0, 0, 0, 0]), np.array([0, 1.0, 0, 0])
/// >>> ka.quaternion.multiply_assume_normalized(i, j)
/// array([0., 0., 1., 0.])
#[pyfunction]
#[pyo3(signature = (q1, q2, *, out = None))]
fn multiply_assume_normalized<'py>(
    py: Python<'py>,
    q1: &Array<'py>,
    q2: &Array<'py>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    apply(py, &Pointwise(op::MultiplyAssumeNormalized), &[q1, q2], out)
}

/// Adds the functions to the module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(multiply, module)?)?;
    module.add_function(wrap_pyfunction!(multiply_assume_normalized, module)?)
}
