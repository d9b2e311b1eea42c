//! What blending and interpolation ask about their arguments.

use pyo3::prelude::*;
use pyo3::types::PyList;

use super::Array;
use crate::array::show_shape;
use crate::backend::operations::{Blend, Blended};
use crate::error::{Error, Result};
use crate::interop::AnyArray;
use crate::python::apply::apply_to;
use crate::python::record::{record, shapes_to_record};

/// Whether the last axis of `one` is one of size 1 that stands for the item's axis of the others, not a
/// batch axis: it has as many axes as they do.
pub(super) fn is_column(one: &[usize], others: &[&[usize]]) -> bool {
    let (shape, rank) = (one, others.iter().map(|other| other.len()).max());
    shape.ends_with(&[1]) && rank.is_none_or(|rank| shape.len() >= rank)
}

/// How many things of `size` numbers there are to blend.
pub(super) fn count(what: &str, shape: &[usize], size: usize) -> Result<usize> {
    match *shape {
        [.., count, last] if last == size => Ok(count),
        _ => Err(Error::shape(
            what,
            format!("(..., k, {size})"),
            show_shape(shape),
        )),
    }
}

/// The weights, or as many ones, which take the precision of what is beside them.
pub(super) fn weights_or_equal<'py>(
    py: Python<'py>,
    weights: Option<&Array<'py>>,
    count: usize,
) -> PyResult<Array<'py>> {
    match weights {
        Some(weights) => Ok(weights.clone()),
        None => Ok(PyList::new(py, vec![1.0; count])?.into_any()),
    }
}

/// Blends.
pub(super) fn blend_of<'py>(
    py: Python<'py>,
    blended: Blended,
    what: &'static str,
    all: &Array<'py>,
    weights: Option<&Array<'py>>,
    out: Option<&Array<'py>>,
) -> PyResult<Py<PyAny>> {
    let size = match blended {
        Blended::Quaternions => 4,
        Blended::States => 8,
    };
    let of = |count, column| Blend {
        blended,
        count,
        column,
    };
    let given = weights.unwrap_or(all);
    if let Some([shape, weight_shape]) = shapes_to_record(py, [all, given])? {
        let count = count(what, &shape, size)?;
        let column = weights.is_some() && is_column(&weight_shape, &[&shape]);
        let weights = weights_or_equal(py, weights, count)?;
        return record(py, &of(count, column), &[all, &weights], out);
    }
    let all = AnyArray::read("blend", what, all)?;
    let count = count(what, all.shape(), size)?;
    let weights = weights_or_equal(py, weights, count)?;
    let arrays = [all, AnyArray::read("blend", "weights", &weights)?];
    let column = is_column(arrays[1].shape(), &[arrays[0].shape()]);
    apply_to::<2>(py, &of(count, column), &arrays, out)
}
