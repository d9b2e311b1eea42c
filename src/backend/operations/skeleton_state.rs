//! Forward kinematics: parameters to the states of all joints.

use std::ops::Range;

use super::gradients::{Target, for_each_gradient};
use super::lanes::{GroupWork, groups, in_groups, load_items};
use crate::array::{Batch, Shape, show_shape};
use crate::backend::cpu::{Compute, Isa, Items, for_each_group, isa, rows_of};
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
#[derive(Debug, Clone, Copy)]
pub struct ToSkeletonState<'a, const MODEL: bool, const LOCAL: bool> {
    /// The character.
    pub prepared: &'a Prepared,
}

/// Model parameters to states in the world.
pub type ModelParametersToSkeletonState<'a> = ToSkeletonState<'a, true, false>;
/// Model parameters to states in the parents' frames.
pub type ModelParametersToLocalSkeletonState<'a> = ToSkeletonState<'a, true, true>;
/// Joint parameters to states in the world.
pub type JointParametersToSkeletonState<'a> = ToSkeletonState<'a, false, false>;
/// Joint parameters to states in the parents' frames.
pub type JointParametersToLocalSkeletonState<'a> = ToSkeletonState<'a, false, true>;

impl<const MODEL: bool, const LOCAL: bool> ToSkeletonState<'_, MODEL, LOCAL> {
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
        let rows = rows_of(self.input, item, 1, 1, &mut gathered);
        let length = STATE * self.plan.n_joints();
        let at = (item - self.first) * length;
        let out = &mut self.out[at..at + length];
        self.plan.forward_one::<L>(self.drive, rows[0], out);
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

impl<const MODEL: bool, const LOCAL: bool> Operation for ToSkeletonState<'_, MODEL, LOCAL> {
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
mod tests {
    use super::super::testing::{
        Random, batches, cast, character, check_derivatives, forward, isas,
    };
    use super::*;
    use crate::array::View;
    use nalgebra as na;
    use smallvec::smallvec;

    /// Poses by 4x4 matrices, as the conventions are written down; independent of the library's math.
    fn oracle(prepared: &Prepared, joint_parameters: &[f64], local: bool) -> Vec<na::Matrix4<f64>> {
        let mut world: Vec<na::Matrix4<f64>> = Vec::new();
        let poses = joint_parameters.chunks(7);
        for (joint, p) in prepared.character().skeleton.joints().iter().zip(poses) {
            let o = joint.translation_offset;
            let [x, y, z, w] = joint.pre_rotation;
            let about = |axis: na::Vector3<f64>, angle: f64| {
                na::Rotation3::from_axis_angle(&na::Unit::new_unchecked(axis), angle)
                    .to_homogeneous()
            };
            let pre = na::UnitQuaternion::new_unchecked(na::Quaternion::new(w, x, y, z));
            let own = na::Matrix4::new_translation(&na::Vector3::new(
                o[0] + p[0],
                o[1] + p[1],
                o[2] + p[2],
            )) * pre.to_homogeneous()
                * about(na::Vector3::z(), p[5])
                * about(na::Vector3::y(), p[4])
                * about(na::Vector3::x(), p[3])
                * na::Matrix4::new_scaling(p[6].exp2());
            world.push(match joint.parent {
                Some(parent) if !local => world[parent] * own,
                _ => own,
            });
        }
        world
    }

    /// The matrix of a state.
    fn matrix(state: &[f64]) -> na::Matrix4<f64> {
        let [tx, ty, tz, x, y, z, w, s] = state.try_into().unwrap();
        let norm = (x * x + y * y + z * z + w * w).sqrt();
        assert!((norm - 1.0).abs() < 1e-5, "a quaternion of length {norm}");
        let turn = na::UnitQuaternion::from_quaternion(na::Quaternion::new(w, x, y, z));
        na::Matrix4::new_translation(&na::Vector3::new(tx, ty, tz))
            * turn.to_homogeneous()
            * na::Matrix4::new_scaling(s)
    }

    fn assert_poses<T: Compute>(
        prepared: &Prepared,
        joint_parameters: &[f64],
        states: &[T],
        local: bool,
    ) {
        let tolerance = if size_of::<T>() == 4 { 3e-5 } else { 2e-13 };
        let n_joints = prepared.character().skeleton.len();
        let poses = joint_parameters.chunks(7 * n_joints);
        for (pose, states) in poses.zip(states.chunks(8 * n_joints)) {
            for (want, state) in oracle(prepared, pose, local).iter().zip(states.chunks(8)) {
                let state: Vec<f64> = state.iter().map(|x| x.to_f64()).collect();
                let error = (matrix(&state) - want).abs().max();
                assert!(error <= tolerance * (1.0 + want.abs().max()), "{error}");
            }
        }
    }

    /// Joint parameters by the dense matrix.
    fn dense(prepared: &Prepared, parameters: &[f64]) -> Vec<f64> {
        let transform = &prepared.character().parameter_transform;
        let rows = transform.to_dense();
        parameters
            .chunks(transform.len())
            .flat_map(|pose| {
                rows.chunks(transform.len())
                    .map(|row| row.iter().zip(pose).map(|(a, b)| a * b).sum())
                    .collect::<Vec<f64>>()
            })
            .collect()
    }

    fn agrees_with_matrices<T: Compute>() {
        for (seed, n_joints) in [(1, 1), (2, 2), (3, 23), (4, 60)] {
            let prepared = character(seed, n_joints);
            let n_parameters = prepared.transform().transform().len();
            // Around every width: one less, the same, one more, and several with a rest.
            for items in [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 40] {
                let mut random = Random(seed + items as u64);
                let model = random.numbers(items * n_parameters);
                let joint: Vec<f64> = random.numbers(items * 7 * n_joints);
                let driven = dense(&prepared, &model);
                let (model, joint32): (Vec<T>, Vec<T>) = (cast(&model), cast(&joint));
                let model = View::contiguous(&model, &[items, n_parameters]).unwrap();
                let flat = View::contiguous(&joint32, &[items, 7 * n_joints]).unwrap();
                let by_seven = View::contiguous(&joint32, &[items, n_joints, 7]).unwrap();
                for isa in isas() {
                    let run = |op: &dyn Fn(&mut [T])| {
                        let mut out = vec![T::from_f64(f64::NAN); items * n_joints * 8];
                        op(&mut out);
                        out
                    };
                    let control = Control::default();
                    macro_rules! check {
                        ($op:ident, $view:expr, $parameters:expr, $local:expr) => {
                            let op = $op {
                                prepared: &prepared,
                            };
                            let (inputs, _, _) = batches(&op, std::slice::from_ref(&$view));
                            let got =
                                run(&|out| op.forward_on(isa, &inputs[0], out, &control).unwrap());
                            assert_poses(&prepared, $parameters, &got, $local);
                        };
                    }
                    check!(ModelParametersToSkeletonState, model, &driven, false);
                    check!(ModelParametersToLocalSkeletonState, model, &driven, true);
                    check!(JointParametersToSkeletonState, flat, &joint, false);
                    check!(JointParametersToSkeletonState, by_seven, &joint, false);
                    check!(JointParametersToLocalSkeletonState, by_seven, &joint, true);
                }
            }
        }
    }

    #[test]
    fn states_agree_with_matrices_in_single_precision() {
        agrees_with_matrices::<f32>();
    }

    #[test]
    fn states_agree_with_matrices_in_double_precision() {
        agrees_with_matrices::<f64>();
    }

    #[test]
    fn derivatives_agree_with_differences_and_with_each_other() {
        let prepared = character(11, 14);
        let prepared = &prepared;
        let n_parameters = prepared.transform().transform().len();
        let leads: [&[usize]; 5] = [&[], &[1], &[5], &[2, 3], &[0]];
        for lead in leads {
            let shape = |core: &[usize]| [lead, core].concat();
            let data = |shape: &[usize]| Random(5).numbers(shape.iter().product());
            let model = shape(&[n_parameters]);
            let flat = shape(&[7 * 14]);
            let by_seven = shape(&[14, 7]);
            let op = ModelParametersToSkeletonState { prepared };
            check_derivatives(&op, &[(data(&model), &model)]);
            let op = ModelParametersToLocalSkeletonState { prepared };
            check_derivatives(&op, &[(data(&model), &model)]);
            let op = JointParametersToSkeletonState { prepared };
            check_derivatives(&op, &[(data(&flat), &flat)]);
            check_derivatives(&op, &[(data(&by_seven), &by_seven)]);
            let op = JointParametersToLocalSkeletonState { prepared };
            check_derivatives(&op, &[(data(&flat), &flat)]);
        }
    }

    #[test]
    fn derivatives_are_alike_on_every_instruction_set_and_for_shared_inputs() {
        let prepared = character(12, 9);
        let op = ModelParametersToSkeletonState {
            prepared: &prepared,
        };
        let n_parameters = prepared.transform().transform().len();
        let control = Control::default();
        for items in [3, 15, 17, 1200] {
            let mut random = Random(items as u64);
            let parameters = random.numbers(n_parameters);
            let weights = random.numbers(items * 9 * 8);
            let view = View::contiguous(&parameters, &[n_parameters]).unwrap();
            let input = Batch::new(view, 1, &[items]);
            let view = View::contiguous(&weights, &[items, 9, 8]).unwrap();
            let cotangent = Batch::new(view, 2, &[items]);
            let mut first: Option<Vec<f64>> = None;
            for isa in isas() {
                let saved = Saved {
                    input: &input,
                    output: None,
                    cotangent: &cotangent,
                };
                let mut each = vec![f64::NAN; items * n_parameters];
                let mut shared = vec![f64::NAN; n_parameters];
                op.vjp_on(isa, saved, &mut [Gradient::PerItem(&mut each)], &control)
                    .unwrap();
                op.vjp_on(isa, saved, &mut [Gradient::Shared(&mut shared)], &control)
                    .unwrap();
                for (p, &sum) in shared.iter().enumerate() {
                    let want: f64 = each.chunks(n_parameters).map(|row| row[p]).sum();
                    assert!((sum - want).abs() < 1e-10 * items as f64);
                }
                let same = first.get_or_insert_with(|| each.clone());
                assert!(same.iter().zip(&each).all(|(a, b)| (a - b).abs() < 1e-11));
            }
        }
    }

    #[test]
    fn any_strides_give_what_a_copy_gives() {
        let prepared = character(13, 8);
        let data = Random(3).numbers(6 * 56);
        // Poses last to first; and joints by parameters, transposed.
        let backwards = View::strided(&data, 5 * 56, smallvec![6, 56], smallvec![-56, 1]).unwrap();
        let transposed = View::strided(&data, 0, smallvec![6, 8, 7], smallvec![1, 6, 48]).unwrap();
        let op = JointParametersToSkeletonState {
            prepared: &prepared,
        };
        for view in [backwards, transposed] {
            let copy = view.to_vec();
            let plain = View::contiguous(&copy, view.shape()).unwrap();
            assert_eq!(forward(&op, &[view]), forward(&op, &[plain]));
        }
    }

    #[test]
    fn a_large_batch_over_threads_equals_one_by_one() {
        let prepared = character(14, 40);
        let n_parameters = prepared.transform().transform().len();
        let op = ModelParametersToSkeletonState {
            prepared: &prepared,
        };
        let parameters: Vec<f32> = cast(&Random(8).numbers(3001 * n_parameters));
        let all = View::contiguous(&parameters, &[3001, n_parameters]).unwrap();
        let together = forward(&op, &[all]);
        for (pose, states) in parameters.chunks(n_parameters).zip(together.chunks(320)) {
            let alone = forward(&op, &[View::contiguous(pose, &[n_parameters]).unwrap()]);
            for (a, b) in alone.iter().zip(states) {
                assert!((a - b).abs() <= 2e-5 * (1.0 + b.abs()), "{a} {b}");
            }
        }
    }

    #[test]
    fn not_a_number_stays_in_its_pose_and_below_its_joint() {
        let prepared = character(15, 30);
        let skeleton = &prepared.character().skeleton;
        let op = JointParametersToSkeletonState {
            prepared: &prepared,
        };
        for (bad, odd) in [(f32::NAN, 4), (f32::INFINITY, 6), (-f32::INFINITY, 0)] {
            let mut parameters: Vec<f32> = cast(&Random(9).numbers(20 * 210));
            parameters[3 * 210 + 11 * 7 + odd] = bad;
            let view = View::contiguous(&parameters, &[20, 30, 7]).unwrap();
            let states = forward(&op, &[view]);
            for (at, state) in states.chunks(8).enumerate() {
                let hit = at / 30 == 3 && skeleton.is_ancestor(at % 30, 11);
                if !hit {
                    assert!(state.iter().all(|x| x.is_finite()), "{at}");
                } else if bad.is_nan() {
                    assert!(state.iter().any(|x| x.is_nan()), "{at}");
                }
            }
        }
    }

    #[test]
    fn nothing_to_do_is_done() {
        let prepared = character(16, 0);
        let op = JointParametersToSkeletonState {
            prepared: &prepared,
        };
        let none: [f64; 0] = [];
        for shape in [&[4, 0][..], &[4, 0, 7], &[0, 0]] {
            assert!(forward(&op, &[View::contiguous(&none, shape).unwrap()]).is_empty());
        }
        let prepared = character(17, 3);
        let op = JointParametersToSkeletonState {
            prepared: &prepared,
        };
        assert!(forward(&op, &[View::contiguous(&none, &[2, 0, 21]).unwrap()]).is_empty());
    }

    #[test]
    fn wrong_shapes_are_explained() {
        let prepared = character(18, 5);
        let op = ModelParametersToSkeletonState {
            prepared: &prepared,
        };
        assert_eq!(
            op.core_rank(0, &[4, 12]).unwrap_err().to_string(),
            "model_parameters: expected (..., 13) = (..., n_parameters), got (4, 12)"
        );
        assert!(op.core_rank(0, &[]).is_err());
        let op = JointParametersToSkeletonState {
            prepared: &prepared,
        };
        assert_eq!(op.core_rank(0, &[35]), Ok(1));
        assert_eq!(op.core_rank(0, &[5, 7]), Ok(2));
        assert_eq!(
            op.core_rank(0, &[6, 7]).unwrap_err().to_string(),
            "joint_parameters: expected (..., 5, 7) = (..., n_joints, 7) or (..., 35) = \
             (..., 7 * n_joints), got (6, 7)"
        );
    }
}
