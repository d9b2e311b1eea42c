//! What a batched function is that gives several arrays back: numbers, indices, and truth values.
//!
//! A query is no [`Operation`](super::Operation): which index is the answer has no derivative. What of an
//! answer can be differentiated, with the indices held fixed, is an operation of its own.

use smallvec::SmallVec;

use crate::array::{Batch, Shape};
use crate::backend::Control;
use crate::backend::cpu::Compute;
use crate::error::Result;

/// What one result array holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Real numbers, in the precision of the inputs.
    Reals,
    /// Indices, int32; -1 where there is none.
    Indices,
    /// Truth values.
    Flags,
}

/// Where one result array goes: row-major, all of it is written.
#[derive(Debug)]
pub enum Column<'a, T> {
    /// Real numbers.
    Reals(&'a mut [T]),
    /// Indices; -1 where there is none.
    Indices(&'a mut [i32]),
    /// Truth values, 0 or 1.
    Flags(&'a mut [u8]),
}

/// The results of a query, what each holds and the shape of one item of it.
pub type Results = SmallVec<[(Holds, Shape); 4]>;

/// A batched function from real arrays to several arrays.
pub trait Query: Send + Sync {
    /// The name of the public function.
    fn name(&self) -> &'static str;

    /// The inputs' names in the public function, in argument order.
    fn inputs(&self) -> &'static [&'static str];

    /// How many trailing axes of input `index` are one item, given its whole shape.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where the trailing axes do not fit.
    fn core_rank(&self, index: usize, shape: &[usize]) -> Result<usize>;

    /// The results in order, given the shape of one item of each input.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where the inputs do not fit each other.
    fn results(&self, cores: &[&[usize]]) -> Result<Results>;

    /// Computes every item of every result.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] where the caller asked to stop.
    fn answer<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        results: &mut [Column<'_, T>],
        control: &Control<'_>,
    ) -> Result<()>;
}
