//! Objects by number, for graphs that torch compiles: a graph can hold a number, but no character.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;

#[derive(Default)]
struct Numbered {
    /// By number. They live as long as the process does: a graph cannot say when it ends.
    objects: Vec<Py<PyAny>>,
    numbers: HashMap<usize, usize>,
}

static NUMBERED: LazyLock<Mutex<Numbered>> = LazyLock::new(Mutex::default);

fn numbered() -> MutexGuard<'static, Numbered> {
    NUMBERED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of an object, which it keeps.
pub fn number_of(object: &Bound<'_, PyAny>) -> usize {
    let mut numbered = numbered();
    let address = object.as_ptr() as usize;
    if let Some(&number) = numbered.numbers.get(&address) {
        return number;
    }
    let number = numbered.objects.len();
    numbered.objects.push(object.clone().unbind());
    numbered.numbers.insert(address, number);
    number
}

/// The object of a number.
#[pyfunction]
fn _of_number(py: Python<'_>, number: usize) -> PyResult<Py<PyAny>> {
    let numbered = numbered();
    let object = numbered.objects.get(number);
    object
        .map(|object| object.clone_ref(py))
        .ok_or_else(|| PyKeyError::new_err(format!("there is no object {number} in this process")))
}

/// Adds the function to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(_of_number, module)?)
}
