//! An argument seen as a batch of equal items: leading axes broadcast, trailing axes are one item.

use super::layout::{Shape, Strides, broadcast_shapes, element_count};
use super::view::{View, is_contiguous};
use crate::error::Result;

/// A view whose trailing `core` axes are one item and whose leading axes are the batch, stretched to
/// a common batch shape by strides of zero.
#[derive(Debug, Clone)]
pub struct Batch<'a, T> {
    view: View<'a, T>,
    core_rank: usize,
    shape: Shape,
    steps: Steps,
    core_contiguous: bool,
}

/// How to get from item to item.
#[derive(Debug, Clone)]
enum Steps {
    /// Item `i` starts at `origin + i · stride`.
    Even(isize),
    /// A stride for each batch axis.
    Uneven(Strides),
}

impl<'a, T: Copy> Batch<'a, T> {
    /// Sees `view` as items of its last `core_rank` axes under the batch shape `shape`, which must be
    /// a broadcast of the leading axes (see [`broadcast_batches`]).
    #[inline(always)]
    #[must_use]
    pub fn new(view: View<'a, T>, core_rank: usize, shape: &[usize]) -> Self {
        let lead = view.shape().len() - core_rank;
        if view.is_whole() && (lead == 0 || view.shape()[..lead] == *shape) {
            // Beside an axis of size zero the others may be of any size.
            let one = view.shape()[lead..]
                .iter()
                .fold(1_usize, |one, &size| one.wrapping_mul(size));
            let shared = view.shape()[..lead].iter().all(|&size| size == 1);
            return Self {
                steps: Steps::Even(if shared { 0 } else { one as isize }),
                core_contiguous: true,
                core_rank,
                shape: Shape::from_slice(shape),
                view,
            };
        }
        Self::stretched(view, core_rank, shape)
    }

    fn stretched(view: View<'a, T>, core_rank: usize, shape: &[usize]) -> Self {
        let lead = view.shape().len() - core_rank;
        let skip = shape.len() - lead;
        let given = view.strides();
        let mut strides = Strides::from_elem(0, shape.len());
        for axis in 0..lead {
            if view.shape()[axis] != 1 {
                strides[skip + axis] = given[axis];
            }
        }
        let core_contiguous = is_contiguous(&view.shape()[lead..], &given[lead..]);
        Self {
            view,
            core_rank,
            shape: Shape::from_slice(shape),
            steps: match uniform_stride(shape, &strides) {
                Some(stride) => Steps::Even(stride),
                None => Steps::Uneven(strides),
            },
            core_contiguous,
        }
    }

    /// The items at one place along the last batch axis, as a batch without that axis.
    ///
    /// # Panics
    /// Where there are no batch axes, or no such place.
    #[must_use]
    pub fn at_last(&self, place: usize) -> Self {
        let lead = self.view.shape().len() - self.core_rank;
        let shape = &self.shape[..self.shape.len() - 1];
        let view = match lead.checked_sub(1) {
            None => self.view.clone(),
            Some(axis) if self.view.shape()[axis] == 1 => self.view.at(axis, 0),
            Some(axis) => self.view.at(axis, place),
        };
        Self::new(view, self.core_rank, shape)
    }

    /// The number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        element_count(&self.shape).unwrap_or(0)
    }

    /// Whether there are no items.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shape.contains(&0)
    }

    /// The batch shape.
    #[must_use]
    pub fn batch_shape(&self) -> &[usize] {
        &self.shape
    }

    /// The shape of one item.
    #[must_use]
    pub fn core_shape(&self) -> &[usize] {
        &self.view.shape()[self.view.shape().len() - self.core_rank..]
    }

    /// The number of elements in one item.
    #[must_use]
    pub fn core_len(&self) -> usize {
        element_count(self.core_shape()).unwrap_or(0)
    }

    /// Whether every index gives the same item (an argument without batch axes, or all of size 1).
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.steps, Steps::Even(0))
    }

    /// Whether each item is one slice of memory.
    #[must_use]
    pub fn items_are_slices(&self) -> bool {
        self.core_contiguous
    }

    /// All items as one slice, where they follow each other without gaps.
    #[must_use]
    pub fn as_slice(&self) -> Option<&'a [T]> {
        let full = self.view.shape().len() == self.shape.len() + self.core_rank
            && self.view.shape()[..self.shape.len()] == self.shape[..];
        if full { self.view.as_slice() } else { None }
    }

    /// Item `index` in row-major order: the memory itself where it is contiguous, else gathered into
    /// `scratch`, which must have room for [`Self::core_len`] elements.
    #[inline]
    #[must_use]
    pub fn item<'s>(&self, index: usize, scratch: &'s mut [T]) -> &'s [T]
    where
        'a: 's,
    {
        let start = self.start(index);
        let length = self.core_len();
        if self.core_contiguous {
            if length == 0 {
                return &[];
            }
            return &self.view.data()[start..start + length];
        }
        self.gather(start, &mut scratch[..length]);
        &scratch[..length]
    }

    /// Copies item `index`, in row-major order, to `out`, which has [`Self::core_len`] elements.
    #[inline]
    pub fn copy_item(&self, index: usize, out: &mut [T]) {
        let start = self.start(index);
        if self.core_contiguous {
            out.copy_from_slice(&self.view.data()[start..start + out.len()]);
        } else {
            self.gather(start, out);
        }
    }

    /// Where item `index` lies: the same for items that are the same memory, as broadcasting makes them.
    #[inline]
    #[must_use]
    pub fn place(&self, index: usize) -> usize {
        self.start(index)
    }

    /// The first number of item `index`: the item itself where it has no axes.
    ///
    /// # Panics
    /// Where items have no elements.
    #[inline(always)]
    #[must_use]
    pub fn number(&self, index: usize) -> T {
        self.view.data()[self.start(index)]
    }

    /// The view that the items lie in.
    #[inline]
    #[must_use]
    pub fn view(&self) -> &View<'a, T> {
        &self.view
    }

    /// Where item `index` starts in the memory.
    #[inline(always)]
    fn start(&self, index: usize) -> usize {
        let origin = self.view.origin() as isize;
        let offset = match &self.steps {
            Steps::Even(stride) => index as isize * stride,
            Steps::Uneven(strides) => {
                let mut rest = index;
                let mut offset = 0;
                for (&size, &stride) in self.shape.iter().zip(strides).rev() {
                    offset += (rest % size) as isize * stride;
                    rest /= size;
                }
                offset
            }
        };
        (origin + offset) as usize
    }

    fn gather(&self, start: usize, out: &mut [T]) {
        let lead = self.view.shape().len() - self.core_rank;
        let shape = &self.view.shape()[lead..];
        let all = self.view.strides();
        let strides = &all[lead..];
        let data = self.view.data();
        // One or two core axes cover every operation so far; deeper ones recurse on the first.
        fn walk<T: Copy>(
            data: &[T],
            start: isize,
            shape: &[usize],
            strides: &[isize],
            out: &mut [T],
        ) {
            match (shape, strides) {
                ([], _) => out[0] = data[start as usize],
                ([size], [stride]) => {
                    for (step, slot) in out.iter_mut().enumerate().take(*size) {
                        *slot = data[(start + step as isize * stride) as usize];
                    }
                }
                ([size, inner @ ..], [stride, inner_strides @ ..]) => {
                    let block: usize = inner.iter().product();
                    if block == 0 {
                        return;
                    }
                    for (step, part) in out.chunks_mut(block).enumerate().take(*size) {
                        walk(
                            data,
                            start + step as isize * stride,
                            inner,
                            inner_strides,
                            part,
                        );
                    }
                }
                _ => {}
            }
        }
        if !out.is_empty() {
            walk(data, start as isize, shape, strides, out);
        }
    }
}

/// The common batch shape of several arguments, each given as its shape and the rank of its items.
///
/// # Errors
/// [`crate::Error::Shape`] where the leading axes do not broadcast.
#[inline(always)]
pub fn broadcast_batches(what: &str, arguments: &[(&[usize], usize)]) -> Result<Shape> {
    match arguments {
        [(shape, core)] => Ok(Shape::from_slice(&shape[..shape.len() - core])),
        _ => {
            let leads: smallvec::SmallVec<[&[usize]; 4]> = arguments
                .iter()
                .map(|(shape, core)| &shape[..shape.len() - core])
                .collect();
            broadcast_shapes(what, &leads)
        }
    }
}

/// The one step from item to item, where there is one.
fn uniform_stride(shape: &[usize], strides: &[isize]) -> Option<isize> {
    let mut step: Option<isize> = None;
    let mut expected = 0_isize;
    for (&size, &stride) in shape.iter().zip(strides).rev() {
        if size == 1 {
            continue;
        }
        match step {
            None => step = Some(stride),
            Some(_) if stride != expected => return None,
            Some(_) => {}
        }
        expected = stride.checked_mul(size as isize)?;
    }
    Some(step.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_follow_the_broadcast_batch() {
        let data: Vec<i32> = (0..12).collect();
        let view = View::contiguous(&data, &[2, 1, 6]).unwrap();
        let batch = Batch::new(view, 1, &[2, 3]);
        assert_eq!(batch.len(), 6);
        let mut scratch = [0; 6];
        assert_eq!(batch.item(2, &mut scratch)[0], 0);
        assert_eq!(batch.item(3, &mut scratch)[0], 6);
        assert!(!batch.is_shared());
    }

    #[test]
    fn a_place_along_the_last_batch_axis_holds_every_nth_item() {
        let data: Vec<i32> = (0..12).collect();
        for (shape, batch) in [
            (&[2, 3, 2][..], [2, 3]),
            (&[3, 2], [4, 3]),
            (&[2, 1, 6], [2, 3]),
        ] {
            let length = shape.iter().product();
            let view = View::contiguous(&data[..length], shape).unwrap();
            let all = Batch::new(view, 1, &batch);
            for place in 0..3 {
                let some = all.at_last(place);
                assert_eq!(some.batch_shape(), &batch[..1]);
                for item in 0..some.len() {
                    assert_eq!(
                        some.item(item, &mut []),
                        all.item(3 * item + place, &mut []),
                        "{shape:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_transposed_item_is_gathered_in_row_major_order() {
        let data: Vec<i32> = (0..6).collect();
        let view = View::strided(&data, 0, [3, 2].into(), [1, 3].into()).unwrap();
        let batch = Batch::new(view, 2, &[]);
        let mut scratch = [0; 6];
        assert_eq!(batch.item(0, &mut scratch), [0, 3, 1, 4, 2, 5]);
    }
}
