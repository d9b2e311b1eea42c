//! The one door in: any Python object that holds numbers becomes an [`ArrayIn`].
//!
//! What a type is gets decided by comparing its address with the array types of the frameworks that
//! are imported; everything else takes the slower ways in order. No framework is ever imported here.

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::array::DType;
use crate::error::Error;
use crate::interop::arrow::{self, Imported};
use crate::interop::buffer::Buffer;
use crate::interop::dlpack::{self, Managed};
use crate::interop::foreign::{Foreign, not_real};
use crate::interop::pybuffer::{self, PyBuffer};
use crate::interop::{copies, jax, list, numpy, torch};

/// What an array is, and so what its result shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `numpy.ndarray`, its subclasses and scalars.
    Numpy,
    /// `torch.Tensor` and its subclasses.
    Torch,
    /// `jax.Array`.
    Jax,
    /// An Arrow column of this library.
    Arrow(arrow::Library, arrow::Form),
    /// A memoryview, or something else that speaks only the buffer protocol.
    Memory,
    /// Our own [`Buffer`].
    Own,
    /// Something else that speaks DLPack.
    Dlpack,
    /// Python numbers: they follow the arrays beside them, and count as NumPy on their own.
    Numbers,
}

impl Kind {
    /// The name in [`kind_of`](crate::python::interop).
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Numpy => "numpy",
            Self::Torch => "torch",
            Self::Jax => "jax",
            Self::Arrow(library, _) => library.name(),
            Self::Memory => "memoryview",
            Self::Own => "kinarray",
            Self::Dlpack => "dlpack",
            Self::Numbers => "numbers",
        }
    }
}

/// What keeps the memory alive while it is read.
#[derive(Debug)]
#[allow(dead_code, reason = "held for their destructors")]
enum Guard {
    /// The caller holds the object, and the object its memory.
    Caller,
    Buffer(PyBuffer),
    Managed(Managed),
    Arrow(Box<Imported>),
    Numbers(Vec<f64>),
    Integers(Vec<i64>),
}

/// An array as it came in: what it is and where its numbers lie.
#[derive(Debug)]
pub(crate) struct ArrayIn<'a, 'py> {
    /// The object.
    pub object: &'a Bound<'py, PyAny>,
    /// What it is.
    pub kind: Kind,
    /// Where its numbers lie.
    pub memory: Foreign,
    _guard: Guard,
}

impl<'a, 'py> ArrayIn<'a, 'py> {
    /// Reads `object`, the argument `what` of the public function `function`.
    #[inline]
    pub(crate) fn read(
        function: &str,
        what: &str,
        object: &'a Bound<'py, PyAny>,
    ) -> PyResult<Self> {
        // SAFETY: a live object has a type; the caller holds the object for `'a`.
        unsafe {
            let kind = ffi::Py_TYPE(object.as_ptr());
            if numpy::is_array_type(kind) {
                let memory = numpy::read(what, object)?;
                return Ok(Self::new(object, Kind::Numpy, memory, Guard::Caller));
            }
            if torch::is_tensor_type(kind) {
                let (memory, managed) = torch::read(function, what, object)?;
                let guard = managed.map_or(Guard::Caller, Guard::Managed);
                return Ok(Self::new(object, Kind::Torch, memory, guard));
            }
            if jax::is_array_type(kind) {
                return Self::read_jax(what, object);
            }
        }
        Self::read_other(function, what, object)
    }

    /// Reads an argument of something that has no differentiable twin, such as a constructor.
    pub(crate) fn extract(object: &'a Bound<'py, PyAny>, what: &str) -> PyResult<Self> {
        Self::read("", what, object)
    }

    /// The same where whole numbers or truth values are expected: lists keep theirs.
    pub(crate) fn extract_integers(object: &'a Bound<'py, PyAny>, what: &str) -> PyResult<Self> {
        if !list::speaks(object) {
            return Self::extract(object, what);
        }
        let nested = list::integers(what, object)?;
        let numbers = nested.values.as_ptr().cast();
        // SAFETY: the guard keeps the vector, whose memory does not move with it.
        let memory = unsafe { Foreign::checked(what, numbers, DType::Int64, nested.shape, None)? };
        let guard = Guard::Integers(nested.values);
        Ok(Self::new(object, Kind::Numbers, memory, guard))
    }

    fn new(object: &'a Bound<'py, PyAny>, kind: Kind, memory: Foreign, guard: Guard) -> Self {
        Self {
            object,
            kind,
            memory,
            _guard: guard,
        }
    }

    fn read_jax(what: &str, object: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        let (memory, guard) = jax::read(what, object)?;
        let guard = match guard {
            jax::Guard::Buffer(buffer) => Guard::Buffer(buffer),
            jax::Guard::Managed(managed) => Guard::Managed(managed),
        };
        Ok(Self::new(object, Kind::Jax, memory, guard))
    }

    #[cold]
    fn read_other(function: &str, what: &str, object: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        let py = object.py();
        if let Ok(buffer) = object.cast_exact::<Buffer>() {
            let memory = buffer.get().foreign(what)?;
            return Ok(Self::new(object, Kind::Own, memory, Guard::Caller));
        }
        if object.is_instance_of::<PyType>() {
            return Err(unreadable(what, object)); // its methods are those of its instances
        }
        if list::speaks(object) {
            let nested = list::reals(what, object)?;
            // SAFETY: the guard keeps the vector, whose memory does not move with it.
            let memory = unsafe {
                Foreign::checked(
                    what,
                    nested.values.as_ptr().cast(),
                    DType::Float64,
                    nested.shape,
                    None,
                )?
            };
            let guard = Guard::Numbers(nested.values);
            return Ok(Self::new(object, Kind::Numbers, memory, guard));
        }
        let modules = py.import(intern!(py, "sys"))?.getattr("modules")?;
        let has_numpy = numpy::notice(py, &modules)?;
        let has_torch = torch::notice(py, &modules)?;
        let has_jax = jax::notice(py, &modules)?;
        // SAFETY: a live object has a type; the caller holds the object for `'a`.
        unsafe {
            let kind = ffi::Py_TYPE(object.as_ptr());
            if numpy::is_array_type(kind) || torch::is_tensor_type(kind) || jax::is_array_type(kind)
            {
                return Self::read(function, what, object);
            }
        }
        if has_torch && torch::is_tensor(object)? {
            let (memory, managed) = torch::read_subclass(function, what, object)?;
            return Ok(Self::new(
                object,
                Kind::Torch,
                memory,
                Guard::Managed(managed),
            ));
        }
        if has_jax && jax::is_tracer(object)? {
            return Err(jax::traced(function, what));
        }
        if has_numpy && numpy::is_array(object)? {
            numpy::refuse_masked(what, object, &modules)?;
            // SAFETY: an instance of a subclass, held by the caller.
            let memory = unsafe { numpy::read(what, object)? };
            return Ok(Self::new(object, Kind::Numpy, memory, Guard::Caller));
        }
        if let Some((imported, library, form)) = arrow::import(what, object)? {
            let memory = imported.foreign().clone();
            let kind = Kind::Arrow(library, form);
            return Ok(Self::new(
                object,
                kind,
                memory,
                Guard::Arrow(Box::new(imported)),
            ));
        }
        if object.hasattr(intern!(py, "__dlpack__"))? {
            let (memory, managed) = dlpack::import(what, object)?;
            return Ok(Self::new(
                object,
                Kind::Dlpack,
                memory,
                Guard::Managed(managed),
            ));
        }
        if pybuffer::speaks(object) {
            let (memory, buffer) = pybuffer::import(what, object)?;
            let kind = if has_numpy && numpy::is_scalar(object)? {
                Kind::Numpy
            } else {
                Kind::Memory
            };
            return Ok(Self::new(object, kind, memory, Guard::Buffer(buffer)));
        }
        Err(unreadable(what, object))
    }

    /// Whether the memory is borrowed from the object, so that other code could take it away.
    #[inline]
    pub(crate) fn is_borrowed(&self) -> bool {
        matches!(self._guard, Guard::Caller)
    }

    /// Looks whether borrowed memory is still where it was. To be called after Python code ran, such
    /// as another argument's `__dlpack__`, which may have resized this one.
    #[cold]
    pub(crate) fn check_unmoved(&self, function: &str, what: &str) -> PyResult<()> {
        if self.is_borrowed() && Self::read(function, what, self.object)?.memory != self.memory {
            let problem = "the array was changed while the other arguments were read";
            return Err(Error::value(what, problem).into());
        }
        Ok(())
    }

    /// The precision to compute in.
    #[inline]
    pub(crate) fn precision(&self, what: &str) -> PyResult<DType> {
        match self.memory.dtype().compute() {
            Some(dtype) => Ok(dtype),
            None => Err(not_real(what, self.memory.dtype()).into()),
        }
    }
}

#[cold]
fn unreadable(what: &str, object: &Bound<'_, PyAny>) -> PyErr {
    let class = object.get_type();
    let name = match object.cast::<PyType>() {
        Ok(class) => class
            .fully_qualified_name()
            .map(|name| format!("the class {name}")),
        Err(_) => class.fully_qualified_name().map(|name| name.to_string()),
    };
    let name = name.unwrap_or_else(|_| "?".into());
    Error::dtype(
        what,
        "an array (NumPy, torch, JAX, Arrow, anything with __dlpack__ or a buffer) or numbers",
        name,
    )
    .into()
}

/// Converts an array to the precision that the whole call is computed in; a documented copy.
pub(crate) fn converted<T: crate::math::Real>(
    what: &str,
    array: &ArrayIn<'_, '_>,
) -> crate::Result<Vec<T>> {
    let values = array.memory.to_reals::<T>(what)?;
    if array.kind != Kind::Numbers {
        copies::count(size_of_val(&values[..]));
    }
    Ok(values)
}
