//! What the bridge to JAX registers with XLA.

use std::ptr::null;

use pyo3::ffi;
use pyo3::prelude::*;

use crate::interop::xla_ffi;

/// The handler of compiled programs that call operations, as a capsule for ``jax.ffi.register_ffi_target``.
#[pyfunction]
fn xla_ffi_handler(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let handler: unsafe extern "C" fn(_) -> _ = xla_ffi::handler;
    // SAFETY: the interpreter is held, and a function lives as long as the process. The capsule has no
    // name, as XLA expects.
    unsafe {
        let capsule = ffi::PyCapsule_New(handler as *mut _, null(), None);
        Bound::from_owned_ptr_or_err(py, capsule)
    }
}

/// A number that no other process has: for programs that might be carried to another one, where the
/// numbers of operations mean something else.
#[pyfunction]
fn xla_ffi_process() -> i64 {
    xla_ffi::process()
}

/// Adds the functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(xla_ffi_handler, module)?)?;
    module.add_function(wrap_pyfunction!(xla_ffi_process, module)?)
}
