//! DLPack in and out, versioned and legacy, by the structures of the `dlpark` crate.

use std::ffi::{CStr, c_void};

use dlpark::DlpackFlags;
use dlpark::ffi::{
    DLDataType, DLDataTypeCode, DLDevice, DLDeviceType, DLManagedTensor, DLManagedTensorVersioned,
    DLPackVersion, DLTensor,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;
use pyo3::{ffi, intern};

use crate::array::{DType, Device, DeviceKind, Shape, Strides};
use crate::error::{Error, Result};
use crate::interop::foreign::Foreign;
use crate::interop::memory::Block;
use crate::interop::storage::with_interpreter;

/// The version whose structures are written and understood.
pub const VERSION: DLPackVersion = DLPackVersion { major: 1, minor: 3 };

const VERSIONED: &CStr = c"dltensor_versioned";
const LEGACY: &CStr = c"dltensor";

/// Keeps a producer's memory alive; the producer's deleter runs when it is dropped, on any thread.
#[derive(Debug)]
pub enum Managed {
    /// DLPack 1.x.
    Versioned(*mut DLManagedTensorVersioned),
    /// Before 1.0.
    Legacy(*mut DLManagedTensor),
}

// SAFETY: DLPack's deleters may be called from any thread.
unsafe impl Send for Managed {}
// SAFETY: nothing is done through a shared reference.
unsafe impl Sync for Managed {}

impl Drop for Managed {
    fn drop(&mut self) {
        let delete = || {
            // SAFETY: the structure was handed over to us with its capsule and is deleted once, here.
            unsafe {
                match *self {
                    Self::Versioned(tensor) => {
                        if let Some(deleter) = (*tensor).deleter {
                            deleter(tensor);
                        }
                    }
                    Self::Legacy(tensor) => {
                        if let Some(deleter) = (*tensor).deleter {
                            deleter(tensor);
                        }
                    }
                }
            }
        };
        let attached = with_interpreter(|py| {
            // A deleter may leave an exception behind, which must not become that of our caller.
            let before = PyErr::take(py);
            delete();
            if let Some(left) = PyErr::take(py) {
                left.write_unraisable(py, None);
            }
            if let Some(before) = before {
                before.restore(py);
            }
        });
        if attached.is_none() {
            delete();
        }
    }
}

/// The element type for a DLPack type, where we know it.
#[must_use]
pub fn dtype_of(kind: DLDataType) -> Option<DType> {
    if kind.lanes != 1 {
        return None;
    }
    Some(match (kind.code, kind.bits) {
        (DLDataTypeCode::FLOAT, 32) => DType::Float32,
        (DLDataTypeCode::FLOAT, 64) => DType::Float64,
        (DLDataTypeCode::FLOAT, 16) => DType::Float16,
        (DLDataTypeCode::BFLOAT, 16) => DType::BFloat16,
        (DLDataTypeCode::INT, 8) => DType::Int8,
        (DLDataTypeCode::INT, 16) => DType::Int16,
        (DLDataTypeCode::INT, 32) => DType::Int32,
        (DLDataTypeCode::INT, 64) => DType::Int64,
        (DLDataTypeCode::UINT, 8) => DType::UInt8,
        (DLDataTypeCode::UINT, 16) => DType::UInt16,
        (DLDataTypeCode::UINT, 32) => DType::UInt32,
        (DLDataTypeCode::UINT, 64) => DType::UInt64,
        (DLDataTypeCode::BOOL, 8) => DType::Bool,
        (DLDataTypeCode::COMPLEX, 64) => DType::Complex64,
        (DLDataTypeCode::COMPLEX, 128) => DType::Complex128,
        _ => return None,
    })
}

/// A DLPack type in the user's words.
#[cold]
fn show_dtype(kind: DLDataType) -> String {
    let DLDataType { code, bits, lanes } = kind;
    let name = match code.0 {
        0 => format!("int{bits}"),
        1 => format!("uint{bits}"),
        2 => format!("float{bits}"),
        3 => "an opaque handle".into(),
        4 => format!("bfloat{bits}"),
        5 => format!("complex{bits}"),
        6 => format!("bool of {bits} bits"),
        7 => "float8_e3m4".into(),
        8 => "float8_e4m3".into(),
        9 => "float8_e4m3b11fnuz".into(),
        10 => "float8_e4m3fn".into(),
        11 => "float8_e4m3fnuz".into(),
        12 => "float8_e5m2".into(),
        13 => "float8_e5m2fnuz".into(),
        14 => "float8_e8m0fnu".into(),
        15 => "float6_e2m3fn".into(),
        16 => "float6_e3m2fn".into(),
        17 => "float4_e2m1fn".into(),
        other => format!("DLPack type code {other} with {bits} bits"),
    };
    match lanes {
        1 => name,
        lanes => format!("{name} in vectors of {lanes} lanes"),
    }
}

/// The DLPack type of an element type.
#[must_use]
pub fn dlpack_dtype(dtype: DType) -> DLDataType {
    let code = match dtype {
        DType::Bool => DLDataTypeCode::BOOL,
        DType::Int8 | DType::Int16 | DType::Int32 | DType::Int64 => DLDataTypeCode::INT,
        DType::UInt8 | DType::UInt16 | DType::UInt32 | DType::UInt64 => DLDataTypeCode::UINT,
        DType::Float16 | DType::Float32 | DType::Float64 => DLDataTypeCode::FLOAT,
        DType::BFloat16 => DLDataTypeCode::BFLOAT,
        DType::Complex64 | DType::Complex128 => DLDataTypeCode::COMPLEX,
    };
    DLDataType {
        code,
        bits: (dtype.size() * 8) as u8,
        lanes: 1,
    }
}

/// A device in our terms.
#[must_use]
pub fn device_of(device: DLDevice) -> Device {
    Device::from_dlpack(device.device_type.0 as i32, device.device_id)
}

/// Reads what a description says about the element type and the shape.
///
/// # Safety
/// `tensor`'s `shape`, where not null, points at `ndim` numbers.
///
/// # Errors
/// [`Error::DType`] for element types we do not know, [`Error::Device`] for memory that the host
/// cannot read, [`Error::Value`] for contradictions.
#[inline]
pub unsafe fn prototype(what: &str, tensor: &DLTensor) -> Result<(DType, Shape)> {
    let device = device_of(tensor.device);
    if !device.is_host() {
        return Err(not_served(what, device));
    }
    let Some(dtype) = dtype_of(tensor.dtype) else {
        return Err(unknown_type(what, tensor.dtype));
    };
    let rank = tensor.ndim;
    if !(0..=64).contains(&rank) {
        return Err(Error::value(what, format!("the array claims {rank} axes")));
    }
    let mut shape = Shape::new();
    if rank > 0 {
        if tensor.shape.is_null() {
            return Err(Error::value(what, "the array claims axes but no shape"));
        }
        // SAFETY: `ndim` numbers, by the caller's promise.
        for &size in unsafe { std::slice::from_raw_parts(tensor.shape, rank as usize) } {
            match usize::try_from(size) {
                Ok(size) => shape.push(size),
                Err(_) => {
                    let claim = format!("the array claims the negative size {size}");
                    return Err(Error::value(what, claim));
                }
            }
        }
    }
    Ok((dtype, shape))
}

#[cold]
fn unknown_type(what: &str, kind: DLDataType) -> Error {
    Error::dtype(what, "float32 or float64", show_dtype(kind))
}

/// Reads a producer's description.
///
/// # Safety
/// `tensor`'s `shape` and `strides`, where not null, point at `ndim` numbers, and the memory it
/// describes stays for as long as the result is used.
///
/// # Errors
/// As for [`prototype`], and [`Error::Value`] for strides that leave the memory.
#[inline]
pub unsafe fn read(what: &str, tensor: &DLTensor) -> Result<Foreign> {
    // SAFETY: the caller's promise.
    let (dtype, shape) = unsafe { prototype(what, tensor)? };
    let rank = shape.len();
    let strides = if rank == 0 || tensor.strides.is_null() {
        None
    } else {
        // SAFETY: `ndim` numbers, by the caller's promise.
        let steps = unsafe { std::slice::from_raw_parts(tensor.strides, rank) };
        let mut strides = Strides::new();
        let is_empty = shape.contains(&0);
        for (&step, &size) in steps.iter().zip(&shape) {
            // Strides of axes that are never stepped along mean nothing and may be anything.
            let step = if size <= 1 || is_empty { 0 } else { step };
            match (step as isize).checked_mul(dtype.size() as isize) {
                Some(bytes) => strides.push(bytes),
                None => {
                    return Err(Error::value(
                        what,
                        format!("stride {step} leaves the address space"),
                    ));
                }
            }
        }
        Some(strides)
    };
    let pointer = if tensor.data.is_null() {
        std::ptr::null()
    } else {
        let offset = tensor.byte_offset;
        let end = (tensor.data as usize).checked_add(offset as usize);
        if end.is_none() {
            let problem = format!("byte offset {offset} leaves the address space");
            return Err(Error::value(what, problem));
        }
        let start = tensor.data.cast::<u8>().cast_const();
        start.wrapping_add(offset as usize)
    };
    // SAFETY: the caller's promise.
    let mut foreign = unsafe { Foreign::checked(what, pointer, dtype, shape, strides)? };
    foreign.device = device_of(tensor.device);
    Ok(foreign)
}

/// The error for memory on a device that is not served.
#[cold]
pub fn not_served(what: &str, device: Device) -> Error {
    Error::Device(format!(
        "{what}: the array is on {device}; kinarray computes on the CPU, move the array there first"
    ))
}

/// Takes an array over through `__dlpack__`, whichever form of the protocol the producer speaks.
///
/// # Errors
/// What the producer raises, and what [`read`] finds wrong.
pub fn import(what: &str, object: &Bound<'_, PyAny>) -> PyResult<(Foreign, Managed)> {
    let py = object.py();
    if let Some(device) = object.getattr_opt(intern!(py, "__dlpack_device__"))? {
        let device = device.call0()?;
        // Only the kind is looked at: JAX's second CPU device says (1, 0) here and (1, 1) in the
        // capsule, and Paddle's index is None.
        let code = device.get_item(0).and_then(|code| code.extract::<i32>());
        let Ok(code) = code else {
            let problem = "__dlpack_device__ returned something that is not (type, index)";
            return Err(Error::value(what, problem).into());
        };
        let index: i32 = device
            .get_item(1)
            .and_then(|index| index.extract())
            .unwrap_or(0);
        let device = Device::from_dlpack(code, index);
        if !device.is_host() {
            return Err(not_served(what, device).into());
        }
    }
    let method = object.getattr(intern!(py, "__dlpack__"))?;
    // Made once; a call copies what it is given.
    static KEYWORDS: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let keywords = KEYWORDS.get_or_try_init(py, || {
        let keywords = PyDict::new(py);
        keywords.set_item(intern!(py, "max_version"), (VERSION.major, VERSION.minor))?;
        Ok::<_, PyErr>(keywords.unbind())
    })?;
    let capsule = match method.call((), Some(keywords.bind(py))) {
        // Producers from before version 1.0 do not know the argument. Where the TypeError meant
        // something else, the second call raises it again.
        Err(error) if error.is_instance_of::<pyo3::exceptions::PyTypeError>(py) => {
            method.call0()?
        }
        other => other?,
    };
    // SAFETY: a fresh capsule from a producer.
    unsafe { consume(what, &capsule) }
}

/// Takes over what a DLPack capsule holds.
///
/// # Safety
/// A capsule with one of DLPack's names holds the structure of that name.
///
/// # Errors
/// Where the object is no unused DLPack capsule, and what [`read`] finds wrong.
pub unsafe fn consume(what: &str, capsule: &Bound<'_, PyAny>) -> PyResult<(Foreign, Managed)> {
    let object = capsule.as_ptr();
    // SAFETY: plain C API calls on a live object; the names are those of the protocol, and renaming
    // takes the ownership over before anything can fail.
    unsafe {
        if ffi::PyCapsule_IsValid(object, VERSIONED.as_ptr()) == 1 {
            let tensor = ffi::PyCapsule_GetPointer(object, VERSIONED.as_ptr())
                .cast::<DLManagedTensorVersioned>();
            if ffi::PyCapsule_SetName(object, c"used_dltensor_versioned".as_ptr()) != 0 {
                return Err(PyErr::fetch(capsule.py()));
            }
            let managed = Managed::Versioned(tensor);
            Ok((read_versioned(what, tensor)?, managed))
        } else if ffi::PyCapsule_IsValid(object, LEGACY.as_ptr()) == 1 {
            let tensor =
                ffi::PyCapsule_GetPointer(object, LEGACY.as_ptr()).cast::<DLManagedTensor>();
            if ffi::PyCapsule_SetName(object, c"used_dltensor".as_ptr()) != 0 {
                return Err(PyErr::fetch(capsule.py()));
            }
            let managed = Managed::Legacy(tensor);
            let mut foreign = read(what, &(*tensor).dl_tensor)?;
            // The old structure cannot say; JAX's read-only arrays come this way.
            foreign.read_only = true;
            Ok((foreign, managed))
        } else {
            Err(Error::value(
                what,
                "__dlpack__ returned something that is not an unused DLPack capsule",
            )
            .into())
        }
    }
}

/// Reads a DLPack 1.x structure.
///
/// # Safety
/// A live structure, whose memory stays for as long as the result is used.
///
/// # Errors
/// [`Error::Value`] for a version that is not known, and as for [`read`].
pub unsafe fn read_versioned(
    what: &str,
    tensor: *const DLManagedTensorVersioned,
) -> Result<Foreign> {
    // SAFETY: the caller's promise; every version starts with the version and the flags.
    unsafe {
        let version = (*tensor).version;
        if version.major != VERSION.major {
            let (major, minor) = (version.major, version.minor);
            let claim = format!("the array speaks DLPack {major}.{minor}, which is not known here");
            return Err(Error::value(what, claim));
        }
        let mut foreign = read(what, &(*tensor).dl_tensor)?;
        foreign.read_only = (*tensor).flags.contains(DlpackFlags::READ_ONLY);
        Ok(foreign)
    }
}

/// Room before a block's data for the structure, the shape and the strides of `rank` axes.
#[must_use]
pub const fn header_size(rank: usize) -> usize {
    size_of::<DLManagedTensorVersioned>() + 2 * rank * size_of::<i64>()
}

/// Hands a block over as a DLPack 1.x structure, which lies in the block's own header. Its deleter
/// releases the block.
///
/// The block must have been made with at least [`header_size`] bytes of header.
#[must_use]
pub fn export(block: Block, dtype: DType, shape: &[usize]) -> *mut DLManagedTensorVersioned {
    unsafe extern "C" fn delete(tensor: *mut DLManagedTensorVersioned) {
        // SAFETY: `export` put the block's data pointer here, and a deleter runs once.
        drop(unsafe { Block::from_raw((*tensor).manager_ctx.cast()) });
    }
    let header = block.header();
    assert!(block.as_ptr() as usize - header as usize >= header_size(shape.len()));
    let tensor = header.cast::<DLManagedTensorVersioned>();
    let data = block.into_raw();
    // SAFETY: the header has room for all of this (asserted) and is aligned to 64 bytes.
    unsafe {
        let sizes = tensor.add(1).cast::<i64>();
        write_layout(sizes, shape);
        tensor.write(DLManagedTensorVersioned {
            version: VERSION,
            manager_ctx: data.cast(),
            deleter: Some(delete),
            flags: DlpackFlags::empty(),
            dl_tensor: describe(data, dtype, shape.len(), sizes),
        });
    }
    tensor
}

/// Writes a shape and its row-major strides.
///
/// # Safety
/// `at` has room for twice as many numbers as there are axes.
pub unsafe fn write_layout(at: *mut i64, shape: &[usize]) {
    let rank = shape.len();
    let mut step = 1_i64;
    for (axis, &size) in shape.iter().enumerate().rev() {
        // SAFETY: the caller's promise.
        unsafe {
            at.add(axis).write(size as i64);
            at.add(rank + axis).write(step);
        }
        step = step.wrapping_mul(size.max(1) as i64);
    }
}

/// A description of row-major host memory; `layout` is what [`write_layout`] wrote.
#[must_use]
pub fn describe(data: *mut u8, dtype: DType, rank: usize, layout: *mut i64) -> DLTensor {
    DLTensor {
        data: data.cast(),
        device: DLDevice {
            device_type: DLDeviceType::CPU,
            device_id: 0,
        },
        ndim: rank as i32,
        dtype: dlpack_dtype(dtype),
        shape: layout,
        strides: layout.wrapping_add(rank),
        byte_offset: 0,
    }
}

/// Wraps a structure of ours in a capsule that releases it if nobody consumes it.
///
/// # Safety
/// `tensor` is owned by the caller, who gives it away.
///
/// # Errors
/// Where Python has no memory left.
pub unsafe fn capsule_versioned(
    py: Python<'_>,
    tensor: *mut DLManagedTensorVersioned,
) -> PyResult<Bound<'_, PyAny>> {
    unsafe extern "C" fn destroy(capsule: *mut ffi::PyObject) {
        // SAFETY: called by Python with the capsule made below; a consumer renames it.
        unsafe {
            if ffi::PyCapsule_IsValid(capsule, VERSIONED.as_ptr()) == 1 {
                let tensor = ffi::PyCapsule_GetPointer(capsule, VERSIONED.as_ptr());
                drop(Managed::Versioned(tensor.cast()));
            }
        }
    }
    // SAFETY: a fresh capsule around a pointer that is not null.
    unsafe {
        Bound::from_owned_ptr_or_err(
            py,
            ffi::PyCapsule_New(tensor.cast::<c_void>(), VERSIONED.as_ptr(), Some(destroy)),
        )
    }
}

/// The same for the structure from before 1.0.
///
/// # Safety
/// `tensor` is owned by the caller, who gives it away.
///
/// # Errors
/// Where Python has no memory left.
pub unsafe fn capsule_legacy(
    py: Python<'_>,
    tensor: *mut DLManagedTensor,
) -> PyResult<Bound<'_, PyAny>> {
    unsafe extern "C" fn destroy(capsule: *mut ffi::PyObject) {
        // SAFETY: as above.
        unsafe {
            if ffi::PyCapsule_IsValid(capsule, LEGACY.as_ptr()) == 1 {
                let tensor = ffi::PyCapsule_GetPointer(capsule, LEGACY.as_ptr());
                drop(Managed::Legacy(tensor.cast()));
            }
        }
    }
    // SAFETY: a fresh capsule around a pointer that is not null.
    unsafe {
        Bound::from_owned_ptr_or_err(
            py,
            ffi::PyCapsule_New(tensor.cast::<c_void>(), LEGACY.as_ptr(), Some(destroy)),
        )
    }
}

/// The DLPack code of a device kind.
#[must_use]
pub fn device_code(device: Device) -> i32 {
    match device.kind {
        DeviceKind::Cpu => 1,
        DeviceKind::Cuda => 2,
        DeviceKind::CudaHost => 3,
        DeviceKind::Metal => 8,
        DeviceKind::Rocm => 10,
        DeviceKind::CudaManaged => 13,
        DeviceKind::Other(code) => code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_over_is_read_back_and_released_once() {
        for shape in [&[][..], &[3], &[2, 0, 5], &[2, 3, 4]] {
            let count: usize = shape.iter().product();
            let mut block = Block::new(count * 8, header_size(shape.len()));
            let numbers = block.as_mut_slice::<f64>().iter_mut().enumerate();
            numbers.for_each(|(index, number)| *number = index as f64);
            let tensor = export(block, DType::Float64, shape);
            // SAFETY: a live structure, which is released once, at the end.
            unsafe {
                let memory = read_versioned("x", tensor).unwrap();
                assert_eq!(memory.shape(), shape);
                assert!(memory.is_contiguous() && !memory.read_only);
                let read = memory.view::<f64>().unwrap().to_vec();
                assert!(read.iter().enumerate().all(|(index, &x)| x == index as f64));
                let deleter = (*tensor).deleter.unwrap();
                deleter(tensor);
            }
        }
    }

    #[test]
    fn lies_are_refused_without_a_look_at_the_memory() {
        let mut layout = [2_i64, 3, 3, 1];
        let layout = layout.as_mut_ptr();
        let honest = describe(std::ptr::dangling_mut(), DType::Float32, 2, layout);
        let refused = |lie: fn(&mut DLTensor)| {
            let mut tensor = honest;
            lie(&mut tensor);
            // SAFETY: shape and strides are there as many as the rank says, or the rank is refused.
            unsafe { read("x", &tensor) }.is_err()
        };
        assert!(!refused(|_| ()));
        assert!(refused(|tensor| tensor.ndim = i32::MAX));
        assert!(refused(|tensor| tensor.ndim = -1));
        assert!(refused(|tensor| tensor.data = std::ptr::null_mut()));
        assert!(refused(|tensor| tensor.shape = std::ptr::null_mut()));
        assert!(refused(|tensor| tensor.dtype.lanes = 4));
        assert!(refused(|tensor| tensor.dtype.bits = 7));
        assert!(refused(
            |tensor| tensor.device.device_type = DLDeviceType::CUDA
        ));
        assert!(refused(|tensor| tensor.byte_offset = u64::MAX - 2));
        // SAFETY: as above; the array that the pointer was taken from is still there.
        unsafe {
            layout.write(-1);
            assert!(read("x", &honest).is_err());
        }
    }
}
