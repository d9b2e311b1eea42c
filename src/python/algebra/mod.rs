//! The transform algebra: `kinarray.quaternion`, `kinarray.skel_state`, `kinarray.trs`. Each function
//! names its operation and passes its arguments through the doors.

mod quaternion;

use pyo3::prelude::*;

/// Adds the modules of the algebra to the extension module, each under its public name.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let quaternion = PyModule::new(module.py(), "kinarray.quaternion")?;
    quaternion::register(&quaternion)?;
    module.add("quaternion", quaternion)
}
