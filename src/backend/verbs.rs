//! What can be done with an operation and whole arrays: its values, its derivatives of first and second
//! order, each shaped like the argument it belongs to.
//!
//! Second order is a derivative of the first along a direction, computed by the same kernels on
//! [`Moving`] numbers. With `f` the operation, `u` and `t` directions of its inputs and `c` a cotangent:
//!
//! | verb | is | is linear in |
//! | --- | --- | --- |
//! | [`jvp`] | `f'(x) t` | `t` |
//! | [`vjp`] | `f'(x)ᵀ c` | `c` |
//! | [`jvp_along`] | `f''(x)[u, t]` | `u` and `t` |
//! | [`vjp_along`] | `(f''(x)[u, ·])ᵀ c` | `u` and `c` |
//!
//! They are closed: the transpose of the second order by any of its directions is of second order again.

use smallvec::SmallVec;

use super::any_operation::{AnyOperation, Caller, Derivatives};
use super::{Control, Gradient};
use crate::array::{Batch, Shape, View, broadcast_batches, show_shape};
use crate::error::{Error, Result};
use crate::math::{Moving, Real};

/// The arrays that an operation is given.
pub type Views<'a, T> = [View<'a, T>];

/// How the shapes of an operation's arguments fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// The batch axes of the call.
    pub batch: Shape,
    /// How many trailing axes of each argument are one item.
    pub core_ranks: SmallVec<[usize; 4]>,
    /// The shape of the result.
    pub output: Shape,
}

/// Fits the shapes of arguments together.
///
/// # Errors
/// [`Error::Shape`] where they do not fit the operation or each other.
pub fn fit(operation: &dyn AnyOperation, shapes: &[&[usize]]) -> Result<Fit> {
    let inputs = operation.inputs();
    let own = operation.batch_axes();
    let mut core_ranks = SmallVec::new();
    let mut parts: SmallVec<[(&[usize], usize); 4]> = SmallVec::new();
    let mut cores: SmallVec<[&[usize]; 4]> = SmallVec::new();
    for (index, &shape) in shapes.iter().enumerate().take(inputs.len()) {
        let core = operation.core_rank(index, shape)?;
        core_ranks.push(core);
        parts.push((shape, core));
        cores.push(&shape[shape.len() - core..]);
    }
    if shapes.len() != inputs.len() {
        let (expected, got) = (inputs.len(), shapes.len());
        return Err(Error::value(
            operation.name(),
            format!("expected {expected} arrays, got {got}"),
        ));
    }
    if !own.is_empty() {
        parts.push((&own, 0));
    }
    let batch = broadcast_batches(operation.name(), &parts)?;
    let mut output = batch.clone();
    output.extend_from_slice(&operation.output_core(&cores));
    Ok(Fit {
        batch,
        core_ranks,
        output,
    })
}

impl Fit {
    fn of<T>(operation: &dyn AnyOperation, inputs: &Views<'_, T>) -> Result<Self>
    where
        T: Copy,
    {
        let shapes: SmallVec<[&[usize]; 4]> = inputs.iter().map(View::shape).collect();
        fit(operation, &shapes)
    }

    fn batches<'a, T: Copy>(&self, views: &Views<'a, T>) -> SmallVec<[Batch<'a, T>; 4]> {
        let each = views.iter().zip(&self.core_ranks);
        each.map(|(view, &core)| Batch::new(view.clone(), core, &self.batch))
            .collect()
    }

    fn output_batch<'a, T: Copy>(&self, view: &View<'a, T>) -> Result<Batch<'a, T>> {
        same_shape("the cotangent", &self.output, view.shape())?;
        let core = self.output.len() - self.batch.len();
        Ok(Batch::new(view.clone(), core, &self.batch))
    }
}

fn same_shape(what: &str, expected: &[usize], got: &[usize]) -> Result<()> {
    if expected == got {
        return Ok(());
    }
    Err(Error::shape(what, show_shape(expected), show_shape(got)))
}

/// Checks that tangents have the shapes of their inputs.
fn check_tangents<T: Copy>(
    operation: &dyn AnyOperation,
    inputs: &Views<'_, T>,
    tangents: &[Option<View<'_, T>>],
) -> Result<()> {
    for ((input, view), tangent) in operation.inputs().iter().zip(inputs).zip(tangents) {
        if let Some(tangent) = tangent {
            let what = format!("the tangent of {}", input.name);
            same_shape(&what, view.shape(), tangent.shape())?;
        }
    }
    Ok(())
}

/// The operation's result, written to `out`, which has the shape that [`fit`] says.
///
/// # Errors
/// [`Error::Shape`], [`Error::Interrupted`].
pub fn forward<T: Caller>(
    operation: &dyn AnyOperation,
    inputs: &Views<'_, T>,
    out: &mut [T],
    control: &Control<'_>,
) -> Result<()> {
    let fit = Fit::of(operation, inputs)?;
    T::values(operation).forward(&fit.batches(inputs), out, control)
}

/// `f'(x) t`; a tangent that is `None` is zero.
///
/// # Errors
/// [`Error::Shape`], [`Error::Interrupted`].
pub fn jvp<T: Caller>(
    operation: &dyn AnyOperation,
    inputs: &Views<'_, T>,
    tangents: &[Option<View<'_, T>>],
    out: &mut [T],
    control: &Control<'_>,
) -> Result<()> {
    let fit = Fit::of(operation, inputs)?;
    check_tangents(operation, inputs, tangents)?;
    let tangents: SmallVec<[Option<Batch<'_, T>>; 4]> = tangents
        .iter()
        .zip(&fit.core_ranks)
        .map(|(tangent, &core)| Some(Batch::new(tangent.clone()?, core, &fit.batch)))
        .collect();
    T::derivatives(operation).jvp(&fit.batches(inputs), &tangents, out, control)
}

/// `f'(x)ᵀ c`, for each input that has a place for it, in the shape of that input.
///
/// # Errors
/// [`Error::Shape`], [`Error::Interrupted`].
pub fn vjp<T: Caller>(
    operation: &dyn AnyOperation,
    inputs: &Views<'_, T>,
    cotangent: &View<'_, T>,
    gradients: &mut [Option<&mut [T]>],
    control: &Control<'_>,
) -> Result<()> {
    let fit = Fit::of(operation, inputs)?;
    let cotangent = fit.output_batch(cotangent)?;
    pull(
        T::derivatives(operation),
        &fit,
        inputs,
        &cotangent,
        gradients,
        control,
    )
}

/// `f''(x)[u, t]`; a direction that is `None` is zero.
///
/// # Errors
/// [`Error::Shape`], [`Error::Interrupted`].
pub fn jvp_along<T: Real>(
    operation: &dyn AnyOperation,
    inputs: &Views<'_, T>,
    along: &[Option<View<'_, T>>],
    tangents: &[Option<View<'_, T>>],
    out: &mut [T],
    control: &Control<'_>,
) -> Result<()> {
    let fit = Fit::of(operation, inputs)?;
    check_tangents(operation, inputs, along)?;
    check_tangents(operation, inputs, tangents)?;
    let memory = moving(inputs, along);
    let inputs = views(&memory, inputs)?;
    let mut tangent_memory: SmallVec<[Option<Vec<Moving>>; 4]> = SmallVec::new();
    for tangent in tangents {
        tangent_memory.push(tangent.as_ref().map(at_rest));
    }
    let mut batches: SmallVec<[Option<Batch<'_, Moving>>; 4]> = SmallVec::new();
    for (index, tangent) in tangent_memory.iter().enumerate() {
        batches.push(match tangent {
            None => None,
            Some(numbers) => {
                let view = View::contiguous(numbers, inputs[index].shape())?;
                Some(Batch::new(view, fit.core_ranks[index], &fit.batch))
            }
        });
    }
    let mut moved = vec![Moving::ZERO; out.len()];
    let derivatives: &dyn Derivatives<Moving> = operation;
    derivatives.jvp(&fit.batches(&inputs), &batches, &mut moved, control)?;
    rates(&moved, out);
    Ok(())
}

/// `(f''(x)[u, ·])ᵀ c`, for each input that has a place for it, in the shape of that input.
///
/// # Errors
/// [`Error::Shape`], [`Error::Interrupted`].
pub fn vjp_along<T: Real>(
    operation: &dyn AnyOperation,
    inputs: &Views<'_, T>,
    along: &[Option<View<'_, T>>],
    cotangent: &View<'_, T>,
    gradients: &mut [Option<&mut [T]>],
    control: &Control<'_>,
) -> Result<()> {
    let fit = Fit::of(operation, inputs)?;
    check_tangents(operation, inputs, along)?;
    let memory = moving(inputs, along);
    let inputs = views(&memory, inputs)?;
    let pulled = at_rest(cotangent);
    let cotangent = fit.output_batch(&View::contiguous(&pulled, cotangent.shape())?)?;
    let mut moved: SmallVec<[Option<Vec<Moving>>; 4]> = SmallVec::new();
    for gradient in &*gradients {
        let room = |gradient: &&mut [T]| vec![Moving::ZERO; gradient.len()];
        moved.push(gradient.as_ref().map(room));
    }
    let mut places: SmallVec<[Option<&mut [Moving]>; 4]> =
        moved.iter_mut().map(Option::as_deref_mut).collect();
    let derivatives: &dyn Derivatives<Moving> = operation;
    pull(derivatives, &fit, &inputs, &cotangent, &mut places, control)?;
    drop(places);
    for (gradient, moved) in gradients.iter_mut().zip(&moved) {
        if let (Some(gradient), Some(moved)) = (gradient, moved) {
            rates(moved, gradient);
        }
    }
    Ok(())
}

/// The gradients by all inputs, summed over the batch axes along which an input was stretched.
fn pull<T: Real>(
    derivatives: &dyn Derivatives<T>,
    fit: &Fit,
    inputs: &Views<'_, T>,
    cotangent: &Batch<'_, T>,
    gradients: &mut [Option<&mut [T]>],
    control: &Control<'_>,
) -> Result<()> {
    let batches = fit.batches(inputs);
    let items: usize = fit.batch.iter().product();
    // An argument that only a part of the batch shares: its gradients first for every item.
    let mut rows: SmallVec<[Vec<T>; 4]> = SmallVec::new();
    for (index, view) in inputs.iter().enumerate() {
        let own = &view.shape()[..view.shape().len() - fit.core_ranks[index]];
        let partly = gradients[index].is_some() && is_partly_shared(own, &fit.batch);
        let length = if partly {
            items * batches[index].core_len()
        } else {
            0
        };
        rows.push(vec![T::ZERO; length]);
    }
    let mut places: SmallVec<[Gradient<'_, T>; 4]> = SmallVec::new();
    for ((gradient, rows), view) in gradients.iter_mut().zip(&mut rows).zip(inputs) {
        let index = places.len();
        let own = &view.shape()[..view.shape().len() - fit.core_ranks[index]];
        places.push(match gradient {
            None => Gradient::Skip,
            Some(_) if is_partly_shared(own, &fit.batch) => Gradient::PerItem(rows),
            Some(all) => match *own == *fit.batch {
                true => Gradient::PerItem(all),
                false => Gradient::Shared(all),
            },
        });
    }
    derivatives.vjp(&batches, cotangent, &mut places, control)?;
    drop(places);
    for (index, (gradient, view)) in gradients.iter_mut().zip(inputs).enumerate() {
        let own = &view.shape()[..view.shape().len() - fit.core_ranks[index]];
        if let Some(sums) = gradient
            && is_partly_shared(own, &fit.batch)
        {
            add_up(&rows[index], &fit.batch, own, sums);
        }
    }
    Ok(())
}

/// Whether an argument with batch axes `own` has several items, and fewer than the batch.
fn is_partly_shared(own: &[usize], batch: &[usize]) -> bool {
    own != batch && own.iter().any(|&size| size != 1)
}

/// Adds up the rows of all items that share one row of `sums`, which has batch axes `own`.
fn add_up<T: Real>(rows: &[T], batch: &[usize], own: &[usize], sums: &mut [T]) {
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

/// The inputs, moving along directions.
fn moving<T: Real>(
    inputs: &Views<'_, T>,
    along: &[Option<View<'_, T>>],
) -> SmallVec<[Vec<Moving>; 4]> {
    let mut all = SmallVec::new();
    for (input, along) in inputs.iter().zip(along) {
        let mut numbers = at_rest(input);
        if let Some(along) = along {
            let mut place = numbers.iter_mut();
            along.for_each(|rate| {
                if let Some(number) = place.next() {
                    *number = Moving::new(number.value(), rate.to_f64());
                }
            });
        }
        all.push(numbers);
    }
    all
}

/// Numbers that do not move.
fn at_rest<T: Real>(view: &View<'_, T>) -> Vec<Moving> {
    let mut numbers = Vec::with_capacity(view.len());
    view.for_each(|number| numbers.push(Moving::from_f64(number.to_f64())));
    numbers
}

/// Views of the shapes that `like` have.
fn views<'m, T: Copy>(
    memory: &'m [Vec<Moving>],
    like: &Views<'_, T>,
) -> Result<SmallVec<[View<'m, Moving>; 4]>> {
    let each = memory.iter().zip(like);
    each.map(|(numbers, like)| View::contiguous(numbers, like.shape()))
        .collect()
}

fn rates<T: Real>(moved: &[Moving], out: &mut [T]) {
    for (out, number) in out.iter_mut().zip(moved) {
        *out = T::from_f64(number.rate());
    }
}
