//! The one door out: memory that we filled becomes an array of the kind that came in, or the caller's
//! `out=` is filled.

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::{Borrowed, ffi};

use crate::array::{DType, Element, Shape, element_count, show_shape};
use crate::error::Error;
use crate::interop::any_array::{AnyArray, Kind, leading, look_again};
use crate::interop::buffer::Buffer;
use crate::interop::memory::Block;
use crate::interop::{arrow, copies, dlpack, jax, namespace, numpy, torch};
use crate::math::Real;

/// The two precisions that are computed in, and how they become half.
pub trait Precision: Real + Element + bytemuck::Pod {
    /// Writes the numbers as a half precision.
    fn to_half(values: &[Self], dtype: DType, out: &mut Block);
}

impl Precision for f32 {
    fn to_half(values: &[Self], dtype: DType, out: &mut Block) {
        let bits = out.as_mut_slice::<u16>().iter_mut().zip(values);
        if dtype == DType::Float16 {
            bits.for_each(|(bits, &value)| *bits = half::f16::from_f32(value).to_bits());
        } else {
            bits.for_each(|(bits, &value)| *bits = half::bf16::from_f32(value).to_bits());
        }
    }
}

impl Precision for f64 {
    fn to_half(_: &[Self], _: DType, _: &mut Block) {
        unreachable!("half precision is computed in float32");
    }
}

/// No array is larger, so that sizes in bytes never overflow.
const MOST_BYTES: usize = isize::MAX as usize / 4;

/// Where a result goes, computed in `T`: fresh memory which becomes an array like the leading one, or
/// the caller's `out=`.
#[derive(Debug)]
pub struct Output<'a, 'py, T> {
    place: Place<'a, 'py>,
    /// That of the leading array; `None` where there are only Python numbers.
    like: Option<Borrowed<'a, 'py, PyAny>>,
    kind: Kind,
    /// The element type of the result: `T`'s, or a half precision.
    dtype: DType,
    shape: Shape,
    precision: std::marker::PhantomData<T>,
}

#[derive(Debug)]
enum Place<'a, 'py> {
    /// Fresh memory.
    Fresh(Block),
    /// Straight into the caller's array.
    Direct(AnyArray<'a, 'py>),
    /// Fresh memory, copied into the caller's array at the end.
    Aside(Block, AnyArray<'a, 'py>),
}

impl<'a, 'py, T: Precision> Output<'a, 'py, T> {
    /// Makes room for a result of this shape. `inputs` are all arrays that are read meanwhile; the first
    /// of them decides what the result is. `function` is what errors call the caller.
    ///
    /// # Errors
    /// [`Error::Shape`] for a result larger than any memory, and for an `out` of another shape;
    /// [`Error::DType`] and [`Error::Value`] for an `out` that cannot take the result.
    #[inline]
    pub fn new(
        function: &str,
        inputs: &[AnyArray<'a, 'py>],
        shape: Shape,
        out: Option<&'a Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        let bytes = element_count(&shape)
            .and_then(|count| count.checked_mul(size_of::<T>()))
            .filter(|&bytes| bytes < MOST_BYTES);
        let Some(bytes) = bytes else {
            return Err(too_large(function, &shape).into());
        };
        let leading = leading(inputs);
        let kind = leading.map_or(Kind::Numbers, AnyArray::kind);
        let dtype = result_dtype::<T>(inputs);
        let place = match out {
            None => Place::Fresh(
                allocate(kind, bytes, shape.len()).ok_or_else(|| no_room(function, bytes))?,
            ),
            Some(out) => Place::of_out(function, inputs, &shape, dtype, T::DTYPE, out)?,
        };
        Ok(Self {
            place,
            like: leading.map(AnyArray::object),
            kind,
            dtype,
            shape,
            precision: std::marker::PhantomData,
        })
    }

    /// The memory to write the result into, row-major. What it holds before has no meaning.
    ///
    /// Concurrent use of the caller's `out` is the caller's to avoid, as for every array library.
    #[inline]
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        match &mut self.place {
            Place::Fresh(block) | Place::Aside(block, _) => block.as_mut_slice(),
            Place::Direct(out) if out.memory().is_empty() => &mut [],
            // SAFETY: `read_out` and `can_be_filled` found it writable, contiguous, aligned, of this
            // element type, and shared with no input; the array is held for `'a`.
            Place::Direct(out) => unsafe {
                let memory = out.memory();
                std::slice::from_raw_parts_mut(memory.pointer().cast_mut().cast(), memory.len())
            },
        }
    }

    /// The result as a Python object.
    ///
    /// # Errors
    /// What the array's library raises.
    #[inline]
    pub fn finish(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.place {
            Place::Direct(out) => Ok(out.object().to_owned()),
            Place::Fresh(block) if self.dtype == T::DTYPE => {
                hand_over(py, self.kind, self.like, block, self.dtype, &self.shape)
            }
            Place::Fresh(block) => {
                let values = block.as_slice::<T>();
                let bytes = values.len() * self.dtype.size();
                let mut rounded = allocate(self.kind, bytes, self.shape.len())
                    .ok_or_else(|| no_room("result", bytes))?;
                T::to_half(values, self.dtype, &mut rounded);
                copies::count(bytes);
                hand_over(py, self.kind, self.like, rounded, self.dtype, &self.shape)
            }
            Place::Aside(block, out) => {
                let (values, memory) = (block.as_slice::<T>(), out.memory());
                // SAFETY: writable, as `read_out` found; nothing else is reading now.
                unsafe {
                    if self.dtype == T::DTYPE {
                        memory.write(values);
                    } else {
                        let mut rounded = Block::new(values.len() * self.dtype.size(), 0);
                        T::to_half(values, self.dtype, &mut rounded);
                        match self.dtype {
                            DType::Float16 => memory.write(rounded.as_slice::<half::f16>()),
                            _ => memory.write(rounded.as_slice::<half::bf16>()),
                        }
                    }
                }
                Ok(out.object().to_owned())
            }
        }
    }
}

impl<'a, 'py> Place<'a, 'py> {
    /// The caller's array, or fresh memory beside it where it cannot be computed into.
    fn of_out(
        function: &str,
        inputs: &[AnyArray<'a, 'py>],
        shape: &[usize],
        dtype: DType,
        computed: DType,
        out: &'a Bound<'py, PyAny>,
    ) -> PyResult<Self> {
        let object = out;
        let out = read_out(function, out, dtype, shape)?;
        if !out.is_borrowed() {
            look_again(function, inputs)?;
        }
        if out.kind() == Kind::Torch {
            torch::notice_writing(object)?;
        }
        if can_be_filled(&out, computed, inputs) {
            return Ok(Self::Direct(out));
        }
        let bytes = out.memory().len() * computed.size();
        let block = Block::try_new(bytes, 0).ok_or_else(|| no_room(function, bytes))?;
        Ok(Self::Aside(block, out))
    }
}

/// The element type of the result: the precision of the call, or the half precision that all arrays
/// have in common.
#[inline]
fn result_dtype<T: Precision>(inputs: &[AnyArray<'_, '_>]) -> DType {
    if T::DTYPE == DType::Float64 {
        return DType::Float64;
    }
    let mut dtypes = inputs
        .iter()
        .filter(|input| input.kind() != Kind::Numbers)
        .map(AnyArray::dtype);
    match dtypes.next() {
        Some(first) if dtypes.all(|dtype| dtype == first) => first,
        _ => T::DTYPE,
    }
}

/// Memory for a result of `kind` with `rank` axes; `None` where the system has not so much.
#[inline]
fn allocate(kind: Kind, bytes: usize, rank: usize) -> Option<Block> {
    Block::try_new(bytes, header(kind, rank))
}

/// The room before the data that handing over takes.
#[inline]
pub(crate) fn header(kind: Kind, rank: usize) -> usize {
    match kind {
        Kind::Torch => dlpack::header_size(rank),
        _ => 0,
    }
}

/// Hands over a row-major array as one of the kind of `like`.
#[inline]
pub(crate) fn hand_over<'py>(
    py: Python<'py>,
    kind: Kind,
    like: Option<Borrowed<'_, 'py, PyAny>>,
    block: Block,
    dtype: DType,
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    match (kind, like) {
        (Kind::Numpy, like) => numpy::export(py, block, dtype, shape, like.as_deref()),
        (Kind::Torch, _) => torch::export(py, block, dtype, shape),
        (Kind::Jax, Some(like)) => jax::export(py, block, dtype, shape, &like),
        (Kind::Numbers | Kind::Jax, _) => {
            numpy::export(py, block, dtype, shape, None).map_err(|error| {
                if error.is_instance_of::<PyImportError>(py) {
                    PyImportError::new_err(
                        "numbers and lists give NumPy arrays back, but NumPy is not installed",
                    )
                } else {
                    error
                }
            })
        }
        (kind, like) => present(py, kind, like, Buffer::new(block, dtype, shape)),
    }
}

/// Hands over an array, ours or somebody else's, through the protocol by which libraries of this kind
/// take one; as our own object where there is none.
pub(crate) fn present<'py>(
    py: Python<'py>,
    kind: Kind,
    like: Option<Borrowed<'_, 'py, PyAny>>,
    buffer: Buffer,
) -> PyResult<Bound<'py, PyAny>> {
    match (kind, like) {
        (Kind::Numpy | Kind::Numbers, _) => numpy::view(&Bound::new(py, buffer)?),
        (Kind::Torch, _) => torch::wrap(&Bound::new(py, buffer)?.into_any()),
        (Kind::Jax, Some(like)) => jax::wrap(&Bound::new(py, buffer)?, &like),
        (Kind::Arrow(library, form), Some(like)) => arrow::export(py, buffer, library, form, &like),
        (Kind::Dlpack, Some(like)) => namespace::export(py, buffer, &like),
        (Kind::Memory, _) => {
            let buffer = Bound::new(py, buffer)?;
            // SAFETY: a live object that speaks the buffer protocol.
            unsafe {
                Bound::from_owned_ptr_or_err(py, ffi::PyMemoryView_FromObject(buffer.as_ptr()))
            }
        }
        _ => Ok(Bound::new(py, buffer)?.into_any()),
    }
}

/// Reads and checks the argument `out`: writable, of exactly this shape and element type.
fn read_out<'a, 'py>(
    function: &str,
    object: &'a Bound<'py, PyAny>,
    dtype: DType,
    shape: &[usize],
) -> PyResult<AnyArray<'a, 'py>> {
    let refused = |problem: &str| -> PyErr { Error::value("out", problem).into() };
    let out = AnyArray::read(function, "out", object)?;
    match out.kind() {
        Kind::Jax => {
            return Err(refused(
                "JAX arrays cannot be written into; leave out= away",
            ));
        }
        Kind::Numbers => return Err(refused("expected a writable array, got Python numbers")),
        Kind::Arrow(..) => return Err(refused("Arrow arrays cannot be written into")),
        Kind::Torch => {
            if let Some(what) = torch::refuses_writing(object)? {
                return Err(refused(&format!("expected a writable array, got {what}")));
            }
        }
        _ => {}
    }
    let memory = out.memory();
    if memory.shape() != shape {
        return Err(Error::shape("out", show_shape(shape), show_shape(memory.shape())).into());
    }
    if memory.dtype() != dtype {
        return Err(Error::dtype("out", dtype, memory.dtype()).into());
    }
    if memory.read_only {
        return Err(refused("the array is read-only"));
    }
    let repeats = |(&size, &stride): (&usize, &isize)| size > 1 && stride == 0;
    if !memory.is_contiguous() && memory.shape().iter().zip(&memory.strides()).any(repeats) {
        return Err(refused(
            "several elements share one place in memory (a stride of zero)",
        ));
    }
    Ok(out)
}

/// Whether `out` can be computed into: row-major, aligned, of the precision of the call, and shared with
/// no input.
fn can_be_filled(out: &AnyArray<'_, '_>, computed: DType, inputs: &[AnyArray<'_, '_>]) -> bool {
    let memory = out.memory();
    let (start, end) = memory.span();
    memory.dtype() == computed
        && !memory.swapped
        && memory.is_contiguous()
        && (memory.pointer() as usize).is_multiple_of(computed.size())
        && inputs.iter().all(|input| {
            let (from, to) = input.memory().span();
            start >= to || from >= end
        })
}

#[cold]
fn no_room(function: &str, bytes: usize) -> Error {
    Error::Memory {
        what: function.to_owned(),
        bytes,
    }
}

#[cold]
fn too_large(function: &str, shape: &[usize]) -> Error {
    Error::shape(
        function,
        "a result that fits into memory",
        show_shape(shape),
    )
}
