//! Columns that come in.

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_data::ArrayData;
use pyo3::intern;
use pyo3::prelude::*;

use super::column::Column;
use super::{Form, Library, capsule, table};
use crate::array::Shape;
use crate::error::{Error, Result};
use crate::interop::copies;
use crate::interop::foreign::Foreign;
use crate::interop::memory::Block;

/// A column that came in: where its numbers lie, and what keeps them there.
pub struct Imported {
    foreign: Foreign,
    _chunk: Option<ArrayData>,
    _joined: Option<Block>,
}

impl std::fmt::Debug for Imported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Imported").field(&self.foreign).finish()
    }
}

impl Imported {
    /// Where the numbers lie.
    #[must_use]
    pub fn foreign(&self) -> &Foreign {
        &self.foreign
    }
}

/// Whether the object speaks the PyCapsule protocol, or is a column that others make speak it.
///
/// # Errors
/// Where looking for an attribute fails.
pub fn speaks(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = object.py();
    Ok(object.hasattr(intern!(py, "__arrow_c_array__"))?
        || object.hasattr(intern!(py, "__arrow_c_stream__"))?
        || is_silent_series(object)?)
}

/// Reads an object that [`speaks`] the PyCapsule protocol.
///
/// # Errors
/// [`crate::error::Error::Value`] naming the row of a null, [`crate::error::Error::DType`] for columns
/// of anything but numbers.
pub fn import(what: &str, object: &Bound<'_, PyAny>) -> PyResult<(Imported, Library, Form)> {
    let py = object.py();
    let (mut schema, mut arrays) = if object.hasattr(intern!(py, "__arrow_c_array__"))? {
        let pair = object.call_method0(intern!(py, "__arrow_c_array__"))?;
        let Ok((schema, array)) = pair.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>() else {
            let problem = "__arrow_c_array__ returned something that is not a pair of capsules";
            return Err(Error::value(what, problem).into());
        };
        let schema = capsule::take(what, &schema)?;
        (schema, vec![capsule::take(what, &array)?])
    } else if object.hasattr(intern!(py, "__arrow_c_stream__"))? {
        let stream = object.call_method0(intern!(py, "__arrow_c_stream__"))?;
        capsule::drain(what, capsule::take::<FFI_ArrowArrayStream>(what, &stream)?)?
    } else {
        let column = py
            .import(intern!(py, "pyarrow"))?
            .call_method1(intern!(py, "array"), (object,))?;
        let (imported, _, form) = import(what, &column)?;
        return Ok((imported, Library::Pandas, form));
    };
    let library = Library::of(object)?;
    if library == Library::DuckDb {
        (schema, arrays) = table::only_column(what, schema, arrays)?;
    }
    // SAFETY: as their producer gave them.
    let (imported, form) = unsafe { adopt(what, &schema, arrays)? };
    Ok((imported, library, form))
}

/// Takes over a column that is there as structures of the C data interface: a schema and its chunks.
///
/// # Safety
/// The structures are live, and what their pointers point at is there in the numbers that they give.
/// Numbers that contradict each other or the schema are refused.
///
/// # Errors
/// As [`import`].
pub unsafe fn adopt(
    what: &str,
    schema: &FFI_ArrowSchema,
    arrays: Vec<FFI_ArrowArray>,
) -> Result<(Imported, Form)> {
    let (column, form) = Column::of(what, schema)?;
    let mut chunks = Vec::with_capacity(arrays.len());
    let mut parts = Vec::with_capacity(arrays.len());
    let mut rows = 0;
    for array in arrays {
        // SAFETY: the caller's promise; the chunks are kept beside the parts.
        unsafe {
            let chunk = column.read(what, array)?;
            let part = column.locate(what, &chunk, rows)?;
            rows += chunk.len();
            parts.push(part);
            chunks.push(chunk);
        }
    }
    // Chunks without rows, which slicing and filtering leave behind, are no reason to join.
    if let Some(only) = only_with_rows(&chunks) {
        parts = vec![parts.swap_remove(only)];
        chunks = vec![chunks.swap_remove(only)];
    }
    let imported = match <[Foreign; 1]>::try_from(parts) {
        Ok([foreign]) => Imported {
            foreign,
            _chunk: chunks.pop(),
            _joined: None,
        },
        Err(parts) => join(what, &column, &parts)?,
    };
    Ok((imported, form))
}

/// Whether it is a Series of a pandas before 3.0, which does not speak the protocol; pyarrow finds the
/// column in it.
fn is_silent_series(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(object.get_type().name()? == "Series" && Library::of(object)? == Library::Pandas)
}

/// The one chunk that has rows.
fn only_with_rows(chunks: &[ArrayData]) -> Option<usize> {
    let mut with_rows = (0..chunks.len()).filter(|&index| !chunks[index].is_empty());
    with_rows.next().filter(|_| with_rows.next().is_none())
}

/// Several chunks as one piece of memory: a documented copy.
fn join(what: &str, column: &Column, parts: &[Foreign]) -> Result<Imported> {
    let bytes: usize = parts
        .iter()
        .map(|part| part.len() * part.dtype().size())
        .sum();
    let mut block = Block::new(bytes, 0);
    let mut rest = block.as_mut_slice::<u8>();
    let mut rows = 0;
    for part in parts {
        let size = part.len() * part.dtype().size();
        if size > 0 {
            // SAFETY: `locate` made contiguous memory of this size out of what the producer filled.
            let from = unsafe { std::slice::from_raw_parts(part.pointer(), size) };
            rest[..size].copy_from_slice(from);
            rest = &mut rest[size..];
        }
        rows += part.shape()[0];
    }
    if bytes > 0 {
        copies::count(bytes);
    }
    let mut shape = Shape::from_slice(&[rows]);
    shape.extend_from_slice(&column.row);
    // SAFETY: the block is kept beside the description.
    let mut foreign = unsafe { Foreign::checked(what, block.as_ptr(), column.dtype, shape, None)? };
    foreign.read_only = true;
    Ok(Imported {
        foreign,
        _chunk: None,
        _joined: Some(block),
    })
}
