//! The one door out: memory that we filled becomes an array of the kind that came in, or the caller's
//! `out=` is filled.

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::{Borrowed, ffi};

use crate::array::{DType, Element, Shape, element_count, show_shape};
use crate::error::Error;
use crate::interop::any_array::{AnyArray, Kind, leading};
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
    /// Fresh memory; `None` where the caller's array is computed into.
    block: Option<Block>,
    out: Option<&'a AnyArray<'a, 'py>>,
    /// The leading array; `None` where there are only Python numbers.
    like: Option<Borrowed<'a, 'py, PyAny>>,
    kind: Kind,
    /// The element type of the result: `T`'s, or a half precision.
    dtype: DType,
    shape: Shape,
    /// How elements become `dtype` where that is a half precision.
    round: Option<fn(&[T], DType, &mut Block)>,
}

impl<'a, 'py, T: Precision> Output<'a, 'py, T> {
    /// Makes room for a result of this shape. `inputs` are all arrays that are read meanwhile; the first
    /// of them decides what the result is. `function` is what errors call the caller.
    ///
    /// # Errors
    /// [`Error::Shape`] for a result that no array could hold, and for an `out` of another shape;
    /// [`Error::DType`] and [`Error::Value`] for an `out` that cannot take the result; [`Error::Memory`].
    #[inline(always)]
    pub fn new(
        function: &str,
        inputs: &'a [AnyArray<'a, 'py>],
        shape: Shape,
        out: Option<&'a AnyArray<'a, 'py>>,
    ) -> PyResult<Self> {
        let dtype = result_dtype::<T>(inputs);
        let round = (dtype != T::DTYPE).then_some(T::to_half as fn(&[T], DType, &mut Block));
        Self::make(function, inputs, shape, dtype, round, out)
    }
}

impl<'a, 'py, T: Element + bytemuck::Pod> Output<'a, 'py, T> {
    /// Makes room for a result whose elements are not numbers of the call's precision: indices in `T`, or
    /// truth values in bytes (`T` is `u8` and `dtype` [`DType::Bool`]).
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn exact(
        function: &str,
        inputs: &'a [AnyArray<'a, 'py>],
        shape: Shape,
        dtype: DType,
        out: Option<&'a AnyArray<'a, 'py>>,
    ) -> PyResult<Self> {
        debug_assert_eq!(dtype.size(), size_of::<T>());
        Self::make(function, inputs, shape, dtype, None, out)
    }

    #[inline(always)]
    fn make(
        function: &str,
        inputs: &'a [AnyArray<'a, 'py>],
        shape: Shape,
        dtype: DType,
        round: Option<fn(&[T], DType, &mut Block)>,
        out: Option<&'a AnyArray<'a, 'py>>,
    ) -> PyResult<Self> {
        let bytes = element_count(&shape)
            .and_then(|count| count.checked_mul(size_of::<T>()))
            .filter(|&bytes| bytes < MOST_BYTES);
        let Some(bytes) = bytes else {
            return Err(too_large(function, &shape).into());
        };
        let leading = leading(inputs);
        let kind = leading.map_or(Kind::Numbers, AnyArray::kind);
        let computed = if round.is_some() { T::DTYPE } else { dtype };
        let header = match out {
            None => Some(header(kind, shape.len())),
            Some(out) => {
                check_out(out, dtype, &shape)?;
                (!can_be_filled(out, computed, inputs)).then_some(0)
            }
        };
        let block = match header {
            None => None,
            Some(header) => match Block::try_new(bytes, header) {
                None => return Err(no_room(function, bytes).into()),
                block => block,
            },
        };
        Ok(Self {
            block,
            out,
            like: leading.map(AnyArray::object),
            kind,
            dtype,
            shape,
            round,
        })
    }

    /// The memory to write the result into, row-major. What it holds before has no meaning.
    ///
    /// Concurrent use of the caller's `out` is the caller's to avoid, as for every array library.
    #[inline(always)]
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        match (&mut self.block, self.out) {
            (Some(block), _) => block.as_mut_slice(),
            (None, Some(out)) if !out.memory().is_empty() => {
                let memory = out.memory();
                // SAFETY: `check_out` and `can_be_filled` found it writable, contiguous, aligned, of
                // this element type, and shared with no input; the array is held for `'a`.
                unsafe {
                    std::slice::from_raw_parts_mut(memory.pointer().cast_mut().cast(), memory.len())
                }
            }
            _ => &mut [],
        }
    }

    /// The result as a Python object.
    ///
    /// # Errors
    /// What the array's library raises.
    #[inline(always)]
    pub fn finish(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match (self.out, self.block) {
            (Some(out), block) => {
                if let Some(block) = block {
                    write_aside::<T>(out, block.as_slice(), self.dtype, self.round);
                }
                Ok(out.object().to_owned())
            }
            (None, Some(block)) => {
                let Some(round) = self.round else {
                    return hand_over(py, self.kind, self.like, block, self.dtype, &self.shape);
                };
                let values = block.as_slice::<T>();
                let bytes = values.len() * self.dtype.size();
                let rounded = Block::try_new(bytes, header(self.kind, self.shape.len()));
                let mut rounded = rounded.ok_or_else(|| no_room("result", bytes))?;
                round(values, self.dtype, &mut rounded);
                copies::count(bytes);
                hand_over(py, self.kind, self.like, rounded, self.dtype, &self.shape)
            }
            (None, None) => unreachable!("there is fresh memory where there is no out"),
        }
    }
}

/// Copies a result into the caller's array, rounding it to half precision where that has it.
fn write_aside<T: Element + bytemuck::Pod>(
    out: &AnyArray<'_, '_>,
    values: &[T],
    dtype: DType,
    round: Option<fn(&[T], DType, &mut Block)>,
) {
    let memory = out.memory();
    // SAFETY: writable, as `check_out` found; nothing else is reading now.
    unsafe {
        let Some(round) = round else {
            memory.write(values);
            return;
        };
        let mut rounded = Block::new(values.len() * dtype.size(), 0);
        round(values, dtype, &mut rounded);
        match dtype {
            DType::Float16 => memory.write(rounded.as_slice::<half::f16>()),
            _ => memory.write(rounded.as_slice::<half::bf16>()),
        }
    }
}

/// The element type of the result: the precision of the call, or the half precision that all arrays
/// have in common.
#[inline(always)]
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

/// Checks the argument `out`: writable, of exactly this shape and element type.
fn check_out(out: &AnyArray<'_, '_>, dtype: DType, shape: &[usize]) -> PyResult<()> {
    let what = out.what();
    let refused = |problem: &str| -> PyErr { Error::value(what, problem).into() };
    match out.kind() {
        Kind::Jax => {
            return Err(refused(
                "JAX arrays cannot be written into; leave out= away",
            ));
        }
        Kind::Numbers => return Err(refused("expected a writable array, got Python numbers")),
        Kind::Arrow(..) => return Err(refused("Arrow arrays cannot be written into")),
        Kind::Torch => {
            if let Some(reason) = torch::refuses_writing(&out.object())? {
                return Err(refused(&format!("expected a writable array, got {reason}")));
            }
        }
        _ => {}
    }
    let memory = out.memory();
    if memory.shape() != shape {
        return Err(Error::shape(what, show_shape(shape), show_shape(memory.shape())).into());
    }
    if memory.dtype() != dtype {
        return Err(Error::dtype(what, dtype, memory.dtype()).into());
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
    if out.kind() == Kind::Torch {
        torch::notice_writing(&out.object())?;
    }
    Ok(())
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
