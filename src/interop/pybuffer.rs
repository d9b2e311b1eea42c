//! The buffer protocol: memoryview, array.array, ctypes, bytearray, JAX arrays on the CPU, NumPy scalars.

use std::ffi::{CStr, c_int};

use pyo3::ffi;
use pyo3::prelude::*;

use crate::array::{DType, Shape, Strides, show_shape};
use crate::error::Error;
use crate::interop::foreign::Foreign;
use crate::interop::storage::with_interpreter;

/// An exported buffer; given back when dropped.
pub struct PyBuffer(Box<ffi::Py_buffer>);

impl std::fmt::Debug for PyBuffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PyBuffer({:p})", self.0.buf)
    }
}

// SAFETY: released with the interpreter held, wherever that happens.
unsafe impl Send for PyBuffer {}
// SAFETY: nothing is done through a shared reference.
unsafe impl Sync for PyBuffer {}

impl Drop for PyBuffer {
    fn drop(&mut self) {
        with_interpreter(|_| {
            // SAFETY: filled by `PyObject_GetBuffer`, released once.
            unsafe { ffi::PyBuffer_Release(&raw mut *self.0) };
        });
    }
}

impl PyBuffer {
    /// Where the memory starts, and its bytes.
    pub(super) fn extent(&self) -> (*const u8, usize) {
        (self.0.buf.cast_const().cast(), self.0.len.max(0) as usize)
    }

    /// Whether the exporter forbids writing.
    pub(super) fn read_only(&self) -> bool {
        self.0.readonly != 0
    }
}

/// The memory of an object that exports a contiguous buffer, whatever its elements are.
pub(super) fn bytes(object: &Bound<'_, PyAny>) -> PyResult<PyBuffer> {
    export(object, ffi::PyBUF_SIMPLE)
}

fn export(object: &Bound<'_, PyAny>, flags: c_int) -> PyResult<PyBuffer> {
    let mut raw = Box::new(ffi::Py_buffer::new());
    // SAFETY: a live object and a buffer to fill.
    if unsafe { ffi::PyObject_GetBuffer(object.as_ptr(), &raw mut *raw, flags) } != 0 {
        return Err(PyErr::fetch(object.py()));
    }
    Ok(PyBuffer(raw))
}

/// Whether the object exports buffers.
#[must_use]
pub fn speaks(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: a live object.
    unsafe { ffi::PyObject_CheckBuffer(object.as_ptr()) == 1 }
}

/// Reads an object through the buffer protocol.
///
/// # Errors
/// What the exporter raises, and [`Error::DType`] for formats that are not numbers.
pub fn import(what: &str, object: &Bound<'_, PyAny>) -> PyResult<(Foreign, PyBuffer)> {
    let buffer = export(object, ffi::PyBUF_STRIDES | ffi::PyBUF_FORMAT)?;
    let raw = &*buffer.0;
    let format = if raw.format.is_null() {
        c"B"
    } else {
        // SAFETY: a C string that lives as long as the buffer.
        unsafe { CStr::from_ptr(raw.format) }
    };
    let Some((dtype, swapped)) = parse_format(format.to_bytes(), raw.itemsize) else {
        return Err(Error::dtype(
            what,
            "float32 or float64",
            format!("buffer format '{}'", format.to_string_lossy()),
        )
        .into());
    };
    let rank = usize::try_from(raw.ndim).unwrap_or(usize::MAX);
    if rank > 64 {
        return Err(Error::value(what, format!("the buffer claims {} axes", raw.ndim)).into());
    }
    // PyBUF_STRIDES asks for sizes and strides, but ctypes leaves the strides out (row-major), and NumPy's
    // scalars of dates both.
    let given = |numbers: *mut isize| -> &[isize] {
        if numbers.is_null() || rank == 0 {
            return &[];
        }
        // SAFETY: an exporter that fills them fills `ndim` of them, for as long as the buffer.
        unsafe { std::slice::from_raw_parts(numbers, rank) }
    };
    let contradictory = |problem: String| -> PyErr { Error::value(what, problem).into() };
    let mut shape = Shape::new();
    for &size in given(raw.shape) {
        shape.push(
            usize::try_from(size).map_err(|_| {
                contradictory(format!("the buffer claims the negative size {size}"))
            })?,
        );
    }
    if shape.len() != rank {
        return Err(contradictory("the buffer claims axes but no shape".into()));
    }
    let strides = Strides::from_slice(given(raw.strides));
    let strides = (strides.len() == rank).then_some(strides);
    if !raw.suboffsets.is_null() {
        return Err(contradictory(
            "the buffer's rows lie behind pointers".into(),
        ));
    }
    // SAFETY: the exporter keeps the memory until the buffer is released.
    let mut foreign = unsafe { Foreign::checked(what, raw.buf.cast(), dtype, shape, strides)? };
    if raw.len < (foreign.len() * dtype.size()) as isize {
        let (claimed, shape) = (raw.len, show_shape(foreign.shape()));
        return Err(contradictory(format!(
            "the buffer claims {claimed} bytes for {shape} elements of {dtype}"
        )));
    }
    foreign.read_only = raw.readonly != 0;
    foreign.swapped = swapped;
    Ok((foreign, buffer))
}

/// A format of the `struct` module as an element type, and whether its bytes are swapped.
fn parse_format(format: &[u8], itemsize: isize) -> Option<(DType, bool)> {
    let (order, code) = match format {
        [order @ (b'@' | b'=' | b'<' | b'>' | b'!' | b'|'), code @ ..] => (*order, code),
        code => (b'@', code),
    };
    let foreign_order: &[u8] = if cfg!(target_endian = "little") {
        b">!"
    } else {
        b"<"
    };
    let dtype = match (code, itemsize) {
        (b"f", 4) => DType::Float32,
        (b"d", 8) => DType::Float64,
        (b"e", 2) => DType::Float16,
        (b"?", 1) => DType::Bool,
        (b"b" | b"h" | b"i" | b"l" | b"q" | b"n", 1) => DType::Int8,
        (b"h" | b"i" | b"l" | b"q", 2) => DType::Int16,
        (b"i" | b"l" | b"q" | b"n", 4) => DType::Int32,
        (b"l" | b"q" | b"n", 8) => DType::Int64,
        (b"B" | b"c", 1) => DType::UInt8,
        (b"H" | b"I" | b"L" | b"Q", 2) => DType::UInt16,
        (b"I" | b"L" | b"Q" | b"N", 4) => DType::UInt32,
        (b"L" | b"Q" | b"N", 8) => DType::UInt64,
        (b"Zf", 8) => DType::Complex64,
        (b"Zd", 16) => DType::Complex128,
        _ => return None,
    };
    Some((dtype, foreign_order.contains(&order) && itemsize > 1))
}
