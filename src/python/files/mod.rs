//! Files: where bytes come from and go to, long work that tells how far it is, and the functions over
//! them.
//!
//! * `source`, `target`: a path, bytes or a file object
//! * `work`: reading and writing with the interpreter released
//! * `any`: any format by one call
//! * `gltf`, ...: what PyMomentum names by format

mod any;
mod gltf;
mod source;
mod target;
mod work;

use pyo3::prelude::*;

pub(in crate::python) use source::read_bytes;

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    any::register(module)
}
