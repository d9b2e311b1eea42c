//! A strided, read-only view of elements.

use std::ops::Range;

use super::layout::{Shape, Strides, contiguous_strides, element_count, show_shape};
use crate::error::{Error, Result};

/// A strided, read-only view: a slice that covers every element, and a shape with signed strides
/// (in elements) laid over it. Element `i, j, …` is `data[origin + i·strides[0] + j·strides[1] + …]`.
///
/// Constructing one checks that no index can leave the slice, so reading needs no unsafe code.
#[derive(Debug, Clone)]
pub struct View<'a, T> {
    data: &'a [T],
    origin: usize,
    shape: Shape,
    /// In elements; `None` is row-major without gaps.
    strides: Option<Strides>,
}

impl<'a, T: Copy> View<'a, T> {
    /// A row-major view of a whole slice.
    ///
    /// # Errors
    /// [`Error::Shape`] where the slice does not have as many elements as the shape.
    #[inline]
    pub fn contiguous(data: &'a [T], shape: &[usize]) -> Result<Self> {
        if element_count(shape) != Some(data.len()) {
            return Err(miscounted(data.len(), shape));
        }
        Ok(Self {
            data,
            origin: 0,
            shape: Shape::from_slice(shape),
            strides: None,
        })
    }

    /// A row-major view of a whole slice, whose length the caller knows to be right.
    #[cfg(feature = "interop")]
    #[inline(always)]
    pub(crate) fn whole(data: &'a [T], shape: Shape) -> Self {
        debug_assert_eq!(element_count(&shape), Some(data.len()));
        Self {
            data,
            origin: 0,
            shape,
            strides: None,
        }
    }

    /// A strided view; `origin` is the position in `data` of the element at index zero.
    ///
    /// # Errors
    /// [`Error::Shape`] where an index would leave the slice.
    pub fn strided(data: &'a [T], origin: usize, shape: Shape, strides: Strides) -> Result<Self> {
        let reach = reach(&shape, &strides).and_then(|range| {
            let first = (origin as isize).checked_add(range.start)?;
            let end = (origin as isize).checked_add(range.end)?;
            (first >= 0 && end as usize <= data.len()).then_some(())
        });
        let empty = shape.contains(&0);
        if shape.len() != strides.len() || (reach.is_none() && !empty) {
            return Err(Error::shape(
                "view",
                "strides that stay inside the memory",
                format!(
                    "shape {} with strides {:?}",
                    show_shape(&shape),
                    &strides[..]
                ),
            ));
        }
        Ok(Self {
            data,
            origin: if empty { 0 } else { origin },
            shape,
            strides: Some(strides),
        })
    }

    /// The shape.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The strides, in elements.
    #[must_use]
    pub fn strides(&self) -> Strides {
        match &self.strides {
            Some(strides) => strides.clone(),
            None => contiguous_strides(&self.shape),
        }
    }

    /// Whether the elements are known to lie in row-major order without gaps, from the first of
    /// [`Self::data`] on.
    #[inline]
    #[must_use]
    pub(super) fn is_whole(&self) -> bool {
        self.strides.is_none()
    }

    /// The memory the view lies over.
    #[must_use]
    pub fn data(&self) -> &'a [T] {
        self.data
    }

    /// The position in [`Self::data`] of the element at index zero.
    #[must_use]
    pub fn origin(&self) -> usize {
        self.origin
    }

    /// The number of elements.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        match self.strides {
            None => self.data.len(),
            // Beside an axis of size zero the others may be of any size.
            Some(_) => element_count(&self.shape).unwrap_or(0),
        }
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shape.contains(&0)
    }

    /// What lies at one place along an axis, without the axis.
    ///
    /// # Panics
    /// Where there is no such axis, or no such place along it.
    #[must_use]
    pub fn at(&self, axis: usize, place: usize) -> Self {
        assert!(place < self.shape[axis], "place {place} along axis {axis}");
        let shape = self.shape.without(axis);
        if axis == 0 && self.strides.is_none() {
            let one = self.data.len() / self.shape[0];
            return Self {
                data: &self.data[place * one..(place + 1) * one],
                origin: 0,
                shape,
                strides: None,
            };
        }
        let strides = self.strides();
        let step = strides[axis] * place as isize;
        let empty = shape.contains(&0);
        Self {
            data: self.data,
            origin: if empty {
                0
            } else {
                (self.origin as isize + step) as usize
            },
            shape,
            strides: Some(strides.without(axis)),
        }
    }

    /// The elements as one slice, where they lie in row-major order without gaps.
    #[must_use]
    pub fn as_slice(&self) -> Option<&'a [T]> {
        if self.is_empty() {
            return Some(&[]);
        }
        match &self.strides {
            None => Some(self.data),
            Some(strides) => is_contiguous(&self.shape, strides)
                .then(|| &self.data[self.origin..self.origin + self.len()]),
        }
    }

    /// The elements in row-major order.
    #[must_use]
    pub fn to_vec(&self) -> Vec<T> {
        match self.as_slice() {
            Some(slice) => slice.to_vec(),
            None => {
                let mut out = Vec::with_capacity(self.len());
                self.for_each(|value| out.push(value));
                out
            }
        }
    }

    /// Calls `visit` with every element in row-major order.
    pub fn for_each(&self, mut visit: impl FnMut(T)) {
        if self.is_empty() {
            return;
        }
        let rank = self.shape.len();
        let strides = self.strides();
        let mut index = Shape::from_elem(0, rank);
        let mut position = self.origin as isize;
        loop {
            visit(self.data[position as usize]);
            let mut axis = rank;
            loop {
                if axis == 0 {
                    return;
                }
                axis -= 1;
                index[axis] += 1;
                position += strides[axis];
                if index[axis] < self.shape[axis] {
                    break;
                }
                position -= strides[axis] * self.shape[axis] as isize;
                index[axis] = 0;
            }
        }
    }
}

impl<'a, T: Copy, D: ndarray::Dimension> TryFrom<ndarray::ArrayView<'a, T, D>> for View<'a, T> {
    type Error = Error;

    /// Views a row-major `ndarray` array; other orders are refused rather than copied.
    fn try_from(array: ndarray::ArrayView<'a, T, D>) -> Result<Self> {
        let shape = Shape::from_slice(array.shape());
        match array.to_slice() {
            Some(slice) => Self::contiguous(slice, &shape),
            None => Err(Error::shape(
                "ndarray view",
                "row-major order",
                format!("strides {:?}", array.strides()),
            )),
        }
    }
}

#[cold]
fn miscounted(found: usize, shape: &[usize]) -> Error {
    Error::shape(
        "view",
        format!("{found} elements for shape {}", show_shape(shape)),
        show_shape(shape),
    )
}

/// The positions, relative to index zero, that a shape with strides touches; `None` on overflow.
pub(crate) fn reach(shape: &[usize], strides: &[isize]) -> Option<Range<isize>> {
    let (mut low, mut high) = (0_isize, 0_isize);
    for (&size, &stride) in shape.iter().zip(strides) {
        let last = isize::try_from(size.checked_sub(1)?).ok()?;
        let travel = stride.checked_mul(last)?;
        if travel < 0 {
            low = low.checked_add(travel)?;
        } else {
            high = high.checked_add(travel)?;
        }
    }
    Some(low..high.checked_add(1)?)
}

/// Whether the strides are row-major without gaps; axes of size 1 do not count.
pub(crate) fn is_contiguous(shape: &[usize], strides: &[isize]) -> bool {
    let mut step = 1_isize;
    for (&size, &stride) in shape.iter().zip(strides).rev() {
        if size != 1 && stride != step {
            return false;
        }
        step = step.wrapping_mul(size as isize);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_and_zero_strides_read_in_order() {
        let data = [0, 1, 2, 3, 4, 5];
        let view = View::strided(&data, 5, [2, 3].into(), [0, -2].into()).unwrap();
        assert_eq!(view.to_vec(), [5, 3, 1, 5, 3, 1]);
        assert!(view.as_slice().is_none());
    }

    #[test]
    fn a_place_along_an_axis_is_a_view_of_its_own() {
        let data: Vec<i32> = (0..24).collect();
        let view = View::contiguous(&data, &[2, 3, 4]).unwrap();
        assert_eq!(view.at(0, 1).to_vec(), (12..24).collect::<Vec<_>>());
        assert_eq!(view.at(1, 2).to_vec(), [8, 9, 10, 11, 20, 21, 22, 23]);
        assert_eq!(view.at(1, 2).at(0, 1).as_slice(), Some(&data[20..24]));
        let backwards = View::strided(&data, 23, [3, 2].into(), [-8, -2].into()).unwrap();
        assert_eq!(backwards.at(0, 2).to_vec(), [7, 5]);
        let empty = View::contiguous(&data[..0], &[3, 0]).unwrap();
        assert!(empty.at(0, 2).is_empty());
    }

    #[test]
    fn strides_that_leave_the_memory_are_refused() {
        let data = [0_u8; 6];
        assert!(View::strided(&data, 0, [2, 3].into(), [4, 1].into()).is_err());
        assert!(View::strided(&data, 0, [2].into(), [-1].into()).is_err());
        assert!(View::strided(&data, 0, [usize::MAX].into(), [isize::MAX].into()).is_err());
        assert!(View::strided(&data, 9, [0, 3].into(), [4, 1].into()).is_ok());
    }
}
