//! Constant values of nouns, in and out: what a constructor is given, what a property hands back.

use numpy::ndarray::ArrayView;
use numpy::{Element as NumpyElement, PyArray, PyArrayMethods, PyUntypedArray};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::array::{DType, Shape, show_shape};
use crate::character::Reals;
use crate::error::{Error, Result};
use crate::python::array_in::ArrayIn;
use crate::python::error::to_py;

/// Real numbers from any array, in the precision they come in (half becomes single), and their shape.
pub fn reals(object: &Bound<'_, PyAny>, what: &'static str) -> PyResult<(Reals, Shape)> {
    let array = ArrayIn::extract(object, what)?;
    let shape = Shape::from_slice(array.foreign().shape());
    let reals = match array.foreign().dtype() {
        DType::Float64 => array.foreign().to_reals::<f64>(what).map(Reals::from),
        DType::Float32 | DType::Float16 | DType::BFloat16 => {
            array.foreign().to_reals::<f32>(what).map(Reals::from)
        }
        // Whole numbers in a constructor are numbers, as in `Joint(..., [0, 0, 0, 1], [0, 1, 0])`.
        _ => array
            .foreign()
            .to_integers(what)
            .map(|values| values.into_iter().map(|x| x as f64).collect::<Vec<_>>().into()),
    };
    Ok((reals.map_err(to_py)?, shape))
}

/// Exactly `N` real numbers.
pub fn fixed<const N: usize>(object: &Bound<'_, PyAny>, what: &'static str) -> PyResult<[f64; N]> {
    let (reals, shape) = reals(object, what)?;
    let numbers: Vec<f64> = reals.iter().collect();
    numbers.try_into().map_err(|_| {
        to_py(Error::shape(
            what,
            format!("{N} numbers"),
            format!("shape {}", show_shape(&shape)),
        ))
    })
}

/// A row-major 4x4 matrix.
pub fn matrix4(object: &Bound<'_, PyAny>, what: &'static str) -> PyResult<[f64; 16]> {
    let (reals, shape) = reals(object, what)?;
    require(what, &shape, &[Some(4), Some(4)], "(4, 4)").map_err(to_py)?;
    let numbers: Vec<f64> = reals.iter().collect();
    Ok(std::array::from_fn(|at| numbers[at]))
}

/// Whole numbers from any integer array or list, and their shape.
pub fn integers(object: &Bound<'_, PyAny>, what: &'static str) -> PyResult<(Vec<i64>, Shape)> {
    let array = ArrayIn::extract_integers(object, what)?;
    let shape = Shape::from_slice(array.foreign().shape());
    Ok((array.foreign().to_integers(what).map_err(to_py)?, shape))
}

/// Indices that are not negative.
pub fn indices(object: &Bound<'_, PyAny>, what: &'static str) -> PyResult<(Vec<u32>, Shape)> {
    let (values, shape) = integers(object, what)?;
    let indices = values.into_iter().map(|value| {
        u32::try_from(value).map_err(|_| Error::value(what, format!("{value} is not an index")))
    });
    Ok((indices.collect::<Result<_>>().map_err(to_py)?, shape))
}

/// Triangles: `(n, 3)` indices.
pub fn triangles(object: &Bound<'_, PyAny>, what: &'static str) -> PyResult<Vec<[u32; 3]>> {
    let (indices, shape) = indices(object, what)?;
    if !(indices.is_empty() && shape.len() <= 1) {
        require(what, &shape, &[None, Some(3)], "(n_faces, 3)").map_err(to_py)?;
    }
    Ok(indices.as_chunks().0.to_vec())
}

/// Truth values from a bool array or list.
pub fn mask(object: &Bound<'_, PyAny>, what: &'static str, length: usize) -> PyResult<Vec<bool>> {
    let values: Vec<bool> = match object.extract::<Vec<bool>>() {
        Ok(values) => values,
        Err(_) => {
            let array = ArrayIn::extract_integers(object, what)?;
            array.foreign().to_bools(what).map_err(to_py)?
        }
    };
    if values.len() != length {
        return Err(to_py(Error::shape(
            what,
            format!("({length},) = (n_parameters,)"),
            show_shape(&[values.len()]),
        )));
    }
    Ok(values)
}

/// Checks a shape against sizes; `None` is any size.
pub fn require(what: &str, shape: &[usize], sizes: &[Option<usize>], words: &str) -> Result<()> {
    let fits = shape.len() == sizes.len()
        && shape
            .iter()
            .zip(sizes)
            .all(|(&size, want)| want.is_none_or(|want| want == size));
    if fits {
        return Ok(());
    }
    Err(Error::shape(what, words, show_shape(shape)))
}

/// A read-only NumPy view of constant data that `owner` keeps alive.
pub fn view<'py, T: NumpyElement>(
    owner: &Bound<'py, PyAny>,
    data: &[T],
    shape: &[usize],
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let view = ArrayView::from_shape(shape.to_vec(), data)
        .map_err(|error| to_py(Error::shape("property", "consistent data", error)))?;
    // SAFETY: nouns are frozen, so `data` neither moves nor changes while `owner` lives, and the array
    // holds a reference to `owner`; nobody can write through it because it is made read-only at once.
    let array = unsafe { PyArray::borrow_from_array(&view, owner.clone()) };
    array.try_readwrite()?.make_nonwriteable();
    Ok(array.as_untyped().clone())
}

/// A read-only NumPy view of [`Reals`], in the precision they were given in.
pub fn view_reals<'py>(
    owner: &Bound<'py, PyAny>,
    data: &Reals,
    shape: &[usize],
) -> PyResult<Bound<'py, PyUntypedArray>> {
    match data.dtype() {
        DType::Float64 => view(owner, data.as_f64(), shape),
        _ => view(owner, data.as_f32(), shape),
    }
}

/// A fresh NumPy array.
pub fn fresh<'py, T: NumpyElement>(
    py: Python<'py>,
    data: Vec<T>,
    shape: &[usize],
) -> PyResult<Bound<'py, PyUntypedArray>> {
    let array = PyArray::from_vec(py, data);
    Ok(array.reshape(shape.to_vec())?.as_untyped().clone())
}

/// The closest of `names` to a name that is not among them, as an addition to an error message.
pub fn did_you_mean<'a>(name: &str, names: impl Iterator<Item = &'a str>, py: Python<'_>) -> String {
    let close = PyList::new(py, names.collect::<Vec<_>>()).and_then(|names| {
        py.import("difflib")?
            .call_method1("get_close_matches", (name, names, 1))?
            .extract::<Vec<String>>()
    });
    match close.as_deref() {
        Ok([best, ..]) => format!("; did you mean '{best}'?"),
        _ => String::new(),
    }
}
