//! How deep the solids of a character are in one another.

use std::sync::Arc;

use super::rows::{each_gradient, each_item};
use crate::array::{Batch, Shape, show_shape};
use crate::backend::cpu::Compute;
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::{Error, Result};
use crate::kinematics::Prepared;

/// Rough time for one pair, and for one solid.
const PAIR_NS: f64 = 40.0;
const SOLID_NS: f64 = 40.0;

/// Overlaps `(..., n_pairs)` from joint states `(..., n_joints, 8)`: the depth of each pair of solids
/// that may collide, 0 where the two do not meet.
#[derive(Debug, Clone, PartialEq)]
pub struct CollisionOverlaps {
    /// The character.
    pub prepared: Arc<Prepared>,
}

impl CollisionOverlaps {
    fn n_joints(&self) -> usize {
        self.prepared.character().skeleton.len()
    }

    fn n_pairs(&self) -> usize {
        self.prepared.collision_plan::<f64>().pairs().len()
    }

    fn cost_ns(&self) -> f64 {
        let solids = self.prepared.character().collision_geometry.len();
        20.0 + SOLID_NS * solids as f64 + PAIR_NS * self.n_pairs() as f64
    }
}

impl Operation for CollisionOverlaps {
    fn name(&self) -> &'static str {
        "collision_overlaps"
    }

    fn inputs(&self) -> &'static [Input] {
        &[Input {
            name: "skel_state",
            differentiable: true,
        }]
    }

    fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
        let joints = self.n_joints();
        if shape.ends_with(&[joints, 8]) {
            return Ok(2);
        }
        Err(Error::shape(
            "skel_state",
            format!("(..., {joints}, 8) = (..., n_joints, 8)"),
            show_shape(shape),
        ))
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::from([self.n_pairs()])
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let (length, cost) = (self.n_pairs(), self.cost_ns());
        let plan = self.prepared.collision_plan::<T>();
        each_item(
            [&inputs[0]],
            length,
            cost,
            out,
            control,
            || (),
            |[states], (), place| plan.overlaps(states, place),
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
        let plan = self.prepared.collision_plan::<T>();
        each_gradient(
            [&inputs[0], cotangent],
            [inputs[0].core_len()],
            3.0 * self.cost_ns(),
            gradients,
            control,
            || (),
            |[states, cotangent], (), [gradient]| {
                if let Some(gradient) = gradient {
                    plan.pull(states, cotangent, gradient);
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
        let plan = self.prepared.collision_plan::<T>();
        let Some(tangents) = &tangents[0] else {
            out.fill(T::ZERO);
            return Ok(());
        };
        each_item(
            [&inputs[0], tangents],
            self.n_pairs(),
            self.cost_ns(),
            out,
            control,
            || (),
            |[states, tangents], (), place| plan.push(states, tangents, place),
        )
    }
}

#[cfg(test)]
mod tests;
