//! Euler angles.

use pyo3::prelude::*;

use crate::backend::operations::{Pointwise, quaternion as op};
use crate::math::EulerOrder;
use crate::python::algebra::{Array, function};
use crate::python::apply::apply;

function! {
    /// Makes quaternions of rotations about x, then y, then z: ``Rz Ry Rx``.
    ///
    /// Parameters
    /// ----------
    /// euler_xyz : array (..., 3)
    ///     Angles about x, y, z in radians: roll, pitch, yaw.
    /// out : array (..., 4), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 4)
    ///     Unit quaternions ``x y z w``, of the kind, device and dtype of ``euler_xyz``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> ka.quaternion.euler_xyz_to_quaternion(np.array([0.0, np.pi, 0.0])).round(6)
    /// array([0., 1., 0., 0.])
    euler_xyz_to_quaternion(euler_xyz) = op::FromEuler(EulerOrder::XYZ)
}

function! {
    /// Makes quaternions of rotations about z, then y, then x: ``Rx Ry Rz``.
    ///
    /// Parameters
    /// ----------
    /// euler_zyx : array (..., 3)
    ///     Angles about z, y, x, in this order, in radians: yaw, pitch, roll.
    /// out : array (..., 4), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 4)
    ///     Unit quaternions ``x y z w``, of the kind, device and dtype of ``euler_zyx``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> ka.quaternion.euler_zyx_to_quaternion(np.array([np.pi, 0.0, 0.0])).round(6)
    /// array([0., 0., 1., 0.])
    euler_zyx_to_quaternion(euler_zyx) = op::FromEuler(EulerOrder::ZYX)
}

/// Reads the angles of ``Rz Ry Rx`` off quaternions, exactly also in gimbal lock.
///
/// Parameters
/// ----------
/// q : array (..., 4)
///     Quaternions ``x y z w`` of any length but 0.
/// eps : float
///     Without effect: PyMomentum moves angles away from gimbal lock by it, which nothing here needs.
/// out : array (..., 3), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., 3)
///     Angles about x, y, z in radians, that about y in -π/2 ..= π/2; of the kind, device and dtype of
///     ``q``. In gimbal lock the angle about x is 0, and derivatives are finite.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> quarter = np.array([0, np.sqrt(0.5), 0, np.sqrt(0.5)])
/// >>> ka.quaternion.quaternion_to_xyz_euler(quarter).round(4)
/// array([0.    , 1.5708, 0.    ])
#[pyfunction]
#[pyo3(signature = (q, eps = 1e-6, *, out = None))]
fn quaternion_to_xyz_euler<'py>(
    py: Python<'py>,
    q: &Array<'py>,
    eps: f64,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let _ = eps;
    apply(py, &Pointwise(op::ToEuler(EulerOrder::XYZ)), &[q], out)
}

/// Makes quaternions of Euler angles of any order.
///
/// Parameters
/// ----------
/// order : str
///     Three letters, as in SciPy: ``"xyz"`` rotates about the fixed axes x, then y, then z; ``"XYZ"``
///     about x, then about y as it was taken along, then about z as it was taken along. Any order whose
///     neighbours differ.
/// angles : array (..., 3)
///     Radians, in the order of the letters.
/// out : array (..., 4), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., 4)
///     Unit quaternions ``x y z w``, of the kind, device and dtype of ``angles``.
///
/// Raises
/// ------
/// InvalidValueError
///     For another order.
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> ka.quaternion.from_euler("ZXZ", np.array([0.0, np.pi, 0.0])).round(6)
/// array([1., 0., 0., 0.])
#[pyfunction]
#[pyo3(signature = (order, angles, *, out = None))]
fn from_euler<'py>(
    py: Python<'py>,
    order: &str,
    angles: &Array<'py>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let order = EulerOrder::parse(order)?;
    apply(py, &Pointwise(op::FromEuler(order)), &[angles], out)
}

/// Reads Euler angles of any order off quaternions, exactly also in gimbal lock.
///
/// Parameters
/// ----------
/// order : str
///     As for :func:`from_euler`.
/// q : array (..., 4)
///     Quaternions ``x y z w`` of any length but 0.
/// out : array (..., 3), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., 3)
///     Radians, in the order of the letters; the middle one in -π/2 ..= π/2, or in 0 ..= π where the first
///     axis is the last one too. In gimbal lock the rotation that is applied first (the first of fixed
///     axes, the last of moving ones) is 0, and derivatives are finite.
///
/// Raises
/// ------
/// InvalidValueError
///     For another order.
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> ka.quaternion.to_euler("xyz", np.array([0.0, 0.0, 1.0, 1.0])).round(4)
/// array([0.    , 0.    , 1.5708])
#[pyfunction]
#[pyo3(signature = (order, q, *, out = None))]
fn to_euler<'py>(
    py: Python<'py>,
    order: &str,
    q: &Array<'py>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let order = EulerOrder::parse(order)?;
    apply(py, &Pointwise(op::ToEuler(order)), &[q], out)
}

/// Adds the functions to the module.
pub(in crate::python::algebra) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(euler_xyz_to_quaternion, module)?)?;
    module.add_function(wrap_pyfunction!(euler_zyx_to_quaternion, module)?)?;
    module.add_function(wrap_pyfunction!(quaternion_to_xyz_euler, module)?)?;
    module.add_function(wrap_pyfunction!(from_euler, module)?)?;
    module.add_function(wrap_pyfunction!(to_euler, module)?)?;
    Ok(())
}
