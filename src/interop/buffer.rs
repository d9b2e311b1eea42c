//! Our own array object, for those who have no array type of their own: it speaks DLPack, the buffer
//! protocol and Arrow, so that any library can take it.

use std::ffi::{CString, c_int, c_void};
use std::sync::Arc;

use dlpark::DlpackFlags;
use dlpark::ffi::{DLManagedTensor, DLManagedTensorVersioned, DLTensor};
use pyo3::exceptions::{PyBufferError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::array::{DType, Shape, show_shape};
use crate::error::{Error, Result};
use crate::interop::any_array::AnyArray;
use crate::interop::foreign::Foreign;
use crate::interop::memory::Block;
use crate::interop::storage::Storage;
use crate::interop::{arrow, copies, dlpack, exchange};

/// An array in host memory: ours, row-major and 64-byte aligned, or somebody else's that is looked at.
#[pyclass(frozen, module = "kinarray.interop", name = "Buffer")]
#[derive(Debug)]
pub struct Buffer {
    storage: Arc<Storage>,
    memory: Foreign,
    /// Sizes, then strides in bytes, as the buffer protocol wants to point at them.
    layout: Box<[isize]>,
    /// Sizes, then strides in elements, as DLPack wants to point at them.
    elements: Box<[i64]>,
}

// SAFETY: the memory that is pointed at is kept by the storage, which may go from thread to thread.
unsafe impl Send for Buffer {}
// SAFETY: constant; what the memory holds is the users' to keep in order, as for every array library.
unsafe impl Sync for Buffer {}

/// What a structure that we export owns.
struct Exported {
    _storage: Arc<Storage>,
    layout: Box<[i64]>,
}

#[repr(C)]
struct Versioned {
    tensor: DLManagedTensorVersioned,
    exported: Exported,
}

#[repr(C)]
struct Legacy {
    tensor: DLManagedTensor,
    exported: Exported,
}

unsafe extern "C" fn delete_versioned(tensor: *mut DLManagedTensorVersioned) {
    // SAFETY: the first field of a `Versioned` that was boxed when exported.
    drop(unsafe { Box::from_raw(tensor.cast::<Versioned>()) });
}

unsafe extern "C" fn delete_legacy(tensor: *mut DLManagedTensor) {
    // SAFETY: the first field of a `Legacy` that was boxed when exported.
    drop(unsafe { Box::from_raw(tensor.cast::<Legacy>()) });
}

impl Buffer {
    /// Wraps a block that holds a row-major array.
    ///
    /// # Panics
    /// Where the block is smaller than the shape.
    #[must_use]
    pub fn new(block: Block, dtype: DType, shape: &[usize]) -> Self {
        let (pointer, room) = (block.as_ptr(), block.len());
        // SAFETY: the block is as large as the shape (asserted), and is kept beside the description.
        let memory = unsafe {
            Foreign::checked("buffer", pointer, dtype, Shape::from_slice(shape), None)
                .expect("a block is no contradiction")
        };
        assert!(memory.len() * dtype.size() <= room);
        Self::over(Arc::new(Storage::of_block(block)), memory)
    }

    /// Looks at somebody's array.
    ///
    /// # Errors
    /// [`Error::DType`] where its elements are byte-swapped, misaligned, or stepped by less than one:
    /// nobody else could read it.
    pub fn of_array(array: AnyArray<'_, '_>) -> Result<Self> {
        if !array.memory().is_plain() {
            return Err(Error::dtype(
                array.what(),
                "elements that can be read in place",
                "byte-swapped or misaligned elements",
            ));
        }
        let (storage, memory) = Storage::of_array(array);
        Ok(Self::over(Arc::new(storage), memory))
    }

    /// An array in memory that `storage` keeps.
    pub(super) fn over(storage: Arc<Storage>, memory: Foreign) -> Self {
        let strides = memory.strides();
        let size = memory.dtype().size() as isize;
        let sizes = || memory.shape().iter();
        let layout = sizes().map(|&size| size as isize);
        let elements = sizes().map(|&size| size as i64);
        Self {
            layout: layout.chain(strides.iter().copied()).collect(),
            elements: elements
                .chain(strides.iter().map(|&stride| (stride / size) as i64))
                .collect(),
            storage,
            memory,
        }
    }

    /// The array as memory to read, good for as long as the buffer is held.
    #[must_use]
    pub fn foreign(&self) -> &Foreign {
        &self.memory
    }

    /// The array as DLPack describes it, pointing into `layout`.
    fn describe(&self, layout: *const i64) -> DLTensor {
        let rank = self.memory.shape().len();
        let data = self.memory.pointer().cast_mut();
        dlpack::describe(data, self.memory.dtype(), rank, layout.cast_mut())
    }

    /// The array as DLPack describes it, good for as long as the buffer is held.
    pub(super) fn borrowed(&self) -> DLTensor {
        self.describe(self.elements.as_ptr())
    }

    fn exported(&self) -> (Exported, DLTensor) {
        let exported = Exported {
            _storage: self.storage.clone(),
            layout: self.elements.clone(),
        };
        let tensor = self.describe(exported.layout.as_ptr());
        (exported, tensor)
    }

    /// A DLPack 1.x structure over the same memory, owned by whoever gets it.
    pub(super) fn managed(&self) -> *mut DLManagedTensorVersioned {
        let (exported, dl_tensor) = self.exported();
        let flags = match self.memory.read_only {
            true => DlpackFlags::READ_ONLY,
            false => DlpackFlags::empty(),
        };
        let boxed = Box::into_raw(Box::new(Versioned {
            tensor: DLManagedTensorVersioned {
                version: dlpack::VERSION,
                manager_ctx: std::ptr::null_mut(),
                deleter: Some(delete_versioned),
                flags,
                dl_tensor,
            },
            exported,
        }));
        // SAFETY: made in the lines before. Nobody needs the field, but Paddle does not call the deleter
        // of a structure without.
        unsafe { (*boxed).tensor.manager_ctx = boxed.cast() };
        boxed.cast()
    }

    fn legacy(&self) -> *mut DLManagedTensor {
        let (exported, dl_tensor) = self.exported();
        let boxed = Box::into_raw(Box::new(Legacy {
            tensor: DLManagedTensor {
                dl_tensor,
                manager_ctx: std::ptr::null_mut(),
                deleter: Some(delete_legacy),
            },
            exported,
        }));
        // SAFETY: as above.
        unsafe { (*boxed).tensor.manager_ctx = boxed.cast() };
        boxed.cast()
    }

    /// The array as the capsules of an Arrow column.
    ///
    /// # Errors
    /// `BufferError` where it does not lie in row-major order, as a column must.
    pub(super) fn as_column<'py>(
        &self,
        py: Python<'py>,
        form: arrow::Form,
    ) -> PyResult<Bound<'py, PyTuple>> {
        if !self.memory.is_contiguous() {
            return Err(PyBufferError::new_err(
                "the array does not lie in row-major order, as an Arrow column must",
            ));
        }
        arrow::export_capsules(py, &self.storage, &self.memory, form)
    }

    /// The elements in fresh memory of ours; a counted copy.
    fn copied(&self) -> Self {
        let block = self.memory.to_block(0);
        copies::count(block.len());
        Self::new(block, self.memory.dtype(), self.memory.shape())
    }
}

#[pymethods]
impl Buffer {
    /// The sizes of the axes.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.memory.shape())
    }

    /// The name of the element type.
    #[getter]
    fn dtype(&self) -> &'static str {
        self.memory.dtype().name()
    }

    /// The number of bytes.
    #[getter]
    fn nbytes(&self) -> usize {
        self.memory.len() * self.memory.dtype().size()
    }

    /// Whether the memory may not be written into.
    #[getter]
    fn readonly(&self) -> bool {
        self.memory.read_only
    }

    /// The functions by which C code takes buffers without a detour through Python (DLPack 1.3).
    #[classattr]
    fn __dlpack_c_exchange_api__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        exchange::capsule(py)
    }

    fn __len__(&self) -> PyResult<usize> {
        self.memory
            .shape()
            .first()
            .copied()
            .ok_or_else(|| PyTypeError::new_err("an array without axes has no length"))
    }

    fn __repr__(&self) -> String {
        format!(
            "kinarray.interop.Buffer(shape={}, dtype={})",
            show_shape(self.memory.shape()),
            self.memory.dtype()
        )
    }

    /// `(device type, index)` in DLPack's terms: the CPU.
    fn __dlpack_device__(&self) -> (i32, i32) {
        (1, 0)
    }

    /// A DLPack capsule over the same memory.
    #[pyo3(signature = (*, stream=None, max_version=None, dl_device=None, copy=None))]
    pub(super) fn __dlpack__<'py>(
        &self,
        py: Python<'py>,
        stream: Option<&Bound<'py, PyAny>>,
        max_version: Option<(u32, u32)>,
        dl_device: Option<(i32, i32)>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _ = stream;
        if dl_device.is_some_and(|(kind, _)| kind != 1) {
            return Err(PyBufferError::new_err("the array is on the CPU"));
        }
        if copy == Some(true) {
            return self.copied().__dlpack__(py, None, max_version, None, None);
        }
        let versioned = max_version.is_some_and(|(major, _)| major >= 1);
        if self.memory.read_only && !versioned {
            return Err(PyBufferError::new_err(
                "the array is read-only, which DLPack can say from version 1.0 on only",
            ));
        }
        // SAFETY: fresh structures that own what they point at, given away to the capsules.
        unsafe {
            match versioned {
                true => dlpack::capsule_versioned(py, self.managed()),
                false => dlpack::capsule_legacy(py, self.legacy()),
            }
        }
    }

    /// The array as an Arrow column: one row for each index of the first axis.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let _ = requested_schema;
        self.as_column(py, arrow::Form::of(self.memory.shape()))
    }

    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("no buffer to fill"));
        }
        let this = slf.get();
        let refused = |why: &str| Err(PyBufferError::new_err(why.to_owned()));
        if flags & ffi::PyBUF_WRITABLE != 0 && this.memory.read_only {
            return refused("the array is read-only");
        }
        if flags & ffi::PyBUF_STRIDES != ffi::PyBUF_STRIDES && !this.memory.is_contiguous() {
            return refused("the array does not lie in row-major order; ask for strides");
        }
        let format = match this.memory.dtype() {
            DType::Float32 => c"f",
            DType::Float64 => c"d",
            DType::Float16 => c"e",
            DType::Bool => c"?",
            DType::Int8 => c"b",
            DType::Int16 => c"h",
            DType::Int32 => c"i",
            DType::Int64 => c"q",
            DType::UInt8 => c"B",
            DType::UInt16 => c"H",
            DType::UInt32 => c"I",
            DType::UInt64 => c"Q",
            DType::Complex64 => c"Zf",
            DType::Complex128 => c"Zd",
            DType::BFloat16 => return refused("the buffer protocol has no format for bfloat16"),
        };
        let format: CString = format.to_owned();
        let rank = this.memory.shape().len();
        // SAFETY: the view is Python's to fill; the pointers stay valid as long as the buffer object,
        // to which the view holds a reference. The format is released with the view.
        unsafe {
            (*view).buf = this.memory.pointer().cast_mut().cast::<c_void>();
            (*view).len = this.nbytes() as isize;
            (*view).readonly = c_int::from(this.memory.read_only);
            (*view).itemsize = this.memory.dtype().size() as isize;
            (*view).format = if flags & ffi::PyBUF_FORMAT == ffi::PyBUF_FORMAT {
                format.into_raw()
            } else {
                std::ptr::null_mut()
            };
            (*view).ndim = rank as c_int;
            (*view).shape = this.layout.as_ptr().cast_mut();
            (*view).strides = this.layout.as_ptr().add(rank).cast_mut();
            (*view).suboffsets = std::ptr::null_mut();
            (*view).internal = std::ptr::null_mut();
            (*view).obj = slf.into_any().into_ptr();
        }
        Ok(())
    }

    unsafe fn __releasebuffer__(&self, view: *mut ffi::Py_buffer) {
        // SAFETY: filled by `__getbuffer__`.
        unsafe {
            if !(*view).format.is_null() {
                drop(CString::from_raw((*view).format));
                (*view).format = std::ptr::null_mut();
            }
        }
    }
}
