//! Running a range of items in groups of lanes, and moving items between memory and lanes.

use std::ops::Range;

use crate::array::Batch;
use crate::backend::cpu::{Compute, Isa, LaneKernel, rows_of};
use crate::math::Lane;

/// Work on a range of items that is written once over lanes.
pub(super) trait GroupWork<T: Compute> {
    /// Does `items`, which are whole groups of `L::WIDTH` or end before one is whole.
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>);

    /// Does one item by itself, with lanes at hand for what is alike inside it.
    #[inline(always)]
    fn run_one<L: Lane<Scalar = T>>(&mut self, item: usize) {
        self.run::<T>(item..item + 1);
    }
}

/// Does `items` on `isa`, in groups. A group takes little longer than one item by itself, so only a
/// rest of one item is done by itself.
pub(super) fn in_groups<T: Compute>(isa: Isa, items: Range<usize>, work: &mut impl GroupWork<T>) {
    struct Kernel<'w, W> {
        items: Range<usize>,
        work: &'w mut W,
    }
    impl<T: Compute, W: GroupWork<T>> LaneKernel<T> for Kernel<'_, W> {
        type Output = ();
        #[inline(always)]
        fn run<L: Lane<Scalar = T>>(self) {
            let Range { start, end } = self.items;
            if const { L::WIDTH == 1 } {
                return self.work.run::<T>(start..end);
            }
            let middle = end - usize::from((end - start) % L::WIDTH == 1);
            if middle > start {
                self.work.run::<L>(start..middle);
            }
            if end > middle {
                self.work.run_one::<L>(middle);
            }
        }
    }
    T::run_on(isa, Kernel { items, work });
}

/// The groups of `L::WIDTH` items, as `(start, count)`; the last one perhaps partial.
#[inline(always)]
pub(super) fn groups<L: Lane>(items: Range<usize>) -> impl Iterator<Item = (usize, usize)> {
    let end = items.end;
    items
        .step_by(L::WIDTH)
        .map(move |start| (start, L::WIDTH.min(end - start)))
}

/// Loads the items `start .. start + count` of a batch, one lane each and one register per number.
#[inline(always)]
pub(super) fn load_items<L: Lane>(
    batch: &Batch<'_, L::Scalar>,
    start: usize,
    count: usize,
    gathered: &mut Vec<L::Scalar>,
    to: &mut [L],
) {
    let rows = rows_of(batch, start, count, L::WIDTH, gathered);
    load_columns(&rows, 0, to);
}

/// Loads columns `first ..` of the rows, as many as `to` holds.
#[inline(always)]
pub(super) fn load_columns<L: Lane>(rows: &[&[L::Scalar]], first: usize, to: &mut [L]) {
    let mut column = 0;
    while column + 8 <= to.len() {
        let block = L::load_columns8(rows, first + column);
        to[column..column + 8].copy_from_slice(&block);
        column += 8;
    }
    for (at, place) in to.iter_mut().enumerate().skip(column) {
        *place = L::load_column(rows, first + at);
    }
}

/// Stores one register per number as `count` rows of `values.len()` numbers, `stride` apart.
#[inline(always)]
pub(super) fn store_columns<L: Lane>(
    values: &[L],
    out: &mut [L::Scalar],
    start: usize,
    stride: usize,
    count: usize,
) {
    let (blocks, rest) = values.as_chunks::<8>();
    for (index, block) in blocks.iter().enumerate() {
        L::store_columns8(block, out, start + 8 * index, stride, count);
    }
    for (at, value) in rest.iter().enumerate() {
        value.store_column(out, start + 8 * blocks.len() + at, stride, count);
    }
}
