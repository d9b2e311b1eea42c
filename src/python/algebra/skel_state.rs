//! `kinarray.skel_state`.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::backprop::backprop;
use super::blend::{blend_of, is_column};
use super::constant::constant;
use super::{Array, function, part};
use crate::array::show_shape;
use crate::backend::operations::{Blended, Pointwise, skel_state as op};
use crate::error::Error;
use crate::interop::AnyArray;
use crate::python::apply::apply_to;
use crate::python::record::{record, shapes_to_record};

function! {
    /// Makes states that only move.
    ///
    /// Parameters
    /// ----------
    /// translation : array (..., 3)
    /// out : array (..., 8), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 8)
    ///     ``tx ty tz qx qy qz qw s``, of the kind, device and dtype of ``translation``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> ka.skel_state.from_translation(np.array([1.0, 2.0, 3.0]))
    /// array([1., 2., 3., 0., 0., 0., 1., 1.])
    from_translation(translation) = op::FromTranslation
}

function! {
    /// Makes states that only turn.
    ///
    /// Parameters
    /// ----------
    /// rotation : array (..., 4)
    ///     Quaternions ``x y z w``, which stay as they are.
    /// out : array (..., 8), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 8)
    ///     ``tx ty tz qx qy qz qw s``, of the kind, device and dtype of ``rotation``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> ka.skel_state.from_quaternion(np.array([1.0, 0.0, 0.0, 0.0]))
    /// array([0., 0., 0., 1., 0., 0., 0., 1.])
    from_quaternion(rotation) = op::FromQuaternion
}

function! {
    /// Makes states that only scale.
    ///
    /// Parameters
    /// ----------
    /// scale : array (..., 1)
    ///     Uniform scales.
    /// out : array (..., 8), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 8)
    ///     ``tx ty tz qx qy qz qw s``, of the kind, device and dtype of ``scale``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> ka.skel_state.from_scale(np.array([2.0]))
    /// array([0., 0., 0., 0., 0., 0., 1., 2.])
    from_scale(scale) = op::FromScale
}

function! {
    /// Makes 4x4 matrices of states.
    ///
    /// Parameters
    /// ----------
    /// skeleton_state : array (..., 8)
    ///     States ``tx ty tz qx qy qz qw s``; quaternions of any length but 0.
    /// out : array (..., 4, 4), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 4, 4)
    ///     ``[s R | t; 0 0 0 1]``, acting on column vectors; of the kind, device and dtype of
    ///     ``skeleton_state``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> ka.skel_state.to_matrix(np.array([1.0, 2, 3, 0, 0, 0, 1, 2]))[:3]
    /// array([[2., 0., 0., 1.],
    ///        [0., 2., 0., 2.],
    ///        [0., 0., 2., 3.]])
    to_matrix(skeleton_state) = op::ToMatrix
}

function! {
    /// Reads states off 4x4 matrices.
    ///
    /// Exact for rotations with one scale, also a negative one. Of other matrices it takes the nearest
    /// rotation and the largest factor by which a length changes.
    ///
    /// Parameters
    /// ----------
    /// matrices : array (..., 4, 4)
    ///     Acting on column vectors; the last row is not looked at.
    /// out : array (..., 8), optional
    ///     Where the result goes; it is returned.
    ///
    /// Returns
    /// -------
    /// array (..., 8)
    ///     ``tx ty tz qx qy qz qw s``, of the kind, device and dtype of ``matrices``.
    ///
    /// Raises
    /// ------
    /// ShapeError, DTypeError, DeviceError, GradientError
    ///
    /// Examples
    /// --------
    /// >>> import kinarray as ka, numpy as np
    /// >>> ka.skel_state.from_matrix(np.diag([2.0, 2.0, 2.0, 1.0]))
    /// array([0., 0., 0., 0., 0., 0., 1., 2.])
    from_matrix(matrices) = op::FromMatrix
}

/// The transform that changes nothing, any number of times.
///
/// Parameters
/// ----------
/// size : sequence of int, optional
///     The batch axes; none without.
/// dtype : optional
///     float32 or float64, of any library; that of ``like``, or float32, without.
/// like : array, optional
///     What kind of array the result is; NumPy without.
///
/// Returns
/// -------
/// array (*size, 8)
///     ``0 0 0 0 0 0 1 1`` everywhere.
///
/// Raises
/// ------
/// DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka
/// >>> ka.skel_state.identity()
/// array([0., 0., 0., 0., 0., 0., 1., 1.], dtype=float32)
#[pyfunction]
#[pyo3(signature = (size = None, dtype = None, *, like = None))]
fn identity<'py>(
    py: Python<'py>,
    size: Option<Vec<usize>>,
    dtype: Option<&Array<'py>>,
    like: Option<&Array<'py>>,
) -> PyResult<Bound<'py, PyAny>> {
    let state = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0];
    constant(py, &[8], &state, size.as_deref(), dtype, like)
}

/// Blends transforms: the weighted means of translations and scales, and the rotation in the middle.
///
/// Parameters
/// ----------
/// skel_states : array (..., k, 8)
///     States ``tx ty tz qx qy qz qw s``; of the quaternions only the directions count.
/// weights : array (..., k), optional
///     Weights, also as ``(..., k, 1)``; negative ones count as 0. Equal ones without. Batch axes broadcast.
/// out : array (..., 8), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., 8)
///     ``tx ty tz qx qy qz qw s``, of the kind, device and dtype of ``skel_states``; 0 where all weights are.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> states = np.array([[0.0, 0, 0, 0, 0, 0, 1, 1], [2.0, 0, 0, 0, 0, 0, 1, 3]])
/// >>> ka.skel_state.blend(states)
/// array([1., 0., 0., 0., 0., 0., 1., 2.])
#[pyfunction]
#[pyo3(signature = (skel_states, weights = None, *, out = None))]
fn blend<'py>(
    py: Python<'py>,
    skel_states: &Array<'py>,
    weights: Option<&Array<'py>>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    blend_of(
        py,
        Blended::States,
        "skel_states",
        skel_states,
        weights,
        out,
    )
}

/// Interpolates between transforms: translation and scale straight, the rotation along the shorter arc.
///
/// Parameters
/// ----------
/// s0, s1 : array (..., 8)
///     States ``tx ty tz qx qy qz qw s``; quaternions of any length but 0. Batch axes broadcast.
/// t : float or array (...)
///     0 is ``s0``, 1 is ``s1``. One number for each item: batch axes of its own, which broadcast, or with a
///     last axis of size 1 where it has as many axes as the states.
/// out : array (..., 8), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., 8)
///     ``tx ty tz qx qy qz qw s``, of the kind, device and dtype of ``s0``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> s0, s1 = np.array([0.0, 0, 0, 0, 0, 0, 1, 1]), np.array([2.0, 0, 0, 0, 0, 0, 1, 3])
/// >>> ka.skel_state.slerp(s0, s1, 0.25)
/// array([0.5, 0. , 0. , 0. , 0. , 0. , 1. , 1.5])
#[pyfunction]
#[pyo3(signature = (s0, s1, t, *, out = None))]
fn slerp<'py>(
    py: Python<'py>,
    s0: &Array<'py>,
    s1: &Array<'py>,
    t: &Array<'py>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    if let Some([first, second, way]) = shapes_to_record(py, [s0, s1, t])? {
        let column = is_column(&way, &[&first, &second]);
        let operation = Pointwise(op::Slerp { column });
        return record(py, &operation, &[s0, s1, t], out);
    }
    let arrays = [
        AnyArray::read("slerp", "s0", s0)?,
        AnyArray::read("slerp", "s1", s1)?,
        AnyArray::read("slerp", "t", t)?,
    ];
    let column = is_column(arrays[2].shape(), &[arrays[0].shape(), arrays[1].shape()]);
    apply_to::<3>(py, &Pointwise(op::Slerp { column }), &arrays, out)
}

/// Checks that an array can hold skeleton states.
///
/// Parameters
/// ----------
/// skel_state : array (..., 8)
///
/// Raises
/// ------
/// ShapeError
///     Where the last axis is not of size 8.
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> ka.skel_state.check(np.zeros((3, 8)))
#[pyfunction]
fn check(skel_state: &Array<'_>) -> PyResult<()> {
    let array = AnyArray::read("check", "skel_state", skel_state)?;
    if array.shape().ends_with(&[8]) {
        return Ok(());
    }
    let got = show_shape(array.shape());
    Err(Error::shape("skel_state", "(..., 8)", got).into())
}

part! { _translation_part(skel_state) = op::Part::<8, 0, 3> }
part! { _rotation_part(skel_state) = op::Part::<8, 3, 4> }
part! { _scale_part(skel_state) = op::Part::<8, 7, 1> }

/// The gradients of :func:`multiply`.
///
/// Parameters
/// ----------
/// state1, state2 : array (..., 8)
/// grad_state : array (..., 8)
///     The gradient by the result.
///
/// Returns
/// -------
/// tuple of arrays
///     The gradients by ``state1`` and by ``state2``. Each of the kind and shape of its array: summed ov
///     er axes along which that was broadcast.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> identity = np.array([0.0, 0, 0, 0, 0, 0, 1, 1])
/// >>> ka.skel_state.multiply_backprop(identity, identity, np.eye(8)[0])[1]
/// array([1., 0., 0., 0., 0., 0., 0., 0.])
#[pyfunction]
fn multiply_backprop<'py>(
    py: Python<'py>,
    state1: &Array<'py>,
    state2: &Array<'py>,
    grad_state: &Array<'py>,
) -> PyResult<Bound<'py, PyTuple>> {
    backprop(
        py,
        &Pointwise(op::Multiply),
        &[state1, state2],
        "grad_state",
        grad_state,
    )
}

/// Adds the functions to the module.
pub(in crate::python::algebra) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(from_translation, module)?)?;
    module.add_function(wrap_pyfunction!(from_quaternion, module)?)?;
    module.add_function(wrap_pyfunction!(from_scale, module)?)?;
    module.add_function(wrap_pyfunction!(to_matrix, module)?)?;
    module.add_function(wrap_pyfunction!(from_matrix, module)?)?;
    module.add_function(wrap_pyfunction!(identity, module)?)?;
    module.add_function(wrap_pyfunction!(blend, module)?)?;
    module.add_function(wrap_pyfunction!(slerp, module)?)?;
    module.add_function(wrap_pyfunction!(check, module)?)?;
    module.add_function(wrap_pyfunction!(_translation_part, module)?)?;
    module.add_function(wrap_pyfunction!(_rotation_part, module)?)?;
    module.add_function(wrap_pyfunction!(_scale_part, module)?)?;
    module.add_function(wrap_pyfunction!(multiply_backprop, module)?)?;
    Ok(())
}
