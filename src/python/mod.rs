//! The Python extension module: doors for arrays in and out, one way to apply an operation, errors,
//! and thin mirrors of the crate.

mod apply;
mod array_in;
mod array_out;
mod error;
mod interop;
mod interrupt;

use pyo3::prelude::*;

/// The compiled part of `kinarray`.
#[pymodule(gil_used = false)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    error::register(module)?;
    interop::register(module)?;
    Ok(())
}
