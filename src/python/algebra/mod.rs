//! The transform algebra: `kinarray.quaternion`, `kinarray.skel_state`, `kinarray.trs`. Each function
//! names its operation and passes its arguments through the doors.

mod backprop;
mod blend;
mod constant;
mod quaternion;
mod skel_state;
mod skel_state_products;
mod trs;
mod trs_matrices;

use pyo3::prelude::*;

type Array<'py> = Bound<'py, PyAny>;

/// A public function that is one operation of its arguments.
macro_rules! function {
    ($(#[$doc:meta])* $name:ident($($argument:ident),+) = $operation:expr) => {
        $(#[$doc])*
        #[pyfunction]
        #[pyo3(signature = ($($argument),+, *, out = None))]
        fn $name<'py>(
            py: Python<'py>,
            $($argument: &Bound<'py, PyAny>,)+
            out: Option<&Bound<'py, PyAny>>,
        ) -> PyResult<Py<PyAny>> {
            let operation = crate::backend::operations::Pointwise($operation);
            crate::python::apply::apply(py, &operation, &[$($argument),+], out)
        }
    };
}
use function;

/// A part of the numbers of each item, for arrays that cannot be sliced.
macro_rules! part {
    ($name:ident($argument:ident) = $operation:expr) => {
        #[pyfunction]
        fn $name<'py>(py: Python<'py>, $argument: &Bound<'py, PyAny>) -> PyResult<Py<PyAny>> {
            crate::python::apply::apply(py, &Pointwise($operation), &[$argument], None)
        }
    };
}
use part;

/// Adds the modules of the algebra to the extension module, each under its public name.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let quaternion = PyModule::new(module.py(), "kinarray.quaternion")?;
    quaternion::register(&quaternion)?;
    module.add("quaternion", quaternion)?;
    let skel_state = PyModule::new(module.py(), "kinarray.skel_state")?;
    skel_state::register(&skel_state)?;
    skel_state_products::register(&skel_state)?;
    module.add("skel_state", skel_state)?;
    let trs = PyModule::new(module.py(), "kinarray.trs")?;
    trs::register(&trs)?;
    trs_matrices::register(&trs)?;
    module.add("trs", trs)
}
