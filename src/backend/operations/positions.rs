//! World positions of points that are given in the frames of joints.

use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;

use super::gradients::{Target, for_each_gradient};
use super::lanes::{GroupWork, groups, in_groups, load_columns, load_items, store_columns};
use super::skeleton_state::{joint_parameters_rank, model_parameters_rank};
use crate::array::{Batch, Shape, show_shape};
use crate::backend::cpu::{Compute, Isa, Items, for_each_group, isa, rows_of};
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::{Error, Result};
use crate::kinematics::{
    Direct, Drive, ForwardPlan, Load, Motion, PointsPlan, Prepared, point_velocity, pull_point,
};
use crate::math::{Lane, Transform};

/// Rough times for one joint and one point of one item.
const JOINT_NS: f64 = 6.0;
const POINT_NS: f64 = 3.0;
/// Points whose numbers are moved between memory and lanes at once: whole blocks of eight columns.
const BLOCK: usize = 8;

static WITH_MODEL: [Input; 2] = inputs("model_parameters");
static WITH_JOINT: [Input; 2] = inputs("joint_parameters");

const fn inputs(parameters: &'static str) -> [Input; 2] {
    [
        Input {
            name: parameters,
            differentiable: true,
        },
        Input {
            name: "offsets",
            differentiable: true,
        },
    ]
}

/// Parameters and offsets `(..., n, 3)` in the frames of the joints `parents` to world positions
/// `(..., n, 3)`. Only the joints that the points hang from are computed. Use it by its two names.
#[derive(Debug, Clone, PartialEq)]
pub struct ToPositions<const MODEL: bool> {
    /// The character.
    pub prepared: Arc<Prepared>,
    /// The joint of each point; checked by [`Operation::core_rank`].
    pub parents: Arc<[u32]>,
}

/// Model parameters `(..., n_parameters)` and offsets to positions.
pub type ModelParametersToPositions = ToPositions<true>;
/// Joint parameters `(..., n_joints, 7)` or `(..., 7 * n_joints)` and offsets to positions.
pub type JointParametersToPositions = ToPositions<false>;

/// What all three verbs work with.
#[derive(Clone, Copy)]
struct Task<'w, 'a, T, D> {
    plan: &'w ForwardPlan<T>,
    points: &'w PointsPlan,
    drive: D,
    parameters: &'w Batch<'a, T>,
    offsets: &'w Batch<'a, T>,
    /// The first item of the range.
    first: usize,
}

/// The points of a group of items: one row per lane, or one row for all.
struct Rows<'r, T> {
    rows: SmallVec<[&'r [T]; 16]>,
    shared: bool,
}

impl<'r, T: Compute> Rows<'r, T> {
    #[inline(always)]
    fn new(
        batch: &'r Batch<'_, T>,
        start: usize,
        count: usize,
        width: usize,
        gathered: &'r mut Vec<T>,
    ) -> Self {
        let shared = batch.is_shared();
        let (count, width) = if shared { (1, 1) } else { (count, width) };
        Self {
            rows: rows_of(batch, start, count, width, gathered),
            shared,
        }
    }

    /// The numbers of points `first ..`.
    #[inline(always)]
    fn load<L: Lane<Scalar = T>>(&self, first: usize, to: &mut [L]) {
        if self.shared {
            let row = &self.rows[0][3 * first..];
            for (place, &x) in to.iter_mut().zip(row) {
                *place = L::splat(x);
            }
        } else {
            load_columns(&self.rows, 3 * first, to);
        }
    }
}

/// The joints of each block of points, and where the block starts.
#[inline(always)]
fn blocks(points: &PointsPlan) -> impl Iterator<Item = (usize, &[u32])> {
    let parts = points.parents.chunks(BLOCK).enumerate();
    parts.map(|(block, parents)| (block * BLOCK, parents))
}

struct Forward<'w, 'a, T, D> {
    task: Task<'w, 'a, T, D>,
    out: &'w mut [T],
}

impl<T: Compute, D: Drive<T>> GroupWork<T> for Forward<'_, '_, T, D> {
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>) {
        let task = &self.task;
        let length = 3 * task.points.parents.len();
        let (mut gathered, mut gathered_offsets) = Default::default();
        let mut inputs = vec![L::zero(); task.drive.len()];
        let mut states = vec![Transform::<L>::identity(); task.plan.n_joints()];
        let mut numbers = [L::zero(); 3 * BLOCK];
        for (start, count) in groups::<L>(items) {
            load_items(task.parameters, start, count, &mut gathered, &mut inputs);
            let joints = task.points.ascending();
            task.plan
                .forward_chains(task.drive, &inputs, joints, &mut states);
            let rows = Rows::new(task.offsets, start, count, L::WIDTH, &mut gathered_offsets);
            let at = (start - task.first) * length;
            for (first, parents) in blocks(task.points) {
                let numbers = &mut numbers[..3 * parents.len()];
                rows.load(first, numbers);
                for (point, &parent) in numbers.as_chunks_mut::<3>().0.iter_mut().zip(parents) {
                    *point = states[parent as usize].apply(*point);
                }
                store_columns(numbers, self.out, at + 3 * first, length, count);
            }
        }
    }
}

struct Backward<'w, 'a, T, D> {
    task: Task<'w, 'a, T, D>,
    cotangent: &'w Batch<'a, T>,
    targets: [Target<'w, T>; 2],
}

impl<T: Compute, D: Drive<T>> GroupWork<T> for Backward<'_, '_, T, D> {
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>) {
        let task = &self.task;
        let n_joints = task.plan.n_joints();
        let (mut gathered, mut gathered_offsets, mut gathered_cotangent) = Default::default();
        let mut inputs = vec![L::zero(); task.drive.len()];
        let mut gradient = vec![L::zero(); task.drive.len()];
        let mut states = vec![Transform::<L>::identity(); n_joints];
        let mut loads = vec![Load::<L>::zero(); n_joints];
        let mut numbers = [L::zero(); 3 * BLOCK];
        let mut forces = [L::zero(); 3 * BLOCK];
        for (start, count) in groups::<L>(items) {
            let item = start - task.first;
            load_items(task.parameters, start, count, &mut gathered, &mut inputs);
            let joints = task.points.ascending();
            task.plan
                .forward_chains(task.drive, &inputs, joints, &mut states);
            loads.fill(Load::zero());
            let rows = Rows::new(task.offsets, start, count, L::WIDTH, &mut gathered_offsets);
            let cotangents = rows_of(
                self.cotangent,
                start,
                count,
                L::WIDTH,
                &mut gathered_cotangent,
            );
            for (first, parents) in blocks(task.points) {
                let numbers = &mut numbers[..3 * parents.len()];
                let forces = &mut forces[..3 * parents.len()];
                rows.load(first, numbers);
                load_columns(&cotangents, 3 * first, forces);
                let points = numbers.as_chunks::<3>().0.iter().zip(parents);
                for (force, (point, &parent)) in
                    forces.as_chunks_mut::<3>().0.iter_mut().zip(points)
                {
                    let (state, load) = (&states[parent as usize], &mut loads[parent as usize]);
                    *force = pull_point(state, load, *point, *force);
                }
                self.targets[1].put(forces, 3 * first, item, count);
            }
            if self.targets[0].is_skip() {
                continue;
            }
            gradient.fill(L::zero());
            let joints = task.points.descending();
            task.plan.pull_chains(
                task.drive,
                &inputs,
                joints,
                &states,
                &mut loads,
                &mut gradient,
            );
            self.targets[0].put(&gradient, 0, item, count);
        }
    }
}

struct Push<'w, 'a, T, D> {
    task: Task<'w, 'a, T, D>,
    tangents: [Option<&'w Batch<'a, T>>; 2],
    out: &'w mut [T],
}

impl<T: Compute, D: Drive<T>> GroupWork<T> for Push<'_, '_, T, D> {
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>) {
        let task = &self.task;
        let (n_joints, length) = (task.plan.n_joints(), 3 * task.points.parents.len());
        let (mut gathered, mut gathered_offsets) = Default::default();
        let (mut gathered_tangent, mut gathered_slides) = Default::default();
        let mut inputs = vec![L::zero(); task.drive.len()];
        let mut tangents = vec![L::zero(); task.drive.len()];
        let mut states = vec![Transform::<L>::identity(); n_joints];
        let mut motions = vec![Motion::<L>::zero(); n_joints];
        let mut numbers = [L::zero(); 3 * BLOCK];
        let mut slides = [L::zero(); 3 * BLOCK];
        for (start, count) in groups::<L>(items) {
            load_items(task.parameters, start, count, &mut gathered, &mut inputs);
            let joints = task.points.ascending();
            task.plan
                .forward_chains(task.drive, &inputs, joints, &mut states);
            if let Some(tangent) = self.tangents[0] {
                load_items(tangent, start, count, &mut gathered_tangent, &mut tangents);
                let joints = task.points.ascending();
                task.plan.push(
                    task.drive,
                    &inputs,
                    &tangents,
                    joints,
                    &states,
                    &mut motions,
                );
            }
            let rows = Rows::new(task.offsets, start, count, L::WIDTH, &mut gathered_offsets);
            let slide_rows = self.tangents[1]
                .map(|slides| Rows::new(slides, start, count, L::WIDTH, &mut gathered_slides));
            let at = (start - task.first) * length;
            for (first, parents) in blocks(task.points) {
                let numbers = &mut numbers[..3 * parents.len()];
                let slides = &mut slides[..3 * parents.len()];
                rows.load(first, numbers);
                if let Some(rows) = &slide_rows {
                    rows.load(first, slides);
                }
                let moves = slides.as_chunks::<3>().0.iter().zip(parents);
                for (point, (&slide, &parent)) in
                    numbers.as_chunks_mut::<3>().0.iter_mut().zip(moves)
                {
                    let (state, motion) = (&states[parent as usize], &motions[parent as usize]);
                    let slide = slide_rows.is_some().then_some(slide);
                    *point = point_velocity(state, motion, *point, slide);
                }
                store_columns(numbers, self.out, at + 3 * first, length, count);
            }
        }
    }
}

impl<const MODEL: bool> ToPositions<MODEL> {
    fn n_joints(&self) -> usize {
        self.prepared.character().skeleton.len()
    }

    fn points<T: Compute>(&self) -> PointsPlan {
        let joints = self.parents.iter().map(|&parent| parent as usize);
        PointsPlan {
            parents: self.parents.to_vec(),
            joints: self.prepared.forward_plan::<T>().chains(joints),
        }
    }

    fn cost_ns(&self, points: &PointsPlan) -> f64 {
        20.0 + JOINT_NS * points.joints.len() as f64 + POINT_NS * self.parents.len() as f64
    }

    fn forward_by<T: Compute>(
        &self,
        isa: Isa,
        drive: impl Drive<T>,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let points = &self.points::<T>();
        let length = 3 * self.parents.len();
        let (items, places) = (inputs[0].len(), Items { data: out, length });
        let (width, cost_ns) = (T::width(isa), self.cost_ns(points));
        for_each_group(items, width, cost_ns, places, control, |range, out| {
            let task = self.task(points, drive, inputs, range.start);
            let out = out.data;
            in_groups(isa, range, &mut Forward { task, out });
        })
    }

    fn vjp_by<T: Compute>(
        &self,
        isa: Isa,
        drive: impl Drive<T>,
        inputs: &[Batch<'_, T>],
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let points = &self.points::<T>();
        for_each_gradient(
            cotangent.len(),
            T::width(isa),
            2.5 * self.cost_ns(points),
            [drive.len(), 3 * self.parents.len()],
            gradients,
            control,
            |range, targets| {
                let task = self.task(points, drive, inputs, range.start);
                let mut work = Backward {
                    task,
                    cotangent,
                    targets,
                };
                in_groups(isa, range, &mut work);
            },
        )
    }

    fn jvp_by<T: Compute>(
        &self,
        isa: Isa,
        drive: impl Drive<T>,
        inputs: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let points = &self.points::<T>();
        let length = 3 * self.parents.len();
        let (items, places) = (inputs[0].len(), Items { data: out, length });
        let (width, cost_ns) = (T::width(isa), 2.5 * self.cost_ns(points));
        for_each_group(items, width, cost_ns, places, control, |range, out| {
            let task = self.task(points, drive, inputs, range.start);
            let tangents = [tangents[0].as_ref(), tangents[1].as_ref()];
            let out = out.data;
            let mut work = Push {
                task,
                tangents,
                out,
            };
            in_groups(isa, range, &mut work);
        })
    }

    fn task<'w, 'a, T: Compute, D>(
        &'w self,
        points: &'w PointsPlan,
        drive: D,
        inputs: &'w [Batch<'a, T>],
        first: usize,
    ) -> Task<'w, 'a, T, D> {
        Task {
            plan: self.prepared.forward_plan(),
            points,
            drive,
            parameters: &inputs[0],
            offsets: &inputs[1],
            first,
        }
    }

    fn direct(&self) -> Direct {
        Direct {
            n_joints: self.n_joints(),
        }
    }
}

impl<const MODEL: bool> Operation for ToPositions<MODEL> {
    fn name(&self) -> &'static str {
        if MODEL {
            "model_parameters_to_positions"
        } else {
            "joint_parameters_to_positions"
        }
    }

    fn inputs(&self) -> &'static [Input] {
        if MODEL { &WITH_MODEL } else { &WITH_JOINT }
    }

    fn core_rank(&self, index: usize, shape: &[usize]) -> Result<usize> {
        let n_joints = self.n_joints();
        if index == 0 {
            return if MODEL {
                model_parameters_rank(self.prepared.transform().transform().len(), shape)
            } else {
                joint_parameters_rank(n_joints, shape)
            };
        }
        let wrong = |&(_, &parent): &(usize, &u32)| parent as usize >= n_joints;
        if let Some((point, parent)) = self.parents.iter().enumerate().find(wrong) {
            return Err(Error::value(
                "parents",
                format!(
                    "point {point}: joint index {parent}, but the skeleton has {n_joints} joints"
                ),
            ));
        }
        let n = self.parents.len();
        match shape {
            [.., points, 3] if *points == n => Ok(2),
            _ => Err(Error::shape(
                "offsets",
                format!("(..., {n}, 3) = (..., n_points, 3), one point for each of parents"),
                show_shape(shape),
            )),
        }
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::from_slice(&[self.parents.len(), 3])
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        if MODEL {
            let drive = self.prepared.transform().plan::<T>();
            self.forward_by(isa(), drive, inputs, out, control)
        } else {
            self.forward_by(isa(), self.direct(), inputs, out, control)
        }
    }

    fn vjp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        _: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        if MODEL {
            let drive = self.prepared.transform().plan::<T>();
            self.vjp_by(isa(), drive, inputs, cotangent, gradients, control)
        } else {
            self.vjp_by(isa(), self.direct(), inputs, cotangent, gradients, control)
        }
    }

    fn jvp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        if MODEL {
            let drive = self.prepared.transform().plan::<T>();
            self.jvp_by(isa(), drive, inputs, tangents, out, control)
        } else {
            self.jvp_by(isa(), self.direct(), inputs, tangents, out, control)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Random, character, check_derivatives, forward, isas};
    use super::super::{JointParametersToSkeletonState, ModelParametersToSkeletonState};
    use super::*;
    use crate::array::View;
    use nalgebra as na;

    const PARENTS: [u32; 11] = [3, 0, 7, 7, 12, 1, 5, 5, 5, 2, 9];

    /// Points moved by states, through nalgebra.
    fn moved(states: &[f64], offsets: &[f64]) -> Vec<f64> {
        let mut out = Vec::new();
        for (offset, &parent) in offsets.chunks(3).zip(&PARENTS) {
            let state = &states[8 * parent as usize..][..8];
            let turn = na::UnitQuaternion::from_quaternion(na::Quaternion::new(
                state[6], state[3], state[4], state[5],
            ));
            let point = turn * na::Vector3::from_row_slice(offset) * state[7]
                + na::Vector3::from_row_slice(&state[..3]);
            out.extend_from_slice(point.as_slice());
        }
        out
    }

    #[test]
    fn points_move_with_their_joints() {
        let prepared = character(31, 13);
        let op = JointParametersToSkeletonState {
            prepared: prepared.clone(),
        };
        let points = JointParametersToPositions {
            prepared,
            parents: PARENTS.into(),
        };
        for items in [1, 3, 8, 16, 21] {
            let joint = Random(items as u64).numbers(items * 91);
            let offsets = Random(2).numbers(items * 33);
            let joint = View::contiguous(&joint, &[items, 13, 7]).unwrap();
            let states = forward(&op, std::slice::from_ref(&joint));
            // Offsets of their own for each item, and the same for all.
            for own in [true, false] {
                let (shape, data) = if own {
                    (vec![items, 11, 3], &offsets[..])
                } else {
                    (vec![11, 3], &offsets[..33])
                };
                let view = View::contiguous(data, &shape).unwrap();
                let got = forward(&points, &[joint.clone(), view]);
                for (item, got) in got.chunks(33).enumerate() {
                    let from = if own { item * 33 } else { 0 };
                    let states = &states[item * 13 * 8..];
                    let want = moved(states, &data[from..from + 33]);
                    assert!(got.iter().zip(&want).all(|(a, b)| (a - b).abs() < 1e-12));
                }
            }
        }
    }

    #[test]
    fn every_instruction_set_agrees_and_single_precision_is_close() {
        let prepared = character(32, 13);
        let op = ModelParametersToPositions {
            prepared: prepared.clone(),
            parents: PARENTS.into(),
        };
        let states = ModelParametersToSkeletonState {
            prepared: prepared.clone(),
        };
        let n_parameters = prepared.transform().transform().len();
        let model: Vec<f32> = Random(4)
            .numbers(37 * n_parameters)
            .iter()
            .map(|&x| x as f32)
            .collect();
        let offsets: Vec<f32> = Random(5).numbers(33).iter().map(|&x| x as f32).collect();
        let wide = |x: &[f32]| -> Vec<f64> { x.iter().map(|&x| f64::from(x)).collect() };
        let (model64, offsets64) = (wide(&model), wide(&offsets));
        let shape = [37, n_parameters];
        let view = View::contiguous(&model64, &shape).unwrap();
        let states = forward(&states, &[view]);
        let want: Vec<f64> = states
            .chunks(13 * 8)
            .flat_map(|states| moved(states, &offsets64))
            .collect();
        let inputs = [
            Batch::new(View::contiguous(&model, &shape).unwrap(), 1, &[37]),
            Batch::new(View::contiguous(&offsets, &[11, 3]).unwrap(), 2, &[37]),
        ];
        for isa in isas() {
            let mut got = vec![f32::NAN; 37 * 33];
            let drive = prepared.transform().plan::<f32>();
            op.forward_by(isa, drive, &inputs, &mut got, &Control::default())
                .unwrap();
            for (got, want) in got.iter().zip(&want) {
                assert!((f64::from(*got) - want).abs() < 3e-5 * (1.0 + want.abs()));
            }
        }
    }

    #[test]
    fn derivatives_agree_with_differences_and_with_each_other() {
        let prepared = character(33, 13);
        let n_parameters = prepared.transform().transform().len();
        let by_model = ModelParametersToPositions {
            prepared: prepared.clone(),
            parents: PARENTS.into(),
        };
        let by_joint = JointParametersToPositions {
            prepared,
            parents: PARENTS.into(),
        };
        let leads: [(&[usize], &[usize]); 6] = [
            (&[], &[]),
            (&[5], &[]),
            (&[], &[18]),
            (&[2, 9], &[2, 9]),
            (&[0], &[]),
            (&[1], &[1]),
        ];
        for (lead, offsets_lead) in leads {
            let data = |shape: &[usize]| Random(6).numbers(shape.iter().product());
            let model = [lead, &[n_parameters]].concat();
            let joint = [lead, &[13, 7]].concat();
            let offsets = [offsets_lead, &[11, 3]].concat();
            let points = (data(&offsets), &offsets[..]);
            check_derivatives(&by_model, &[(data(&model), &model), points.clone()]);
            check_derivatives(&by_joint, &[(data(&joint), &joint), points]);
        }
    }

    #[test]
    fn wrong_points_are_explained() {
        let prepared = character(34, 3);
        let op = ModelParametersToPositions {
            prepared: prepared.clone(),
            parents: [0, 3].into(),
        };
        assert_eq!(
            op.core_rank(1, &[2, 3]).unwrap_err().to_string(),
            "parents: point 1: joint index 3, but the skeleton has 3 joints"
        );
        let op = ModelParametersToPositions {
            prepared,
            parents: [0, 2].into(),
        };
        assert_eq!(
            op.core_rank(1, &[4, 3]).unwrap_err().to_string(),
            "offsets: expected (..., 2, 3) = (..., n_points, 3), one point for each of parents, \
             got (4, 3)"
        );
    }

    #[test]
    fn no_points_are_no_work() {
        let prepared = character(35, 3);
        let op = JointParametersToPositions {
            prepared,
            parents: [].into(),
        };
        let joint = Random(1).numbers(42);
        let views = [
            View::contiguous(&joint, &[2, 3, 7]).unwrap(),
            View::contiguous(&[], &[0, 3]).unwrap(),
        ];
        assert!(forward(&op, &views).is_empty());
    }
}
