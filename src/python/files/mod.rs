//! Files: where bytes come from and go to, long work that tells how far it is, and the functions over
//! them.
//!
//! * `source`, `target`: a path, bytes or a file object
//! * `work`: reading and writing with the interpreter released
//! * `any`: any format by one call
//! * `gltf`, ...: what PyMomentum names by format

mod any;
mod fbx;
mod fbx_builder;
mod gltf;
mod gltf_builder;
mod gltf_save;
mod momentum;
mod save_options;
mod source;
mod target;
mod urdf;
mod work;

use pyo3::prelude::*;

pub(in crate::python) use source::read_bytes;

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<gltf_builder::PyGltfBuilder>()?;
    gltf::register(module)?;
    module.add_class::<fbx_builder::PyFbxBuilder>()?;
    fbx::register(module)?;
    any::register(module)
}
