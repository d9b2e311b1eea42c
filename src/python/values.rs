//! Constant values of nouns, in and out: what a constructor is given, what a property hands back.

use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::array::{DType, Element, Shape, show_shape};
use crate::character::Reals;
use crate::error::{Error, Result};
use crate::interop::memory::Block;
use crate::interop::output;
use crate::interop::{AnyArray, Kind};
use crate::interop::{list, numpy};

/// Real numbers from any array, in the precision they come in (half becomes single), and their shape.
/// Whole numbers in a constructor are numbers too, as in `Joint(..., [0, 0, 0, 1], [0, 1, 0])`.
pub fn reals(object: &Bound<'_, PyAny>, what: &'static str) -> PyResult<(Reals, Shape)> {
    let array = AnyArray::extract(object, what)?;
    let shape = Shape::from_slice(array.memory().shape());
    let reals = match array.memory().dtype() {
        dtype if dtype.is_integer() => {
            let whole = array.memory().to_integers(what)?;
            whole
                .into_iter()
                .map(|x| x as f64)
                .collect::<Vec<_>>()
                .into()
        }
        DType::Float64 => array.memory().to_reals::<f64>(what)?.into(),
        _ => array.memory().to_reals::<f32>(what)?.into(),
    };
    Ok((reals, shape))
}

/// Exactly `N` real numbers.
pub fn fixed<const N: usize>(object: &Bound<'_, PyAny>, what: &'static str) -> PyResult<[f64; N]> {
    let (reals, shape) = reals(object, what)?;
    let numbers: Vec<f64> = reals.iter().collect();
    numbers.try_into().map_err(|_| {
        PyErr::from(Error::shape(
            what,
            format!("{N} numbers"),
            format!("shape {}", show_shape(&shape)),
        ))
    })
}

/// A row-major 4x4 matrix.
pub fn matrix4(object: &Bound<'_, PyAny>, what: &'static str) -> PyResult<[f64; 16]> {
    let (reals, shape) = reals(object, what)?;
    require(what, &shape, &[Some(4), Some(4)], "(4, 4)")?;
    let numbers: Vec<f64> = reals.iter().collect();
    Ok(std::array::from_fn(|at| numbers[at]))
}

/// Indices from any integer array or list, and their shape.
pub fn indices(object: &Bound<'_, PyAny>, what: &'static str) -> PyResult<(Vec<u32>, Shape)> {
    let array = AnyArray::extract_integers(object, what)?;
    let shape = Shape::from_slice(array.memory().shape());
    let indices = array.memory().to_integers(what)?.into_iter().map(|value| {
        u32::try_from(value).map_err(|_| Error::value(what, format!("{value} is not an index")))
    });
    Ok((indices.collect::<Result<_>>()?, shape))
}

/// A list of joints: `(n,)` indices.
pub fn joints(object: &Bound<'_, PyAny>, what: &'static str) -> PyResult<Vec<usize>> {
    let (indices, shape) = indices(object, what)?;
    require(what, &shape, &[None], "(n_joints,)")?;
    Ok(indices.into_iter().map(|index| index as usize).collect())
}

/// Triangles: `(n, 3)` indices.
pub fn triangles(object: &Bound<'_, PyAny>, what: &'static str) -> PyResult<Vec<[u32; 3]>> {
    let (indices, shape) = indices(object, what)?;
    if !(indices.is_empty() && shape.len() <= 1) {
        require(what, &shape, &[None, Some(3)], "(n_faces, 3)")?;
    }
    Ok(indices.as_chunks().0.to_vec())
}

/// Truth values from a bool array or list.
pub fn mask(object: &Bound<'_, PyAny>, what: &'static str, length: usize) -> PyResult<Vec<bool>> {
    mask_over(object, what, length, "n_parameters")
}

/// The same, one for each of what `axis` counts.
pub fn mask_over(
    object: &Bound<'_, PyAny>,
    what: &'static str,
    length: usize,
    axis: &str,
) -> PyResult<Vec<bool>> {
    let values = match list::speaks(object) {
        true => list::bools(what, object)?.values,
        false => AnyArray::extract(object, what)?.memory().to_bools(what)?,
    };
    if values.len() != length {
        return Err(PyErr::from(Error::shape(
            what,
            format!("({length},) = ({axis},)"),
            show_shape(&[values.len()]),
        )));
    }
    Ok(values)
}

/// RGB colours: `(..., 3)` whole numbers from 0 to 255, and their shape without the last axis.
pub fn colors(
    object: &Bound<'_, PyAny>,
    what: &'static str,
    axes: usize,
    words: &str,
) -> PyResult<(Vec<[u8; 3]>, Shape)> {
    let (flat, shape) = indices(object, what)?;
    if shape.len() != axes || shape.last() != Some(&3) {
        return Err(Error::shape(what, words, show_shape(&shape)).into());
    }
    let byte = |c: u32| {
        u8::try_from(c).map_err(|_| Error::value(what, format!("expected 0 to 255, got {c}")))
    };
    let bytes: Vec<u8> = flat.into_iter().map(byte).collect::<Result<_>>()?;
    Ok((
        bytes.as_chunks().0.to_vec(),
        Shape::from_slice(&shape[..axes - 1]),
    ))
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

/// A read-only NumPy view of constant data that `owner`, one of our frozen objects, holds.
pub fn view<'py, T: Element>(
    owner: &Bound<'py, PyAny>,
    data: &[T],
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: our objects are frozen: what they hold neither moves nor changes while they live.
    unsafe { numpy::view_of(owner, data, shape) }
}

/// A read-only NumPy view of [`Reals`], in the precision they were given in.
pub fn view_reals<'py>(
    owner: &Bound<'py, PyAny>,
    data: &Reals,
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    match data.dtype() {
        DType::Float64 => view(owner, data.as_f64(), shape),
        _ => view(owner, data.as_f32(), shape),
    }
}

/// A fresh NumPy array.
pub fn fresh<'py, T: Element + bytemuck::Pod>(
    py: Python<'py>,
    data: Vec<T>,
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    let mut block = Block::new(size_of_val(&data[..]), 0);
    block.as_mut_slice::<T>().copy_from_slice(&data);
    output::hand_over(py, Kind::Numbers, None, block, T::DTYPE, shape)
}

/// A fresh NumPy array of truth values.
pub fn fresh_mask(py: Python<'_>, mask: Vec<bool>) -> PyResult<Bound<'_, PyAny>> {
    let length = mask.len();
    let bytes = mask.into_iter().map(u8::from).collect();
    fresh::<u8>(py, bytes, &[length])?.call_method1("view", ("bool",))
}

/// The closest of `names` to a name that is not among them, as an addition to an error message.
pub fn did_you_mean<'a>(
    name: &str,
    names: impl Iterator<Item = &'a str>,
    py: Python<'_>,
) -> String {
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
