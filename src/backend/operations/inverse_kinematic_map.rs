//! States back to joint parameters.

use std::ops::Range;
use std::sync::Arc;

use super::gradients::{Target, for_each_gradient};
use super::lanes::{GroupWork, groups, in_groups, store_columns};
use crate::array::{Batch, Shape, show_shape};
use crate::backend::cpu::{Compute, Isa, Items, for_each_group, isa, rows_of};
use crate::backend::{Control, Gradient, Input, Operation};
use crate::character::PARAMETERS_PER_JOINT;
use crate::error::{Error, Result};
use crate::kinematics::inverse::{InversePlan, Posed};
use crate::kinematics::{Load, Prepared};
use crate::math::Lane;

/// Numbers in a state.
const STATE: usize = 8;
/// Rough time for one joint of one item.
const COST_NS: f64 = 15.0;

/// Joint parameters `(..., n_joints, 7)` from states `(..., n_joints, 8)`, in the world or in the
/// parents' frames: what forward kinematics turns into the same transforms again. Use it by its two
/// names.
///
/// The quaternions may have any length but zero. Angles are those with `|ry| <= π/2`; in gimbal lock,
/// where only a combination of `rx` and `rz` has a meaning, `rx` is 0, which reproduces the rotation,
/// and derivatives are those along which it stays 0. `sc` is log2 of the scale relative to the parent:
/// NaN where that is negative, -inf where it is 0.
#[derive(Debug, Clone, PartialEq)]
pub struct ToJointParameters<const LOCAL: bool> {
    /// The character.
    pub prepared: Arc<Prepared>,
}

/// States in the world to joint parameters.
pub type SkeletonStateToJointParameters = ToJointParameters<false>;
/// States in the parents' frames to joint parameters.
pub type LocalSkeletonStateToJointParameters = ToJointParameters<true>;

impl<const LOCAL: bool> ToJointParameters<LOCAL> {
    fn n_joints(&self) -> usize {
        self.prepared.character().skeleton.len()
    }

    fn plan<T: Compute>(&self) -> &InversePlan<T> {
        if LOCAL {
            self.prepared.local_inverse_plan()
        } else {
            self.prepared.inverse_plan()
        }
    }

    fn cost_ns(&self) -> f64 {
        20.0 + COST_NS * self.n_joints() as f64
    }

    /// The parameters, or their change along `tangent`.
    fn map_on<T: Compute>(
        &self,
        isa: Isa,
        states: &Batch<'_, T>,
        tangent: Option<&Batch<'_, T>>,
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let plan = self.plan::<T>();
        let places = Items {
            data: out,
            length: PARAMETERS_PER_JOINT * plan.n_joints(),
        };
        let (items, width) = (states.len(), T::width(isa));
        for_each_group(
            items,
            width,
            self.cost_ns(),
            places,
            control,
            |range, out| {
                let mut work = Map {
                    plan,
                    states,
                    tangent,
                    first: range.start,
                    out: out.data,
                };
                in_groups(isa, range, &mut work);
            },
        )
    }

    fn vjp_on<T: Compute>(
        &self,
        isa: Isa,
        states: &Batch<'_, T>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let plan = self.plan::<T>();
        for_each_gradient(
            states.len(),
            T::width(isa),
            2.0 * self.cost_ns(),
            [STATE * plan.n_joints()],
            gradients,
            control,
            |range, [target]| {
                let mut work = Backward {
                    plan,
                    states,
                    cotangent,
                    first: range.start,
                    target,
                };
                in_groups(isa, range, &mut work);
            },
        )
    }
}

struct Map<'w, 'a, T> {
    plan: &'w InversePlan<T>,
    states: &'w Batch<'a, T>,
    tangent: Option<&'w Batch<'a, T>>,
    out: &'w mut [T],
    first: usize,
}

impl<T: Compute> GroupWork<T> for Map<'_, '_, T> {
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>) {
        let n_joints = self.plan.n_joints();
        let (mut gathered, mut gathered_tangent) = (Vec::new(), Vec::new());
        let mut poses: Vec<Posed<L>> = Vec::with_capacity(n_joints);
        let mut tangents: Vec<[L; STATE]> = Vec::with_capacity(n_joints);
        let mut outputs = vec![L::zero(); PARAMETERS_PER_JOINT * n_joints];
        for (start, count) in groups::<L>(items) {
            load_states(self.states, start, count, &mut gathered, &mut poses);
            if let Some(tangent) = self.tangent {
                let rows = rows_of(tangent, start, count, L::WIDTH, &mut gathered_tangent);
                tangents.clear();
                tangents.extend((0..n_joints).map(|j| L::load_columns8(&rows, STATE * j)));
            }
            for (joint, seven) in outputs.as_chunks_mut::<7>().0.iter_mut().enumerate() {
                *seven = if self.tangent.is_some() {
                    self.plan.push(joint, &poses, &tangents)
                } else {
                    self.plan.parameters(joint, &poses)
                };
            }
            let at = (start - self.first) * outputs.len();
            store_columns(&outputs, self.out, at, outputs.len(), count);
        }
    }
}

#[inline(always)]
fn load_states<L: Lane>(
    states: &Batch<'_, L::Scalar>,
    start: usize,
    count: usize,
    gathered: &mut Vec<L::Scalar>,
    poses: &mut Vec<Posed<L>>,
) {
    let rows = rows_of(states, start, count, L::WIDTH, gathered);
    let joints = states.core_len() / STATE;
    poses.clear();
    poses.extend((0..joints).map(|j| Posed::from_columns(L::load_columns8(&rows, STATE * j))));
}

struct Backward<'w, 'a, T> {
    plan: &'w InversePlan<T>,
    states: &'w Batch<'a, T>,
    cotangent: &'w Batch<'a, T>,
    target: Target<'w, T>,
    first: usize,
}

impl<T: Compute> GroupWork<T> for Backward<'_, '_, T> {
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>) {
        let n_joints = self.plan.n_joints();
        let (mut gathered, mut gathered_cotangent) = (Vec::new(), Vec::new());
        let mut poses: Vec<Posed<L>> = Vec::with_capacity(n_joints);
        let mut cotangents = vec![L::zero(); PARAMETERS_PER_JOINT * n_joints];
        let mut loads = vec![Load::<L>::zero(); n_joints];
        for (start, count) in groups::<L>(items) {
            load_states(self.states, start, count, &mut gathered, &mut poses);
            super::lanes::load_items(
                self.cotangent,
                start,
                count,
                &mut gathered_cotangent,
                &mut cotangents,
            );
            loads.fill(Load::zero());
            for (joint, &seven) in cotangents.as_chunks::<7>().0.iter().enumerate() {
                self.plan.pull(joint, &poses, seven, &mut loads);
            }
            for (joint, (posed, load)) in poses.iter().zip(&loads).enumerate() {
                let gradient = posed.cotangent(load);
                self.target
                    .put(&gradient, STATE * joint, start - self.first, count);
            }
        }
    }
}

impl<const LOCAL: bool> Operation for ToJointParameters<LOCAL> {
    fn name(&self) -> &'static str {
        if LOCAL {
            "local_skeleton_state_to_joint_parameters"
        } else {
            "skeleton_state_to_joint_parameters"
        }
    }

    fn inputs(&self) -> &'static [Input] {
        if LOCAL {
            &[Input {
                name: "local_skel_state",
                differentiable: true,
            }]
        } else {
            &[Input {
                name: "skel_state",
                differentiable: true,
            }]
        }
    }

    fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
        let n_joints = self.n_joints();
        if shape.ends_with(&[n_joints, STATE]) {
            return Ok(2);
        }
        Err(Error::shape(
            self.inputs()[0].name,
            format!("(..., {n_joints}, 8) = (..., n_joints, 8)"),
            show_shape(shape),
        ))
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::from_slice(&[self.n_joints(), PARAMETERS_PER_JOINT])
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        self.map_on(isa(), &inputs[0], None, out, control)
    }

    fn vjp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        _: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        self.vjp_on(isa(), &inputs[0], cotangent, gradients, control)
    }

    fn jvp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        match &tangents[0] {
            Some(tangent) => self.map_on(isa(), &inputs[0], Some(tangent), out, control),
            None => {
                out.fill(T::ZERO);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
