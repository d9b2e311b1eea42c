//! One number for each axis: shapes and strides.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// As many axes need no allocation: a batch, frames, joints, and a matrix for each.
const FEW: usize = 5;

/// One number for each axis. Made for being copied about: every call on a small array makes several,
/// so the usual ones are a few machine words of fixed size.
#[derive(Clone)]
pub struct Axes<T>(Numbers<T>);

#[derive(Clone)]
enum Numbers<T> {
    Few { rank: u8, numbers: [T; FEW] },
    Many(Vec<T>),
}

impl<T: Copy + Default> Axes<T> {
    /// Without axes.
    #[inline(always)]
    #[must_use]
    pub fn new() -> Self {
        Self(Numbers::Few {
            rank: 0,
            numbers: [T::default(); FEW],
        })
    }

    /// The numbers of a slice.
    #[inline(always)]
    #[must_use]
    pub fn from_slice(slice: &[T]) -> Self {
        if slice.len() > FEW {
            return Self(Numbers::Many(slice.to_vec()));
        }
        let mut numbers = [T::default(); FEW];
        // A loop of known length: quicker than calling for a copy of unknown length.
        for (at, number) in numbers.iter_mut().enumerate() {
            if at < slice.len() {
                *number = slice[at];
            }
        }
        Self(Numbers::Few {
            rank: slice.len() as u8,
            numbers,
        })
    }

    /// The same number for each of `rank` axes.
    #[inline]
    #[must_use]
    pub fn from_elem(number: T, rank: usize) -> Self {
        if rank > FEW {
            return Self(Numbers::Many(vec![number; rank]));
        }
        Self(Numbers::Few {
            rank: rank as u8,
            numbers: [number; FEW],
        })
    }

    /// Adds an axis at the end.
    #[inline(always)]
    pub fn push(&mut self, number: T) {
        match &mut self.0 {
            Numbers::Few { rank, numbers } if usize::from(*rank) < FEW => {
                numbers[usize::from(*rank)] = number;
                *rank += 1;
            }
            Numbers::Few { numbers, .. } => {
                let mut many = numbers.to_vec();
                many.push(number);
                self.0 = Numbers::Many(many);
            }
            Numbers::Many(many) => many.push(number),
        }
    }

    /// Without the axis at `at`.
    #[must_use]
    pub fn without(&self, at: usize) -> Self {
        let mut rest = Self::from_slice(&self[..at]);
        rest.extend_from_slice(&self[at + 1..]);
        rest
    }

    /// Adds the axes of a slice at the end.
    #[inline]
    pub fn extend_from_slice(&mut self, slice: &[T]) {
        slice.iter().for_each(|&number| self.push(number));
    }
}

impl<T: Copy + Default> Default for Axes<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Deref for Axes<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        match &self.0 {
            Numbers::Few { rank, numbers } => &numbers[..usize::from(*rank)],
            Numbers::Many(many) => many,
        }
    }
}

impl<T> DerefMut for Axes<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.0 {
            Numbers::Few { rank, numbers } => &mut numbers[..usize::from(*rank)],
            Numbers::Many(many) => many,
        }
    }
}

impl<T: Copy + Default> FromIterator<T> for Axes<T> {
    #[inline]
    fn from_iter<I: IntoIterator<Item = T>>(numbers: I) -> Self {
        let mut axes = Self::new();
        numbers.into_iter().for_each(|number| axes.push(number));
        axes
    }
}

impl<T: Copy + Default, const N: usize> From<[T; N]> for Axes<T> {
    #[inline]
    fn from(numbers: [T; N]) -> Self {
        Self::from_slice(&numbers)
    }
}

impl<'a, T> IntoIterator for &'a Axes<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: PartialEq> PartialEq for Axes<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Axes<T> {}

impl<T: fmt::Debug> fmt::Debug for Axes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_axes_is_kept_in_order() {
        for rank in 0..12_usize {
            let numbers: Vec<usize> = (0..rank).map(|axis| axis + 3).collect();
            let mut pushed = Axes::new();
            numbers.iter().for_each(|&number| pushed.push(number));
            assert_eq!(*pushed, *numbers);
            assert_eq!(pushed, Axes::from_slice(&numbers));
            assert_eq!(pushed, numbers.iter().copied().collect());
            assert_eq!(*Axes::from_elem(7, rank), *vec![7; rank]);
        }
    }
}
