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

use crate::array::{DType, Shape};
use crate::error::Result;
use crate::interop::arrow;
use crate::interop::dlpack;
use crate::interop::foreign::Foreign;
use crate::interop::memory::Block;

/// A row-major array in host memory, 64-byte aligned.
#[pyclass(frozen, module = "kinarray.interop", name = "Buffer")]
#[derive(Debug)]
pub struct Buffer {
    block: Arc<Block>,
    dtype: DType,
    shape: Shape,
    /// Sizes, then strides in bytes, as the buffer protocol wants to point at them.
    layout: Box<[isize]>,
}

/// What a structure that we export owns.
struct Exported {
    _block: Arc<Block>,
    layout: Vec<i64>,
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
    #[must_use]
    pub fn new(block: Block, dtype: DType, shape: &[usize]) -> Self {
        let mut layout: Vec<isize> = shape.iter().map(|&size| size as isize).collect();
        let mut step = dtype.size() as isize;
        let mut strides = Vec::with_capacity(shape.len());
        for &size in shape.iter().rev() {
            strides.push(step);
            step = step.wrapping_mul(size.max(1) as isize);
        }
        layout.extend(strides.into_iter().rev());
        Self {
            block: Arc::new(block),
            dtype,
            shape: Shape::from_slice(shape),
            layout: layout.into(),
        }
    }

    /// The array as memory to read.
    ///
    /// # Errors
    /// None in practice.
    pub fn foreign(&self, what: &str) -> Result<Foreign> {
        // SAFETY: the block lives as long as the buffer, which the caller holds.
        unsafe {
            Foreign::checked(
                what,
                self.block.as_ptr(),
                self.dtype,
                self.shape.clone(),
                None,
            )
        }
    }

    fn exported(&self) -> (Exported, DLTensor) {
        let mut layout = vec![0_i64; 2 * self.shape.len()];
        // SAFETY: room for twice as many numbers as there are axes.
        unsafe { dlpack::write_layout(layout.as_mut_ptr(), &self.shape) };
        let exported = Exported {
            _block: self.block.clone(),
            layout,
        };
        let tensor = dlpack::describe(
            self.block.as_ptr(),
            self.dtype,
            self.shape.len(),
            exported.layout.as_ptr().cast_mut(),
        );
        (exported, tensor)
    }
}

#[pymethods]
impl Buffer {
    /// The sizes of the axes.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.shape.iter())
    }

    /// The name of the element type.
    #[getter]
    fn dtype(&self) -> &'static str {
        self.dtype.name()
    }

    /// The number of bytes.
    #[getter]
    fn nbytes(&self) -> usize {
        self.block.len()
    }

    fn __len__(&self) -> PyResult<usize> {
        self.shape
            .first()
            .copied()
            .ok_or_else(|| PyTypeError::new_err("an array without axes has no length"))
    }

    fn __repr__(&self) -> String {
        format!(
            "kinarray.interop.Buffer(shape={}, dtype={})",
            crate::array::show_shape(&self.shape),
            self.dtype
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
            let mut block = Block::new(self.block.len(), dlpack::header_size(self.shape.len()));
            block
                .as_mut_slice::<u8>()
                .copy_from_slice(self.block.as_slice());
            crate::interop::copies::count(block.len());
            let copied = Self::new(block, self.dtype, &self.shape);
            return copied.__dlpack__(py, None, max_version, None, None);
        }
        let (exported, dl_tensor) = self.exported();
        // SAFETY: fresh structures that own what they point at, given away to the capsules.
        unsafe {
            if max_version.is_some_and(|(major, _)| major >= 1) {
                let boxed = Box::into_raw(Box::new(Versioned {
                    tensor: DLManagedTensorVersioned {
                        version: dlpack::VERSION,
                        manager_ctx: std::ptr::null_mut(),
                        deleter: Some(delete_versioned),
                        flags: DlpackFlags::empty(),
                        dl_tensor,
                    },
                    exported,
                }));
                // Nobody needs it, but Paddle does not call the deleter of a structure without.
                (*boxed).tensor.manager_ctx = boxed.cast();
                dlpack::capsule_versioned(py, boxed.cast())
            } else {
                let boxed = Box::into_raw(Box::new(Legacy {
                    tensor: DLManagedTensor {
                        dl_tensor,
                        manager_ctx: std::ptr::null_mut(),
                        deleter: Some(delete_legacy),
                    },
                    exported,
                }));
                (*boxed).tensor.manager_ctx = boxed.cast();
                dlpack::capsule_legacy(py, boxed.cast())
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
        arrow::export_capsules(
            py,
            &self.block,
            self.dtype,
            &self.shape,
            arrow::Form::of(&self.shape),
        )
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
        let format = match this.dtype {
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
            DType::BFloat16 | DType::Complex64 | DType::Complex128 => {
                return Err(PyBufferError::new_err(format!(
                    "the buffer protocol has no format for {}",
                    this.dtype
                )));
            }
        };
        let format: CString = format.to_owned();
        let rank = this.shape.len();
        // SAFETY: the view is Python's to fill; the pointers stay valid as long as the buffer object,
        // to which the view holds a reference. The format is released with the view.
        unsafe {
            (*view).buf = this.block.as_ptr().cast::<c_void>();
            (*view).len = this.block.len() as isize;
            (*view).readonly = 0;
            (*view).itemsize = this.dtype.size() as isize;
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
