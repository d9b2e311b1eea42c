//! The one door in: any Python object that holds numbers becomes an [`AnyArray`].
//!
//! What a type is gets decided by comparing its address with the array types of the frameworks that
//! are imported; everything else takes the slower ways in order. No framework is ever imported here.

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyType;
use pyo3::{Borrowed, FromPyObject};

use crate::array::{Batch, DType, Element, View};
use crate::error::{Error, Result};
use crate::interop::arrow::{self, Imported};
use crate::interop::buffer::Buffer;
use crate::interop::dlpack::Managed;
use crate::interop::foreign::{Foreign, not_real};
use crate::interop::pybuffer::{self, PyBuffer};
use crate::interop::routes::{self, Route};
use crate::interop::{array_interface, copies, jax, list, namespace, numpy, torch};
use crate::math::Real;

/// What an array is, and so what its result shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `numpy.ndarray`, its subclasses and scalars, and what has only `__array_interface__`.
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
    /// What an object is. A tensor is a tensor whether or not its numbers may be read: one that records a
    /// gradient too.
    ///
    /// # Errors
    /// As for [`AnyArray::read`], which looks at everything that is no tensor.
    pub fn of(what: &str, object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = object.py();
        let modules = py.import(intern!(py, "sys"))?.getattr("modules")?;
        if torch::notice(py, &modules)? && torch::is_tensor(object)? {
            return Ok(Self::Torch);
        }
        Ok(AnyArray::read("", what, object)?.kind)
    }

    /// The name that `kinarray.interop.kind_of` gives.
    #[must_use]
    pub fn name(self) -> &'static str {
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

/// What keeps the memory alive while it is read, beside the object itself.
#[derive(Debug)]
#[allow(dead_code, reason = "held for their destructors")]
pub(super) enum Guard {
    /// The object holds its memory.
    Object,
    Buffer(PyBuffer),
    Managed(Managed),
    Arrow(Box<Imported>),
    Numbers(Vec<f64>),
    Integers(Vec<i64>),
}

/// An array as it came in: what it is and where its numbers lie.
///
/// As the argument of a `#[pyfunction]` it takes every kind of array; `examples/any_array_extension` is an
/// extension in full.
#[derive(Debug)]
pub struct AnyArray<'a, 'py> {
    object: Borrowed<'a, 'py, PyAny>,
    what: &'a str,
    memory: Foreign,
    kind: Kind,
    guard: Guard,
}

impl<'a, 'py> FromPyObject<'a, 'py> for AnyArray<'a, 'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Self::of("", "array", object)
    }
}

impl<'a, 'py> AnyArray<'a, 'py> {
    /// Reads `object`, the argument `what` of the public function `function`. Errors name both.
    ///
    /// # Errors
    /// [`Error::DType`] for what is no array of numbers, [`Error::Gradient`] where a derivative would be
    /// lost, [`Error::Device`] for memory that the host cannot read, [`Error::Value`] for descriptions
    /// that contradict themselves, and what the array's own library raises.
    #[inline(always)]
    pub fn read(function: &str, what: &'a str, object: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        Self::of(function, what, object.as_borrowed())
    }

    #[inline(always)]
    fn of(function: &str, what: &'a str, object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        // SAFETY: a live object has a type; the caller holds the object for `'a`.
        unsafe {
            let kind = ffi::Py_TYPE(object.as_ptr());
            if numpy::is_array_type(kind) {
                let memory = numpy::read(what, &object)?;
                return Ok(Self::new(object, what, Kind::Numpy, memory, Guard::Object));
            }
            if torch::is_tensor_type(kind) {
                let (memory, managed) = torch::read(function, what, &object)?;
                let guard = managed.map_or(Guard::Object, Guard::Managed);
                return Ok(Self::new(object, what, Kind::Torch, memory, guard));
            }
            if jax::is_array_type(kind) {
                return Self::of_jax(what, object);
            }
        }
        Self::of_another(function, what, object)
    }

    /// Reads an argument of something that has no differentiable twin, such as a constructor.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub fn extract(object: &'a Bound<'py, PyAny>, what: &'a str) -> PyResult<Self> {
        Self::read("", what, object)
    }

    /// The same where whole numbers or truth values are expected: lists keep theirs.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub fn extract_integers(object: &'a Bound<'py, PyAny>, what: &'a str) -> PyResult<Self> {
        if !list::speaks(object) {
            return Self::extract(object, what);
        }
        let nested = list::integers(what, object)?;
        let numbers = nested.values.as_ptr().cast();
        // SAFETY: the guard keeps the vector, whose memory does not move with it.
        let memory = unsafe { Foreign::checked(what, numbers, DType::Int64, nested.shape, None)? };
        let guard = Guard::Integers(nested.values);
        let object = object.as_borrowed();
        Ok(Self::new(object, what, Kind::Numbers, memory, guard))
    }

    #[inline(always)]
    fn new(
        object: Borrowed<'a, 'py, PyAny>,
        what: &'a str,
        kind: Kind,
        memory: Foreign,
        guard: Guard,
    ) -> Self {
        Self {
            object,
            what,
            memory,
            kind,
            guard,
        }
    }

    fn of_jax(what: &'a str, object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let (memory, guard) = jax::read(what, &object)?;
        let guard = match guard {
            jax::Guard::Buffer(buffer) => Guard::Buffer(buffer),
            jax::Guard::Managed(managed) => Guard::Managed(managed),
        };
        Ok(Self::new(object, what, Kind::Jax, memory, guard))
    }

    #[cold]
    fn of_another(
        function: &str,
        what: &'a str,
        object: Borrowed<'a, 'py, PyAny>,
    ) -> PyResult<Self> {
        let py = object.py();
        let class = object.get_type();
        if let Some(route) = routes::known(&class) {
            return Self::by_route(route, function, what, object);
        }
        if let Ok(buffer) = object.cast_exact::<Buffer>() {
            let memory = buffer.get().foreign().clone();
            return Ok(Self::new(object, what, Kind::Own, memory, Guard::Object));
        }
        if object.is_instance_of::<PyType>() {
            return Err(unreadable(what, &object)); // its methods are those of its instances
        }
        if list::speaks(&object) {
            return Self::of_numbers(what, object);
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
                return Self::of(function, what, object);
            }
        }
        if has_jax && jax::is_tracer(&object)? {
            return Err(jax::traced(function, what));
        }
        let route = if has_torch && torch::is_tensor(&object)? {
            Some(Route::TorchSubclass)
        } else if has_numpy && numpy::is_array(&object)? {
            Some(Route::NumpySubclass)
        } else if arrow::speaks(&object)? {
            Some(Route::Arrow)
        } else if object.hasattr(intern!(py, "__dlpack__"))? {
            Some(Route::Dlpack)
        } else {
            None
        };
        if let Some(route) = route {
            let array = Self::by_route(route, function, what, object)?;
            if route.is_of_class(&class)? {
                routes::remember(&class, route);
            }
            return Ok(array);
        }
        if pybuffer::speaks(&object) {
            let (memory, buffer) = pybuffer::import(what, &object)?;
            let kind = if has_numpy && numpy::is_scalar(&object)? {
                Kind::Numpy
            } else {
                Kind::Memory
            };
            return Ok(Self::new(object, what, kind, memory, Guard::Buffer(buffer)));
        }
        if let Some((memory, buffer)) = array_interface::import(what, &object)? {
            let guard = buffer.map_or(Guard::Object, Guard::Buffer);
            return Ok(Self::new(object, what, Kind::Numpy, memory, guard));
        }
        Err(unreadable(what, &object))
    }

    fn by_route(
        route: Route,
        function: &str,
        what: &'a str,
        object: Borrowed<'a, 'py, PyAny>,
    ) -> PyResult<Self> {
        let (kind, memory, guard) = match route {
            Route::TorchSubclass => {
                let (memory, managed) = torch::read_subclass(function, what, &object)?;
                (Kind::Torch, memory, Guard::Managed(managed))
            }
            Route::NumpySubclass => {
                numpy::refuse_masked(what, &object)?;
                // SAFETY: an instance of a subclass, held by the caller.
                (
                    Kind::Numpy,
                    unsafe { numpy::read(what, &object)? },
                    Guard::Object,
                )
            }
            Route::Arrow => {
                let (imported, library, form) = arrow::import(what, &object)?;
                let memory = imported.foreign().clone();
                let guard = Guard::Arrow(Box::new(imported));
                (Kind::Arrow(library, form), memory, guard)
            }
            Route::Dlpack => {
                let (memory, managed) = namespace::import(what, &object)?;
                (Kind::Dlpack, memory, Guard::Managed(managed))
            }
        };
        Ok(Self::new(object, what, kind, memory, guard))
    }

    fn of_numbers(what: &'a str, object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let nested = list::reals(what, &object)?;
        let numbers = nested.values.as_ptr().cast();
        // SAFETY: the guard keeps the vector, whose memory does not move with it.
        let memory =
            unsafe { Foreign::checked(what, numbers, DType::Float64, nested.shape, None)? };
        let guard = Guard::Numbers(nested.values);
        Ok(Self::new(object, what, Kind::Numbers, memory, guard))
    }

    /// Whether the memory is borrowed from the object, so that other code could take it away.
    #[inline]
    pub(super) fn is_borrowed(&self) -> bool {
        matches!(self.guard, Guard::Object)
    }

    /// Whether other code could take the memory away. What a tensor gave to DLPack keeps the tensor alive,
    /// and yet its storage can be resized or emptied.
    fn could_move(&self) -> bool {
        self.is_borrowed() || matches!(self.kind, Kind::Torch)
    }

    /// The object itself.
    #[must_use]
    pub fn object(&self) -> Borrowed<'a, 'py, PyAny> {
        self.object
    }

    /// What errors call the argument.
    #[must_use]
    pub fn what(&self) -> &'a str {
        self.what
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where its numbers lie.
    #[inline]
    #[must_use]
    pub fn memory(&self) -> &Foreign {
        &self.memory
    }

    /// The size of each axis.
    #[inline]
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        self.memory.shape()
    }

    /// The element type.
    #[inline]
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.memory.dtype()
    }

    /// The precision to compute in: the array's own, or float32 for the half precisions.
    ///
    /// # Errors
    /// [`Error::DType`] where the elements are not real numbers.
    #[inline]
    pub fn precision(&self) -> Result<DType> {
        match self.dtype().compute() {
            Some(dtype) => Ok(dtype),
            None => Err(not_real(self.what, self.dtype())),
        }
    }

    /// The array where it lies.
    ///
    /// # Errors
    /// [`Error::DType`] where elements of type `T` cannot be read in place: another element type,
    /// byte-swapped, or misaligned. [`Self::reals`] converts then.
    pub fn view<T: Element>(&self) -> Result<View<'_, T>> {
        self.memory.view().ok_or_else(|| {
            let got = match (self.dtype() == T::DTYPE, self.memory.swapped) {
                (false, _) => self.dtype().name(),
                (true, true) => "elements in the other byte order",
                (true, false) => "misaligned elements",
            };
            Error::dtype(self.what, T::DTYPE, got)
        })
    }

    /// The array as real numbers of one precision: where it lies if that is possible, else converted,
    /// which is a documented copy.
    ///
    /// # Errors
    /// [`Error::DType`] where the elements are not real numbers.
    #[inline(always)]
    pub fn reals<T: Real + Element>(&self) -> Result<RealsIn<'_, T>> {
        if self.memory.is_readable::<T>() {
            return Ok(RealsIn {
                memory: &self.memory,
                converted: None,
            });
        }
        let values = self.memory.to_reals::<T>(self.what)?;
        if self.kind != Kind::Numbers {
            copies::count(size_of_val(&values[..]));
        }
        Ok(RealsIn {
            memory: &self.memory,
            converted: Some(values),
        })
    }

    /// The memory and what keeps it, for something that outlives the call; the object must be kept
    /// beside them.
    pub(super) fn into_parts(self) -> (Foreign, Guard) {
        (self.memory, self.guard)
    }
}

/// Real numbers of one precision, in place or converted.
#[derive(Debug)]
pub struct RealsIn<'a, T> {
    memory: &'a Foreign,
    converted: Option<Vec<T>>,
}

impl<T: Real + Element> RealsIn<'_, T> {
    /// The numbers.
    #[inline(always)]
    #[must_use]
    pub fn view(&self) -> View<'_, T> {
        let view = match &self.converted {
            None => self.memory.view::<T>(),
            Some(values) => View::contiguous(values, self.memory.shape()).ok(),
        };
        view.expect("looked at when it was made")
    }

    /// The numbers as a batch of items of their last `core_rank` axes, stretched to the batch axes
    /// `shape`, a broadcast of the leading ones (see [`broadcast_shapes`](crate::array::broadcast_shapes)).
    #[inline(always)]
    #[must_use]
    pub fn batch(&self, core_rank: usize, shape: &[usize]) -> Batch<'_, T> {
        Batch::new(self.view(), core_rank, shape)
    }
}

/// Looks whether all arrays are still what was read of them, where the reading of one ran other code, such
/// as a `__dlpack__` that resized another.
///
/// # Errors
/// [`Error::Value`] naming the array that changed.
#[inline(always)]
pub fn check_unmoved(
    function: &str,
    arrays: &[AnyArray<'_, '_>],
    out: Option<&AnyArray<'_, '_>>,
) -> PyResult<()> {
    if arrays.iter().chain(out).all(AnyArray::is_borrowed) {
        return Ok(());
    }
    look_again(function, arrays, out)
}

#[cold]
fn look_again(
    function: &str,
    arrays: &[AnyArray<'_, '_>],
    out: Option<&AnyArray<'_, '_>>,
) -> PyResult<()> {
    if arrays.len() + usize::from(out.is_some()) < 2 {
        // Nothing was read after it.
        return Ok(());
    }
    let movable = arrays.iter().chain(out).filter(|array| array.could_move());
    for array in movable {
        let again = AnyArray::of(function, array.what, array.object)?;
        if again.memory != array.memory {
            let problem = "the array was changed while the other arguments were read";
            return Err(Error::value(array.what, problem).into());
        }
    }
    Ok(())
}

/// The precision in which a call on several arrays is computed: the highest among them. Python numbers
/// follow the arrays beside them, and count only where there are none.
///
/// # Errors
/// [`Error::DType`] naming the first array whose elements are not real numbers.
#[inline(always)]
pub fn promote(arrays: &[AnyArray<'_, '_>]) -> Result<DType> {
    let (mut among_arrays, mut among_numbers) = (None, None);
    for array in arrays {
        let slot = match array.kind {
            Kind::Numbers => &mut among_numbers,
            _ => &mut among_arrays,
        };
        let found = array.precision()?;
        if *slot != Some(DType::Float64) {
            *slot = Some(found);
        }
    }
    Ok(among_arrays.or(among_numbers).unwrap_or(DType::Float32))
}

/// The leading array: the first that is not Python numbers. The result is of its kind.
#[inline]
#[must_use]
pub fn leading<'x, 'a, 'py>(arrays: &'x [AnyArray<'a, 'py>]) -> Option<&'x AnyArray<'a, 'py>> {
    arrays.iter().find(|array| array.kind != Kind::Numbers)
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
        name + namespace::hint(object).unwrap_or_default(),
    )
    .into()
}
