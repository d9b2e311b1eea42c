//! Cutting a batch into groups: for registers, for threads, and for interrupts.

use std::ops::Range;

use smallvec::SmallVec;

use super::threads::{num_threads, run_in_pool};
use crate::array::Batch;
use crate::backend::Control;
use crate::error::Result;

/// Work below this many nanoseconds stays on the calling thread: waking others costs about as much.
const WORTH_A_THREAD_NS: f64 = 40_000.0;
/// A piece for one thread.
const PIECE_NS: f64 = 100_000.0;
/// How much work goes by between two looks for an interrupt.
const ROUND_NS: f64 = 50_000_000.0;

/// Where results go, cut at items so that threads can write side by side.
pub trait Places: Send + Sized {
    /// The places of the first `items` items, and the rest.
    fn split(self, items: usize) -> (Self, Self);
}

/// `length` numbers for each item, one item after the other.
#[derive(Debug)]
pub struct Items<'a, T> {
    /// The numbers.
    pub data: &'a mut [T],
    /// Numbers per item.
    pub length: usize,
}

impl<T: Send> Places for Items<'_, T> {
    fn split(self, items: usize) -> (Self, Self) {
        let length = self.length;
        let (first, rest) = self.data.split_at_mut(items * length);
        (
            Self {
                data: first,
                length,
            },
            Self { data: rest, length },
        )
    }
}

impl Places for () {
    fn split(self, _: usize) -> ((), ()) {
        ((), ())
    }
}

impl<P: Places> Places for Option<P> {
    fn split(self, items: usize) -> (Self, Self) {
        match self {
            Some(places) => {
                let (first, rest) = places.split(items);
                (Some(first), Some(rest))
            }
            None => (None, None),
        }
    }
}

impl<A: Places, B: Places> Places for (A, B) {
    fn split(self, items: usize) -> (Self, Self) {
        let (a, a_rest) = self.0.split(items);
        let (b, b_rest) = self.1.split(items);
        ((a, b), (a_rest, b_rest))
    }
}

/// Calls `work(range, places of the range)` over all items, on several threads where that pays.
/// Ranges start at multiples of `group` and hold whole groups, except the last one.
///
/// `cost_ns` is the rough cost of one item; it decides only how the work is cut.
///
/// # Errors
/// [`crate::Error::Interrupted`] where the caller asked to stop; some items are then not written.
pub fn for_each_group<P: Places>(
    items: usize,
    group: usize,
    cost_ns: f64,
    places: P,
    control: &Control<'_>,
    work: impl Fn(Range<usize>, P) + Sync,
) -> Result<()> {
    let total = cost_ns * items as f64;
    if total < WORTH_A_THREAD_NS || num_threads() == 1 && total < ROUND_NS {
        work(0..items, places);
        return Ok(());
    }
    let groups_in = |ns: f64| ((ns / (cost_ns * group as f64)) as usize).max(1) * group;
    let piece = groups_in(
        PIECE_NS
            .min(total / (4 * num_threads()) as f64)
            .max(WORTH_A_THREAD_NS / 2.0),
    );
    let round = groups_in(ROUND_NS * num_threads() as f64);
    let mut rest = places;
    let mut start = 0;
    while start < items {
        let count = round.min(items - start);
        let (now, later) = rest.split(count);
        rest = later;
        run_in_pool(|| halve(start..start + count, now, group, piece, &work));
        start += count;
        control.check()?;
    }
    Ok(())
}

/// Halves the range until it is a piece, and gives the halves to whoever is free.
fn halve<P: Places>(
    range: Range<usize>,
    places: P,
    group: usize,
    piece: usize,
    work: &(impl Fn(Range<usize>, P) + Sync),
) {
    let count = range.len();
    if count <= piece {
        work(range, places);
        return;
    }
    let half = (count / 2).div_ceil(group) * group;
    let middle = range.start + half;
    let (first, rest) = places.split(half);
    rayon::join(
        || halve(range.start..middle, first, group, piece, work),
        || halve(middle..range.end, rest, group, piece, work),
    );
}

/// One item: its memory where it is a slice, else gathered into `scratch`.
#[inline]
pub fn row_of<'s, T: Copy + Default>(
    batch: &'s Batch<'_, T>,
    item: usize,
    scratch: &'s mut Vec<T>,
) -> &'s [T] {
    if !batch.items_are_slices() {
        scratch.resize(batch.core_len(), T::default());
    }
    batch.item(item, scratch)
}

/// One row per lane: items `start ..` of the batch, `count` of them, the last one repeated up to
/// `width`. Items that are not slices of memory are gathered into `scratch`.
pub fn rows_of<'s, T: Copy + Default>(
    batch: &'s Batch<'_, T>,
    start: usize,
    count: usize,
    width: usize,
    scratch: &'s mut Vec<T>,
) -> SmallVec<[&'s [T]; 16]> {
    let length = batch.core_len();
    let index = |lane: usize| start + lane.min(count - 1);
    if batch.items_are_slices() || length == 0 {
        return (0..width)
            .map(|lane| batch.item(index(lane), &mut []))
            .collect();
    }
    scratch.resize(width * length, T::default());
    scratch
        .chunks_exact_mut(length)
        .enumerate()
        .map(|(lane, row)| batch.item(index(lane), row))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn every_item_is_visited_once_in_whole_groups() {
        let mut out = vec![0_u32; 3 * 1001];
        let places = Items {
            data: &mut out,
            length: 3,
        };
        for_each_group(
            1001,
            16,
            1e4,
            places,
            &Control::default(),
            |range, places| {
                assert_eq!(range.start % 16, 0);
                assert_eq!(places.data.len(), range.len() * 3);
                for (item, place) in range.zip(places.data.chunks_mut(3)) {
                    place.iter_mut().for_each(|x| *x += item as u32);
                }
            },
        )
        .unwrap();
        assert!(
            out.chunks(3)
                .enumerate()
                .all(|(i, row)| row == [i as u32; 3])
        );
    }

    #[test]
    fn long_work_can_be_stopped() {
        let stop = || true;
        let stopped = for_each_group(1000, 1, 1e9, (), &Control::interruptible(&stop), |_, ()| {});
        assert_eq!(stopped, Err(Error::Interrupted));
    }
}
