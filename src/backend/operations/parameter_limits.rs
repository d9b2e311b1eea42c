//! How far poses are beyond the limits on their parameters.

use std::sync::Arc;

use super::rows::{each_gradient, each_item};
use super::skeleton_state::{MODEL_PARAMETERS, model_parameters_rank};
use crate::array::{Batch, Shape};
use crate::backend::cpu::Compute;
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::Result;
use crate::kinematics::{ForwardPlan, LimitsPlan, Prepared, PreparedLimits, TransformPlan};

/// Rough times for a residual and for a joint on the way to an ellipsoid.
const RESIDUAL_NS: f64 = 4.0;
const JOINT_NS: f64 = 20.0;

/// PyMomentum counts all limits this much more than they say.
const LIMIT_WEIGHT: f64 = 10.0;

/// Model parameters `(..., n_parameters)` to residuals `(..., n_residuals)`, in the order of
/// [`PreparedLimits`]; not weighted.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterLimitResiduals {
    /// The character.
    pub prepared: Arc<Prepared>,
    /// Its limits.
    pub limits: Arc<PreparedLimits>,
}

/// Model parameters `(..., n_parameters)` to an energy `(...)`: `10 · Σ w r²`.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterLimitEnergy {
    /// The character.
    pub prepared: Arc<Prepared>,
    /// Its limits.
    pub limits: Arc<PreparedLimits>,
}

/// What all verbs work with.
#[derive(Clone, Copy)]
struct Task<'a, T> {
    forward: &'a ForwardPlan<T>,
    drive: &'a TransformPlan<T>,
    limits: &'a LimitsPlan<T>,
    n_residuals: usize,
    n_parameters: usize,
    cost_ns: f64,
}

impl<'a, T: Compute> Task<'a, T> {
    fn new(prepared: &'a Prepared, limits: &'a PreparedLimits) -> Self {
        let forward = prepared.forward_plan();
        let n_parameters = prepared.transform().transform().len();
        let numbers = (limits.n_residuals() + n_parameters) as f64;
        Self {
            forward,
            drive: prepared.transform().plan(),
            limits: limits.plan(forward),
            n_residuals: limits.n_residuals(),
            n_parameters,
            cost_ns: 20.0 + RESIDUAL_NS * numbers + JOINT_NS * forward.n_joints() as f64,
        }
    }
}

impl Operation for ParameterLimitResiduals {
    fn name(&self) -> &'static str {
        "parameter_limit_residuals"
    }

    fn inputs(&self) -> &'static [Input] {
        &MODEL_PARAMETERS
    }

    fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
        model_parameters_rank(self.prepared.transform().transform().len(), shape)
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::from_slice(&[self.limits.n_residuals()])
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let task = Task::<T>::new(&self.prepared, &self.limits);
        each_item(
            [&inputs[0]],
            task.n_residuals,
            task.cost_ns,
            out,
            control,
            || task.limits.scratch(task.forward),
            |[pose], scratch, out| {
                task.limits
                    .residuals(task.forward, task.drive, pose, scratch, out);
            },
        )
    }

    fn vjp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        _: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let task = Task::<T>::new(&self.prepared, &self.limits);
        each_gradient(
            [&inputs[0], cotangent],
            [task.n_parameters],
            2.5 * task.cost_ns,
            gradients,
            control,
            || task.limits.scratch(task.forward),
            |given, scratch, [gradient]| {
                if let Some(gradient) = gradient {
                    task.limits
                        .pull(task.forward, task.drive, given, scratch, gradient);
                }
            },
        )
    }

    fn jvp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let Some(tangent) = &tangents[0] else {
            out.fill(T::ZERO);
            return Ok(());
        };
        let task = Task::<T>::new(&self.prepared, &self.limits);
        each_item(
            [&inputs[0], tangent],
            task.n_residuals,
            2.5 * task.cost_ns,
            out,
            control,
            || task.limits.scratch(task.forward),
            |given, scratch, out| {
                task.limits
                    .push(task.forward, task.drive, given, scratch, out);
            },
        )
    }
}

impl Operation for ParameterLimitEnergy {
    fn name(&self) -> &'static str {
        "parameter_limit_energy"
    }

    fn inputs(&self) -> &'static [Input] {
        &MODEL_PARAMETERS
    }

    fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
        model_parameters_rank(self.prepared.transform().transform().len(), shape)
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::new()
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let task = Task::<T>::new(&self.prepared, &self.limits);
        each_item(
            [&inputs[0]],
            1,
            task.cost_ns,
            out,
            control,
            || {
                (
                    task.limits.scratch(task.forward),
                    vec![T::ZERO; task.n_residuals],
                )
            },
            |[pose], (scratch, residuals), out| {
                task.limits
                    .residuals(task.forward, task.drive, pose, scratch, residuals);
                let weighted = residuals.iter().zip(task.limits.weights());
                out[0] = T::from_f64(LIMIT_WEIGHT) * weighted.map(|(&r, &w)| w * r * r).sum();
            },
        )
    }

    fn vjp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        _: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let task = Task::<T>::new(&self.prepared, &self.limits);
        each_gradient(
            [&inputs[0], cotangent],
            [task.n_parameters],
            3.5 * task.cost_ns,
            gradients,
            control,
            || {
                (
                    task.limits.scratch(task.forward),
                    vec![T::ZERO; task.n_residuals],
                )
            },
            |[pose, cotangent], (scratch, residuals), [gradient]| {
                let Some(gradient) = gradient else { return };
                task.limits
                    .residuals(task.forward, task.drive, pose, scratch, residuals);
                let factor = T::from_f64(2.0 * LIMIT_WEIGHT) * cotangent[0];
                for (residual, &weight) in residuals.iter_mut().zip(task.limits.weights()) {
                    *residual *= factor * weight;
                }
                task.limits.pull(
                    task.forward,
                    task.drive,
                    [pose, residuals],
                    scratch,
                    gradient,
                );
            },
        )
    }

    fn jvp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let Some(tangent) = &tangents[0] else {
            out.fill(T::ZERO);
            return Ok(());
        };
        let task = Task::<T>::new(&self.prepared, &self.limits);
        let numbers = || vec![T::ZERO; task.n_residuals];
        each_item(
            [&inputs[0], tangent],
            1,
            3.5 * task.cost_ns,
            out,
            control,
            || (task.limits.scratch(task.forward), numbers(), numbers()),
            |[pose, tangent], (scratch, residuals, changes), out| {
                task.limits
                    .residuals(task.forward, task.drive, pose, scratch, residuals);
                task.limits
                    .push(task.forward, task.drive, [pose, tangent], scratch, changes);
                let terms = residuals.iter().zip(changes.iter());
                let terms = terms.zip(task.limits.weights());
                let sum: T = terms.map(|((&r, &change), &w)| w * r * change).sum();
                out[0] = T::from_f64(2.0 * LIMIT_WEIGHT) * sum;
            },
        )
    }
}

#[cfg(test)]
mod tests;
