//! `kinarray.trs`: rotation matrices, and choosing.

use pyo3::prelude::*;

use super::function;
use crate::backend::operations::trs as op;

function! {
    /// Inverts rotation matrices: transposes them.
    ///
    /// Parameters
    /// ----------
    /// r : array (..., 3, 3)
    /// out : array (..., 3, 3), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 3, 3)
    ///     Of the kind, device and dtype of ``r``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> ka.trs.rotmat_inverse(np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]))[0]
    /// array([0., 1., 0.])
    rotmat_inverse(r) = op::MatrixInverse
}

function! {
    /// Multiplies 3x3 matrices.
    ///
    /// Parameters
    /// ----------
    /// r1, r2 : array (..., 3, 3)
    ///     Batch axes broadcast.
    /// out : array (..., 3, 3), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 3, 3)
    ///     Of the kind, device and dtype of ``r1``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> half = np.diag([1.0, -1.0, -1.0])
    /// >>> bool((ka.trs.rotmat_multiply(half, half) == np.eye(3)).all())
    /// True
    rotmat_multiply(r1, r2) = op::MatrixMultiply
}

function! {
    /// Multiplies 3x3 matrices with vectors.
    ///
    /// Parameters
    /// ----------
    /// r : array (..., 3, 3)
    /// v : array (..., 3)
    ///     Batch axes broadcast.
    /// out : array (..., 3), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 3)
    ///     Of the kind, device and dtype of ``r``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> ka.trs.rotmat_rotate_vector(np.diag([1.0, -1, -1]), np.array([1.0, 2, 3]))
    /// array([ 1., -2., -3.])
    rotmat_rotate_vector(r, v) = op::MatrixRotateVector
}

function! {
    /// Makes matrices of rotations about x, then y, then z: ``Rz Ry Rx``.
    ///
    /// Parameters
    /// ----------
    /// euler : array (..., 3)
    ///     Angles about x, y, z in radians.
    /// out : array (..., 3, 3), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 3, 3)
    ///     Of the kind, device and dtype of ``euler``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> ka.trs.rotmat_from_euler_xyz(np.array([0.0, 0.0, np.pi / 2])).round(6)[0]
    /// array([ 0., -1.,  0.])
    rotmat_from_euler_xyz(euler) = op::FromEulerXyz
}

function! {
    /// `trs_true` where `condition` is not 0, else `trs_false`; all three broadcast.
    _where(trs_true, trs_false, condition) = op::Where
}

/// Adds the functions to the module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(rotmat_inverse, module)?)?;
    module.add_function(wrap_pyfunction!(rotmat_multiply, module)?)?;
    module.add_function(wrap_pyfunction!(rotmat_rotate_vector, module)?)?;
    module.add_function(wrap_pyfunction!(rotmat_from_euler_xyz, module)?)?;
    module.add_function(wrap_pyfunction!(_where, module)?)
}
