//! `__array_interface__`, NumPy's protocol from before there were others, for objects that speak
//! nothing else.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::array::{DType, Shape, Strides};
use crate::error::Error;
use crate::interop::foreign::Foreign;
use crate::interop::pybuffer::{self, PyBuffer};

/// Reads an object that has `__array_interface__`; `None` where it has not. The buffer, where there is
/// one, holds the memory; otherwise the object does.
///
/// # Errors
/// [`Error::Value`] for a description that contradicts itself, [`Error::DType`] for elements that are
/// not numbers.
pub fn import(
    what: &str,
    object: &Bound<'_, PyAny>,
) -> PyResult<Option<(Foreign, Option<PyBuffer>)>> {
    let py = object.py();
    let name = intern!(py, "__array_interface__");
    if !object.hasattr(name)? {
        return Ok(None);
    }
    let bad = |problem: String| Error::value(what, format!("__array_interface__: {problem}"));
    let found = object.getattr(name)?;
    let interface = found
        .cast::<PyDict>()
        .map_err(|_| bad("expected a dict".into()))?;
    let get = |key: &str| -> PyResult<Option<Bound<'_, PyAny>>> {
        Ok(interface.get_item(key)?.filter(|value| !value.is_none()))
    };
    if get("mask")?.is_some() {
        return Err(bad("the array is masked; fill the mask first".into()).into());
    }
    let numbers = |key: &str| -> PyResult<Option<Vec<i64>>> {
        let Some(value) = get(key)? else {
            return Ok(None);
        };
        let read = value
            .cast::<PyTuple>()
            .ok()
            .and_then(|it| it.extract().ok());
        let wrong = || bad(format!("expected '{key}' to be a tuple of integers"));
        Ok(Some(read.ok_or_else(wrong)?))
    };
    let sizes = numbers("shape")?.ok_or_else(|| bad("'shape' is missing".into()))?;
    let shape: Option<Shape> = sizes.iter().map(|&size| size.try_into().ok()).collect();
    let shape = shape.ok_or_else(|| bad(format!("the shape {sizes:?} has a negative size")))?;
    let strides: Option<Strides> =
        numbers("strides")?.map(|steps| steps.iter().map(|&step| step as isize).collect());
    let code: Option<String> = get("typestr")?.and_then(|code| code.extract().ok());
    let code = code.ok_or_else(|| bad("'typestr' is missing".into()))?;
    let Some((dtype, swapped)) = element(&code) else {
        return Err(Error::dtype(what, "float32 or float64", format!("typestr '{code}'")).into());
    };
    let Some(data) = get("data")? else {
        return Err(bad("'data' is missing".into()).into());
    };
    let (pointer, read_only, buffer) = if let Ok(pair) = data.cast::<PyTuple>() {
        let read = || -> PyResult<(usize, bool)> {
            Ok((pair.get_item(0)?.extract()?, pair.get_item(1)?.is_truthy()?))
        };
        let (address, read_only) =
            read().map_err(|_| bad("expected 'data' to be (address, read_only)".into()))?;
        (std::ptr::with_exposed_provenance(address), read_only, None)
    } else {
        let offset: usize = match get("offset")? {
            Some(offset) => offset
                .extract()
                .map_err(|_| bad("expected 'offset' to be a number of bytes".into()))?,
            None => 0,
        };
        let buffer = pybuffer::bytes(&data)?;
        let (start, length) = buffer.extent();
        if offset > length {
            return Err(bad(format!("the offset {offset} lies past {length} bytes")).into());
        }
        (start.wrapping_add(offset), buffer.read_only(), Some(buffer))
    };
    // SAFETY: the object keeps the memory that it points at, which is the protocol; the buffer's is
    // looked at below.
    let mut foreign = unsafe { Foreign::checked(what, pointer, dtype, shape, strides)? };
    if let Some(buffer) = &buffer
        && !foreign.is_empty()
    {
        let (start, length) = buffer.extent();
        let (first, end) = foreign.span();
        if first < start.addr() || end > start.addr() + length {
            return Err(bad(format!(
                "the array reaches past its buffer of {length} bytes"
            ))
            .into());
        }
    }
    foreign.read_only = read_only;
    foreign.swapped = swapped;
    Ok(Some((foreign, buffer)))
}

/// The element type of a `typestr` like `<f4`, and whether its bytes are swapped.
fn element(code: &str) -> Option<(DType, bool)> {
    let dtype = match code.get(1..)? {
        "f2" => DType::Float16,
        "f4" => DType::Float32,
        "f8" => DType::Float64,
        "b1" => DType::Bool,
        "i1" => DType::Int8,
        "i2" => DType::Int16,
        "i4" => DType::Int32,
        "i8" => DType::Int64,
        "u1" => DType::UInt8,
        "u2" => DType::UInt16,
        "u4" => DType::UInt32,
        "u8" => DType::UInt64,
        "c8" => DType::Complex64,
        "c16" => DType::Complex128,
        _ => return None,
    };
    let native = if cfg!(target_endian = "little") {
        b'<'
    } else {
        b'>'
    };
    match code.as_bytes()[0] {
        b'|' if dtype.size() == 1 => Some((dtype, false)),
        b'=' => Some((dtype, false)),
        order @ (b'<' | b'>') => Some((dtype, order != native && dtype.size() > 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_codes_are_read_with_their_byte_order() {
        let native = cfg!(target_endian = "little");
        assert_eq!(element("<f4"), Some((DType::Float32, !native)));
        assert_eq!(element(">f8"), Some((DType::Float64, native)));
        assert_eq!(element("|b1"), Some((DType::Bool, false)));
        assert_eq!(element(">u1"), Some((DType::UInt8, false)));
        for wrong in ["", "f", "f4", "|f4", "<f16", "<V2", "<M8[s]", "é4"] {
            assert_eq!(element(wrong), None, "{wrong}");
        }
    }
}
