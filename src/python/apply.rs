//! The one way from Python to an operation: doors in, precision, batch axes, work, door out.

use pyo3::prelude::*;
use smallvec::SmallVec;

use crate::array::{Batch, DType, Shape, View, broadcast_batches, element_count, show_shape};
use crate::backend::Operation;
use crate::backend::cpu::Compute;
use crate::error::Error;
use crate::interop::copies;
use crate::interop::memory::Block;
use crate::python::array_in::{ArrayIn, Kind, converted};
use crate::python::{array_out, interrupt};

/// Applies an operation to arrays from Python; the result is of the kind of the first.
///
/// The number of arguments is known to the compiler, so that everything stays on a small stack frame:
/// for small arrays moving descriptions about would cost more than the work.
#[inline]
pub(crate) fn apply<'py, const N: usize>(
    py: Python<'py>,
    operation: &impl Operation,
    arguments: &[&Bound<'py, PyAny>; N],
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Py<PyAny>> {
    let function = operation.name();
    let names = operation.inputs();
    let mut inputs: SmallVec<[ArrayIn<'_, 'py>; N]> = SmallVec::new();
    for (object, name) in arguments.iter().zip(names) {
        inputs.push(ArrayIn::read(function, name.name, object)?);
    }
    match precision(&inputs, names)? {
        DType::Float64 => compute::<f64, N>(py, operation, &inputs, out),
        _ => compute::<f32, N>(py, operation, &inputs, out),
    }
    .map(Bound::unbind)
}

/// The precision of a call: the highest among its arrays. Python numbers follow the arrays beside
/// them, and count only where there are none.
#[inline]
fn precision(inputs: &[ArrayIn<'_, '_>], names: &[crate::backend::Input]) -> PyResult<DType> {
    let (mut arrays, mut numbers) = (None, None);
    for (input, name) in inputs.iter().zip(names) {
        let slot = match input.kind {
            Kind::Numbers => &mut numbers,
            _ => &mut arrays,
        };
        let found = input.precision(name.name)?;
        if *slot != Some(DType::Float64) {
            *slot = Some(found);
        }
    }
    Ok(arrays.or(numbers).unwrap_or(DType::Float32))
}

/// The two precisions, and how they become half.
pub(crate) trait Precision: Compute + bytemuck::Pod {
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

fn compute<'py, T: Precision, const N: usize>(
    py: Python<'py>,
    operation: &impl Operation,
    inputs: &[ArrayIn<'_, 'py>],
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let function = operation.name();
    let names = operation.inputs();

    let mut shapes: SmallVec<[(&[usize], usize); N]> = SmallVec::new();
    let mut cores: SmallVec<[&[usize]; N]> = SmallVec::new();
    for (index, input) in inputs.iter().enumerate() {
        let shape = input.memory.shape();
        let core = operation.core_rank(index, shape)?;
        shapes.push((shape, core));
        cores.push(&shape[shape.len() - core..]);
    }
    let batch = broadcast_batches(function, &shapes)?;
    let mut shape = batch.clone();
    shape.extend(operation.output_core(&cores));
    let count = element_count(&shape)
        .filter(|count| {
            count
                .checked_mul(size_of::<T>())
                .is_some_and(|bytes| bytes < MOST_BYTES)
        })
        .ok_or_else(|| {
            Error::shape(
                function,
                "a result that fits into memory",
                show_shape(&shape),
            )
        })?;

    // What cannot be read in place, or not in the precision of the call, is converted first.
    let mut made: SmallVec<[Option<Vec<T>>; N]> = SmallVec::new();
    let mut numbers = count;
    for (input, name) in inputs.iter().zip(names) {
        numbers += input.memory.len();
        made.push(match input.memory.is_readable::<T>() {
            true => None,
            false => Some(converted(name.name, input)?),
        });
    }
    let mut batches: SmallVec<[Batch<'_, T>; N]> = SmallVec::new();
    for ((input, made), (shape, core)) in inputs.iter().zip(&made).zip(&shapes) {
        let view = match made {
            None => input.memory.view::<T>().ok_or_else(|| {
                Error::value(
                    function,
                    "the memory of an argument changed during the call",
                )
            })?,
            Some(values) => View::contiguous(values, shape)?,
        };
        batches.push(Batch::new(view, *core, &batch));
    }

    let leading = inputs.iter().find(|input| input.kind != Kind::Numbers);
    let kind = leading.map_or(Kind::Numbers, |array| array.kind);
    let dtype = result_dtype::<T>(inputs);

    if let Some(object) = out {
        return fill(
            py, operation, inputs, &batches, object, dtype, &shape, numbers,
        );
    }
    let half = dtype != T::DTYPE;
    let mut block = array_out::allocate(function, kind, count * size_of::<T>(), shape.len())?;
    let target = block.as_mut_slice::<T>();
    interrupt::run(py, numbers, |control| {
        operation.forward(&batches, target, control)
    })?;
    if half {
        let mut rounded = array_out::allocate(function, kind, count * dtype.size(), shape.len())?;
        T::to_half(block.as_slice(), dtype, &mut rounded);
        copies::count(count * dtype.size());
        block = rounded;
    }
    let like = leading.map(|array| array.object);
    array_out::hand_over(py, kind, like, block, dtype, &shape)
}

/// No array is larger, so that sizes in bytes never overflow.
const MOST_BYTES: usize = isize::MAX as usize / 4;

/// Computes into the caller's memory where that is possible, else aside and copies.
#[allow(clippy::too_many_arguments, reason = "one call of one place")]
fn fill<'py, T: Precision>(
    py: Python<'py>,
    operation: &impl Operation,
    inputs: &[ArrayIn<'_, 'py>],
    batches: &[Batch<'_, T>],
    object: &Bound<'py, PyAny>,
    dtype: DType,
    shape: &Shape,
    numbers: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let mut out = array_out::read_out(operation.name(), object, dtype, shape)?;
    let spans = inputs.iter().map(|input| input.memory.span());
    // SAFETY: `read_out` has checked it; concurrent use of `out` is the caller's to avoid, as for
    // every array library.
    if let Some(target) = unsafe { array_out::as_target::<T>(&mut out.memory, spans) } {
        interrupt::run(py, numbers, |control| {
            operation.forward(batches, target, control)
        })?;
        return Ok(object.clone());
    }
    let count = out.memory.len();
    let mut aside = Block::new(count * size_of::<T>(), 0);
    let target = aside.as_mut_slice::<T>();
    interrupt::run(py, numbers, |control| {
        operation.forward(batches, target, control)
    })?;
    // SAFETY: writable, as `read_out` checked; nothing else is reading now.
    unsafe {
        if dtype == T::DTYPE {
            out.memory.write(aside.as_slice::<T>());
        } else {
            let mut rounded = Block::new(count * dtype.size(), 0);
            T::to_half(aside.as_slice(), dtype, &mut rounded);
            match dtype {
                DType::Float16 => out.memory.write(rounded.as_slice::<half::f16>()),
                _ => out.memory.write(rounded.as_slice::<half::bf16>()),
            }
        }
    }
    Ok(object.clone())
}

/// The element type of the result: the precision of the call, or the half precision that all arrays
/// have in common.
#[inline]
fn result_dtype<T: Precision>(inputs: &[ArrayIn<'_, '_>]) -> DType {
    if T::DTYPE == DType::Float64 {
        return DType::Float64;
    }
    let mut dtypes = inputs
        .iter()
        .filter(|input| input.kind != Kind::Numbers)
        .map(|input| input.memory.dtype());
    match dtypes.next() {
        Some(first) if dtypes.all(|dtype| dtype == first) => first,
        _ => T::DTYPE,
    }
}
