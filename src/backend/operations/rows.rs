//! Work that is written for one item of each input at a time, over a batch.

use super::gradients::{Target, for_each_gradient};
use crate::array::{Batch, show_shape};
use crate::backend::cpu::{Compute, Items, for_each_group};
use crate::backend::{Control, Gradient};
use crate::error::{Error, Result};

/// What a range of items has to itself: a row of each input where it is not contiguous, and what the
/// work keeps at hand.
struct Hand<T, S, const N: usize> {
    rows: [Vec<T>; N],
    scratch: S,
}

impl<T: Compute, S, const N: usize> Hand<T, S, N> {
    fn new(inputs: &[&Batch<'_, T>; N], scratch: S) -> Self {
        Self {
            rows: inputs.map(|input| vec![T::ZERO; input.core_len()]),
            scratch,
        }
    }

    fn items<'s>(
        &'s mut self,
        inputs: &'s [&Batch<'_, T>; N],
        item: usize,
    ) -> ([&'s [T]; N], &'s mut S) {
        let mut rows = self.rows.iter_mut();
        let items = std::array::from_fn(|at| match rows.next() {
            Some(row) => inputs[at].item(item, row),
            None => &[],
        });
        (items, &mut self.scratch)
    }
}

/// Calls `work(items, scratch, place)` for every item of the batch; `place` holds `length` numbers.
pub(super) fn each_item<T: Compute, S, const N: usize>(
    inputs: [&Batch<'_, T>; N],
    length: usize,
    cost_ns: f64,
    out: &mut [T],
    control: &Control<'_>,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn([&[T]; N], &mut S, &mut [T]) + Sync,
) -> Result<()> {
    if length == 0 {
        return Ok(());
    }
    let places = Items { data: out, length };
    for_each_group(
        inputs[0].len(),
        1,
        cost_ns,
        places,
        control,
        |range, places| {
            let mut hand = Hand::new(&inputs, scratch());
            for (item, place) in range.zip(places.data.chunks_exact_mut(length)) {
                let (items, scratch) = hand.items(&inputs, item);
                work(items, scratch, place);
            }
        },
    )
}

/// Calls `work(items, scratch, gradients)` for every item: it adds to the gradient of each of `M`
/// inputs, which hold zeros or what earlier items have added, `None` where nobody wants it.
pub(super) fn each_gradient<T: Compute, S, const N: usize, const M: usize>(
    inputs: [&Batch<'_, T>; N],
    lengths: [usize; M],
    cost_ns: f64,
    gradients: &mut [Gradient<'_, T>],
    control: &Control<'_>,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn([&[T]; N], &mut S, [Option<&mut [T]>; M]) + Sync,
) -> Result<()> {
    for_each_gradient(
        inputs[0].len(),
        1,
        cost_ns,
        lengths,
        gradients,
        control,
        |range, mut targets| {
            let mut hand = Hand::new(&inputs, scratch());
            for (place, item) in range.enumerate() {
                let gradients = targets.each_mut().map(|target| match target {
                    Target::Skip => None,
                    Target::Rows(rows, length) => {
                        let row = &mut rows[place * *length..(place + 1) * *length];
                        row.fill(T::ZERO);
                        Some(row)
                    }
                    Target::Sum(sum) => Some(&mut **sum),
                });
                let (items, scratch) = hand.items(&inputs, item);
                work(items, scratch, gradients);
            }
        },
    )
}

/// The rank of an item of one axis of a given length.
pub(super) fn one_axis(what: &str, length: usize, axis: &str, shape: &[usize]) -> Result<usize> {
    if shape.last() == Some(&length) {
        return Ok(1);
    }
    Err(Error::shape(
        what,
        format!("(..., {length}) = (..., {axis})"),
        show_shape(shape),
    ))
}
