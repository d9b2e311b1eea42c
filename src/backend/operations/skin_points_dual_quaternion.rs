//! Skinning of a mesh by dual quaternions.

use std::ops::Range;
use std::sync::Arc;

use super::gradients::{Target, for_each_gradient};
use super::lanes::{GroupWork, groups, in_groups, load_items, store_columns};
use crate::array::{Batch, Shape, show_shape};
use crate::backend::cpu::{Compute, Items, for_each_group, isa, rows_of};
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::{Error, Result};
use crate::kinematics::dual_quaternion::{self as dq, DualQuaternionPlan, Part};
use crate::kinematics::{Prepared, skinning};
use crate::math::{Lane, Vector, vector};

/// Rough time for one influence, and for one vertex beside.
const INFLUENCE_NS: f64 = 5.0;
const VERTEX_NS: f64 = 20.0;

/// `points (..., n_vertices, 3)` from joint states `(..., n_joints, 8)` and optionally rest points
/// `(..., n_vertices, 3)`, by dual quaternions: joints that twist do not pinch the skin.
///
/// Rotations and translations are blended as dual quaternions, scales linearly; weights count relative to
/// their sum. A state's quaternion may have any length but zero, and either sign. A vertex without
/// weights goes to the origin.
#[derive(Debug, Clone, PartialEq)]
pub struct SkinPointsDualQuaternion {
    prepared: Arc<Prepared>,
    with_rest: bool,
}

impl SkinPointsDualQuaternion {
    /// Skinning of a character's mesh; with `with_rest` the rest points are the second input.
    ///
    /// # Errors
    /// As [`DualQuaternionPlan::new`].
    pub fn new(prepared: &Arc<Prepared>, with_rest: bool) -> Result<Self> {
        // Both precisions refuse the same characters.
        prepared.dual_quaternion_plan::<f64>()?;
        Ok(Self {
            prepared: prepared.clone(),
            with_rest,
        })
    }

    fn n_vertices(&self) -> usize {
        skinning::skin_of(self.prepared.character()).map_or(0, |(mesh, _)| mesh.n_vertices())
    }

    fn task<'w, 'a2, T: Compute>(
        &'w self,
        inputs: &'w [Batch<'a2, T>],
        first: usize,
    ) -> Result<Task<'w, 'a2, T>> {
        Ok(Task {
            plan: self.prepared.dual_quaternion_plan()?,
            states: &inputs[0],
            rest: self.with_rest.then(|| &inputs[1]),
            first,
        })
    }

    fn cost_ns<T: Compute>(&self) -> Result<f64> {
        let plan = self.prepared.dual_quaternion_plan::<T>()?;
        let influences = INFLUENCE_NS * plan.n_influences() as f64;
        let all = influences + VERTEX_NS * plan.n_vertices() as f64;
        Ok(100.0 + all / T::width(isa()) as f64)
    }
}

/// What is read of a range of items that starts at `first`.
#[derive(Clone, Copy)]
struct Task<'w, 'a, T> {
    plan: &'w DualQuaternionPlan<T>,
    states: &'w Batch<'a, T>,
    rest: Option<&'w Batch<'a, T>>,
    first: usize,
}

/// Memory that groups of one range share.
struct Scratch<T, L> {
    states: Vec<L>,
    gathered: [Vec<T>; 4],
    parts: Vec<Part<L>>,
}

impl<T: Compute> Task<'_, '_, T> {
    fn scratch<L: Lane<Scalar = T>>(&self) -> Scratch<T, L> {
        Scratch {
            states: vec![L::zero(); self.states.core_len()],
            gathered: Default::default(),
            parts: vec![Part::zero(); self.plan.n_joints()],
        }
    }
}

/// The states of the joints, one after the other.
#[inline(always)]
fn joints<L: Lane>(states: &[L]) -> impl Iterator<Item = &[L; 8]> {
    states.as_chunks::<8>().0.iter()
}

/// Three columns of the rows, or of the shared points.
#[inline(always)]
fn point<L: Lane>(rows: Option<&[&[L::Scalar]]>, shared: &[L::Scalar], vertex: usize) -> Vector<L> {
    std::array::from_fn(|c| match rows {
        Some(rows) => L::load_column(rows, 3 * vertex + c),
        None => L::splat(shared[3 * vertex + c]),
    })
}

struct Forward<'w, 'a, T> {
    task: Task<'w, 'a, T>,
    out: &'w mut [T],
}

impl<T: Compute> GroupWork<T> for Forward<'_, '_, T> {
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>) {
        let Task {
            plan,
            states,
            rest,
            first,
        } = self.task;
        let mut scratch = self.task.scratch::<L>();
        let length = 3 * plan.n_vertices();
        for (start, count) in groups::<L>(items) {
            let [s0, s1, ..] = &mut scratch.gathered;
            load_items(states, start, count, s0, &mut scratch.states);
            for (joint, state) in joints(&scratch.states).enumerate() {
                scratch.parts[joint] = dq::joint_part(*state, plan.bind(joint));
            }
            let rows = rest.map(|rest| rows_of(rest, start, count, L::WIDTH, s1));
            let rows = rows.as_deref();
            for vertex in 0..plan.n_vertices() {
                let r = point(rows, plan.rest(), vertex);
                let p = dq::skin_vertex(plan, &scratch.parts, vertex, r);
                let at = (start - first) * length + 3 * vertex;
                store_columns(&p, self.out, at, length, count);
            }
        }
    }
}

struct Push<'w, 'a, T> {
    task: Task<'w, 'a, T>,
    tangents: [Option<&'w Batch<'a, T>>; 2],
    out: &'w mut [T],
}

impl<T: Compute> GroupWork<T> for Push<'_, '_, T> {
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>) {
        let Task {
            plan,
            states,
            rest,
            first,
        } = self.task;
        let mut scratch = self.task.scratch::<L>();
        let mut tangents = scratch.states.clone();
        let mut changes = scratch.parts.clone();
        let length = 3 * plan.n_vertices();
        for (start, count) in groups::<L>(items) {
            let [s0, s1, s2, s3] = &mut scratch.gathered;
            load_items(states, start, count, s0, &mut scratch.states);
            if let Some(tangent) = self.tangents[0] {
                load_items(tangent, start, count, s1, &mut tangents);
            }
            let both = joints(&scratch.states).zip(joints(&tangents));
            for (joint, (state, tangent)) in both.enumerate() {
                let bind = plan.bind(joint);
                scratch.parts[joint] = dq::joint_part(*state, bind);
                changes[joint] = dq::push_joint_part(*state, *tangent, bind);
            }
            let rows = rest.map(|rest| rows_of(rest, start, count, L::WIDTH, s2));
            let slides = self.tangents[1].map(|t| rows_of(t, start, count, L::WIDTH, s3));
            for vertex in 0..plan.n_vertices() {
                let r = point(rows.as_deref(), plan.rest(), vertex);
                let slide = match slides.as_deref() {
                    Some(rows) => point(Some(rows), &[], vertex),
                    None => vector::zero(),
                };
                let p = dq::push_vertex(plan, &scratch.parts, &changes, vertex, r, slide);
                let at = (start - first) * length + 3 * vertex;
                store_columns(&p, self.out, at, length, count);
            }
        }
    }
}

struct Pull<'w, 'a, 't, T> {
    task: Task<'w, 'a, T>,
    cotangent: &'w Batch<'a, T>,
    targets: [Target<'t, T>; 2],
}

impl<T: Compute> GroupWork<T> for Pull<'_, '_, '_, T> {
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>) {
        let Task {
            plan,
            states,
            rest,
            first,
        } = self.task;
        let mut scratch = self.task.scratch::<L>();
        let mut sums = scratch.parts.clone();
        for (start, count) in groups::<L>(items) {
            let [s0, s1, s2, _] = &mut scratch.gathered;
            load_items(states, start, count, s0, &mut scratch.states);
            for (joint, state) in joints(&scratch.states).enumerate() {
                scratch.parts[joint] = dq::joint_part(*state, plan.bind(joint));
            }
            sums.fill(Part::zero());
            let rows = rest.map(|rest| rows_of(rest, start, count, L::WIDTH, s1));
            let cotangent = rows_of(self.cotangent, start, count, L::WIDTH, s2);
            for vertex in 0..plan.n_vertices() {
                let r = point(rows.as_deref(), plan.rest(), vertex);
                let g = point(Some(&cotangent), &[], vertex);
                let pulled = dq::pull_vertex(plan, &scratch.parts, vertex, r, g, &mut sums);
                self.targets[1].put(&pulled, 3 * vertex, start - first, count);
            }
            if self.targets[0].is_skip() {
                continue;
            }
            for (joint, state) in joints(&scratch.states).enumerate() {
                let pulled = dq::pull_joint_part(*state, plan.bind(joint), &sums[joint]);
                self.targets[0].put(&pulled, 8 * joint, start - first, count);
            }
        }
    }
}

impl Operation for SkinPointsDualQuaternion {
    fn name(&self) -> &'static str {
        "skin_points_dual_quaternion"
    }

    fn inputs(&self) -> &'static [Input] {
        const INPUTS: [Input; 2] = [
            Input {
                name: "skel_state",
                differentiable: true,
            },
            Input {
                name: "rest_vertices",
                differentiable: true,
            },
        ];
        &INPUTS[..1 + usize::from(self.with_rest)]
    }

    fn core_rank(&self, index: usize, shape: &[usize]) -> Result<usize> {
        let (what, count, size, words) = match index {
            0 => {
                let joints = self.prepared.character().skeleton.len();
                ("skel_state", joints, 8, "n_joints, 8")
            }
            _ => ("rest_vertices", self.n_vertices(), 3, "n_vertices, 3"),
        };
        if shape.ends_with(&[count, size]) {
            return Ok(2);
        }
        Err(Error::shape(
            what,
            format!("(..., {count}, {size}) = (..., {words})"),
            show_shape(shape),
        ))
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::from([self.n_vertices(), 3])
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let (isa, length) = (isa(), 3 * self.n_vertices());
        let task = self.task(inputs, 0)?;
        let places = Items { data: out, length };
        let (items, cost) = (inputs[0].len(), self.cost_ns::<T>()?);
        for_each_group(items, T::width(isa), cost, places, control, |range, out| {
            let first = range.start;
            let task = Task { first, ..task };
            let out = out.data;
            in_groups(isa, range, &mut Forward { task, out });
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
        let isa = isa();
        let task = self.task(inputs, 0)?;
        let mut skip = Gradient::Skip;
        let (of_states, of_rest) = gradients.split_at_mut(1);
        let of_rest = of_rest.first_mut().unwrap_or(&mut skip);
        let gradients = &mut [
            std::mem::replace(&mut of_states[0], Gradient::Skip),
            std::mem::replace(of_rest, Gradient::Skip),
        ];
        for_each_gradient(
            inputs[0].len(),
            T::width(isa),
            3.0 * self.cost_ns::<T>()?,
            [inputs[0].core_len(), 3 * self.n_vertices()],
            gradients,
            control,
            |range, targets| {
                let first = range.start;
                let mut work = Pull {
                    task: Task { first, ..task },
                    cotangent,
                    targets,
                };
                in_groups(isa, range, &mut work);
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
        let (isa, length) = (isa(), 3 * self.n_vertices());
        let task = self.task(inputs, 0)?;
        let places = Items { data: out, length };
        let (items, cost) = (inputs[0].len(), 2.0 * self.cost_ns::<T>()?);
        let tangents = [
            tangents[0].as_ref(),
            tangents.get(1).and_then(Option::as_ref),
        ];
        for_each_group(items, T::width(isa), cost, places, control, |range, out| {
            let mut work = Push {
                task: Task {
                    first: range.start,
                    ..task
                },
                tangents,
                out: out.data,
            };
            in_groups(isa, range, &mut work);
        })
    }
}

#[cfg(test)]
mod tests;
