//! How the arrays of a class are read, remembered: finding out costs more than reading a small array.

use std::sync::Mutex;

use pyo3::ffi::PyObject;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyType, PyWeakrefMethods, PyWeakrefReference};

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

static ROUTES: ClassCache<Route> = ClassCache::new();

/// The way for a class that was seen before.
#[must_use]
pub fn known(class: &Bound<'_, PyType>) -> Option<Route> {
    ROUTES.get(class)
}

/// Remembers the way for a class.
pub fn remember(class: &Bound<'_, PyType>, route: Route) {
    ROUTES.put(class, route);
}

/// As many classes as a program uses in one place, and then some.
const MOST: usize = 16;

/// What was found out about the classes seen last. They are not held: a class that nobody else holds is
/// forgotten, and libraries that count what is left of theirs at the end find nothing.
pub(super) struct ClassCache<V>(Mutex<Vec<(*mut PyObject, Weak, V)>>);

// SAFETY: the pointers are only compared.
unsafe impl<V: Send> Send for ClassCache<V> {}
// SAFETY: as above; the rest is behind the lock.
unsafe impl<V: Send> Sync for ClassCache<V> {}

impl<V: Clone> ClassCache<V> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// What is known about a class. Never waits: where another thread is looking, nothing is known.
    pub(super) fn get(&self, class: &Bound<'_, PyType>) -> Option<V> {
        let known = self.0.try_lock().ok()?;
        let same = |(address, _, _): &&(_, _, _)| *address == class.as_ptr();
        let (_, weak, value) = known.iter().find(same)?;
        // Another class may have taken the place in memory of one that is gone.
        weak.get(class.py()).map(|_| value.clone())
    }

    pub(super) fn put(&self, class: &Bound<'_, PyType>, value: V) {
        let Ok(weak) = Weak::new(class) else { return };
        let forgotten = self.0.try_lock().ok().and_then(|mut known| {
            let gone = known
                .iter()
                .position(|(address, _, _)| *address == class.as_ptr())
                .or((known.len() >= MOST).then_some(0));
            let gone = gone.map(|index| known.remove(index));
            known.push((class.as_ptr(), weak, value));
            gone
        });
        // Outside the lock: releasing an object can run anything.
        drop(forgotten);
    }
}

/// A Python object that is not held.
pub(super) struct Weak(Py<PyWeakrefReference>);

impl Weak {
    /// Looks at an object.
    ///
    /// # Errors
    /// Where objects of its class cannot be looked at without being held.
    pub(super) fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(PyWeakrefReference::new(object)?.unbind()))
    }

    /// The object, while it is there.
    pub(super) fn get<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.0.bind(py).upgrade()
    }
}
