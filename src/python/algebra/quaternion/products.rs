//! Products, inverses, vectors turned.

use pyo3::prelude::*;

use crate::backend::operations::quaternion as op;
use crate::python::algebra::function;

function! {
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
    multiply(q1, q2) = op::Multiply
}

function! {
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
    multiply_assume_normalized(q1, q2) = op::MultiplyAssumeNormalized
}

function! {
    /// Brings quaternions to unit length.
    ///
    /// Parameters
    /// ----------
    /// q : array (..., 4)
    ///     Quaternions ``x y z w`` of any length but 0; 0 gives 0.
    /// out : array (..., 4), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 4)
    ///     Of the kind, device and dtype of ``q``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> ka.quaternion.normalize(np.array([0.0, 3.0, 0.0, 4.0]))
    /// array([0. , 0.6, 0. , 0.8])
    normalize(q) = op::Normalize
}

function! {
    /// Turns the vector part around: for unit quaternions the inverse rotation.
    ///
    /// Parameters
    /// ----------
    /// q : array (..., 4)
    ///     Quaternions ``x y z w``.
    /// out : array (..., 4), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 4)
    ///     Of the kind, device and dtype of ``q``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> ka.quaternion.conjugate(np.array([1.0, 2.0, 3.0, 4.0]))
    /// array([-1., -2., -3.,  4.])
    conjugate(q) = op::Conjugate
}

function! {
    /// Inverts quaternions: the product with the inverse is ``0 0 0 1``.
    ///
    /// Parameters
    /// ----------
    /// q : array (..., 4)
    ///     Quaternions ``x y z w`` of any length but 0; 0 gives 0.
    /// out : array (..., 4), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 4)
    ///     The conjugate over the square of the length, of the kind, device and dtype of ``q``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> ka.quaternion.inverse(np.array([0.0, 0.0, 0.0, 4.0]))
    /// array([-0.  , -0.  , -0.  ,  0.25])
    inverse(q) = op::Inverse
}

function! {
    /// Rotates vectors.
    ///
    /// Parameters
    /// ----------
    /// q : array (..., 4)
    ///     Quaternions ``x y z w`` of any length but 0; they are brought to unit length first.
    /// v : array (..., 3)
    ///     Vectors. Batch axes broadcast.
    /// out : array (..., 3), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 3)
    ///     Of the kind, device and dtype of ``q``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> half = np.array([0.0, 0.0, 1.0, 0.0])
    /// >>> ka.quaternion.rotate_vector(half, np.array([1.0, 2.0, 3.0]))
    /// array([-1., -2.,  3.])
    rotate_vector(q, v) = op::RotateVector
}

function! {
    /// Rotates vectors by unit quaternions, which are not normalised again.
    ///
    /// Parameters
    /// ----------
    /// q : array (..., 4)
    ///     Unit quaternions ``x y z w``.
    /// v : array (..., 3)
    ///     Vectors. Batch axes broadcast.
    /// out : array (..., 3), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 3)
    ///     Of the kind, device and dtype of ``q``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> half = np.array([0.0, 0.0, 1.0, 0.0])
    /// >>> ka.quaternion.rotate_vector_assume_normalized(half, np.array([1.0, 2.0, 3.0]))
    /// array([-1., -2.,  3.])
    rotate_vector_assume_normalized(q, v) = op::RotateVectorAssumeNormalized
}

/// Adds the functions to the module.
pub(in crate::python::algebra) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(multiply, module)?)?;
    module.add_function(wrap_pyfunction!(multiply_assume_normalized, module)?)?;
    module.add_function(wrap_pyfunction!(normalize, module)?)?;
    module.add_function(wrap_pyfunction!(conjugate, module)?)?;
    module.add_function(wrap_pyfunction!(inverse, module)?)?;
    module.add_function(wrap_pyfunction!(rotate_vector, module)?)?;
    module.add_function(wrap_pyfunction!(rotate_vector_assume_normalized, module)?)?;
    Ok(())
}
