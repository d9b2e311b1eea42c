//! Forward kinematics: parameters to the states of all joints.

use std::ops::Range;
use std::sync::Arc;

use super::gradients::{Target, for_each_gradient};
use super::lanes::{GroupWork, groups, in_groups, load_items};
use crate::array::{Batch, Shape, show_shape};
use crate::backend::cpu::{Compute, Isa, Items, for_each_group, isa, row_of, rows_of};
use crate::backend::{Control, Gradient, Input, Operation};
use crate::character::PARAMETERS_PER_JOINT;
use crate::error::{Error, Result};
use crate::kinematics::{
    Direct, Drive, ForwardPlan, Load, LoadSource, Motion, Prepared, StateSink,
};
use crate::math::{Lane, Transform};

/// Numbers in a state.
const STATE: usize = 8;
/// Rough time for one joint of one item.
const COST_NS: f64 = 6.0;
/// How much more a derivative takes.
const DERIVATIVE: f64 = 2.5;

pub(super) static MODEL_PARAMETERS: [Input; 1] = [Input {
    name: "model_parameters",
    differentiable: true,
}];
pub(super) static JOINT_PARAMETERS: [Input; 1] = [Input {
    name: "joint_parameters",
    differentiable: true,
}];

/// How many trailing axes are one pose in model parameters.
pub(super) fn model_parameters_rank(n_parameters: usize, shape: &[usize]) -> Result<usize> {
    if shape.last() == Some(&n_parameters) {
        return Ok(1);
    }
    Err(Error::shape(
        "model_parameters",
        format!("(..., {n_parameters}) = (..., n_parameters)"),
        show_shape(shape),
    ))
}

/// How many trailing axes are one pose in joint parameters: two for `(..., n_joints, 7)`, one for
/// `(..., 7 * n_joints)`.
pub(super) fn joint_parameters_rank(n_joints: usize, shape: &[usize]) -> Result<usize> {
    let length = PARAMETERS_PER_JOINT * n_joints;
    match shape {
        [.., joints, PARAMETERS_PER_JOINT] if *joints == n_joints => Ok(2),
        [.., last] if *last == length => Ok(1),
        _ => Err(Error::shape(
            "joint_parameters",
            format!(
                "(..., {n_joints}, 7) = (..., n_joints, 7) or (..., {length}) = (..., 7 * n_joints)"
            ),
            show_shape(shape),
        )),
    }
}

/// Parameters to `(..., n_joints, 8)` states `[tx ty tz qx qy qz qw s]`: model parameters
/// `(..., n_parameters)` or joint parameters `(..., n_joints, 7)` / `(..., 7 * n_joints)`, states in the
/// world or in the parents' frames. Use it by its four names.
#[derive(Debug, Clone, PartialEq)]
pub struct ToSkeletonState<const MODEL: bool, const LOCAL: bool> {
    /// The character.
    pub prepared: Arc<Prepared>,
}

/// Model parameters to states in the world.
pub type ModelParametersToSkeletonState = ToSkeletonState<true, false>;
/// Model parameters to states in the parents' frames.
pub type ModelParametersToLocalSkeletonState = ToSkeletonState<true, true>;
/// Joint parameters to states in the world.
pub type JointParametersToSkeletonState = ToSkeletonState<false, false>;
/// Joint parameters to states in the parents' frames.
pub type JointParametersToLocalSkeletonState = ToSkeletonState<false, true>;

impl<const MODEL: bool, const LOCAL: bool> ToSkeletonState<MODEL, LOCAL> {
    fn n_joints(&self) -> usize {
        self.prepared.character().skeleton.len()
    }

    fn plan<T: Compute>(&self) -> &ForwardPlan<T> {
        if LOCAL {
            self.prepared.local_plan()
        } else {
            self.prepared.forward_plan()
        }
    }

    fn direct(&self) -> Direct {
        Direct {
            n_joints: self.n_joints(),
        }
    }

    fn cost_ns(&self) -> f64 {
        20.0 + COST_NS * self.n_joints() as f64
    }

    fn forward_on<T: Compute>(
        &self,
        isa: Isa,
        input: &Batch<'_, T>,
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        if MODEL {
            self.forward_by(
                isa,
                self.prepared.transform().plan::<T>(),
                input,
                out,
                control,
            )
        } else {
            self.forward_by(isa, self.direct(), input, out, control)
        }
    }

    fn forward_by<T: Compute>(
        &self,
        isa: Isa,
        drive: impl Drive<T>,
        input: &Batch<'_, T>,
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let plan = self.plan::<T>();
        let length = STATE * plan.n_joints();
        let places = Items { data: out, length };
        let (items, width) = (input.len(), T::width(isa));
        for_each_group(
            items,
            width,
            self.cost_ns(),
            places,
            control,
            |range, out| {
                let first = range.start;
                let out = out.data;
                let mut work = Forward {
                    plan,
                    drive,
                    input,
                    out,
                    first,
                };
                in_groups(isa, range, &mut work);
            },
        )
    }

    fn vjp_on<T: Compute>(
        &self,
        isa: Isa,
        saved: Saved<'_, '_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        if MODEL {
            let drive = self.prepared.transform().plan::<T>();
            self.vjp_by(isa, drive, saved, gradients, control)
        } else {
            self.vjp_by(isa, self.direct(), saved, gradients, control)
        }
    }

    fn vjp_by<T: Compute>(
        &self,
        isa: Isa,
        drive: impl Drive<T>,
        saved: Saved<'_, '_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let plan = self.plan::<T>();
        for_each_gradient(
            saved.cotangent.len(),
            T::width(isa),
            DERIVATIVE * self.cost_ns(),
            [drive.len()],
            gradients,
            control,
            |range, [target]| {
                let first = range.start;
                let mut work = Backward {
                    plan,
                    drive,
                    saved,
                    target,
                    first,
                };
                in_groups(isa, range, &mut work);
            },
        )
    }

    fn jvp_on<T: Compute>(
        &self,
        isa: Isa,
        input: &Batch<'_, T>,
        tangent: &Batch<'_, T>,
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        if MODEL {
            let drive = self.prepared.transform().plan::<T>();
            self.jvp_by(isa, drive, input, tangent, out, control)
        } else {
            self.jvp_by(isa, self.direct(), input, tangent, out, control)
        }
    }

    fn jvp_by<T: Compute>(
        &self,
        isa: Isa,
        drive: impl Drive<T>,
        input: &Batch<'_, T>,
        tangent: &Batch<'_, T>,
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let plan = self.plan::<T>();
        let length = STATE * plan.n_joints();
        let places = Items { data: out, length };
        let (items, cost_ns) = (input.len(), DERIVATIVE * self.cost_ns());
        for_each_group(
            items,
            T::width(isa),
            cost_ns,
            places,
            control,
            |range, out| {
                let first = range.start;
                let out = out.data;
                let mut work = Push {
                    plan,
                    drive,
                    input,
                    tangent,
                    out,
                    first,
                };
                in_groups(isa, range, &mut work);
            },
        )
    }
}

struct Forward<'w, 'a, T, D> {
    plan: &'w ForwardPlan<T>,
    drive: D,
    input: &'w Batch<'a, T>,
    out: &'w mut [T],
    first: usize,
}

impl<T: Compute, D: Drive<T>> GroupWork<T> for Forward<'_, '_, T, D> {
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>) {
        let length = STATE * self.plan.n_joints();
        let mut gathered = Vec::new();
        let mut inputs = vec![L::zero(); self.drive.len()];
        let mut kept = vec![Transform::identity(); self.plan.n_places()];
        for (start, count) in groups::<L>(items) {
            load_items(self.input, start, count, &mut gathered, &mut inputs);
            let at = (start - self.first) * length;
            let out = &mut self.out[at..];
            let mut sink = Rows { out, length, count };
            self.plan.forward(self.drive, &inputs, &mut kept, &mut sink);
        }
    }

    #[inline(always)]
    fn run_one<L: Lane<Scalar = T>>(&mut self, item: usize) {
        let mut gathered = Vec::new();
        let row = row_of(self.input, item, &mut gathered);
        let length = STATE * self.plan.n_joints();
        let at = (item - self.first) * length;
        let out = &mut self.out[at..at + length];
        self.plan.forward_one::<L>(self.drive, row, out);
    }
}

/// The output rows of a group.
struct Rows<'w, T> {
    out: &'w mut [T],
    length: usize,
    count: usize,
}

impl<L: Lane> StateSink<L> for Rows<'_, L::Scalar> {
    #[inline(always)]
    fn put(&mut self, joint: usize, state: &Transform<L>) {
        let columns = state.to_columns();
        L::store_columns8(&columns, self.out, STATE * joint, self.length, self.count);
    }
}

/// What a vjp starts from.
#[derive(Clone, Copy)]
struct Saved<'w, 'a, T> {
    input: &'w Batch<'a, T>,
    output: Option<&'w Batch<'a, T>>,
    cotangent: &'w Batch<'a, T>,
}

struct Backward<'w, 'a, T, D> {
    plan: &'w ForwardPlan<T>,
    drive: D,
    saved: Saved<'w, 'a, T>,
    target: Target<'w, T>,
    first: usize,
}

impl<T: Compute, D: Drive<T>> GroupWork<T> for Backward<'_, '_, T, D> {
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>) {
        let n_joints = self.plan.n_joints();
        let Saved {
            input,
            output,
            cotangent,
        } = self.saved;
        let (mut gathered, mut gathered_output, mut gathered_cotangent) = Default::default();
        let mut inputs = vec![L::zero(); self.drive.len()];
        let mut gradient = vec![L::zero(); self.drive.len()];
        let mut kept = vec![Load::<L>::zero(); self.plan.n_places()];
        let mut states = vec![Transform::<L>::identity(); n_joints];
        for (start, count) in groups::<L>(items) {
            load_items(input, start, count, &mut gathered, &mut inputs);
            // States first and in order, so that one array at a time streams in from memory.
            match output {
                Some(output) => {
                    let rows = rows_of(output, start, count, L::WIDTH, &mut gathered_output);
                    for (joint, state) in states.iter_mut().enumerate() {
                        *state = Transform::from_columns(L::load_columns8(&rows, STATE * joint));
                    }
                }
                None => {
                    self.plan
                        .forward_chains(self.drive, &inputs, 0..n_joints, &mut states);
                }
            }
            gradient.fill(L::zero());
            let cotangents = rows_of(cotangent, start, count, L::WIDTH, &mut gathered_cotangent);
            let source = Cotangents { rows: &cotangents };
            self.plan.pull(
                self.drive,
                &inputs,
                &states,
                &mut kept,
                &source,
                &mut gradient,
            );
            self.target.put(&gradient, 0, start - self.first, count);
        }
    }
}

/// The cotangents of a group of states.
struct Cotangents<'w, T> {
    rows: &'w [&'w [T]],
}

impl<L: Lane> LoadSource<L> for Cotangents<'_, L::Scalar> {
    #[inline(always)]
    fn load(&self, joint: usize, state: &Transform<L>) -> Load<L> {
        Load::of_cotangent(L::load_columns8(self.rows, STATE * joint), state)
    }
}

struct Push<'w, 'a, T, D> {
    plan: &'w ForwardPlan<T>,
    drive: D,
    input: &'w Batch<'a, T>,
    tangent: &'w Batch<'a, T>,
    out: &'w mut [T],
    first: usize,
}

impl<T: Compute, D: Drive<T>> GroupWork<T> for Push<'_, '_, T, D> {
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>) {
        let n_joints = self.plan.n_joints();
        let length = STATE * n_joints;
        let (mut gathered, mut gathered_tangent) = Default::default();
        let mut inputs = vec![L::zero(); self.drive.len()];
        let mut tangents = vec![L::zero(); self.drive.len()];
        let mut states = vec![Transform::<L>::identity(); n_joints];
        let mut motions = vec![Motion::<L>::zero(); n_joints];
        for (start, count) in groups::<L>(items) {
            load_items(self.input, start, count, &mut gathered, &mut inputs);
            load_items(
                self.tangent,
                start,
                count,
                &mut gathered_tangent,
                &mut tangents,
            );
            self.plan
                .forward_chains(self.drive, &inputs, 0..n_joints, &mut states);
            self.plan.push(
                self.drive,
                &inputs,
                &tangents,
                0..n_joints,
                &states,
                &mut motions,
            );
            let at = (start - self.first) * length;
            let out = &mut self.out[at..];
            for (joint, (motion, state)) in motions.iter().zip(&states).enumerate() {
                L::store_columns8(&motion.to_columns(state), out, STATE * joint, length, count);
            }
        }
    }
}

impl<const MODEL: bool, const LOCAL: bool> Operation for ToSkeletonState<MODEL, LOCAL> {
    fn name(&self) -> &'static str {
        match (MODEL, LOCAL) {
            (true, false) => "model_parameters_to_skeleton_state",
            (true, true) => "model_parameters_to_local_skeleton_state",
            (false, false) => "joint_parameters_to_skeleton_state",
            (false, true) => "joint_parameters_to_local_skeleton_state",
        }
    }

    fn inputs(&self) -> &'static [Input] {
        if MODEL {
            &MODEL_PARAMETERS
        } else {
            &JOINT_PARAMETERS
        }
    }

    fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
        if MODEL {
            model_parameters_rank(self.prepared.transform().transform().len(), shape)
        } else {
            joint_parameters_rank(self.n_joints(), shape)
        }
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::from_slice(&[self.n_joints(), STATE])
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        self.forward_on(isa(), &inputs[0], out, control)
    }

    fn vjp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        output: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let isa = isa();
        // With the widest registers, computing the states again from a few parameters is quicker than
        // reading 8 numbers a joint from memory: 2.4 against 2.7 ms for 4096 poses of 127 joints.
        let recompute = MODEL && isa == Isa::Avx512;
        let saved = Saved {
            input: &inputs[0],
            output: output.filter(|_| !recompute),
            cotangent,
        };
        self.vjp_on(isa, saved, gradients, control)
    }

    fn jvp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        match &tangents[0] {
            Some(tangent) => self.jvp_on(isa(), &inputs[0], tangent, out, control),
            None => {
                out.fill(T::ZERO);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
