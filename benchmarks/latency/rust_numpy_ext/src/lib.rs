//! rust-numpy as its documentation has it: arguments borrowed and checked, the result a new array.

use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1, PyReadwriteArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

type Input<'py> = PyReadonlyArray1<'py, f32>;

fn scale_shift_to(a: &[f32], to: &mut [f32]) -> PyResult<()> {
    if a.len() != to.len() {
        return Err(PyValueError::new_err("expected arrays of equal length"));
    }
    for (to, a) in to.iter_mut().zip(a) {
        *to = a * 2.0 + 1.0;
    }
    Ok(())
}

fn multiply_add_to(a: &[f32], b: &[f32], c: &[f32], to: &mut [f32]) -> PyResult<()> {
    if [a.len(), b.len(), c.len()] != [to.len(); 3] {
        return Err(PyValueError::new_err("expected arrays of equal length"));
    }
    for (((to, a), b), c) in to.iter_mut().zip(a).zip(b).zip(c) {
        *to = a * b + c;
    }
    Ok(())
}

/// A new array of `length` zeros (`calloc`), filled by `work`.
fn fresh<'py>(
    py: Python<'py>,
    length: usize,
    work: impl FnOnce(&mut [f32]) -> PyResult<()>,
) -> PyResult<Bound<'py, PyArray1<f32>>> {
    let out = PyArray1::<f32>::zeros(py, length, false);
    // SAFETY: nobody else has seen the array yet.
    work(unsafe { out.as_slice_mut()? })?;
    Ok(out)
}

#[pyfunction]
fn scale_shift<'py>(py: Python<'py>, a: Input<'py>) -> PyResult<Bound<'py, PyArray1<f32>>> {
    let a = a.as_slice()?;
    fresh(py, a.len(), |to| scale_shift_to(a, to))
}

#[pyfunction]
fn multiply_add<'py>(
    py: Python<'py>,
    a: Input<'py>,
    b: Input<'py>,
    c: Input<'py>,
) -> PyResult<Bound<'py, PyArray1<f32>>> {
    let (a, b, c) = (a.as_slice()?, b.as_slice()?, c.as_slice()?);
    fresh(py, a.len(), |to| multiply_add_to(a, b, c, to))
}

#[pyfunction]
fn scale_shift_into(a: Input<'_>, mut out: PyReadwriteArray1<'_, f32>) -> PyResult<()> {
    scale_shift_to(a.as_slice()?, out.as_slice_mut()?)
}

#[pyfunction]
fn multiply_add_into(
    a: Input<'_>,
    b: Input<'_>,
    c: Input<'_>,
    mut out: PyReadwriteArray1<'_, f32>,
) -> PyResult<()> {
    let (a, b, c) = (a.as_slice()?, b.as_slice()?, c.as_slice()?);
    multiply_add_to(a, b, c, out.as_slice_mut()?)
}

#[pymodule]
mod rust_numpy_ext {
    #[pymodule_export]
    use super::{multiply_add, multiply_add_into, scale_shift, scale_shift_into};
}
