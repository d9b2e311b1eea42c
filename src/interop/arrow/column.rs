//! What a column of numbers looks like, and where its numbers lie.

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};
use arrow_data::ArrayData;
use arrow_schema::DataType;
use arrow_schema::extension::{EXTENSION_TYPE_METADATA_KEY, EXTENSION_TYPE_NAME_KEY};

use super::{Form, check};
use crate::array::{DType, Shape, show_shape};
use crate::error::{Error, Result};
use crate::interop::copies;
use crate::interop::foreign::Foreign;

/// The extension type whose rows are arrays.
pub(super) const TENSOR: &str = "arrow.fixed_shape_tensor";

/// What a column of numbers looks like.
pub(super) struct Column {
    data_type: DataType,
    /// What the numbers are.
    pub(super) dtype: DType,
    /// The lengths of the fixed-size lists, outermost first.
    lists: Vec<usize>,
    /// The shape of one row: that of the tensor extension, or else the lists.
    pub(super) row: Shape,
}

impl Column {
    /// Reads a schema.
    pub(super) fn of(what: &str, schema: &FFI_ArrowSchema) -> Result<(Self, Form)> {
        let refused = |got: &str| {
            Error::dtype(
                what,
                "a column of float32 or float64, or of fixed-size lists of them",
                got,
            )
        };
        check::schema(what, schema)?;
        let data_type = DataType::try_from(schema).map_err(|error| refused(&error.to_string()))?;
        let mut lists = Vec::new();
        let mut level = &data_type;
        while let DataType::FixedSizeList(item, size) = level {
            let size = usize::try_from(*size);
            lists.push(size.map_err(|_| refused("lists of a negative length"))?);
            level = item.data_type();
        }
        let dtype = match level {
            DataType::Float16 => DType::Float16,
            DataType::Float32 => DType::Float32,
            DataType::Float64 => DType::Float64,
            DataType::Int8 => DType::Int8,
            DataType::Int16 => DType::Int16,
            DataType::Int32 => DType::Int32,
            DataType::Int64 => DType::Int64,
            DataType::UInt8 => DType::UInt8,
            DataType::UInt16 => DType::UInt16,
            DataType::UInt32 => DType::UInt32,
            DataType::UInt64 => DType::UInt64,
            DataType::Boolean => return Err(refused("a column of bool")),
            DataType::Dictionary(..) => return Err(refused("a dictionary column")),
            DataType::Struct(_) => {
                return Err(refused(
                    "a table; pass one of its columns, or a column of fixed-size lists",
                ));
            }
            DataType::List(_)
            | DataType::LargeList(_)
            | DataType::ListView(_)
            | DataType::LargeListView(_) => {
                return Err(refused(
                    "a column of lists of any length; cast it to fixed-size lists first",
                ));
            }
            other => return Err(refused(&format!("a column of {other}"))),
        };
        let mut row: Shape = lists.iter().copied().collect();
        let mut form = if lists.len() > 1 {
            Form::Nested
        } else {
            Form::Tensor
        };
        // Not to be ignored where it cannot be read: it may permute the axes.
        let metadata = schema
            .metadata()
            .map_err(|error| Error::value(what, format!("the column's metadata: {error}")))?;
        if metadata.get(EXTENSION_TYPE_NAME_KEY).map(String::as_str) == Some(TENSOR)
            && let Some(text) = metadata.get(EXTENSION_TYPE_METADATA_KEY)
        {
            form = Form::Tensor;
            row = tensor_shape(what, text)?;
            let (inside, claimed) = (product(&lists), product(&row));
            if inside.is_none() || inside != claimed {
                let (row, lists) = (show_shape(&row), show_shape(&lists));
                let problem = format!("a tensor column of shape {row} over lists of {lists}");
                return Err(Error::value(what, problem));
            }
        }
        let column = Self {
            data_type,
            dtype,
            lists,
            row,
        };
        Ok((column, form))
    }

    /// Takes a chunk over.
    ///
    /// # Safety
    /// An array that its producer filled for the schema that this column was read from.
    pub(super) unsafe fn read(&self, what: &str, chunk: FFI_ArrowArray) -> Result<ArrayData> {
        let numbers = check::array(what, &chunk, &self.lists, self.dtype.size())?;
        // SAFETY: the caller's promise; what can be checked was.
        let data = unsafe { from_ffi_and_data_type(chunk, self.data_type.clone()) }
            .map_err(|error| Error::value(what, error))?;
        let mut level = &data;
        while let [inner] = level.child_data() {
            level = inner;
        }
        if let [buffer] = level.buffers()
            && buffer.as_ptr() != numbers
            && !buffer.is_empty()
        {
            // arrow-rs copies numbers that are not aligned.
            copies::count(buffer.len());
        }
        Ok(data)
    }

    /// Finds the numbers of one chunk, whose first row is row `first_row` of the column.
    ///
    /// # Safety
    /// A chunk that [`Self::read`] took over, kept for as long as the result is used.
    pub(super) unsafe fn locate(
        &self,
        what: &str,
        chunk: &ArrayData,
        first_row: usize,
    ) -> Result<Foreign> {
        let mut level = chunk;
        // The part of the current level that the rows cover.
        let (mut start, mut length) = (0, chunk.len());
        let mut per_row = 1_usize;
        for &size in &self.lists {
            refuse_nulls(what, level, start, length, per_row, first_row)?;
            // Saturating only where nothing is read: `check` saw that the child has so many elements.
            start = level.offset().saturating_add(start).saturating_mul(size);
            length *= size;
            per_row = per_row.saturating_mul(size);
            level = &level.child_data()[0];
        }
        refuse_nulls(what, level, start, length, per_row, first_row)?;
        let mut shape = Shape::from_slice(&[chunk.len()]);
        shape.extend_from_slice(&self.row);
        let numbers = &level.buffers()[0];
        let before = level.offset().saturating_add(start);
        let bytes = before.saturating_mul(self.dtype.size());
        let pointer = numbers.as_ptr().wrapping_add(bytes);
        // SAFETY: the numbers of `length` elements, which `check` saw to be there; the caller keeps
        // the chunk, and the chunk what the producer gave.
        let mut foreign = unsafe { Foreign::checked(what, pointer, self.dtype, shape, None)? };
        foreign.read_only = true;
        Ok(foreign)
    }
}

/// Refuses a null among the elements `start .. start + length` of a level, naming its row.
fn refuse_nulls(
    what: &str,
    level: &ArrayData,
    start: usize,
    length: usize,
    per_row: usize,
    first_row: usize,
) -> Result<()> {
    let Some(nulls) = level.nulls() else {
        return Ok(());
    };
    match (0..length).find(|index| nulls.is_null(start + index)) {
        None => Ok(()),
        Some(index) => Err(Error::value(
            what,
            format!(
                "row {} of the column is null (or holds one); fill or drop it first",
                first_row + index / per_row
            ),
        )),
    }
}

fn product(sizes: &[usize]) -> Option<usize> {
    sizes
        .iter()
        .try_fold(1_usize, |all, &size| all.checked_mul(size))
}

/// The shape that the tensor extension's metadata gives, where it is row-major.
fn tensor_shape(what: &str, text: &str) -> Result<Shape> {
    let bad = |got: String| Error::value(what, got);
    let value: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| bad(format!("the tensor column's metadata is not JSON: {error}")))?;
    if let Some(order) = value.get("permutation").and_then(|order| order.as_array()) {
        let in_order = order
            .iter()
            .enumerate()
            .all(|(place, axis)| axis.as_u64() == Some(place as u64));
        if !in_order {
            return Err(bad(
                "the tensor column permutes its axes; store it in row-major order".into(),
            ));
        }
    }
    let sizes = value.get("shape").and_then(|shape| shape.as_array());
    let shape: Option<Shape> = sizes.and_then(|sizes| {
        sizes
            .iter()
            .map(|size| size.as_u64().map(|size| size as usize))
            .collect()
    });
    shape.ok_or_else(|| bad("the tensor column's metadata has no shape".into()))
}
