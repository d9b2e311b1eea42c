//! torch tensors in and out through torch's C exchange table, with the checks that the table leaves
//! to its callers.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use dlpark::ffi::{DLManagedTensorVersioned, DLPackExchangeAPI, DLTensor};
use pyo3::exceptions::{PyBufferError, PyRuntimeError};
use pyo3::ffi::{self, PyObject, PyTypeObject};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};
use pyo3::{PyTypeInfo, intern};

use crate::array::{DType, Shape};
use crate::error::Error;
use crate::interop::buffer::Buffer;
use crate::interop::differentiating;
use crate::interop::dlpack::{self, Managed};
use crate::interop::foreign::Foreign;
use crate::interop::memory::Block;

struct Torch {
    tensor: Py<PyAny>,
    /// The C functions; null before torch 2.10.
    table: *const DLPackExchangeAPI,
    /// `torch.Tensor.requires_grad`, with what reads it.
    requires_grad: Option<Property>,
    /// `torch.Tensor.is_neg` without the detour through Python's call machinery.
    is_neg: Option<unsafe extern "C" fn(*mut PyObject, *mut PyObject) -> *mut PyObject>,
    /// The namespace that holds the level of forward-mode differentiation.
    forward_ad: Py<PyDict>,
    /// The level that stands for none, -1: one object for the whole process.
    no_level: Py<PyAny>,
    /// Tells autograd that a tensor was written into; whether it takes several at once.
    increment_version: (Py<PyAny>, bool),
}

// SAFETY: the table lives as long as the process and its functions are called with the interpreter
// held.
unsafe impl Send for Torch {}
// SAFETY: as above.
unsafe impl Sync for Torch {}

static TORCH: PyOnceLock<Torch> = PyOnceLock::new();

/// `torch.Tensor`, once torch is known to be there.
static TENSOR_TYPE: AtomicPtr<PyTypeObject> = AtomicPtr::new(null_mut());

/// Whether the type is exactly `torch.Tensor`, as far as known; see [`notice`].
#[inline]
#[must_use]
pub fn is_tensor_type(kind: *mut PyTypeObject) -> bool {
    kind == TENSOR_TYPE.load(Ordering::Relaxed)
}

/// Looks whether torch has been imported by now, and remembers its tensor type if so.
///
/// # Errors
/// Where an imported torch lacks what every version has.
pub fn notice(py: Python<'_>, modules: &Bound<'_, PyAny>) -> PyResult<bool> {
    if TORCH.get(py).is_some() {
        return Ok(true);
    }
    let Ok(module) = modules.get_item("torch") else {
        return Ok(false);
    };
    // Present but incomplete: torch is being imported right now.
    let Ok(forward_ad) = modules.get_item("torch.autograd.forward_ad") else {
        return Ok(false);
    };
    if !module.hasattr("Tensor")? || !module.hasattr("zeros")? || is_half_imported(&module) {
        return Ok(false);
    }
    let torch = TORCH.get_or_try_init(py, || {
        let tensor = module.getattr("Tensor")?;
        let mut table = std::ptr::null();
        if let Ok(capsule) = tensor.getattr("__dlpack_c_exchange_api__") {
            // SAFETY: a capsule of this name holds the exchange table.
            unsafe {
                let found =
                    ffi::PyCapsule_GetPointer(capsule.as_ptr(), c"dlpack_exchange_api".as_ptr())
                        .cast::<DLPackExchangeAPI>();
                if found.is_null() {
                    PyErr::take(py);
                } else {
                    table = supported(found);
                }
            }
        }
        let sample = module.call_method1("zeros", (1,))?;
        let (increment, takes_several) = increment_version(&sample)?;
        Ok::<_, PyErr>(Torch {
            tensor: tensor.unbind(),
            table,
            requires_grad: Property::of(&sample.get_type(), "requires_grad"),
            is_neg: direct_method(&sample, "is_neg"),
            forward_ad: forward_ad
                .getattr("__dict__")?
                .cast_into::<PyDict>()?
                .unbind(),
            no_level: (-1_i64).into_pyobject(py)?.into_any().unbind(),
            increment_version: (increment.unbind(), takes_several),
        })
    })?;
    TENSOR_TYPE.store(torch.tensor.as_ptr().cast(), Ordering::Relaxed);
    Ok(true)
}

/// Whether another thread is importing the module right now. Functions of a half imported torch are
/// there, and crash.
fn is_half_imported(module: &Bound<'_, PyAny>) -> bool {
    module
        .getattr("__spec__")
        .and_then(|spec| spec.getattr("_initializing")?.is_truthy())
        .unwrap_or(false)
}

/// The table of a version whose layout we know, along the chain of older ones.
///
/// # Safety
/// `table` is a DLPack exchange table.
unsafe fn supported(mut table: *mut DLPackExchangeAPI) -> *const DLPackExchangeAPI {
    // SAFETY: every version starts with the header, which links to an older table or null.
    unsafe {
        while !table.is_null() {
            if (*table).header.version.major == dlpack::VERSION.major
                && (*table).dltensor_from_py_object_no_sync.is_some()
                && (*table).managed_tensor_to_py_object_no_sync.is_some()
            {
                return table;
            }
            table = (*table).header.prev_api.cast();
        }
    }
    std::ptr::null()
}

/// A property written in C, read without looking its name up in the class.
struct Property {
    descriptor: Py<PyAny>,
    get: ffi::descrgetfunc,
}

impl Property {
    /// `None` where the class has no such property, or one that is written in Python.
    fn of(class: &Bound<'_, PyType>, name: &str) -> Option<Self> {
        let first = class
            .mro()
            .iter()
            .find_map(|base| base.getattr("__dict__").ok()?.get_item(name).ok())?;
        let kinds = class.py().import("types").ok()?;
        if !first
            .get_type()
            .is(kinds.getattr("GetSetDescriptorType").ok()?)
        {
            return None;
        }
        // SAFETY: the slot of a live class, which has this type where there is one.
        let get = unsafe {
            let slot = ffi::PyType_GetSlot(ffi::Py_TYPE(first.as_ptr()), ffi::Py_tp_descr_get);
            std::mem::transmute::<*mut c_void, Option<ffi::descrgetfunc>>(slot)?
        };
        Some(Self {
            descriptor: first.unbind(),
            get,
        })
    }

    /// The value for an instance of exactly the class.
    #[inline]
    fn get<'py>(&self, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let class = object.get_type_ptr().cast();
        // SAFETY: the descriptor's own function, which looks whether the object is of its class and
        // returns a new reference.
        unsafe {
            let value = (self.get)(self.descriptor.as_ptr(), object.as_ptr(), class);
            Bound::from_owned_ptr_or_err(object.py(), value)
        }
    }
}

/// The C function of a method without arguments, where the method is a built-in one.
fn direct_method(
    object: &Bound<'_, PyAny>,
    name: &str,
) -> Option<unsafe extern "C" fn(*mut PyObject, *mut PyObject) -> *mut PyObject> {
    let method = object.getattr(name).ok()?;
    if !pyo3::types::PyCFunction::is_type_of(&method) {
        return None;
    }
    // SAFETY: a built-in method, which was just looked at; with these flags its C function has this
    // type.
    unsafe {
        if ffi::PyCFunction_GetFlags(method.as_ptr()) != ffi::METH_NOARGS {
            return None;
        }
        ffi::PyCFunction_GetFunction(method.as_ptr())
    }
}

/// The function that tells autograd of a write, and whether it takes several tensors: the C function behind
/// the public one where that is there.
fn increment_version<'py>(sample: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, bool)> {
    let py = sample.py();
    let version = || sample.getattr("_version")?.extract::<i64>();
    let before = version()?;
    if let Ok(function) = py.import("torch._C")?.getattr("_increment_version") {
        if function.call1(((sample,),)).is_ok() && version()? == before + 1 {
            return Ok((function, true));
        }
        if function.call1((sample,)).is_ok() && version()? == before + 1 {
            return Ok((function, false));
        }
    }
    let public = py.import("torch.autograd.graph")?;
    Ok((public.getattr("increment_version")?, false))
}

/// What a tensor hides from DLPack.
enum Hidden {
    Nothing,
    RequiresGrad,
    Tangent,
}

impl Torch {
    /// Whether a plain function would lose the derivative of the tensor.
    #[inline]
    fn tracking(&self, tensor: &Bound<'_, PyAny>) -> PyResult<Hidden> {
        let py = tensor.py();
        let requires_grad = match &self.requires_grad {
            // A subclass may have a property of its own.
            Some(property) if is_tensor_type(tensor.get_type_ptr()) => property.get(tensor)?,
            _ => tensor.getattr(intern!(py, "requires_grad"))?,
        };
        // A built-in property, so it is one of the two; anything else is asked what it means.
        // SAFETY: a live object.
        let plain = unsafe { ffi::Py_IsFalse(requires_grad.as_ptr()) == 1 };
        if !plain && requires_grad.is_truthy()? {
            let enabled = py
                .import("torch")?
                .call_method0(intern!(py, "is_grad_enabled"))?;
            if enabled.is_truthy()? {
                return Ok(Hidden::RequiresGrad);
            }
        }
        // SAFETY: a live dictionary and key; the answer is borrowed, and only its address is looked at
        // where it is the level that stands for none.
        let level = unsafe {
            ffi::PyDict_GetItemWithError(
                self.forward_ad.as_ptr(),
                intern!(py, "_current_level").as_ptr(),
            )
        };
        if level != self.no_level.as_ptr() && self.has_tangent(tensor)? {
            return Ok(Hidden::Tangent);
        }
        Ok(Hidden::Nothing)
    }

    /// Whether the tensor carries a tangent of forward-mode differentiation.
    #[cold]
    fn has_tangent(&self, tensor: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = tensor.py();
        let level = self
            .forward_ad
            .bind(py)
            .get_item(intern!(py, "_current_level"))?;
        if level.is_none_or(|level| level.extract::<i64>().unwrap_or(0) < 0) {
            return Ok(false);
        }
        let parts = py
            .import("torch.autograd.forward_ad")?
            .call_method1("unpack_dual", (tensor,))?;
        Ok(!parts.getattr("tangent")?.is_none())
    }

    /// Whether the values lie negated in memory: the imaginary part of a lazily conjugated tensor.
    #[inline]
    fn is_negated(&self, tensor: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = tensor.py();
        let answer = match self.is_neg {
            // SAFETY: the C function of `Tensor.is_neg`, given a tensor; returns a new reference.
            Some(is_neg) => unsafe {
                let answer = Bound::from_owned_ptr_or_err(py, is_neg(tensor.as_ptr(), null_mut()))?;
                if ffi::Py_IsFalse(answer.as_ptr()) == 1 {
                    return Ok(false);
                }
                answer
            },
            None => tensor.call_method0(intern!(py, "is_neg"))?,
        };
        answer.is_truthy()
    }
}

/// The name of a function's twin: methods are functions there, those of characters by their own name and
/// others with that of their class in front, as in `signed_distance_field_sample`.
fn twin_of(function: &str) -> String {
    let Some((class, method)) = function.split_once('.') else {
        return function.to_owned();
    };
    if class == "Character" {
        return method.to_owned();
    }
    let letters: Vec<char> = class.chars().collect();
    let mut twin = String::new();
    for (place, letter) in letters.iter().enumerate() {
        if place > 0 && letter.is_uppercase() {
            twin.push('_');
        }
        twin.extend(letter.to_lowercase());
    }
    format!("{twin}_{method}")
}

/// The error for a gradient that a plain function would lose.
#[cold]
pub fn gradient_lost(function: &str, what: &str, why: &str, undo: &str) -> PyErr {
    let text = if differentiating::is_on() && !function.is_empty() {
        format!("{what}: {why}, but {function} has no derivative: {undo}")
    } else if function.is_empty() {
        format!("{what}: {why}; the gradient would be lost here: {undo}")
    } else {
        let twin = twin_of(function);
        format!(
            "{what}: {why}; the plain {function} would lose the gradient: call its twin \
             kinarray.autograd.{twin}, or {undo}"
        )
    };
    Error::Gradient(text).into()
}

#[cold]
fn negated(what: &str) -> PyErr {
    Error::dtype(
        what,
        "a tensor whose values lie in memory as they are",
        "one with the negative bit set (is_neg()); call resolve_neg() first",
    )
    .into()
}

fn refuse(function: &str, what: &str, hidden: &Hidden) -> PyResult<()> {
    match hidden {
        Hidden::Nothing => Ok(()),
        Hidden::RequiresGrad => Err(gradient_lost(
            function,
            what,
            "the tensor requires grad",
            "pass tensor.detach()",
        )),
        Hidden::Tangent => Err(gradient_lost(
            function,
            what,
            "the tensor carries a forward-mode tangent",
            "pass tensor.detach()",
        )),
    }
}

/// Reads a tensor whose type is exactly `torch.Tensor`. Without a C table the second part keeps the
/// memory alive; with it the tensor itself does.
///
/// # Safety
/// The tensor stays alive for as long as the result is used, and its memory is not replaced.
///
/// # Errors
/// [`Error::Gradient`], [`Error::DType`], [`Error::Device`] and what torch raises.
#[inline]
pub unsafe fn read(
    function: &str,
    what: &str,
    tensor: &Bound<'_, PyAny>,
) -> PyResult<(Foreign, Option<Managed>)> {
    let py = tensor.py();
    let torch = TORCH.get(py).expect("the type was recognised");
    refuse(function, what, &torch.tracking(tensor)?)?;
    if torch.table.is_null() {
        return read_subclass(function, what, tensor)
            .map(|(foreign, managed)| (foreign, Some(managed)));
    }
    // SAFETY: the table's function, called with a tensor of its type and room for the answer, which
    // borrows from the tensor.
    let foreign = unsafe {
        let function_pointer = (*torch.table)
            .dltensor_from_py_object_no_sync
            .expect("looked at when the table was chosen");
        let mut raw = std::mem::MaybeUninit::<DLTensor>::zeroed();
        if function_pointer(tensor.as_ptr().cast(), raw.as_mut_ptr()) != 0 {
            return Err(explain(function, what, tensor, PyErr::fetch(py)));
        }
        dlpack::read(what, raw.assume_init_ref())
            .map_err(|error| explain(function, what, tensor, error.into()))?
    };
    if torch.is_negated(tensor)? {
        return Err(negated(what));
    }
    Ok((foreign, None))
}

/// Reads a tensor of a subclass (`nn.Parameter` and whatever users derive), or of a torch without
/// the C table, through `__dlpack__`.
///
/// # Errors
/// As for [`read`].
pub fn read_subclass(
    function: &str,
    what: &str,
    tensor: &Bound<'_, PyAny>,
) -> PyResult<(Foreign, Managed)> {
    let py = tensor.py();
    let torch = TORCH.get(py).expect("the type was recognised");
    refuse(function, what, &torch.tracking(tensor)?)?;
    if let Some(error) = impossible(function, what, tensor)? {
        return Err(error);
    }
    if torch.is_negated(tensor)? {
        return Err(negated(what));
    }
    // With grad mode off a tensor that requires grad is as good as any, but `__dlpack__` refuses.
    let plain = tensor.call_method0(intern!(py, "detach"))?;
    let (mut memory, managed) =
        dlpack::import(what, &plain).map_err(|error| explain(function, what, tensor, error))?;
    // The capsules of torch before 2.10 cannot say that they may be written into; its tensors may.
    memory.read_only &= !torch.table.is_null();
    Ok((memory, managed))
}

/// The error for tensors that have no memory that could be read.
fn impossible(function: &str, what: &str, tensor: &Bound<'_, PyAny>) -> PyResult<Option<PyErr>> {
    let py = tensor.py();
    let kind = |text: &str| -> PyErr {
        Error::dtype(what, "a dense tensor with memory behind it", text).into()
    };
    if let Ok(functorch) = py.import("torch._C._functorch")
        && let Ok(wrapped) = functorch.call_method1("is_functorch_wrapped_tensor", (tensor,))
        && wrapped.is_truthy()?
    {
        return Ok(Some(gradient_lost(
            function,
            what,
            "the tensor is being transformed by torch.func",
            "call it outside the transform",
        )));
    }
    let modules = py.import("sys")?.getattr("modules")?;
    if let Ok(fake) = modules.get_item("torch._subclasses.fake_tensor")
        && let Ok(class) = fake.getattr("FakeTensor")
        && tensor.is_instance(&class)?
    {
        return Ok(Some(kind("a FakeTensor, which has none")));
    }
    if tensor.getattr("is_meta")?.is_truthy()? {
        return Ok(Some(kind("a meta tensor, which has none")));
    }
    let layout = tensor.getattr("layout")?.str()?.to_string();
    if layout != "torch.strided" {
        return Ok(Some(kind(&format!("a tensor of layout {layout}"))));
    }
    if tensor.getattr("is_nested")?.is_truthy()? {
        return Ok(Some(kind("a nested tensor")));
    }
    if tensor.getattr("is_quantized")?.is_truthy()? {
        return Ok(Some(kind("a quantized tensor")));
    }
    // torch before 2.10 has words of its own for these.
    if tensor.call_method0(intern!(py, "is_conj"))?.is_truthy()? {
        let dtype = tensor.getattr("dtype")?;
        return Ok(Some(kind(&format!("a conjugated tensor of {dtype}"))));
    }
    let address = tensor.call_method0("data_ptr");
    if address.is_ok_and(|address| address.extract::<usize>().is_ok_and(|at| at == 0))
        && tensor.call_method0("numel")?.is_truthy()?
    {
        return Ok(Some(kind(
            "one that has none (its storage was emptied, or it wraps other tensors)",
        )));
    }
    Ok(None)
}

/// The error that says what is wrong with a tensor that torch would not export.
#[cold]
fn explain(function: &str, what: &str, tensor: &Bound<'_, PyAny>, error: PyErr) -> PyErr {
    let py = tensor.py();
    match impossible(function, what, tensor) {
        Ok(Some(reason)) => reason,
        _ if error.is_instance_of::<PyRuntimeError>(py)
            || error.is_instance_of::<PyBufferError>(py) =>
        {
            // torch's first line says what; the others are a stack of C++ functions.
            let text = error.value(py).to_string();
            let why = text.lines().next().unwrap_or_default();
            let expected = "a dense tensor with memory behind it";
            let dtype = tensor.getattr(intern!(py, "dtype"));
            let dtype =
                dtype.map_or_else(|_| "unknown dtype".to_owned(), |dtype| dtype.to_string());
            let got = format!("one of {dtype} that torch does not export ({why})");
            let ours = PyErr::from(Error::dtype(what, expected, got));
            ours.set_cause(py, Some(error));
            ours
        }
        _ => error,
    }
}

/// Hands a block over as a tensor which owns it.
///
/// # Errors
/// What torch raises.
pub fn export<'py>(
    py: Python<'py>,
    block: Block,
    dtype: DType,
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    let torch = TORCH.get(py).expect("a tensor was recognised");
    if torch.table.is_null() {
        return wrap(&Bound::new(py, Buffer::new(block, dtype, shape))?.into_any());
    }
    let tensor = dlpack::export(block, dtype, shape);
    // SAFETY: the table's function takes the structure over.
    unsafe { to_object(py, torch.table, tensor) }
}

/// A buffer as a tensor over the same memory. It must be writable, for a tensor always is.
///
/// # Errors
/// What torch raises.
pub fn wrap<'py>(buffer: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    // A capsule of the kind that every torch understands.
    let capsule = buffer.call_method0(intern!(buffer.py(), "__dlpack__"))?;
    let utilities = buffer.py().import("torch.utils.dlpack")?;
    utilities.call_method1("from_dlpack", (capsule,))
}

unsafe fn to_object(
    py: Python<'_>,
    table: *const DLPackExchangeAPI,
    tensor: *mut DLManagedTensorVersioned,
) -> PyResult<Bound<'_, PyAny>> {
    let mut object = null_mut();
    // SAFETY: the caller's promise; on success a new reference is written.
    unsafe {
        let function = (*table)
            .managed_tensor_to_py_object_no_sync
            .expect("looked at when the table was chosen");
        if function(tensor, &raw mut object) != 0 {
            return Err(PyErr::fetch(py));
        }
        Bound::from_owned_ptr_or_err(py, object.cast())
    }
}

/// Whether the object is a tensor of any class, once torch is known to be there.
///
/// # Errors
/// What a strange metaclass raises.
pub fn is_tensor(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    match TORCH.get(object.py()) {
        Some(torch) => object.is_instance(torch.tensor.bind(object.py())),
        None => Ok(false),
    }
}

/// Why a tensor cannot be written into, beyond what its memory says.
///
/// # Errors
/// What torch raises.
pub fn refuses_writing(tensor: &Bound<'_, PyAny>) -> PyResult<Option<&'static str>> {
    let requires_grad = tensor.getattr(intern!(tensor.py(), "requires_grad"))?;
    Ok(requires_grad
        .is_truthy()?
        .then_some("a tensor that requires grad"))
}

/// Tells autograd that a tensor is written into, so that a graph which saved it notices.
///
/// # Errors
/// What torch raises.
pub fn notice_writing(tensor: &Bound<'_, PyAny>) -> PyResult<()> {
    let torch = TORCH.get(tensor.py()).expect("the type was recognised");
    let (increment, takes_several) = &torch.increment_version;
    let increment = increment.bind(tensor.py());
    let told = match takes_several {
        true => increment.call1(((tensor,),)),
        false => increment.call1((tensor,)),
    };
    if let Err(error) = told {
        // Tensors made in inference mode are in no graph, and older torch raises for them.
        if !tensor.call_method0("is_inference")?.is_truthy()? {
            return Err(error);
        }
    }
    Ok(())
}

/// A shape as a Python tuple.
pub(crate) fn shape_tuple<'py>(py: Python<'py>, shape: &[usize]) -> PyResult<Bound<'py, PyAny>> {
    let shape: Shape = Shape::from_slice(shape);
    Ok(pyo3::types::PyTuple::new(py, shape.iter())?.into_any())
}
