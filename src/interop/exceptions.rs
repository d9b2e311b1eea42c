//! Exceptions: one class a kind of error, and the mapping from the crate's errors to them.

use pyo3::exceptions::{
    PyException, PyFileNotFoundError, PyKeyboardInterrupt, PyMemoryError, PyOSError,
    PyRuntimeError, PyTypeError, PyValueError,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::error::Error;

/// The exception classes, made once.
struct Classes {
    base: Py<PyType>,
    shape: Py<PyType>,
    dtype: Py<PyType>,
    device: Py<PyType>,
    gradient: Py<PyType>,
    format: Py<PyType>,
    character: Py<PyType>,
    solver: Py<PyType>,
    value: Py<PyType>,
}

static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();

/// The classes of the package kinarray where it is imported, so that its users catch the errors of other
/// extension modules too; else made here.
fn classes(py: Python<'_>) -> PyResult<&Classes> {
    CLASSES.get_or_try_init(py, || {
        if let Some(imported) = imported(py) {
            return Ok(imported);
        }
        let class = |name: &str, doc: &str, bases: &[Bound<'_, PyType>]| {
            let members = PyDict::new(py);
            members.set_item("__module__", "kinarray")?;
            members.set_item("__doc__", doc)?;
            let bases = PyTuple::new(py, bases)?;
            let made = py.get_type::<PyType>().call1((name, bases, members))?;
            Ok::<_, PyErr>(made.cast_into::<PyType>()?.unbind())
        };
        let base = class(
            "KinarrayError",
            "Anything that kinarray finds wrong.",
            &[py.get_type::<PyException>()],
        )?;
        let ours = base.bind(py).clone();
        let value = py.get_type::<PyValueError>();
        let kind = py.get_type::<PyTypeError>();
        let runtime = py.get_type::<PyRuntimeError>();
        Ok(Classes {
            shape: class(
                "ShapeError",
                "An array has the wrong shape. Also a RuntimeError, which PyMomentum raises here.",
                &[ours.clone(), value.clone(), runtime.clone()],
            )?,
            dtype: class(
                "DTypeError",
                "An array has an element type that cannot be used without losing something.",
                &[ours.clone(), kind],
            )?,
            device: class(
                "DeviceError",
                "Arrays are on different devices, or on one that is not served.",
                &[ours.clone(), value.clone()],
            )?,
            gradient: class(
                "GradientError",
                "A plain function would lose a gradient; use its twin in kinarray.autograd.",
                &[ours.clone(), runtime.clone()],
            )?,
            format: class(
                "FormatError",
                "A file or byte stream is not what it claims to be.",
                &[ours.clone(), value.clone()],
            )?,
            character: class(
                "CharacterError",
                "A character, or a part of one, contradicts itself.",
                &[ours.clone(), value.clone()],
            )?,
            solver: class(
                "SolverError",
                "A solver cannot go on.",
                &[ours.clone(), runtime],
            )?,
            value: class(
                "InvalidValueError",
                "A value is outside the range that has a meaning.",
                &[ours, value],
            )?,
            base,
        })
    })
}

/// The classes of another module built from this crate, which was imported before.
fn imported(py: Python<'_>) -> Option<Classes> {
    let modules = py.import("sys").ok()?.getattr("modules").ok()?;
    let module = modules.get_item("kinarray._core").ok()?;
    let class = |name: &str| {
        let class = module.getattr(name).ok()?;
        Some(class.cast_into::<PyType>().ok()?.unbind())
    };
    Some(Classes {
        base: class("KinarrayError")?,
        shape: class("ShapeError")?,
        dtype: class("DTypeError")?,
        device: class("DeviceError")?,
        gradient: class("GradientError")?,
        format: class("FormatError")?,
        character: class("CharacterError")?,
        solver: class("SolverError")?,
        value: class("InvalidValueError")?,
    })
}

/// Adds the exception classes to the module.
///
/// # Errors
/// Where Python has no memory left.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let classes = classes(py)?;
    for class in [
        &classes.base,
        &classes.shape,
        &classes.dtype,
        &classes.device,
        &classes.gradient,
        &classes.format,
        &classes.character,
        &classes.solver,
        &classes.value,
    ] {
        let class = class.bind(py);
        module.add(class.name()?, class)?;
    }
    Ok(())
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        Python::attach(|py| {
            let classes = match classes(py) {
                Ok(classes) => classes,
                Err(broken) => return broken,
            };
            let class = match &error {
                Error::Shape { .. } => &classes.shape,
                Error::DType { .. } => &classes.dtype,
                Error::Device(_) => &classes.device,
                Error::Gradient(_) => &classes.gradient,
                Error::Format { .. } => &classes.format,
                Error::Character { .. } => &classes.character,
                Error::Value { .. } => &classes.value,
                Error::Io {
                    file,
                    problem,
                    not_found,
                } => {
                    const NO_SUCH_FILE: i32 = 2;
                    return if *not_found {
                        let text = "No such file or directory";
                        PyFileNotFoundError::new_err((NO_SUCH_FILE, text, file.clone()))
                    } else {
                        PyOSError::new_err(format!("{file}: {problem}"))
                    };
                }
                Error::Memory { .. } => return PyMemoryError::new_err(error.to_string()),
                Error::Interrupted => return PyKeyboardInterrupt::new_err(()),
            };
            Self::from_type(class.bind(py).clone(), (error.to_string(),))
        })
    }
}

/// The exception for something that must not happen: a bug of ours, not of the caller's.
#[cold]
#[must_use]
pub fn internal(py: Python<'_>, what: &str) -> PyErr {
    match classes(py) {
        Ok(classes) => PyErr::from_type(
            classes.base.bind(py).clone(),
            (format!("internal error, please report it: {what}"),),
        ),
        Err(broken) => broken,
    }
}
