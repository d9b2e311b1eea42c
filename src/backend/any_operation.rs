//! Operations whose types are not known: what Python, compiled graphs and other bridges hold.

use std::any::Any;

use super::{Control, Gradient, Input, Operation};
use crate::array::{Batch, Shape};
use crate::backend::cpu::Compute;
use crate::error::Result;
use crate::math::Moving;

/// Where one operation's results in precision `T` come from.
pub trait Values<T>: Send + Sync {
    /// [`Operation::forward`].
    ///
    /// # Errors
    /// As there.
    fn forward(&self, inputs: &[Batch<'_, T>], out: &mut [T], control: &Control<'_>) -> Result<()>;
}

/// One operation's derivatives in precision `T`.
pub trait Derivatives<T>: Send + Sync {
    /// [`Operation::vjp`].
    ///
    /// # Errors
    /// As there.
    fn vjp(
        &self,
        inputs: &[Batch<'_, T>],
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()>;

    /// [`Operation::jvp`].
    ///
    /// # Errors
    /// As there.
    fn jvp(
        &self,
        inputs: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()>;
}

/// An [`Operation`] of any type.
pub trait AnyOperation:
    Any + Values<f32> + Values<f64> + Derivatives<f32> + Derivatives<f64> + Derivatives<Moving>
{
    /// [`Operation::name`].
    fn name(&self) -> &'static str;
    /// [`Operation::inputs`].
    fn inputs(&self) -> &'static [Input];
    /// [`Operation::batch_axes`].
    fn batch_axes(&self) -> Shape;
    /// [`Operation::core_rank`].
    ///
    /// # Errors
    /// As there.
    fn core_rank(&self, index: usize, shape: &[usize]) -> Result<usize>;
    /// [`Operation::output_core`].
    fn output_core(&self, cores: &[&[usize]]) -> Shape;
    /// Whether the other one computes the same, with the same constant data.
    fn equals(&self, other: &dyn AnyOperation) -> bool;
}

impl<O: Operation, T: Compute> Values<T> for O {
    fn forward(&self, inputs: &[Batch<'_, T>], out: &mut [T], control: &Control<'_>) -> Result<()> {
        Operation::forward(self, inputs, out, control)
    }
}

impl<O: Operation, T: Compute> Derivatives<T> for O {
    fn vjp(
        &self,
        inputs: &[Batch<'_, T>],
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        Operation::vjp(self, inputs, None, cotangent, gradients, control)
    }

    fn jvp(
        &self,
        inputs: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        Operation::jvp(self, inputs, tangents, out, control)
    }
}

impl<O: Operation> AnyOperation for O {
    fn name(&self) -> &'static str {
        Operation::name(self)
    }
    fn inputs(&self) -> &'static [Input] {
        Operation::inputs(self)
    }
    fn batch_axes(&self) -> Shape {
        Operation::batch_axes(self)
    }
    fn core_rank(&self, index: usize, shape: &[usize]) -> Result<usize> {
        Operation::core_rank(self, index, shape)
    }
    fn output_core(&self, cores: &[&[usize]]) -> Shape {
        Operation::output_core(self, cores)
    }
    fn equals(&self, other: &dyn AnyOperation) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref::<Self>() == Some(self)
    }
}

/// A precision that a caller's arrays are in.
pub trait Caller: Compute {
    /// The part of an operation that computes values in it.
    fn values(operation: &dyn AnyOperation) -> &dyn Values<Self>;
    /// The part that computes derivatives.
    fn derivatives(operation: &dyn AnyOperation) -> &dyn Derivatives<Self>;
}

impl Caller for f32 {
    fn values(operation: &dyn AnyOperation) -> &dyn Values<Self> {
        operation
    }
    fn derivatives(operation: &dyn AnyOperation) -> &dyn Derivatives<Self> {
        operation
    }
}

impl Caller for f64 {
    fn values(operation: &dyn AnyOperation) -> &dyn Values<Self> {
        operation
    }
    fn derivatives(operation: &dyn AnyOperation) -> &dyn Derivatives<Self> {
        operation
    }
}
