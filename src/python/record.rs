//! How an operation whose derivative is asked for gets to the bridge of the arrays' library.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::array::Shape;
use crate::backend::Operation;
use crate::interop::differentiating;
use crate::python::operation::PyOperation;

/// What to do where an argument of a call could not be read: through a twin, ask the bridge; else, or where
/// the bridge knows none of the arrays either, the error stands.
#[cold]
pub(crate) fn or_record<'py, O: Operation>(
    py: Python<'py>,
    operation: &O,
    arguments: &[&Bound<'py, PyAny>],
    out: Option<&Bound<'py, PyAny>>,
    error: PyErr,
) -> PyResult<Py<PyAny>> {
    if !differentiating::is_on() {
        return Err(error);
    }
    differentiating::off(|| {
        let bridge = bridge(py)?;
        let arguments = PyTuple::new(py, arguments)?;
        let operation = PyOperation::of(operation.clone());
        let answer = bridge.call_method1(
            intern!(py, "meet"),
            (operation, arguments, out, error.value(py)),
        )?;
        Ok(answer.unbind())
    })
}

/// The shapes of arguments that a call through a twin is to record, where one of them is known to a
/// bridge; for functions that look at shapes before they know their operation.
pub(crate) fn shapes_to_record<'py, const N: usize>(
    py: Python<'py>,
    arguments: [&Bound<'py, PyAny>; N],
) -> PyResult<Option<[Shape; N]>> {
    if !differentiating::is_on() {
        return Ok(None);
    }
    differentiating::off(|| {
        let shapes: Option<Vec<Vec<usize>>> = bridge(py)?
            .call_method1(
                intern!(py, "shapes_to_record"),
                (PyTuple::new(py, arguments)?,),
            )?
            .extract()?;
        Ok(shapes.and_then(|shapes| {
            let shapes: Vec<Shape> = shapes
                .iter()
                .map(|shape| Shape::from_slice(shape))
                .collect();
            shapes.try_into().ok()
        }))
    })
}

/// Hands an operation to the bridge.
pub(crate) fn record<'py, O: Operation>(
    py: Python<'py>,
    operation: &O,
    arguments: &[&Bound<'py, PyAny>],
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Py<PyAny>> {
    let error = crate::error::Error::Gradient("expected an array that is differentiated".into());
    or_record(py, operation, arguments, out, error.into())
}

fn bridge(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import(intern!(py, "kinarray.autograd._bridge"))
}

/// The twin of a plain function: the same while derivatives are recorded.
#[pyfunction]
fn _twin<'py>(
    plain: &Bound<'py, PyAny>,
    module: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    differentiating::twin(plain, module)
}

/// Adds the class and the functions to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyOperation>()?;
    module.add_function(wrap_pyfunction!(_twin, module)?)
}
