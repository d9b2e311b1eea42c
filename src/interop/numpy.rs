//! NumPy arrays in and out, by the C structure, without importing NumPy for anyone.
//!
//! The structures' layout is part of NumPy's stable ABI, the same in 1.22 to 2.x for all fields read
//! here; the C API is reached through its table, found when NumPy is already imported.

use std::ffi::{c_char, c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi::{self, PyObject, PyTypeObject};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::array::{DType, Shape, Strides};
use crate::error::Error;
use crate::interop::buffer::Buffer;
use crate::interop::foreign::Foreign;
use crate::interop::memory::Block;

#[repr(C)]
struct ArrayObject {
    base_object: PyObject,
    data: *mut u8,
    rank: c_int,
    dimensions: *mut isize,
    strides: *mut isize,
    base: *mut PyObject,
    descr: *mut Descr,
    flags: c_int,
    weakreflist: *mut PyObject,
    buffer_info: *mut c_void,
    /// Since NumPy 1.22.
    mem_handler: *mut PyObject,
}

#[repr(C)]
struct Descr {
    base_object: PyObject,
    typeobj: *mut PyTypeObject,
    kind: c_char,
    type_: c_char,
    byteorder: c_char,
    /// Flags before 2.0, unused since.
    former_flags: c_char,
    type_num: c_int,
}

const C_CONTIGUOUS: c_int = 0x0001;
const WRITEABLE: c_int = 0x0400;
const OWNDATA: c_int = 0x0004;
const CARRAY: c_int = C_CONTIGUOUS | 0x0100 | WRITEABLE;

/// Where functions stand in NumPy's C API table.
mod slot {
    pub(super) const ARRAY_TYPE: usize = 2;
    pub(super) const DESCR_FROM_TYPE: usize = 45;
    pub(super) const NEW_FROM_DESCR: usize = 94;
    pub(super) const FEATURE_VERSION: usize = 211;
    pub(super) const SET_BASE_OBJECT: usize = 282;
}

type NewFromDescr = unsafe extern "C" fn(
    *mut PyTypeObject,
    *mut Descr,
    c_int,
    *const isize,
    *const isize,
    *mut c_void,
    c_int,
    *mut PyObject,
) -> *mut PyObject;
type SetBaseObject = unsafe extern "C" fn(*mut ArrayObject, *mut PyObject) -> c_int;

struct Api {
    array_type: *mut PyTypeObject,
    new_from_descr: NewFromDescr,
    set_base_object: SetBaseObject,
    single: *mut Descr,
    double: *mut Descr,
    descr_from_type: unsafe extern "C" fn(c_int) -> *mut Descr,
    /// The capsule by which NumPy releases our blocks; null before NumPy 1.22.
    handler: *mut PyObject,
}

// SAFETY: pointers to things that live as long as the process; used with the interpreter held.
unsafe impl Send for Api {}
// SAFETY: as above.
unsafe impl Sync for Api {}

impl Api {
    /// A new reference to the descriptor of an element type. `like` brings it where NumPy itself has none
    /// (bfloat16).
    #[inline]
    fn descr(
        &self,
        py: Python<'_>,
        dtype: DType,
        like: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<*mut Descr> {
        let known = match dtype {
            DType::Float32 => self.single,
            DType::Float64 => self.double,
            DType::BFloat16 => {
                let found = match like {
                    Some(like) => like.getattr("dtype")?,
                    None => {
                        let name = py.import("ml_dtypes")?.getattr("bfloat16")?;
                        py.import("numpy")?.call_method1("dtype", (name,))?
                    }
                };
                return Ok(found.into_ptr().cast());
            }
            // SAFETY: a number that NumPy knows; returns a new reference.
            other => return Ok(unsafe { (self.descr_from_type)(type_number(other)) }),
        };
        // SAFETY: a live object.
        unsafe { ffi::Py_INCREF(known.cast()) };
        Ok(known)
    }
}

static API: PyOnceLock<Api> = PyOnceLock::new();

/// `numpy.ndarray`, once NumPy is known to be there; what every call compares first.
static ARRAY_TYPE: AtomicPtr<PyTypeObject> = AtomicPtr::new(null_mut());

/// Whether the type is exactly `numpy.ndarray`, as far as known; see [`notice`].
#[inline]
#[must_use]
pub fn is_array_type(kind: *mut PyTypeObject) -> bool {
    kind == ARRAY_TYPE.load(Ordering::Relaxed)
}

/// Looks whether NumPy has been imported by now, and remembers its array type if so.
///
/// # Errors
/// Where an imported NumPy lacks its C API.
pub fn notice(py: Python<'_>, modules: &Bound<'_, PyAny>) -> PyResult<bool> {
    if !ARRAY_TYPE.load(Ordering::Relaxed).is_null() {
        return Ok(true);
    }
    // Present but without `ndarray`: NumPy is being imported right now.
    match modules.get_item("numpy") {
        Ok(numpy) if numpy.hasattr("ndarray")? => {
            api(py)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn api(py: Python<'_>) -> PyResult<&Api> {
    API.get_or_try_init(py, || {
        py.import("numpy")?;
        let internal = py
            .import("numpy._core._multiarray_umath")
            .or_else(|_| py.import("numpy.core._multiarray_umath"))?;
        let capsule = internal.getattr("_ARRAY_API")?;
        // SAFETY: the capsule holds NumPy's table of functions and types, whose slots never move;
        // each is read as what NumPy documents it to be.
        unsafe {
            let table =
                ffi::PyCapsule_GetPointer(capsule.as_ptr(), std::ptr::null()).cast::<*mut c_void>();
            if table.is_null() {
                return Err(PyErr::fetch(py));
            }
            let at = |slot: usize| table.add(slot).read();
            let feature_version: unsafe extern "C" fn() -> u32 =
                std::mem::transmute(at(slot::FEATURE_VERSION));
            let descr_from_type: unsafe extern "C" fn(c_int) -> *mut Descr =
                std::mem::transmute(at(slot::DESCR_FROM_TYPE));
            let api = Api {
                array_type: at(slot::ARRAY_TYPE).cast(),
                new_from_descr: std::mem::transmute::<*mut c_void, NewFromDescr>(at(
                    slot::NEW_FROM_DESCR,
                )),
                set_base_object: std::mem::transmute::<*mut c_void, SetBaseObject>(at(
                    slot::SET_BASE_OBJECT,
                )),
                single: descr_from_type(type_number(DType::Float32)),
                double: descr_from_type(type_number(DType::Float64)),
                descr_from_type,
                handler: if feature_version() >= 0x0f {
                    handler::capsule()
                } else {
                    null_mut()
                },
            };
            ARRAY_TYPE.store(api.array_type, Ordering::Relaxed);
            Ok(api)
        }
    })
}

fn type_number(dtype: DType) -> c_int {
    const LONG_IS_64: bool = size_of::<std::ffi::c_long>() == 8;
    match dtype {
        DType::Bool => 0,
        DType::Int8 => 1,
        DType::UInt8 => 2,
        DType::Int16 => 3,
        DType::UInt16 => 4,
        DType::Int32 => 5,
        DType::UInt32 => 6,
        DType::Int64 => {
            if LONG_IS_64 {
                7
            } else {
                9
            }
        }
        DType::UInt64 => {
            if LONG_IS_64 {
                8
            } else {
                10
            }
        }
        DType::Float32 => 11,
        DType::Float64 => 12,
        DType::Complex64 => 14,
        DType::Complex128 => 15,
        DType::Float16 => 23,
        // No number of its own: `ml_dtypes` registers it, and the caller brings the descriptor.
        DType::BFloat16 => -1,
    }
}

fn dtype_of(number: c_int) -> Option<DType> {
    const LONG_IS_64: bool = size_of::<std::ffi::c_long>() == 8;
    Some(match number {
        11 => DType::Float32,
        12 => DType::Float64,
        0 => DType::Bool,
        1 => DType::Int8,
        2 => DType::UInt8,
        3 => DType::Int16,
        4 => DType::UInt16,
        5 => DType::Int32,
        6 => DType::UInt32,
        7 if LONG_IS_64 => DType::Int64,
        7 => DType::Int32,
        8 if LONG_IS_64 => DType::UInt64,
        8 => DType::UInt32,
        9 => DType::Int64,
        10 => DType::UInt64,
        14 => DType::Complex64,
        15 => DType::Complex128,
        23 => DType::Float16,
        _ => return None,
    })
}

/// Reads an array, which must be a `numpy.ndarray` or an instance of a subclass.
///
/// # Safety
/// `array` is one, stays alive for as long as the result is used, and its memory is not replaced.
///
/// # Errors
/// [`Error::DType`] for element types that are not numbers we know.
#[inline]
pub unsafe fn read(what: &str, array: &Bound<'_, PyAny>) -> PyResult<Foreign> {
    let object = array.as_ptr().cast::<ArrayObject>();
    // SAFETY: an array object, by the caller's promise; NumPy keeps `rank` sizes and strides.
    unsafe {
        let descr = (*object).descr;
        let dtype = match dtype_of((*descr).type_num) {
            Some(dtype) => dtype,
            None => registered_dtype(what, array)?,
        };
        let (rank, flags) = ((*object).rank as usize, (*object).flags);
        let (mut shape, mut strides) = (Shape::new(), None);
        if rank > 0 {
            let sizes = (*object).dimensions.cast::<usize>();
            shape = Shape::from_slice(std::slice::from_raw_parts(sizes, rank));
            if flags & C_CONTIGUOUS == 0 {
                let steps = std::slice::from_raw_parts((*object).strides, rank);
                strides = Some(Strides::from_slice(steps));
            }
        }
        let mut foreign = Foreign::checked(what, (*object).data, dtype, shape, strides)?;
        foreign.read_only = flags & WRITEABLE == 0;
        let order = (*descr).byteorder as u8;
        foreign.swapped = order
            == if cfg!(target_endian = "little") {
                b'>'
            } else {
                b'<'
            };
        Ok(foreign)
    }
}

/// The element type of a registered (not built-in) NumPy type: `ml_dtypes.bfloat16` or an error.
#[cold]
fn registered_dtype(what: &str, array: &Bound<'_, PyAny>) -> PyResult<DType> {
    let dtype = array.getattr("dtype")?;
    let name = dtype.str()?.to_string();
    if name == "bfloat16" {
        return Ok(DType::BFloat16);
    }
    Err(Error::dtype(what, "float32 or float64", name).into())
}

/// Whether the object is a `numpy.ndarray` of any class, once NumPy is known to be there.
///
/// # Errors
/// What a strange metaclass raises.
pub fn is_array(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let known = ARRAY_TYPE.load(Ordering::Relaxed);
    // SAFETY: a type object that lives as long as NumPy; both are live objects.
    Ok(!known.is_null() && unsafe { ffi::PyObject_TypeCheck(object.as_ptr(), known) } == 1)
}

/// Whether the object is a NumPy scalar.
///
/// # Errors
/// Where NumPy is broken.
pub fn is_scalar(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let generic = object.py().import("numpy")?.getattr("generic")?;
    object.is_instance(&generic)
}

/// Refuses a masked array that masks something: its numbers would be read as if they counted.
///
/// # Errors
/// [`Error::Value`] then.
pub fn refuse_masked(what: &str, array: &Bound<'_, PyAny>) -> PyResult<()> {
    let modules = array.py().import("sys")?.getattr("modules")?;
    if let Ok(masked) = modules.get_item("numpy.ma")
        && array.is_instance(&masked.getattr("MaskedArray")?)?
        && masked.call_method1("is_masked", (array,))?.is_truthy()?
    {
        return Err(Error::value(
            what,
            "the array masks some of its elements; fill them first (array.filled(value))",
        )
        .into());
    }
    Ok(())
}

/// Hands a block over as a NumPy array which owns it. `like` brings the element type where NumPy
/// itself has none for it (bfloat16).
///
/// # Errors
/// Where NumPy cannot be imported or refuses.
pub fn export<'py>(
    py: Python<'py>,
    block: Block,
    dtype: DType,
    shape: &[usize],
    like: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let api = api(py)?;
    let descr = api.descr(py, dtype, like)?;
    // SAFETY: the reference to `descr` is given away; `shape` holds `rank` numbers below
    // `isize::MAX`; the data pointer is valid for the shape, and is owned by the array once its
    // handler is set, or by the base object.
    unsafe {
        let length = block.len();
        let data = block.into_raw();
        let array = (api.new_from_descr)(
            api.array_type,
            descr,
            shape.len() as c_int,
            shape.as_ptr().cast(),
            std::ptr::null(),
            data.cast(),
            CARRAY,
            null_mut(),
        );
        if array.is_null() {
            drop(Block::from_raw(data));
            return Err(PyErr::fetch(py));
        }
        debug_assert!(length <= isize::MAX as usize);
        let object = array.cast::<ArrayObject>();
        if api.handler.is_null() {
            let base = handler::owner(data);
            if base.is_null() || (api.set_base_object)(object, base) != 0 {
                let error = PyErr::fetch(py);
                ffi::Py_DECREF(array);
                return Err(error);
            }
        } else {
            ffi::Py_INCREF(api.handler);
            (*object).mem_handler = api.handler;
            (*object).flags |= OWNDATA;
        }
        Ok(Bound::from_owned_ptr(py, array))
    }
}

/// A read-only NumPy array over constant data that belongs to `owner`, which the array keeps alive.
///
/// # Safety
/// `data` must neither move nor change while `owner` lives.
///
/// # Errors
/// Where NumPy cannot be imported or refuses.
pub unsafe fn view_of<'py, T: crate::array::Element>(
    owner: &Bound<'py, PyAny>,
    data: &[T],
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    let py = owner.py();
    assert_eq!(shape.iter().product::<usize>(), data.len());
    let api = api(py)?;
    // SAFETY: the new reference to the element type is given away; the data has as many elements as
    // the shape and outlives the array by the caller's promise, because the array holds `owner`.
    unsafe {
        let array = (api.new_from_descr)(
            api.array_type,
            (api.descr_from_type)(type_number(T::DTYPE)),
            shape.len() as c_int,
            shape.as_ptr().cast(),
            std::ptr::null(),
            data.as_ptr().cast_mut().cast(),
            CARRAY & !WRITEABLE,
            null_mut(),
        );
        if array.is_null() {
            return Err(PyErr::fetch(py));
        }
        let array = Bound::from_owned_ptr(py, array);
        if (api.set_base_object)(array.as_ptr().cast(), owner.clone().into_ptr()) != 0 {
            return Err(PyErr::fetch(py));
        }
        Ok(array)
    }
}

/// A NumPy array over the memory of a buffer, which it keeps alive; read-only where the buffer is.
///
/// # Errors
/// Where NumPy cannot be imported or refuses.
pub fn view<'py>(buffer: &Bound<'py, Buffer>) -> PyResult<Bound<'py, PyAny>> {
    let py = buffer.py();
    let api = api(py)?;
    let memory = buffer.get().foreign();
    let (shape, strides) = (memory.shape(), memory.strides());
    let flags = if memory.read_only { 0 } else { WRITEABLE };
    // SAFETY: the new reference to the element type is given away; shape and strides are those of the
    // memory, which lives as long as the buffer that the array holds.
    unsafe {
        let array = (api.new_from_descr)(
            api.array_type,
            api.descr(py, memory.dtype(), None)?,
            shape.len() as c_int,
            shape.as_ptr().cast(),
            strides.as_ptr(),
            memory.pointer().cast_mut().cast(),
            flags,
            null_mut(),
        );
        if array.is_null() {
            return Err(PyErr::fetch(py));
        }
        let array = Bound::from_owned_ptr(py, array);
        if (api.set_base_object)(array.as_ptr().cast(), buffer.clone().into_ptr()) != 0 {
            return Err(PyErr::fetch(py));
        }
        Ok(array)
    }
}

/// How NumPy allocates and releases the memory of arrays whose handler is ours.
mod handler {
    use super::{Block, PyObject, c_char, c_void, ffi};

    #[repr(C)]
    struct Allocator {
        context: *mut c_void,
        malloc: unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void,
        calloc: unsafe extern "C" fn(*mut c_void, usize, usize) -> *mut c_void,
        realloc: unsafe extern "C" fn(*mut c_void, *mut c_void, usize) -> *mut c_void,
        free: unsafe extern "C" fn(*mut c_void, *mut c_void, usize),
    }

    #[repr(C)]
    struct Handler {
        name: [c_char; 127],
        version: u8,
        allocator: Allocator,
    }

    // SAFETY: constant data.
    unsafe impl Sync for Handler {}

    unsafe extern "C" fn malloc(_: *mut c_void, size: usize) -> *mut c_void {
        Block::try_new(size, 0).map_or(std::ptr::null_mut(), |block| block.into_raw().cast())
    }

    unsafe extern "C" fn calloc(_: *mut c_void, count: usize, size: usize) -> *mut c_void {
        let bytes = count.checked_mul(size);
        let Some(mut block) = bytes.and_then(|bytes| Block::try_new(bytes, 0)) else {
            return std::ptr::null_mut();
        };
        block.as_mut_slice::<u8>().fill(0);
        block.into_raw().cast()
    }

    unsafe extern "C" fn realloc(_: *mut c_void, old: *mut c_void, size: usize) -> *mut c_void {
        // NumPy keeps the old memory where there is no new one.
        let Some(mut new) = Block::try_new(size, 0) else {
            return std::ptr::null_mut();
        };
        if !old.is_null() {
            // SAFETY: NumPy hands back what it got from this handler.
            let old = unsafe { Block::from_raw(old.cast()) };
            let common = old.len().min(size);
            new.as_mut_slice::<u8>()[..common].copy_from_slice(&old.as_slice::<u8>()[..common]);
        }
        new.into_raw().cast()
    }

    unsafe extern "C" fn free(_: *mut c_void, data: *mut c_void, _: usize) {
        if !data.is_null() {
            // SAFETY: NumPy hands back what it got from us, once.
            drop(unsafe { Block::from_raw(data.cast()) });
        }
    }

    static HANDLER: Handler = Handler {
        name: {
            let mut name = [0; 127];
            let text = b"kinarray";
            let mut at = 0;
            while at < text.len() {
                name[at] = text[at] as c_char;
                at += 1;
            }
            name
        },
        version: 1,
        allocator: Allocator {
            context: std::ptr::null_mut(),
            malloc,
            calloc,
            realloc,
            free,
        },
    };

    /// The handler as NumPy wants it: a capsule that is never released.
    pub(super) fn capsule() -> *mut PyObject {
        // SAFETY: a pointer to static data under a static name.
        unsafe {
            ffi::PyCapsule_New(
                (&raw const HANDLER).cast_mut().cast(),
                c"mem_handler".as_ptr(),
                None,
            )
        }
    }

    /// A capsule that owns a block, as the base object for NumPy before 1.22. Releases the block
    /// where it cannot be made.
    pub(super) fn owner(data: *mut u8) -> *mut PyObject {
        const NAME: &std::ffi::CStr = c"kinarray.block";
        unsafe extern "C" fn destroy(capsule: *mut PyObject) {
            // SAFETY: called once, with the capsule made below.
            unsafe {
                let data = ffi::PyCapsule_GetPointer(capsule, NAME.as_ptr());
                drop(Block::from_raw(data.cast()));
            }
        }
        // SAFETY: `data` came from `Block::into_raw` and is owned by the capsule from here on.
        unsafe {
            let capsule = ffi::PyCapsule_New(data.cast(), NAME.as_ptr(), Some(destroy));
            if capsule.is_null() {
                drop(Block::from_raw(data));
            }
            capsule
        }
    }
}
