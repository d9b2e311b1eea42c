//! How many threads batches run on.

use pyo3::prelude::*;

use crate::backend::cpu;

/// Sets the number of threads that batches run on; 0 is one per core.
///
/// Examples
/// --------
/// >>> import kinarray as ka
/// >>> ka.set_num_threads(1)
/// >>> ka.get_num_threads()
/// 1
/// >>> ka.set_num_threads(0)
#[pyfunction]
fn set_num_threads(py: Python<'_>, threads: usize) {
    // Dropping the old threads waits for them, and they may wait for the interpreter.
    py.detach(|| cpu::set_num_threads(threads));
}

/// The number of threads that batches run on.
#[pyfunction]
fn get_num_threads() -> usize {
    cpu::num_threads()
}

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(set_num_threads, module)?)?;
    module.add_function(wrap_pyfunction!(get_num_threads, module)?)
}
