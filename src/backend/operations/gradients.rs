//! Where gradients go: to each item, or summed over the batch for an input that all items share.

use std::ops::Range;

use crate::backend::cpu::{Compute, Places, for_each_group};
use crate::backend::{Control, Gradient};
use crate::error::Result;
use crate::math::{Lane, Real};

use super::lanes::store_columns;

/// Items whose gradients are summed one after the other; the sums of such pieces are then added up in
/// order. A multiple of every group, and independent of the threads.
const PIECE: usize = 512;

/// Where the gradient of one input goes, for one range of items.
pub(super) enum Target<'a, T> {
    /// Nowhere.
    Skip,
    /// To rows of this many numbers, from the first item of the range.
    Rows(&'a mut [T], usize),
    /// Added up here.
    Sum(&'a mut [T]),
}

impl<T: Real> Target<'_, T> {
    /// Whether nobody wants it.
    #[inline(always)]
    pub(super) fn is_skip(&self) -> bool {
        matches!(self, Self::Skip)
    }

    /// Puts numbers `first ..` of the gradients of `count` items, the first being item `item` of the
    /// range.
    #[inline(always)]
    pub(super) fn put<L: Lane<Scalar = T>>(
        &mut self,
        values: &[L],
        first: usize,
        item: usize,
        count: usize,
    ) {
        match self {
            Self::Skip => {}
            Self::Rows(rows, length) => {
                store_columns(values, rows, item * *length + first, *length, count);
            }
            Self::Sum(sums) => {
                let mut lanes = [T::ZERO; 16];
                for (sum, value) in sums[first..].iter_mut().zip(values) {
                    value.store(&mut lanes[..L::WIDTH]);
                    for &lane in &lanes[..count] {
                        *sum += lane;
                    }
                }
            }
        }
    }

    fn reborrow(&mut self) -> Target<'_, T> {
        match self {
            Self::Skip => Target::Skip,
            Self::Rows(rows, length) => Target::Rows(rows, *length),
            Self::Sum(sums) => Target::Sum(sums),
        }
    }
}

/// Targets of several inputs, cut at pieces of `unit` items.
struct Targets<'a, T, const N: usize> {
    targets: [Target<'a, T>; N],
    unit: usize,
    /// The length of each input's sum.
    lengths: [usize; N],
}

impl<T: Send, const N: usize> Places for Targets<'_, T, N> {
    fn split(self, units: usize) -> (Self, Self) {
        let (unit, lengths) = (self.unit, self.lengths);
        let mut rest = [const { Target::Skip }; N];
        let mut index = 0;
        let first = self.targets.map(|target| {
            let at = index;
            index += 1;
            match target {
                Target::Skip => Target::Skip,
                Target::Rows(rows, length) => {
                    let (a, b) = rows.split_at_mut((units * unit * length).min(rows.len()));
                    rest[at] = Target::Rows(b, length);
                    Target::Rows(a, length)
                }
                Target::Sum(sums) => {
                    let (a, b) = sums.split_at_mut(units * lengths[at]);
                    rest[at] = Target::Sum(b);
                    Target::Sum(a)
                }
            }
        });
        let with = |targets| Self {
            targets,
            unit,
            lengths,
        };
        (with(first), with(rest))
    }
}

/// Calls `work(items, targets)` over all items, on several threads where that pays, and adds up what
/// is shared. `lengths` are the numbers in one item of each input; inputs beyond `gradients` are
/// skipped.
pub(super) fn for_each_gradient<T: Compute, const N: usize>(
    items: usize,
    group: usize,
    cost_ns: f64,
    lengths: [usize; N],
    gradients: &mut [Gradient<'_, T>],
    control: &Control<'_>,
    work: impl Fn(Range<usize>, [Target<'_, T>; N]) + Sync,
) -> Result<()> {
    for_each_gradient_by(
        PIECE, items, group, cost_ns, lengths, gradients, control, work,
    )
}

/// [`for_each_gradient`] with pieces of another size, a multiple of every group; for items that are
/// large.
#[expect(clippy::too_many_arguments, reason = "one more than its neighbour")]
pub(super) fn for_each_gradient_by<T: Compute, const N: usize>(
    piece: usize,
    items: usize,
    group: usize,
    cost_ns: f64,
    lengths: [usize; N],
    gradients: &mut [Gradient<'_, T>],
    control: &Control<'_>,
    work: impl Fn(Range<usize>, [Target<'_, T>; N]) + Sync,
) -> Result<()> {
    let shared: [bool; N] =
        std::array::from_fn(|n| matches!(gradients.get(n), Some(Gradient::Shared(_))));
    let summed = shared.contains(&true);
    let unit = if summed { piece } else { 1 };
    let units = items.div_ceil(unit);
    let mut sums: [Vec<T>; N] = std::array::from_fn(|n| {
        let length = if shared[n] { units * lengths[n] } else { 0 };
        vec![T::ZERO; length]
    });
    let mut targets = [const { Target::Skip }; N];
    let inputs = gradients.iter_mut().zip(&mut sums);
    for (n, (gradient, sums)) in inputs.enumerate() {
        targets[n] = match gradient {
            Gradient::Skip => Target::Skip,
            Gradient::PerItem(rows) => Target::Rows(rows, lengths[n]),
            Gradient::Shared(_) => Target::Sum(sums),
        };
    }
    let places = Targets {
        targets,
        unit,
        lengths,
    };
    let (group, cost_ns) = if summed {
        (1, cost_ns * piece as f64)
    } else {
        (group, cost_ns)
    };
    for_each_group(
        units,
        group,
        cost_ns,
        places,
        control,
        |range, mut places| {
            if !summed {
                return work(range, places.targets);
            }
            for index in range {
                let (mut now, later) = places.split(1);
                let targets = now.targets.each_mut().map(Target::reborrow);
                work(index * piece..items.min((index + 1) * piece), targets);
                places = later;
            }
        },
    )?;
    for (n, gradient) in gradients.iter_mut().enumerate() {
        if let Gradient::Shared(total) = gradient {
            total.fill(T::ZERO);
            if lengths[n] > 0 {
                for sum in sums[n].chunks_exact(lengths[n]) {
                    total
                        .iter_mut()
                        .zip(sum)
                        .for_each(|(total, &x)| *total += x);
                }
            }
        }
    }
    Ok(())
}
