//! What a batched, differentiable operation is.
//!
//! An operation is a value: the constant data it works with (a character, triangles, …) and the three
//! verbs forward, vjp and jvp over batches of real arrays. The Python layer, the autograd bridges and
//! other devices know operations only through this trait, so a new operation is one new file.

use crate::array::{Batch, Shape};
use crate::backend::Control;
use crate::backend::cpu::Compute;
use crate::error::Result;

/// One real array input of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input {
    /// The argument's name in the public functions.
    pub name: &'static str,
    /// Whether a derivative with respect to it exists.
    pub differentiable: bool,
}

/// Where an operation puts the cotangent of one input: row-major, overwritten, not added to.
#[derive(Debug)]
pub enum Gradient<'a, T> {
    /// The input is not differentiated.
    Skip,
    /// One item per batch item.
    PerItem(&'a mut [T]),
    /// One item for the whole batch, for an input without batch axes: the sum over the batch, taken
    /// in an order that does not depend on the number of threads.
    Shared(&'a mut [T]),
}

/// A batched operation from real arrays to one real array, with its derivatives.
///
/// It owns its data or shares it, and borrows nothing: whoever wants a derivative later keeps a copy, which
/// may outlive the call that made it.
///
/// Two are equal where they compute the same with the same constant data; so that finding that out takes
/// no time, large data counts as the same where it is the same memory.
pub trait Operation: Clone + PartialEq + Send + Sync + 'static {
    /// The name of the public function.
    fn name(&self) -> &'static str;

    /// The inputs, in argument order.
    fn inputs(&self) -> &'static [Input];

    /// Batch axes that the operation has by itself; they broadcast with those of the inputs. Only an
    /// operation that is many has any.
    fn batch_axes(&self) -> Shape {
        Shape::new()
    }

    /// How many trailing axes of input `index` are one item, given its whole shape.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] where the trailing axes do not fit.
    fn core_rank(&self, index: usize, shape: &[usize]) -> Result<usize>;

    /// The shape of one output item, given the shape of one item of each input.
    fn output_core(&self, cores: &[&[usize]]) -> Shape;

    /// Computes every output item. `out` holds `batch · output_core` elements, row-major; all of them
    /// are written.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] where the caller asked to stop.
    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()>;

    /// Pulls `cotangent` (shaped like the output) back to the inputs. `output` is what `forward`
    /// returned, where the caller still has it; without it what is needed is computed again.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] where the caller asked to stop.
    fn vjp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        output: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()>;

    /// Pushes `tangents` (shaped like the inputs; `None` is zero) forward to the output.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`] where the caller asked to stop.
    fn jvp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()>;
}
