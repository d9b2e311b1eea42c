//! `kinarray.trs`: transforms as tuples of translation, rotation matrix and scale. Each part of a result
//! is an operation of its own.

use pyo3::prelude::*;

use super::Array;
use super::blend::is_column;
use super::constant::constant;
use crate::array::show_shape;
use crate::backend::operations::{Pointwise, skel_state as state, trs as op};
use crate::error::Error;
use crate::interop::AnyArray;
use crate::python::apply::apply;
use crate::python::record::shapes_to_record;

type Trs<'py> = [Array<'py>; 3];
type Parts = (Py<PyAny>, Py<PyAny>, Py<PyAny>);

/// Makes transforms that only move.
///
/// Parameters
/// ----------
/// translation : array (..., 3)
///
/// Returns
/// -------
/// tuple of array (..., 3), array (..., 3, 3), array (..., 1)
///     Translation, rotation matrix and scale, of the kind, device and dtype of ``translation``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> t, r, s = ka.trs.from_translation(np.array([1.0, 2.0, 3.0]))
/// >>> r[0], s
/// (array([1., 0., 0.]), array([1.]))
#[pyfunction]
fn from_translation<'py>(py: Python<'py>, translation: &Array<'py>) -> PyResult<Parts> {
    let batch = batch("from_translation", "translation", translation, &[3])?;
    let rotation = same(py, Part::Rotation, &batch, None, Some(translation))?;
    let scale = same(py, Part::Scale, &batch, None, Some(translation))?;
    Ok((translation.clone().unbind(), rotation, scale))
}

/// Makes transforms that only turn.
///
/// Parameters
/// ----------
/// rotation_matrix : array (..., 3, 3)
///
/// Returns
/// -------
/// tuple of array (..., 3), array (..., 3, 3), array (..., 1)
///     Translation, rotation matrix and scale, of the kind, device and dtype of ``rotation_matrix``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> t, r, s = ka.trs.from_rotation_matrix(np.eye(3))
/// >>> t, s
/// (array([0., 0., 0.]), array([1.]))
#[pyfunction]
fn from_rotation_matrix<'py>(py: Python<'py>, rotation_matrix: &Array<'py>) -> PyResult<Parts> {
    let what = "rotation_matrix";
    let batch = batch("from_rotation_matrix", what, rotation_matrix, &[3, 3])?;
    let translation = same(py, Part::Translation, &batch, None, Some(rotation_matrix))?;
    let scale = same(py, Part::Scale, &batch, None, Some(rotation_matrix))?;
    Ok((translation, rotation_matrix.clone().unbind(), scale))
}

/// Makes transforms that only scale.
///
/// Parameters
/// ----------
/// scale : array (..., 1)
///
/// Returns
/// -------
/// tuple of array (..., 3), array (..., 3, 3), array (..., 1)
///     Translation, rotation matrix and scale, of the kind, device and dtype of ``scale``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> t, r, s = ka.trs.from_scale(np.array([2.0]))
/// >>> t, r[0]
/// (array([0., 0., 0.]), array([1., 0., 0.]))
#[pyfunction]
fn from_scale<'py>(py: Python<'py>, scale: &Array<'py>) -> PyResult<Parts> {
    let batch = batch("from_scale", "scale", scale, &[1])?;
    let translation = same(py, Part::Translation, &batch, None, Some(scale))?;
    let rotation = same(py, Part::Rotation, &batch, None, Some(scale))?;
    Ok((translation, rotation, scale.clone().unbind()))
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
///     What kind of array the parts are; NumPy without.
///
/// Returns
/// -------
/// tuple of array (*size, 3), array (*size, 3, 3), array (*size, 1)
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> t, r, s = ka.trs.identity((5,))
/// >>> t.shape, r.shape, s.shape
/// ((5, 3), (5, 3, 3), (5, 1))
#[pyfunction]
#[pyo3(signature = (size = None, dtype = None, *, like = None))]
fn identity<'py>(
    py: Python<'py>,
    size: Option<Vec<usize>>,
    dtype: Option<&Array<'py>>,
    like: Option<&Array<'py>>,
) -> PyResult<Parts> {
    let size = size.unwrap_or_default();
    Ok((
        same(py, Part::Translation, &size, dtype, like)?,
        same(py, Part::Rotation, &size, dtype, like)?,
        same(py, Part::Scale, &size, dtype, like)?,
    ))
}

/// Composes transforms: the product moves as ``trs2``, then as ``trs1``.
///
/// Parameters
/// ----------
/// trs1, trs2 : tuple of array (..., 3), array (..., 3, 3), array (..., 1)
///     Translation, rotation matrix, uniform scale. Batch axes broadcast.
///
/// Returns
/// -------
/// tuple of array (..., 3), array (..., 3, 3), array (..., 1)
///     Each part of the kind, device and dtype of the part of ``trs1``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> double = ka.trs.from_scale(np.array([2.0]))
/// >>> up = ka.trs.from_translation(np.array([0.0, 1.0, 0.0]))
/// >>> ka.trs.multiply(double, up)[0]
/// array([0., 2., 0.])
#[pyfunction]
fn multiply<'py>(py: Python<'py>, trs1: Trs<'py>, trs2: Trs<'py>) -> PyResult<Parts> {
    let ([t1, r1, s1], [t2, r2, s2]) = (&trs1, &trs2);
    Ok((
        apply(
            py,
            &Pointwise(op::MultiplyTranslation),
            &[t1, r1, s1, t2],
            None,
        )?,
        apply(py, &Pointwise(op::MatrixMultiply), &[r1, r2], None)?,
        apply(py, &Pointwise(op::MultiplyScale), &[s1, s2], None)?,
    ))
}

/// Inverts transforms.
///
/// Parameters
/// ----------
/// trs : tuple of array (..., 3), array (..., 3, 3), array (..., 1)
///     Translation, rotation matrix, uniform scale; a scale of 0 gives infinities.
///
/// Returns
/// -------
/// tuple of array (..., 3), array (..., 3, 3), array (..., 1)
///     Each part of the kind, device and dtype of its part.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> up = ka.trs.from_translation(np.array([0.0, 1.0, 0.0]))
/// >>> ka.trs.inverse(up)[0]
/// array([-0., -1., -0.])
#[pyfunction]
fn inverse<'py>(py: Python<'py>, trs: Trs<'py>) -> PyResult<Parts> {
    let [t, r, s] = &trs;
    Ok((
        apply(py, &Pointwise(op::InverseTranslation), &[t, r, s], None)?,
        apply(py, &Pointwise(op::MatrixInverse), &[r], None)?,
        apply(py, &Pointwise(op::InverseScale), &[s], None)?,
    ))
}

/// Moves points by transforms.
///
/// Parameters
/// ----------
/// trs : tuple of array (..., 3), array (..., 3, 3), array (..., 1)
///     Translation, rotation matrix, uniform scale. Batch axes broadcast.
/// points : array (..., 3)
/// out : array (..., 3), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., 3)
///     ``t + s R p``, of the kind, device and dtype of the translation.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> double = ka.trs.from_scale(np.array([2.0]))
/// >>> ka.trs.transform_points(double, np.array([1.0, 2.0, 3.0]))
/// array([2., 4., 6.])
#[pyfunction]
#[pyo3(signature = (trs, points, *, out = None))]
fn transform_points<'py>(
    py: Python<'py>,
    trs: Trs<'py>,
    points: &Array<'py>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let [t, r, s] = &trs;
    apply(py, &Pointwise(op::TransformPoints), &[t, r, s, points], out)
}

/// Makes 4x4 matrices of transforms.
///
/// Parameters
/// ----------
/// trs : tuple of array (..., 3), array (..., 3, 3), array (..., 1)
///     Translation, rotation matrix, uniform scale. Batch axes broadcast.
/// out : array (..., 4, 4), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., 4, 4)
///     ``[s R | t; 0 0 0 1]``, acting on column vectors; of the kind, device and dtype of the translation.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> ka.trs.to_matrix(ka.trs.from_scale(np.array([2.0])))[0]
/// array([2., 0., 0., 0.])
#[pyfunction]
#[pyo3(signature = (trs, *, out = None))]
fn to_matrix<'py>(py: Python<'py>, trs: Trs<'py>, out: Option<&Array<'py>>) -> PyResult<Py<PyAny>> {
    let [t, r, s] = &trs;
    apply(py, &Pointwise(op::ToMatrix), &[t, r, s], out)
}

/// Reads transforms off 4x4 matrices.
///
/// Exact for rotations with one scale, also a negative one. Of other matrices it takes the nearest
/// rotation and the largest factor by which a length changes.
///
/// Parameters
/// ----------
/// matrices : array (..., 4, 4)
///     Acting on column vectors; the last row is not looked at.
///
/// Returns
/// -------
/// tuple of array (..., 3), array (..., 3, 3), array (..., 1)
///     Translation, rotation matrix and scale, of the kind, device and dtype of ``matrices``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> t, r, s = ka.trs.from_matrix(np.diag([2.0, 2.0, 2.0, 1.0]))
/// >>> r[0], s
/// (array([1., 0., 0.]), array([2.]))
#[pyfunction]
fn from_matrix<'py>(py: Python<'py>, matrices: &Array<'py>) -> PyResult<Parts> {
    Ok((
        apply(py, &Pointwise(op::FromMatrixTranslation), &[matrices], None)?,
        apply(py, &Pointwise(op::FromMatrixRotation), &[matrices], None)?,
        apply(py, &Pointwise(op::FromMatrixScale), &[matrices], None)?,
    ))
}

/// Makes transforms of skeleton states.
///
/// Parameters
/// ----------
/// skeleton_state : array (..., 8)
///     States ``tx ty tz qx qy qz qw s``; quaternions of any length but 0.
///
/// Returns
/// -------
/// tuple of array (..., 3), array (..., 3, 3), array (..., 1)
///     Translation, rotation matrix and scale, of the kind, device and dtype of ``skeleton_state``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> t, r, s = ka.trs.from_skeleton_state(np.array([1.0, 2, 3, 0, 0, 0, 1, 2]))
/// >>> t, s
/// (array([1., 2., 3.]), array([2.]))
#[pyfunction]
fn from_skeleton_state<'py>(py: Python<'py>, skeleton_state: &Array<'py>) -> PyResult<Parts> {
    Ok((
        apply(
            py,
            &Pointwise(state::Part::<8, 0, 3>),
            &[skeleton_state],
            None,
        )?,
        apply(
            py,
            &Pointwise(op::FromSkeletonStateRotation),
            &[skeleton_state],
            None,
        )?,
        apply(
            py,
            &Pointwise(state::Part::<8, 7, 1>),
            &[skeleton_state],
            None,
        )?,
    ))
}

/// Makes skeleton states of transforms.
///
/// Parameters
/// ----------
/// trs : tuple of array (..., 3), array (..., 3, 3), array (..., 1)
///     Translation, rotation matrix, uniform scale. Batch axes broadcast.
/// out : array (..., 8), optional
///     Where the result goes; it is returned.
///
/// Returns
/// -------
/// array (..., 8)
///     ``tx ty tz qx qy qz qw s``, of the kind, device and dtype of the translation.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> ka.trs.to_skeleton_state(ka.trs.from_scale(np.array([2.0])))
/// array([0., 0., 0., 0., 0., 0., 1., 2.])
#[pyfunction]
#[pyo3(signature = (trs, *, out = None))]
fn to_skeleton_state<'py>(
    py: Python<'py>,
    trs: Trs<'py>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let [t, r, s] = &trs;
    apply(py, &Pointwise(op::ToSkeletonState), &[t, r, s], out)
}

/// Interpolates between transforms: translation and scale straight, the rotation along the shorter arc.
///
/// Parameters
/// ----------
/// trs0, trs1 : tuple of array (..., 3), array (..., 3, 3), array (..., 1)
///     Translation, rotation matrix, uniform scale. Batch axes broadcast.
/// t : float or array (...)
///     0 is ``trs0``, 1 is ``trs1``. One number for each item: batch axes of its own, which broadcast, or with
///     a last axis of size 1 where it has as many axes as the translations.
///
/// Returns
/// -------
/// tuple of array (..., 3), array (..., 3, 3), array (..., 1)
///     Each part of the kind, device and dtype of the part of ``trs0``.
///
/// Raises
/// ------
/// ShapeError, DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> still, double = ka.trs.identity(like=np.zeros(1)), ka.trs.from_scale(np.array([2.0]))
/// >>> ka.trs.slerp(still, double, 0.5)[2]
/// array([1.5])
#[pyfunction]
fn slerp<'py>(py: Python<'py>, trs0: Trs<'py>, trs1: Trs<'py>, t: &Array<'py>) -> PyResult<Parts> {
    let ([t0, r0, s0], [t1, r1, s1]) = (&trs0, &trs1);
    let column = match shapes_to_record(py, [t0, t1, t])? {
        Some([first, second, way]) => is_column(&way, &[&first, &second]),
        None => {
            let read = |what, object| AnyArray::read("slerp", what, object);
            let (first, second) = (read("t0", t0)?, read("t1", t1)?);
            is_column(read("t", t)?.shape(), &[first.shape(), second.shape()])
        }
    };
    Ok((
        apply(
            py,
            &Pointwise(op::SlerpLine::<3> { column }),
            &[t0, t1, t],
            None,
        )?,
        apply(
            py,
            &Pointwise(op::SlerpRotation { column }),
            &[r0, r1, t],
            None,
        )?,
        apply(
            py,
            &Pointwise(op::SlerpLine::<1> { column }),
            &[s0, s1, t],
            None,
        )?,
    ))
}

/// A part of the transform that changes nothing.
enum Part {
    Translation,
    Rotation,
    Scale,
}

fn same<'py>(
    py: Python<'py>,
    part: Part,
    size: &[usize],
    dtype: Option<&Array<'py>>,
    like: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let eye = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let (item, values): (&[usize], &[f64]) = match part {
        Part::Translation => (&[3], &[0.0; 3]),
        Part::Rotation => (&[3, 3], &eye),
        Part::Scale => (&[1], &[1.0]),
    };
    Ok(constant(py, item, values, Some(size), dtype, like)?.unbind())
}

/// The batch axes of an array of such items.
fn batch(
    function: &str,
    what: &'static str,
    object: &Array<'_>,
    item: &[usize],
) -> PyResult<Vec<usize>> {
    let array = AnyArray::read(function, what, object)?;
    match array.shape().strip_suffix(item) {
        Some(batch) => Ok(batch.to_vec()),
        None => {
            let sizes: String = item.iter().map(|size| format!(", {size}")).collect();
            let got = show_shape(array.shape());
            Err(Error::shape(what, format!("(...{sizes})"), got).into())
        }
    }
}

/// Adds the functions to the module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(from_translation, module)?)?;
    module.add_function(wrap_pyfunction!(from_rotation_matrix, module)?)?;
    module.add_function(wrap_pyfunction!(from_scale, module)?)?;
    module.add_function(wrap_pyfunction!(identity, module)?)?;
    module.add_function(wrap_pyfunction!(multiply, module)?)?;
    module.add_function(wrap_pyfunction!(inverse, module)?)?;
    module.add_function(wrap_pyfunction!(transform_points, module)?)?;
    module.add_function(wrap_pyfunction!(to_matrix, module)?)?;
    module.add_function(wrap_pyfunction!(from_matrix, module)?)?;
    module.add_function(wrap_pyfunction!(from_skeleton_state, module)?)?;
    module.add_function(wrap_pyfunction!(to_skeleton_state, module)?)?;
    module.add_function(wrap_pyfunction!(slerp, module)?)?;
    Ok(())
}
