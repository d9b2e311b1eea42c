//! The Python extension module: doors for arrays in and out, one way to apply an operation, errors,
//! and thin mirrors of the crate.

mod algebra;
mod apply;
mod characters;
mod closest_points;
mod collisions;
mod files;
mod geometry;
mod interop;
mod interrupt;
mod mesh_parts;
mod nouns;
mod operation;
mod parameters;
mod posing;
mod query;
mod record;
mod shapes;
mod skinning;
mod surgery;
mod testing;
mod threads;
mod values;
mod xla_ffi;

use pyo3::prelude::*;

/// The compiled part of `kinarray`.
#[pymodule(gil_used = false)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    crate::interop::exceptions::register(module)?;
    interop::register(module)?;
    nouns::register(module)?;
    geometry::register(module)?;
    algebra::register(module)?;
    parameters::register(module)?;
    shapes::register(module)?;
    skinning::register(module)?;
    surgery::register(module)?;
    collisions::register(module)?;
    closest_points::register(module)?;
    mesh_parts::register(module)?;
    files::register(module)?;
    testing::register(module)?;
    record::register(module)?;
    xla_ffi::register(module)?;
    threads::register(module)
}
