//! The one way from Python to an operation: doors in, precision, batch axes, work, door out.

use pyo3::prelude::*;
use smallvec::SmallVec;

use crate::array::{Batch, DType, broadcast_batches};
use crate::backend::Operation;
use crate::backend::cpu::Compute;
use crate::interop::{AnyArray, Output, Precision, RealsIn, check_unmoved, promote};
use crate::python::interrupt;
use crate::python::record::or_record;

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
    let (function, names) = (operation.name(), operation.inputs());
    let mut arrays: SmallVec<[AnyArray<'_, 'py>; N]> = SmallVec::new();
    for (object, name) in arguments.iter().zip(names) {
        match AnyArray::read(function, name.name, object) {
            Ok(array) => arrays.push(array),
            Err(error) => return or_record(py, operation, arguments, out, error),
        }
    }
    apply_to::<N>(py, operation, &arrays, out)
}

/// The same for arrays that were read already: some can be read only once.
#[inline]
pub(crate) fn apply_to<'py, const N: usize>(
    py: Python<'py>,
    operation: &impl Operation,
    arrays: &[AnyArray<'_, 'py>],
    out: Option<&Bound<'py, PyAny>>,
) -> PyResult<Py<PyAny>> {
    let function = operation.name();
    let out = match out {
        None => None,
        Some(out) => Some(AnyArray::read(function, "out", out)?),
    };
    check_unmoved(function, arrays, out.as_ref())?;
    match promote(arrays)? {
        DType::Float64 => compute::<f64, N>(py, operation, arrays, out.as_ref()),
        _ => compute::<f32, N>(py, operation, arrays, out.as_ref()),
    }
    .map(Bound::unbind)
}

fn compute<'a, 'py, T: Precision + Compute, const N: usize>(
    py: Python<'py>,
    operation: &impl Operation,
    arrays: &'a [AnyArray<'a, 'py>],
    out: Option<&'a AnyArray<'a, 'py>>,
) -> PyResult<Bound<'py, PyAny>> {
    let function = operation.name();

    let mut shapes: SmallVec<[(&[usize], usize); N]> = SmallVec::new();
    let mut cores: SmallVec<[&[usize]; N]> = SmallVec::new();
    for (index, array) in arrays.iter().enumerate() {
        let shape = array.shape();
        let core = operation.core_rank(index, shape)?;
        shapes.push((shape, core));
        cores.push(&shape[shape.len() - core..]);
    }
    let own = operation.batch_axes();
    let batch = if own.is_empty() {
        broadcast_batches(function, &shapes)?
    } else {
        let mut all: SmallVec<[(&[usize], usize); 4]> = SmallVec::from_slice(&shapes);
        all.push((&own, 0));
        broadcast_batches(&format!("{function} of {} characters", own[0]), &all)?
    };
    let mut shape = batch.clone();
    shape.extend_from_slice(&operation.output_core(&cores));
    let mut output = Output::<T>::new(function, arrays, shape, out)?;

    let mut reals: SmallVec<[RealsIn<'_, T>; N]> = SmallVec::new();
    for array in arrays {
        reals.push(array.reals()?);
    }
    let target = output.as_mut_slice();
    let mut numbers = target.len();
    let mut batches: SmallVec<[Batch<'_, T>; N]> = SmallVec::new();
    for (real, (_, core)) in reals.iter().zip(&shapes) {
        let one = real.batch(*core, &batch);
        numbers += one.view().len();
        batches.push(one);
    }
    interrupt::run(py, numbers, |control| {
        operation.forward(&batches, target, control)
    })?;
    output.finish(py)
}
