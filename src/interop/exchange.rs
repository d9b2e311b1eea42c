//! Our buffers for C code: the exchange table of DLPack 1.3, which spares a consumer every detour through
//! Python.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Arc;

use dlpark::ffi::{
    DLDeviceType, DLManagedTensorVersioned, DLPackExchangeAPI, DLPackExchangeAPIHeader, DLTensor,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::{Borrowed, ffi};

use crate::array::element_count;
use crate::error::Error;
use crate::interop::buffer::Buffer;
use crate::interop::dlpack::{self, Managed};
use crate::interop::memory::Block;
use crate::interop::storage::Storage;

const NAME: &CStr = c"dlpack_exchange_api";

struct Table(DLPackExchangeAPI);

// SAFETY: constant data.
unsafe impl Sync for Table {}

static TABLE: Table = Table(DLPackExchangeAPI {
    header: DLPackExchangeAPIHeader {
        version: dlpack::VERSION,
        prev_api: std::ptr::null_mut(),
    },
    managed_tensor_allocator: Some(allocate),
    managed_tensor_from_py_object_no_sync: Some(managed_of),
    managed_tensor_to_py_object_no_sync: Some(object_of),
    dltensor_from_py_object_no_sync: Some(borrowed_of),
    current_work_stream: Some(no_stream),
});

/// The table, as the class attribute that consumers look for.
///
/// # Errors
/// Where Python has no memory left.
pub fn capsule(py: Python<'_>) -> PyResult<Py<PyAny>> {
    // SAFETY: a pointer to static data under a static name.
    unsafe {
        let table = (&raw const TABLE.0).cast_mut().cast();
        let capsule = ffi::PyCapsule_New(table, NAME.as_ptr(), None);
        Ok(Bound::from_owned_ptr_or_err(py, capsule)?.unbind())
    }
}

/// Runs `work` for a caller in C, to whom an error is -1 and a Python exception.
fn answer(work: impl FnOnce(Python<'_>) -> PyResult<()>) -> c_int {
    Python::attach(|py| match work(py) {
        Ok(()) => 0,
        Err(error) => {
            error.restore(py);
            -1
        }
    })
}

fn buffer_of<'a, 'py>(
    py: Python<'py>,
    object: &'a *mut c_void,
) -> PyResult<Borrowed<'a, 'py, Buffer>> {
    // SAFETY: the consumer calls with a live Python object.
    let object = unsafe { Borrowed::from_ptr(py, object.cast::<ffi::PyObject>()) };
    object
        .cast::<Buffer>()
        .map_err(|_| PyTypeError::new_err("expected a kinarray.interop.Buffer"))
}

unsafe extern "C" fn managed_of(
    object: *mut c_void,
    out: *mut *mut DLManagedTensorVersioned,
) -> c_int {
    answer(|py| {
        let managed = buffer_of(py, &object)?.get().managed();
        // SAFETY: the consumer's place for the answer.
        unsafe { out.write(managed) };
        Ok(())
    })
}

unsafe extern "C" fn borrowed_of(object: *mut c_void, out: *mut DLTensor) -> c_int {
    answer(|py| {
        let tensor = buffer_of(py, &object)?.get().borrowed();
        // SAFETY: the consumer's place for the answer.
        unsafe { out.write(tensor) };
        Ok(())
    })
}

unsafe extern "C" fn object_of(
    tensor: *mut DLManagedTensorVersioned,
    out: *mut *mut c_void,
) -> c_int {
    answer(|py| {
        let managed = Managed::Versioned(tensor);
        // SAFETY: the consumer hands a live structure over; the storage keeps it.
        let memory = unsafe { dlpack::read_versioned("tensor", tensor)? };
        if !memory.is_plain() {
            return Err(Error::value("tensor", "the elements are misaligned").into());
        }
        let storage = Arc::new(Storage::of_managed(managed));
        let buffer = Bound::new(py, Buffer::over(storage, memory))?;
        // SAFETY: the consumer's place for the answer.
        unsafe { out.write(buffer.into_ptr().cast()) };
        Ok(())
    })
}

unsafe extern "C" fn no_stream(_: DLDeviceType, _: i32, out: *mut *mut c_void) -> c_int {
    // SAFETY: the consumer's place for the answer. Host memory has no streams.
    unsafe { out.write(std::ptr::null_mut()) };
    0
}

type SetError = unsafe extern "C" fn(*mut c_void, *const c_char, *const c_char);

unsafe extern "C" fn allocate(
    prototype: *mut DLTensor,
    out: *mut *mut DLManagedTensorVersioned,
    context: *mut c_void,
    set_error: Option<SetError>,
) -> c_int {
    // SAFETY: a live prototype, of which the shape, the element type and the device are read.
    let made = unsafe { dlpack::prototype("prototype", &*prototype) }.and_then(|(dtype, shape)| {
        let bytes = element_count(&shape).and_then(|count| count.checked_mul(dtype.size()));
        match bytes.filter(|&bytes| bytes < isize::MAX as usize / 4) {
            Some(bytes) => {
                let block = Block::new(bytes, dlpack::header_size(shape.len()));
                Ok(dlpack::export(block, dtype, &shape))
            }
            None => Err(Error::value("prototype", "larger than any memory")),
        }
    });
    match made {
        Ok(tensor) => {
            // SAFETY: the consumer's place for the answer.
            unsafe { out.write(tensor) };
            0
        }
        Err(error) => {
            let text = std::ffi::CString::new(error.to_string()).unwrap_or_default();
            if let Some(set_error) = set_error {
                // SAFETY: the consumer's function, with two C strings that it copies.
                unsafe { set_error(context, c"BufferError".as_ptr(), text.as_ptr()) };
            }
            -1
        }
    }
}
