//! `kinarray.interop`: what a user can ask the array seam about itself.

use pyo3::prelude::*;

use crate::interop::buffer::Buffer;
use crate::interop::{AnyArray, Kind};
use crate::interop::{convert, copies, memory};

/// Copies of array memory since the process started, as `(count, bytes)`.
#[pyfunction]
fn _copies() -> (u64, u64) {
    copies::total()
}

/// What kind of array `x` is: "numpy", "torch", "jax", "pyarrow", "polars", "pandas", "arro3",
/// "nanoarrow", "duckdb", "arrow", "memoryview", "dlpack", "kinarray", or "numbers" for Python numbers and
/// lists.
#[pyfunction]
fn kind_of(x: &Bound<'_, PyAny>) -> PyResult<&'static str> {
    Ok(Kind::of("x", x)?.name())
}

/// `x` as an array of the kind of `like`, over the same memory where that is possible.
///
/// An array of that kind already is returned as it is. Element type, shape and numbers stay as they are.
/// Copies are made, and counted by :func:`copies`, where the other library cannot look at the memory:
/// byte-swapped or misaligned elements; for torch read-only memory and negative strides (a tensor can
/// always be written into); for JAX what is not row-major and aligned to 64 bytes, as results of kinarray
/// are; for Arrow what is not row-major. A JAX array over NumPy or torch memory must not be used after
/// that memory was written into.
///
/// Parameters
/// ----------
/// x : array (...)
///     Any kind of array, or numbers and lists, which become float64.
/// like : array
///     What the result shall be; its numbers and its shape do not matter.
/// copy : bool, optional
///     None copies only where it must; False raises ValueError then; True always copies.
///
/// Returns
/// -------
/// array (...)
///     Of the kind of ``like``; an Arrow column has the first axis as its rows.
///
/// Raises
/// ------
/// DTypeError, DeviceError, GradientError, ValueError
///
/// Examples
/// --------
/// >>> import kinarray as ka, numpy as np
/// >>> column = ka.interop.asarray(np.zeros((3, 8)), like=memoryview(b""))
/// >>> column.shape
/// (3, 8)
#[pyfunction]
#[pyo3(signature = (x, /, *, like, copy = None))]
fn asarray<'py>(
    x: &Bound<'py, PyAny>,
    like: &Bound<'py, PyAny>,
    copy: Option<bool>,
) -> PyResult<Bound<'py, PyAny>> {
    convert::as_like(x, like, copy)
}

/// Where the first number of `x` lies in memory, as a call that takes `x` reads it: equal to the address
/// that the array's own library gives wherever nothing is copied.
#[pyfunction]
fn address(x: &Bound<'_, PyAny>) -> PyResult<usize> {
    Ok(AnyArray::read("interop.address", "x", x)?
        .memory()
        .pointer()
        .addr())
}

/// The bytes of output memory that are kept for reuse.
#[pyfunction]
fn pooled_bytes() -> usize {
    memory::pooled_bytes()
}

/// Gives the output memory that is kept for reuse back to the system.
#[pyfunction]
fn clear_pool() {
    memory::clear_pool();
}

/// Adds this file's functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Buffer>()?;
    module.add_function(wrap_pyfunction!(_copies, module)?)?;
    module.add_function(wrap_pyfunction!(kind_of, module)?)?;
    module.add_function(wrap_pyfunction!(asarray, module)?)?;
    module.add_function(wrap_pyfunction!(address, module)?)?;
    module.add_function(wrap_pyfunction!(pooled_bytes, module)?)?;
    module.add_function(wrap_pyfunction!(clear_pool, module)?)?;
    Ok(())
}
