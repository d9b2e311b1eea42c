//! How the arrays of a class are read, remembered: finding out costs more than reading a small array.

use std::sync::Mutex;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyType;

/// The ways that depend on nothing but the class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// A subclass of `torch.Tensor`.
    TorchSubclass,
    /// A subclass of `numpy.ndarray`.
    NumpySubclass,
    /// The Arrow PyCapsule protocol.
    Arrow,
    /// `__dlpack__`.
    Dlpack,
}

impl Route {
    /// Whether every instance of the class goes this way, and not just one with attributes of its own.
    ///
    /// # Errors
    /// Where looking for an attribute fails.
    pub fn is_of_class(self, class: &Bound<'_, PyType>) -> PyResult<bool> {
        let py = class.py();
        match self {
            Self::TorchSubclass | Self::NumpySubclass => Ok(true),
            Self::Arrow => Ok(class.hasattr(intern!(py, "__arrow_c_array__"))?
                || class.hasattr(intern!(py, "__arrow_c_stream__"))?),
            Self::Dlpack => class.hasattr(intern!(py, "__dlpack__")),
        }
    }
}

/// As many classes as a program uses in one place, and then some.
const MOST: usize = 16;

/// The classes seen last. They are held, so that no other class can take their place in memory.
static KNOWN: Mutex<Vec<(Py<PyType>, Route)>> = Mutex::new(Vec::new());

/// The way for a class that was seen before. Never waits: where another thread is looking, nothing is
/// known.
#[must_use]
pub fn known(class: &Bound<'_, PyType>) -> Option<Route> {
    let known = KNOWN.try_lock().ok()?;
    known
        .iter()
        .find(|(other, _)| other.as_ptr() == class.as_ptr())
        .map(|&(_, route)| route)
}

/// Remembers the way for a class.
pub fn remember(class: &Bound<'_, PyType>, route: Route) {
    let forgotten = KNOWN.try_lock().ok().and_then(|mut known| {
        let oldest = (known.len() >= MOST).then(|| known.remove(0));
        known.push((class.clone().unbind(), route));
        oldest
    });
    // Outside the lock: releasing a class can run anything.
    drop(forgotten);
}
