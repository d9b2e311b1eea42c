//! `kinarray.quaternion`.

mod angles;
mod gradients;
mod products;
mod rotations;
mod ways;

use pyo3::prelude::*;

use super::constant::constant;
use super::{Array, part};
use crate::backend::operations::{Pointwise, skel_state::Part};

/// The rotation that changes nothing, any number of times.
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
/// array (*size, 4)
///     ``0 0 0 1`` everywhere.
///
/// Raises
/// ------
/// DTypeError, DeviceError, GradientError
///
/// Examples
/// --------
/// >>> import kinarray as ka
/// >>> ka.quaternion.identity((2,))
/// array([[0., 0., 0., 1.],
///        [0., 0., 0., 1.]], dtype=float32)
#[pyfunction]
#[pyo3(signature = (size = None, dtype = None, *, like = None))]
fn identity<'py>(
    py: Python<'py>,
    size: Option<Vec<usize>>,
    dtype: Option<&Array<'py>>,
    like: Option<&Array<'py>>,
) -> PyResult<Bound<'py, PyAny>> {
    constant(
        py,
        &[4],
        &[0.0, 0.0, 0.0, 1.0],
        size.as_deref(),
        dtype,
        like,
    )
}

part! { _scalar_part(q) = Part::<4, 3, 1> }
part! { _vector_part(q) = Part::<4, 0, 3> }

/// Adds the functions to the module.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    products::register(module)?;
    rotations::register(module)?;
    angles::register(module)?;
    ways::register(module)?;
    gradients::register(module)?;
    module.add_function(wrap_pyfunction!(identity, module)?)?;
    module.add_function(wrap_pyfunction!(_scalar_part, module)?)?;
    module.add_function(wrap_pyfunction!(_vector_part, module)?)
}
