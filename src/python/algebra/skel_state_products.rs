//! `kinarray.skel_state`: products, inverses, points moved.

use pyo3::prelude::*;

use crate::backend::operations::skel_state as op;
use crate::python::algebra::function;

function! {
    /// Composes transforms: the product moves as ``s2``, then as ``s1``.
    ///
    /// Parameters
    /// ----------
    /// s1, s2 : array (..., 8)
    ///     States ``tx ty tz qx qy qz qw s``; quaternions of any length but 0, which are brought to unit length
    ///     first. Batch axes broadcast.
    /// out : array (..., 8), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 8)
    ///     ``tx ty tz qx qy qz qw s``, of the kind, device and dtype of ``s1``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> up = np.array([0.0, 1, 0, 0, 0, 0, 1, 1])
    /// >>> double = np.array([0.0, 0, 0, 0, 0, 0, 1, 2])
    /// >>> ka.skel_state.multiply(double, up)
    /// array([0., 2., 0., 0., 0., 0., 1., 2.])
    multiply(s1, s2) = op::Multiply
}

function! {
    /// Composes transforms whose quaternions have unit length: quicker than :func:`multiply`.
    ///
    /// Parameters
    /// ----------
    /// s1, s2 : array (..., 8)
    ///     States ``tx ty tz qx qy qz qw s``. Batch axes broadcast.
    /// out : array (..., 8), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 8)
    ///     ``tx ty tz qx qy qz qw s``, of the kind, device and dtype of ``s1``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> up = np.array([0.0, 1, 0, 0, 0, 0, 1, 1])
    /// >>> double = np.array([0.0, 0, 0, 0, 0, 0, 1, 2])
    /// >>> ka.skel_state.multiply_assume_normalized(double, up)
    /// array([0., 2., 0., 0., 0., 0., 1., 2.])
    multiply_assume_normalized(s1, s2) = op::MultiplyAssumeNormalized
}

function! {
    /// Inverts transforms.
    ///
    /// Parameters
    /// ----------
    /// skeleton_states : array (..., 8)
    ///     States ``tx ty tz qx qy qz qw s``; quaternions of any length but 0. A scale of 0 gives infinities.
    /// out : array (..., 8), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 8)
    ///     ``tx ty tz qx qy qz qw s``, of the kind, device and dtype of ``skeleton_states``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> state = np.array([0.0, 2, 0, 0, 0, 0, 1, 2])
    /// >>> ka.skel_state.transform_points(ka.skel_state.inverse(state), np.array([0.0, 4, 0]))
    /// array([0., 1., 0.])
    inverse(skeleton_states) = op::Inverse
}

function! {
    /// Moves points by transforms.
    ///
    /// Parameters
    /// ----------
    /// skel_state : array (..., 8)
    ///     States ``tx ty tz qx qy qz qw s``; quaternions of any length but 0.
    /// points : array (..., 3)
    ///     Batch axes broadcast.
    /// out : array (..., 3), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 3)
    ///     ``t + s R p``, of the kind, device and dtype of ``skel_state``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> state = np.array([0.0, 1, 0, 0, 0, 0, 1, 2])
    /// >>> ka.skel_state.transform_points(state, np.array([1.0, 0, 0]))
    /// array([2., 1., 0.])
    transform_points(skel_state, points) = op::TransformPoints
}

function! {
    /// Moves points by transforms whose quaternions have unit length.
    ///
    /// Parameters
    /// ----------
    /// skel_state : array (..., 8)
    ///     States ``tx ty tz qx qy qz qw s``.
    /// points : array (..., 3)
    ///     Batch axes broadcast.
    /// out : array (..., 3), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 3)
    ///     ``t + s R p``, of the kind, device and dtype of ``skel_state``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> state = np.array([0.0, 1, 0, 0, 0, 0, 1, 2])
    /// >>> ka.skel_state.transform_points_assume_normalized(state, np.array([1.0, 0, 0]))
    /// array([2., 1., 0.])
    transform_points_assume_normalized(skel_state, points) = op::TransformPointsAssumeNormalized
}

/// Adds the functions to the module.
pub(in crate::python::algebra) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(multiply, module)?)?;
    module.add_function(wrap_pyfunction!(multiply_assume_normalized, module)?)?;
    module.add_function(wrap_pyfunction!(inverse, module)?)?;
    module.add_function(wrap_pyfunction!(transform_points, module)?)?;
    module.add_function(wrap_pyfunction!(
        transform_points_assume_normalized,
        module
    )?)?;
    Ok(())
}
