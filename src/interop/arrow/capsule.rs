//! The structures of the C interfaces, out of capsules and into them.

use std::ffi::{CStr, c_int};

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

use crate::error::Error;

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";

/// A structure that a capsule can hold, and that its owner drops by the producer's function.
pub(super) trait Held: Sized {
    /// What such capsules are called.
    const NAME: &'static CStr;
    /// Moves the structure out, which leaves a released one.
    ///
    /// # Safety
    /// `pointer` points at a live structure.
    unsafe fn moved(pointer: *mut Self) -> Self;
    /// Whether it was released, or moved away.
    fn is_gone(&self) -> bool;
}

macro_rules! held {
    ($kind:ty, $name:expr) => {
        impl Held for $kind {
            const NAME: &'static CStr = $name;
            unsafe fn moved(pointer: *mut Self) -> Self {
                // SAFETY: the caller's promise.
                unsafe { Self::from_raw(pointer) }
            }
            fn is_gone(&self) -> bool {
                self.release().is_none()
            }
        }
    };
}
held!(FFI_ArrowSchema, SCHEMA);
held!(FFI_ArrowArray, ARRAY);
held!(FFI_ArrowArrayStream, c"arrow_array_stream");

/// Moves a structure out of its capsule, which then holds a released one.
pub(super) fn take<T: Held>(what: &str, capsule: &Bound<'_, PyAny>) -> PyResult<T> {
    let name = T::NAME.to_string_lossy();
    let wrong = || Error::value(what, format!("expected an Arrow capsule named '{name}'"));
    let capsule = capsule.cast::<PyCapsule>().map_err(|_| wrong())?;
    let pointer = capsule
        .pointer_checked(Some(T::NAME))
        .map_err(|_| wrong())?;
    let pointer = pointer.cast::<T>();
    // SAFETY: a capsule of this name holds this structure, and moving it out is how the protocol
    // hands ownership over.
    let structure = unsafe { T::moved(pointer.as_ptr()) };
    if structure.is_gone() {
        return Err(Error::value(what, "an Arrow capsule that was used before").into());
    }
    Ok(structure)
}

/// The pair that `__arrow_c_array__` returns. A capsule that nobody takes from releases what it holds.
pub(super) fn give(
    py: Python<'_>,
    schema: FFI_ArrowSchema,
    array: FFI_ArrowArray,
) -> PyResult<Bound<'_, PyTuple>> {
    let schema = PyCapsule::new_with_value(py, schema, SCHEMA)?;
    let array = PyCapsule::new_with_value(py, array, ARRAY)?;
    PyTuple::new(py, [schema, array])
}

/// Everything that a stream holds.
pub(super) fn drain(
    what: &str,
    mut stream: FFI_ArrowArrayStream,
) -> PyResult<(FFI_ArrowSchema, Vec<FFI_ArrowArray>)> {
    let (Some(get_schema), Some(get_next)) = (stream.get_schema(), stream.get_next()) else {
        return Err(Error::value(what, "an Arrow stream without functions").into());
    };
    let mut schema = FFI_ArrowSchema::empty();
    // SAFETY: the producer's function on its stream, with room for what it writes.
    let code = unsafe { get_schema(&raw mut stream, &raw mut schema) };
    if code != 0 {
        return Err(failure(what, &mut stream, code).into());
    }
    let mut chunks = Vec::new();
    loop {
        let mut array = FFI_ArrowArray::empty();
        // SAFETY: as above.
        let code = unsafe { get_next(&raw mut stream, &raw mut array) };
        if code != 0 {
            return Err(failure(what, &mut stream, code).into());
        }
        if array.is_released() {
            return Ok((schema, chunks));
        }
        chunks.push(array);
    }
}

/// What the producer says about a call that failed just now.
fn failure(what: &str, stream: &mut FFI_ArrowArrayStream, code: c_int) -> Error {
    let text = stream.get_last_error().and_then(|last| {
        // SAFETY: the producer's function on its stream; a C string, good until the next call, or
        // null.
        unsafe {
            let text = last(stream);
            (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned())
        }
    });
    let text = text.unwrap_or_else(|| format!("error {code}"));
    Error::value(what, format!("the Arrow stream failed: {text}"))
}
