//! Twins of plain functions: the same function, called while derivatives are recorded.
//!
//! A plain function refuses an array whose derivative it would lose. Called through its twin it hands the
//! operation and its arguments to the bridge of the array's library instead; nothing else differs, and
//! where nothing is differentiated the twin is the plain function.

use std::cell::Cell;
use std::ffi::{CString, c_char};
use std::ptr::null_mut;

use pyo3::exceptions::PyValueError;
use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};

thread_local! {
    static DIFFERENTIATING: Cell<bool> = const { Cell::new(false) };
}

/// Whether the running call came through a twin.
#[inline]
#[must_use]
pub fn is_on() -> bool {
    DIFFERENTIATING.get()
}

/// Sets the state for as long as this lives.
struct During(bool);

impl During {
    fn new(state: bool) -> Self {
        Self(DIFFERENTIATING.replace(state))
    }
}

impl Drop for During {
    fn drop(&mut self) {
        DIFFERENTIATING.set(self.0);
    }
}

/// Runs `work`, in which plain functions are plain again.
pub fn off<R>(work: impl FnOnce() -> R) -> R {
    let _during = During::new(false);
    work()
}

/// The twin of a plain function: a built-in function of the same name and documentation.
///
/// # Errors
/// Where the function has no name.
pub fn twin<'py>(
    plain: &Bound<'py, PyAny>,
    module: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let text = |name: &str| -> PyResult<CString> {
        let text = plain.getattr(name)?.extract::<Option<String>>()?;
        CString::new(text.unwrap_or_default())
            .map_err(|_| PyValueError::new_err("a name with a zero byte"))
    };
    let method: ffi::PyCFunctionFastWithKeywords =
        if is_fast(plain) { call_fast } else { call_any };
    // The function looks into this for as long as the process lives; twins are made once.
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: text("__name__")?.into_raw(),
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunctionFastWithKeywords: method,
        },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: documentation(plain, text("__doc__")?)?.into_raw() as *const c_char,
    }));
    // SAFETY: the definition is never freed; the function owns a reference to the plain one as its
    // `self`, and to the module's name.
    unsafe {
        let function = ffi::PyCFunction_NewEx(definition, plain.as_ptr(), module.as_ptr());
        Bound::from_owned_ptr_or_err(plain.py(), function)
    }
}

/// The documentation, with the signature in front where a built-in function keeps it.
fn documentation(plain: &Bound<'_, PyAny>, text: CString) -> PyResult<CString> {
    let signature = plain
        .getattr("__text_signature__")
        .and_then(|signature| signature.extract::<Option<String>>());
    let Ok(Some(signature)) = signature else {
        return Ok(text);
    };
    let name = plain.getattr("__name__")?;
    let text = text.to_string_lossy();
    CString::new(format!("{name}{signature}\n--\n\n{text}"))
        .map_err(|_| PyValueError::new_err("documentation with a zero byte"))
}

/// Whether the function is a built-in one that takes its arguments as an array.
fn is_fast(plain: &Bound<'_, PyAny>) -> bool {
    plain.is_exact_instance_of::<PyCFunction>()
        // SAFETY: a built-in function, as was just looked at.
        && unsafe { ffi::PyCFunction_GetFlags(plain.as_ptr()) }
            == ffi::METH_FASTCALL | ffi::METH_KEYWORDS
}

/// Calls a built-in function with what the twin was called with.
///
/// # Safety
/// Called by the interpreter only; `plain` is the function that [`is_fast`] looked at.
unsafe extern "C" fn call_fast(
    plain: *mut PyObject,
    arguments: *const *mut PyObject,
    count: ffi::Py_ssize_t,
    keywords: *mut PyObject,
) -> *mut PyObject {
    let _during = During::new(true);
    // SAFETY: a function of these flags has this type; the arguments are the interpreter's.
    unsafe {
        let Some(function) = ffi::PyCFunction_GetFunction(plain) else {
            return null_mut();
        };
        let function: ffi::PyCFunctionFastWithKeywords =
            std::mem::transmute::<ffi::PyCFunction, _>(function);
        function(ffi::PyCFunction_GetSelf(plain), arguments, count, keywords)
    }
}

/// Calls any function with what the twin was called with.
///
/// # Safety
/// Called by the interpreter only.
unsafe extern "C" fn call_any(
    plain: *mut PyObject,
    arguments: *const *mut PyObject,
    count: ffi::Py_ssize_t,
    keywords: *mut PyObject,
) -> *mut PyObject {
    let _during = During::new(true);
    // SAFETY: the interpreter is held here, and gives `count` arguments and then one for each keyword,
    // all of them borrowed.
    unsafe {
        let py = Python::assume_attached();
        let argument = |at: isize| Bound::from_borrowed_ptr(py, *arguments.offset(at));
        let call = || {
            let positional = PyTuple::new(py, (0..count).map(argument))?;
            let named = PyDict::new(py);
            if let Some(names) = Bound::from_borrowed_ptr_or_opt(py, keywords) {
                for (place, name) in names.try_iter()?.enumerate() {
                    named.set_item(name?, argument(count + place as isize))?;
                }
            }
            Bound::from_borrowed_ptr(py, plain).call(positional, Some(&named))
        };
        match call() {
            Ok(value) => value.into_ptr(),
            Err(error) => {
                error.restore(py);
                null_mut()
            }
        }
    }
}
