//! How deep the solids of a character are in one another.

use std::ops::Range;

use super::gradients::{Target, for_each_gradient};
use crate::array::{Batch, Shape, show_shape};
use crate::backend::cpu::{Compute, Items, for_each_group};
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::{Error, Result};
use crate::kinematics::Prepared;

/// Rough time for one pair, and for one solid.
const PAIR_NS: f64 = 40.0;
const SOLID_NS: f64 = 40.0;

/// Overlaps `(..., n_pairs)` from joint states `(..., n_joints, 8)`: the depth of each pair of solids
/// that may collide, 0 where the two do not meet.
#[derive(Debug, Clone, Copy)]
pub struct CollisionOverlaps<'a> {
    /// The character.
    pub prepared: &'a Prepared,
}

impl CollisionOverlaps<'_> {
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

    /// Calls `work(items, their places)` for all items.
    fn each<T: Compute>(
        &self,
        items: usize,
        out: &mut [T],
        control: &Control<'_>,
        work: impl Fn(Range<usize>, &mut dyn Iterator<Item = &mut [T]>) + Sync,
    ) -> Result<()> {
        let length = self.n_pairs();
        if length == 0 {
            return Ok(());
        }
        let places = Items { data: out, length };
        let cost = self.cost_ns();
        for_each_group(items, 1, cost, places, control, |range, places| {
            work(range, &mut places.data.chunks_exact_mut(length));
        })
    }
}

impl Operation for CollisionOverlaps<'_> {
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
        let (states, plan) = (&inputs[0], self.prepared.collision_plan::<T>());
        self.each(states.len(), out, control, |range, places| {
            let mut scratch = vec![T::ZERO; states.core_len()];
            for (item, place) in range.zip(places) {
                plan.overlaps(states.item(item, &mut scratch), place);
            }
        })
    }

    fn vjp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        _: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let (states, plan) = (&inputs[0], self.prepared.collision_plan::<T>());
        for_each_gradient(
            states.len(),
            1,
            3.0 * self.cost_ns(),
            [states.core_len()],
            gradients,
            control,
            |range, [mut target]| {
                let mut scratch = vec![T::ZERO; states.core_len()];
                let mut pulled = vec![T::ZERO; cotangent.core_len()];
                for (place, item) in range.enumerate() {
                    let gradient = match &mut target {
                        Target::Skip => return,
                        Target::Rows(rows, length) => {
                            let row = &mut rows[place * *length..(place + 1) * *length];
                            row.fill(T::ZERO);
                            row
                        }
                        Target::Sum(sum) => sum,
                    };
                    let states = states.item(item, &mut scratch);
                    plan.pull(states, cotangent.item(item, &mut pulled), gradient);
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
        let (states, plan) = (&inputs[0], self.prepared.collision_plan::<T>());
        let Some(tangents) = &tangents[0] else {
            out.fill(T::ZERO);
            return Ok(());
        };
        self.each(states.len(), out, control, |range, places| {
            let mut scratch = [const { Vec::new() }; 2];
            scratch
                .iter_mut()
                .for_each(|scratch| scratch.resize(states.core_len(), T::ZERO));
            let [s0, s1] = &mut scratch;
            for (item, place) in range.zip(places) {
                plan.push(states.item(item, s0), tangents.item(item, s1), place);
            }
        })
    }
}

#[cfg(test)]
mod tests;
