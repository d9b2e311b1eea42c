//! Python numbers and nested lists of them, for convenience; they count as NumPy.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyComplex, PyFloat, PyInt, PyList, PyTuple};

use crate::array::{Shape, element_count, show_shape};
use crate::error::Error;

/// Numbers from Python, and how they are nested.
#[derive(Debug)]
pub struct Nested<T> {
    /// The numbers, row-major.
    pub values: Vec<T>,
    /// The lengths of the lists.
    pub shape: Shape,
}

/// Whether the object is a number or a list that this module reads.
#[must_use]
pub fn speaks(object: &Bound<'_, PyAny>) -> bool {
    object.is_instance_of::<PyFloat>()
        || object.is_instance_of::<PyInt>()
        || object.is_instance_of::<PyComplex>()
        || object.is_instance_of::<PyList>()
        || object.is_instance_of::<PyTuple>()
}

/// Reads real numbers; whole ones are welcome.
///
/// # Errors
/// [`Error::Shape`] for lists of unequal length, [`Error::DType`] for what is no number.
pub fn reals(what: &str, object: &Bound<'_, PyAny>) -> PyResult<Nested<f64>> {
    read(what, object, &mut |item| {
        if item.is_instance_of::<PyBool>() || item.is_instance_of::<PyComplex>() {
            return Err(no_number(what, "real numbers", item));
        }
        item.extract::<f64>()
            .map_err(|_| no_number(what, "real numbers", item))
    })
}

/// Reads whole numbers.
///
/// # Errors
/// As for [`reals`].
pub fn integers(what: &str, object: &Bound<'_, PyAny>) -> PyResult<Nested<i64>> {
    read(what, object, &mut |item| {
        if item.is_instance_of::<PyBool>() || item.is_instance_of::<PyFloat>() {
            return Err(no_number(what, "integers", item));
        }
        item.extract::<i64>()
            .map_err(|_| no_number(what, "integers", item))
    })
}

/// Reads truth values.
///
/// # Errors
/// As for [`reals`].
pub fn bools(what: &str, object: &Bound<'_, PyAny>) -> PyResult<Nested<bool>> {
    read(what, object, &mut |item| {
        item.extract::<bool>()
            .map_err(|_| no_number(what, "booleans", item))
    })
}

#[cold]
fn no_number(what: &str, expected: &str, item: &Bound<'_, PyAny>) -> PyErr {
    let kind = item
        .get_type()
        .name()
        .map_or_else(|_| "?".into(), |name| name.to_string());
    Error::dtype(what, expected, format!("a list holding {kind}")).into()
}

fn read<T>(
    what: &str,
    object: &Bound<'_, PyAny>,
    number: &mut dyn FnMut(&Bound<'_, PyAny>) -> PyResult<T>,
) -> PyResult<Nested<T>> {
    let mut nested = Nested {
        values: Vec::new(),
        shape: Shape::new(),
    };
    // The first path down decides the shape; everything else must follow it.
    let mut probe = object.clone();
    while is_sequence(&probe) {
        if nested.shape.len() >= 64 {
            return Err(Error::shape(what, "at most 64 nested lists", "more").into());
        }
        let length = probe.len()?;
        nested.shape.push(length);
        if length == 0 {
            break;
        }
        probe = probe.get_item(0)?;
    }
    let shape = nested.shape.clone();
    collect(what, object, &shape, 0, &mut nested.values, number)?;
    // A number's own `__float__` may have changed the lists meanwhile.
    if element_count(&shape) != Some(nested.values.len()) {
        let got = format!("{} numbers", nested.values.len());
        return Err(ragged(what, &shape, &got));
    }
    Ok(nested)
}

/// Lists, tuples, and arrays inside of lists (anything with a length that is not a number).
fn is_sequence(object: &Bound<'_, PyAny>) -> bool {
    if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        return true;
    }
    if object.is_instance_of::<PyFloat>() || object.is_instance_of::<PyInt>() {
        return false;
    }
    !object.is_instance_of::<pyo3::types::PyString>()
        && !object.is_instance_of::<pyo3::types::PyMapping>()
        && object.len().is_ok()
}

fn collect<T>(
    what: &str,
    object: &Bound<'_, PyAny>,
    shape: &[usize],
    depth: usize,
    out: &mut Vec<T>,
    number: &mut dyn FnMut(&Bound<'_, PyAny>) -> PyResult<T>,
) -> PyResult<()> {
    if depth == shape.len() {
        if is_sequence(object) {
            return Err(ragged(what, shape, "a list where others have a number"));
        }
        out.push(number(object)?);
        return Ok(());
    }
    if !is_sequence(object) {
        // Something that is no number at all is better said so.
        number(object)?;
        return Err(ragged(what, shape, "a number where others have a list"));
    }
    let length = object.len()?;
    if length != shape[depth] {
        return Err(ragged(
            what,
            shape,
            &format!("a list of length {length} at depth {depth}"),
        ));
    }
    for item in object.try_iter()? {
        collect(what, &item?, shape, depth + 1, out, number)?;
    }
    Ok(())
}

#[cold]
fn ragged(what: &str, shape: &[usize], got: &str) -> PyErr {
    Error::shape(
        what,
        format!("nested lists of equal lengths {}", show_shape(shape)),
        got,
    )
    .into()
}
