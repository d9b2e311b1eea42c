//! Arrays that are the same everywhere.

use pyo3::prelude::*;

use super::Array;
use crate::array::{DType, Shape};
use crate::backend::cpu::Compute;
use crate::error::Error;
use crate::interop::{AnyArray, Output, Precision};

/// `item` again and again, `size` times, in the precision of `dtype`, else of `like`, else single.
pub(super) fn constant<'py>(
    py: Python<'py>,
    item: &[usize],
    values: &[f64],
    size: Option<&[usize]>,
    dtype: Option<&Array<'py>>,
    like: Option<&Array<'py>>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut arrays = Vec::new();
    if let Some(like) = like {
        arrays.push(AnyArray::read("identity", "like", like)?);
    }
    let precision = match (dtype, arrays.first()) {
        (Some(dtype), _) => named(dtype)?,
        (None, Some(like)) => like.precision()?,
        (None, None) => DType::Float32,
    };
    let mut shape = Shape::from_slice(size.unwrap_or(&[]));
    shape.extend_from_slice(item);
    match precision {
        DType::Float64 => filled::<f64>(py, &arrays, shape, values),
        _ => filled::<f32>(py, &arrays, shape, values),
    }
}

fn filled<'py, T: Precision + Compute>(
    py: Python<'py>,
    like: &[AnyArray<'_, 'py>],
    shape: Shape,
    values: &[f64],
) -> PyResult<Bound<'py, PyAny>> {
    let mut output = Output::<T>::new("identity", like, shape, None)?;
    for item in output.as_mut_slice().chunks_exact_mut(values.len()) {
        for (place, &value) in item.iter_mut().zip(values) {
            *place = T::from_f64(value);
        }
    }
    output.finish(py)
}

/// The precision that a dtype of any library names.
fn named(dtype: &Array<'_>) -> PyResult<DType> {
    let text = dtype.str()?.to_string();
    if text.contains("float32") {
        Ok(DType::Float32)
    } else if text.contains("float64") || text == "<class 'float'>" {
        Ok(DType::Float64)
    } else {
        Err(Error::dtype("dtype", "float32 or float64", text).into())
    }
}
