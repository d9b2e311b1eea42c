//! Matrices, axes and angles, directions.

use pyo3::prelude::*;

use crate::backend::operations::{Pointwise, quaternion as op};
use crate::python::algebra::{Array, function};
use crate::python::apply::apply;

function! {
    /// Makes rotation matrices of quaternions.
    ///
    /// Parameters
    /// ----------
    /// q : array (..., 4)
    ///     Quaternions ``x y z w`` of any length but 0; they are brought to unit length first.
    /// out : array (..., 3, 3), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 3, 3)
    ///     They act on column vectors; of the kind, device and dtype of ``q``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> ka.quaternion.to_rotation_matrix(np.array([1.0, 0.0, 0.0, 0.0]))
    /// array([[ 1.,  0.,  0.],
    ///        [ 0., -1.,  0.],
    ///        [ 0.,  0., -1.]])
    to_rotation_matrix(q) = op::ToRotationMatrix
}

function! {
    /// Makes rotation matrices of unit quaternions, which are not normalised again.
    ///
    /// Parameters
    /// ----------
    /// q : array (..., 4)
    ///     Unit quaternions ``x y z w``.
    /// out : array (..., 3, 3), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 3, 3)
    ///     They act on column vectors; of the kind, device and dtype of ``q``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> ka.quaternion.to_rotation_matrix_assume_normalized(np.array([1.0, 0.0, 0.0, 0.0]))
    /// array([[ 1.,  0.,  0.],
    ///        [ 0., -1.,  0.],
    ///        [ 0.,  0., -1.]])
    to_rotation_matrix_assume_normalized(q) = op::ToRotationMatrixAssumeNormalized
}

function! {
    /// Makes quaternions of axis times angle: the exponential map.
    ///
    /// Parameters
    /// ----------
    /// axis_angle : array (..., 3)
    ///     Rotation vectors: the axis, as long as the angle is in radians. 0 is no rotation; derivatives
    ///     are right there too.
    /// out : array (..., 4), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 4)
    ///     Unit quaternions ``x y z w``, of the kind, device and dtype of ``axis_angle``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> ka.quaternion.from_axis_angle(np.array([np.pi, 0.0, 0.0])).round(6)
    /// array([1., 0., 0., 0.])
    from_axis_angle(axis_angle) = op::FromAxisAngle
}

function! {
    /// Reads axis times angle off quaternions: the logarithm, the inverse of :func:`from_axis_angle`.
    ///
    /// Parameters
    /// ----------
    /// quaternions : array (..., 4)
    ///     Quaternions ``x y z w`` of any length but 0; ``q`` and ``-q`` give the same. No rotation gives 0;
    ///     derivatives are right there too.
    /// out : array (..., 3), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 3)
    ///     The angle is in 0 ..= π radians; of the kind, device and dtype of ``quaternions``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> ka.quaternion.to_axis_angle(np.array([0.0, 0.0, -3.0, 0.0])).round(4)
    /// array([ 0.    ,  0.    , -3.1416])
    to_axis_angle(quaternions) = op::ToAxisAngle
}

function! {
    /// Measures the angle between rotations, along the shorter arc.
    ///
    /// Parameters
    /// ----------
    /// q0, q1 : array (..., 4)
    ///     Quaternions ``x y z w`` of any length but 0. Batch axes broadcast.
    /// out : array (...), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (...)
    ///     Radians, in 0 ..= π, precise for small angles too; of the kind, device and dtype of ``q0``. Exactly
    ///     0, with derivatives of 0, where the rotations are the same within rounding.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> x, y = np.array([1.0, 0, 0, 0]), np.array([0, 1.0, 0, 0])
    /// >>> round(float(ka.quaternion.angular_distance(x, y)), 6)
    /// 3.141593
    angular_distance(q0, q1) = op::AngularDistance
}

function! {
    /// Finds the shortest rotation of one direction to another.
    ///
    /// Parameters
    /// ----------
    /// v1, v2 : array (..., 3)
    ///     Vectors of any length. Where one is 0 there is no rotation; opposite ones are turned about some
    ///     axis at right angles to them. Batch axes broadcast.
    /// out : array (..., 4), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 4)
    ///     Unit quaternions ``x y z w``, of the kind, device and dtype of ``v1``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> x, y = np.array([2.0, 0, 0]), np.array([0, 1.0, 0])
    /// >>> ka.quaternion.from_two_vectors(x, y).round(4)
    /// array([0.    , 0.    , 0.7071, 0.7071])
    from_two_vectors(v1, v2) = op::FromTwoVectors
}

function! {
    /// Finds the shortest rotation of the z axis to a direction.
    ///
    /// Parameters
    /// ----------
    /// direction : array (..., 3)
    ///     Vectors of any length; 0 gives no rotation. ``-z`` is reached by half a turn about x.
    /// out : array (..., 4), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 4)
    ///     Unit quaternions ``x y z w``, of the kind, device and dtype of ``direction``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> abs(ka.quaternion.align_z_with(np.array([0.0, -1.0, 0.0]))).round(4)
    /// array([0.7071, 0.    , 0.    , 0.7071])
    align_z_with(direction) = op::AlignZWith
}

/// Reads quaternions off rotation matrices, from the best conditioned of four ways.
///
/// Parameters
/// ----------
/// matrices : array (..., 3, 3)
///     Rotation matrices, acting on column vectors.
/// eta : float
///     Without effect, as in PyMomentum.
/// out : array (..., 4), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., 4)
///     Unit quaternions ``x y z w``, of the kind, device and dtype of ``matrices``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> ka.quaternion.from_rotation_matrix(np.diag([1.0, -1.0, -1.0]))
/// array([1., 0., 0., 0.])
#[pyfunction]
#[pyo3(signature = (matrices, eta = 1e-6, *, out = None))]
fn from_rotation_matrix<'py>(
    py: Python<'py>,
    matrices: &Array<'py>,
    eta: f64,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let _ = eta;
    apply(py, &Pointwise(op::FromRotationMatrix), &[matrices], out)
}

/// Adds the functions to the module.
pub(in crate::python::algebra) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(to_rotation_matrix, module)?)?;
    module.add_function(wrap_pyfunction!(
        to_rotation_matrix_assume_normalized,
        module
    )?)?;
    module.add_function(wrap_pyfunction!(from_rotation_matrix, module)?)?;
    module.add_function(wrap_pyfunction!(from_axis_angle, module)?)?;
    module.add_function(wrap_pyfunction!(to_axis_angle, module)?)?;
    module.add_function(wrap_pyfunction!(angular_distance, module)?)?;
    module.add_function(wrap_pyfunction!(from_two_vectors, module)?)?;
    module.add_function(wrap_pyfunction!(align_z_with, module)?)?;
    Ok(())
}
