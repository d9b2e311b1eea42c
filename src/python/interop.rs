//! `kinarray.interop`: what a user can ask the array seam about itself.

use pyo3::prelude::*;

use crate::interop::buffer::Buffer;
use crate::interop::{copies, memory};
use crate::interop::AnyArray;

/// Copies of array memory since the process started, as `(count, bytes)`.
#[pyfunction]
fn _copies() -> (u64, u64) {
    copies::total()
}

/// What kind of array `x` is: "numpy", "torch", "jax", "pyarrow", "polars", "pandas", "arrow",
/// "memoryview", "dlpack", "kinarray", or "numbers" for Python numbers and lists.
#[pyfunction]
fn kind_of(x: &Bound<'_, PyAny>) -> PyResult<&'static str> {
    Ok(AnyArray::read("interop.kind_of", "x", x)?.kind().name())
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
    module.add_function(wrap_pyfunction!(address, module)?)?;
    module.add_function(wrap_pyfunction!(pooled_bytes, module)?)?;
    module.add_function(wrap_pyfunction!(clear_pool, module)?)?;
    Ok(())
}
