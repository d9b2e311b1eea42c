//! A table of one column as that column: what DuckDB calls a relation has no columns to pass.

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};

use super::capsule::Held;
use super::check;
use crate::error::{Error, Result};

/// The one column of a stream of batches; the batches are released.
pub(super) fn only_column(
    what: &str,
    schema: FFI_ArrowSchema,
    batches: Vec<FFI_ArrowArray>,
) -> Result<(FFI_ArrowSchema, Vec<FFI_ArrowArray>)> {
    check::schema(what, &schema)?;
    let field = check::only_field(&schema)
        .map_err(|width| Error::dtype(what, "a relation of one column", width))?;
    // SAFETY: a live child; the interface lets a consumer move it out before it releases the parent.
    let column = unsafe { FFI_ArrowSchema::moved(field) };
    let mut columns = Vec::with_capacity(batches.len());
    for batch in batches {
        let child = check::only_child(&batch)
            .ok_or_else(|| Error::value(what, "an Arrow batch that contradicts its schema"))?;
        // SAFETY: as above.
        columns.push(unsafe { FFI_ArrowArray::moved(child) });
    }
    Ok((column, columns))
}
