//! Gradients of one operation, as a function of their own.

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::Array;
use crate::array::{Batch, DType, Shape, broadcast_batches, show_shape};
use crate::backend::cpu::Compute;
use crate::backend::{Gradient, Operation};
use crate::error::Error;
use crate::interop::{AnyArray, Output, Precision, RealsIn, check_unmoved, promote};
use crate::python::interrupt;

/// The cotangents of all arguments, each of the kind and shape of its argument.
pub(super) fn backprop<'py>(
    py: Python<'py>,
    operation: &impl Operation,
    arguments: &[&Array<'py>],
    what: &'static str,
    cotangent: &Array<'py>,
) -> PyResult<Bound<'py, PyTuple>> {
    let function = operation.name();
    let mut arrays = Vec::new();
    for (object, input) in arguments.iter().zip(operation.inputs()) {
        arrays.push(AnyArray::read(function, input.name, object)?);
    }
    arrays.push(AnyArray::read(function, what, cotangent)?);
    check_unmoved(function, &arrays, None)?;
    match promote(&arrays)? {
        DType::Float64 => compute::<f64>(py, operation, what, &arrays),
        _ => compute::<f32>(py, operation, what, &arrays),
    }
}

fn compute<'py, T: Precision + Compute>(
    py: Python<'py>,
    operation: &impl Operation,
    what: &'static str,
    arrays: &[AnyArray<'_, 'py>],
) -> PyResult<Bound<'py, PyTuple>> {
    let function = operation.name();
    let inputs = arrays.len() - 1;
    let mut shapes: Vec<(&[usize], usize)> = Vec::new();
    for (index, array) in arrays[..inputs].iter().enumerate() {
        shapes.push((array.shape(), operation.core_rank(index, array.shape())?));
    }
    let cores: Vec<&[usize]> = shapes
        .iter()
        .map(|(shape, core)| &shape[shape.len() - core..])
        .collect();
    let result = operation.output_core(&cores);
    let shape = arrays[inputs].shape();
    if !shape.ends_with(&result) {
        let expected = format!("(..., {})", show_shape(&result));
        return Err(Error::shape(what, expected, show_shape(shape)).into());
    }
    shapes.push((shape, result.len()));
    let batch = broadcast_batches(function, &shapes)?;

    let mut reals: Vec<RealsIn<'_, T>> = Vec::new();
    for array in arrays {
        reals.push(array.reals()?);
    }
    let batches: Vec<Batch<'_, T>> = reals
        .iter()
        .zip(&shapes)
        .map(|(real, (_, core))| real.batch(*core, &batch))
        .collect();
    let items = batches[0].len();
    let mut outputs = Vec::new();
    // An argument that only a part of the batch shares: its gradients first for every item.
    let mut rows: Vec<Vec<T>> = Vec::new();
    for (index, (shape, core)) in shapes[..inputs].iter().enumerate() {
        let like = &arrays[index..=index];
        outputs.push(Output::<T>::new(
            function,
            like,
            Shape::from_slice(shape),
            None,
        )?);
        let own = &shape[..shape.len() - core];
        let partly = !own.is_empty() && own != &batch[..];
        let length = if partly {
            items * batches[index].core_len()
        } else {
            0
        };
        rows.push(vec![T::ZERO; length]);
    }
    let mut gradients = Vec::new();
    for ((output, rows), (shape, core)) in outputs.iter_mut().zip(&mut rows).zip(&shapes) {
        gradients.push(match shape.len() - core {
            _ if !rows.is_empty() => Gradient::PerItem(&mut rows[..]),
            0 if !batch.is_empty() => Gradient::Shared(output.as_mut_slice()),
            _ => Gradient::PerItem(output.as_mut_slice()),
        });
    }
    let (cotangent, given) = batches.split_last().expect("the cotangent is one of them");
    interrupt::run(py, 4 * items, |control| {
        operation.vjp(given, None, cotangent, &mut gradients, control)
    })?;
    drop(gradients);
    let mut found = Vec::new();
    for (index, mut output) in outputs.into_iter().enumerate() {
        let (shape, core) = shapes[index];
        let own = &shape[..shape.len() - core];
        if !own.is_empty() && own != &batch[..] {
            add_up(&rows[index], &batch, own, output.as_mut_slice());
        }
        found.push(output.finish(py)?);
    }
    PyTuple::new(py, found)
}

/// Adds up the rows of all items that share one row of `sums`, which has batch axes `own`.
fn add_up<T: Compute>(rows: &[T], batch: &[usize], own: &[usize], sums: &mut [T]) {
    sums.fill(T::ZERO);
    let length = sums.len() / own.iter().product::<usize>().max(1);
    if length == 0 {
        return;
    }
    let missing = batch.len() - own.len();
    for (item, row) in rows.chunks_exact(length).enumerate() {
        let (mut rest, mut place, mut stride) = (item, 0, 1);
        for axis in (missing..batch.len()).rev() {
            let size = own[axis - missing];
            if size > 1 {
                place += rest % batch[axis] * stride;
            }
            (rest, stride) = (rest / batch[axis], stride * size);
        }
        let sums = &mut sums[place * length..(place + 1) * length];
        for (sum, &x) in sums.iter_mut().zip(row) {
            *sum += x;
        }
    }
}
