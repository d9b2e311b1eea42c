//! Our memory described as a column.

use std::ptr::NonNull;
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_schema::extension::{EXTENSION_TYPE_METADATA_KEY, EXTENSION_TYPE_NAME_KEY};
use arrow_schema::{ArrowError, DataType, Field};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::column::TENSOR;
use super::{Form, capsule};
use crate::array::DType;
use crate::error::{Error, Result};
use crate::interop::copies;
use crate::interop::foreign::Foreign;
use crate::interop::storage::Storage;

/// The pair of capsules that `__arrow_c_array__` returns.
///
/// # Errors
/// [`Error::DType`] for element types that Arrow does not have.
pub fn export_capsules<'py>(
    py: Python<'py>,
    storage: &Arc<Storage>,
    memory: &Foreign,
    form: Form,
) -> PyResult<Bound<'py, PyTuple>> {
    let wrong = |error: ArrowError| Error::value("Arrow column", error);
    let (field, data) =
        describe(storage, memory, data_type(memory.dtype())?, form).map_err(wrong)?;
    let schema = FFI_ArrowSchema::try_from(&field).map_err(wrong)?;
    capsule::give(py, schema, FFI_ArrowArray::new(&data))
}

fn data_type(dtype: DType) -> Result<DataType> {
    Ok(match dtype {
        DType::Float16 => DataType::Float16,
        DType::Float32 => DataType::Float32,
        DType::Float64 => DataType::Float64,
        DType::Int32 => DataType::Int32,
        DType::Int64 => DataType::Int64,
        DType::Bool => DataType::Boolean,
        other => {
            return Err(Error::dtype(
                "Arrow column",
                "a dtype that Arrow has",
                other,
            ));
        }
    })
}

/// A row-major array as a column over the same memory.
fn describe(
    storage: &Arc<Storage>,
    memory: &Foreign,
    data_type: DataType,
    form: Form,
) -> std::result::Result<(Field, ArrayData), ArrowError> {
    let (rows, row) = match memory.shape() {
        [] => (1, &[][..]),
        [rows, row @ ..] => (*rows, row),
    };
    let count: usize = row.iter().product();
    let bytes = memory.len() * memory.dtype().size();
    let start = memory.pointer().cast_mut();
    // Empty arrays may lie nowhere at all; Arrow wants an address even then.
    let buffer = match NonNull::new(start).filter(|_| bytes > 0) {
        // Arrow keeps eight truth values in a byte.
        Some(start) if memory.dtype() == DType::Bool => {
            copies::count(bytes);
            // SAFETY: row-major memory of this size; bytes in which we wrote truth values.
            let flags = unsafe { std::slice::from_raw_parts(start.as_ptr(), bytes) };
            let packed = flags.chunks(8).map(|eight| {
                let bits = eight.iter().enumerate();
                bits.fold(0_u8, |byte, (bit, &flag)| byte | u8::from(flag != 0) << bit)
            });
            Buffer::from_vec(packed.collect::<Vec<u8>>())
        }
        None => Buffer::from_vec(Vec::<u64>::new()),
        // SAFETY: row-major memory of this size, and its storage as the owner.
        Some(start) => unsafe {
            Buffer::from_custom_allocation(start, bytes, Arc::clone(storage) as _)
        },
    };
    let mut data = ArrayData::builder(data_type)
        .len(rows * count)
        .add_buffer(buffer)
        .build()?;
    // Tensors are of numbers with a width in bytes.
    let tensor = form == Form::Tensor && !row.is_empty() && memory.dtype() != DType::Bool;
    let lists = if tensor { &[count] } else { row };
    for (depth, &size) in lists.iter().enumerate().rev() {
        let size = i32::try_from(size).map_err(|_| {
            ArrowError::InvalidArgumentError(format!("lists of {size} are too long for Arrow"))
        })?;
        let item = Field::new("item", data.data_type().clone(), false);
        data = ArrayData::builder(DataType::FixedSizeList(Arc::new(item), size))
            .len(rows * lists[..depth].iter().product::<usize>())
            .add_child_data(data)
            .build()?;
    }
    let mut field = Field::new("item", data.data_type().clone(), false);
    if tensor {
        let sizes: Vec<String> = row.iter().map(ToString::to_string).collect();
        let text = format!("{{\"shape\":[{}]}}", sizes.join(","));
        field = field.with_name("").with_metadata([
            (EXTENSION_TYPE_NAME_KEY, TENSOR),
            (EXTENSION_TYPE_METADATA_KEY, &text),
        ]);
    }
    Ok((field, data))
}
