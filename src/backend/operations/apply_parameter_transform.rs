//! Model parameters to joint parameters: a sparse linear map.

use std::ops::Range;
use std::sync::Arc;

use super::gradients::{Target, for_each_gradient};
use super::lanes::{GroupWork, groups, in_groups, load_items, store_columns};
use crate::array::{Batch, Shape};
use crate::backend::cpu::{Compute, Isa, Items, for_each_group, isa, row_of};
use crate::backend::{Control, Gradient, Input, Operation};
use crate::character::PARAMETERS_PER_JOINT;
use crate::error::Result;
use crate::kinematics::{Drive, PreparedTransform, TransformPlan};
use crate::math::Lane;

/// Rough time for one joint of one item.
const COST_NS: f64 = 3.0;

/// `(..., n_parameters)` to `(..., 7 * n_joints)`, or to `(..., n_joints, 7)` unless `flatten`.
#[derive(Debug, Clone, PartialEq)]
pub struct ApplyParameterTransform {
    /// The map.
    pub transform: Arc<PreparedTransform>,
    /// Whether joints and their seven parameters share one axis.
    pub flatten: bool,
}

impl ApplyParameterTransform {
    fn cost_ns(&self) -> f64 {
        20.0 + COST_NS * self.transform.transform().n_joints() as f64
    }

    fn forward_on<T: Compute>(
        &self,
        isa: Isa,
        input: &Batch<'_, T>,
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let plan = self.transform.plan::<T>();
        let length = PARAMETERS_PER_JOINT * plan.n_joints();
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
                in_groups(
                    isa,
                    range,
                    &mut Forward {
                        plan,
                        input,
                        out,
                        first,
                    },
                );
            },
        )
    }

    fn vjp_on<T: Compute>(
        &self,
        isa: Isa,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let plan = self.transform.plan::<T>();
        for_each_gradient(
            cotangent.len(),
            T::width(isa),
            self.cost_ns(),
            [plan.len()],
            gradients,
            control,
            |range, [target]| {
                let first = range.start;
                let mut work = Backward {
                    plan,
                    cotangent,
                    target,
                    first,
                };
                in_groups(isa, range, &mut work);
            },
        )
    }
}

struct Forward<'w, 'a, T> {
    plan: &'w TransformPlan<T>,
    input: &'w Batch<'a, T>,
    out: &'w mut [T],
    first: usize,
}

impl<T: Compute> GroupWork<T> for Forward<'_, '_, T> {
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>) {
        let n_joints = self.plan.n_joints();
        let length = PARAMETERS_PER_JOINT * n_joints;
        let mut gathered = Vec::new();
        let mut inputs = vec![L::zero(); self.plan.len()];
        let mut outputs = vec![L::zero(); length];
        for (start, count) in groups::<L>(items) {
            load_items(self.input, start, count, &mut gathered, &mut inputs);
            for (joint, seven) in outputs.as_chunks_mut::<7>().0.iter_mut().enumerate() {
                *seven = self.plan.joint_parameters(&inputs, joint);
            }
            let at = (start - self.first) * length;
            store_columns(&outputs, self.out, at, length, count);
        }
    }

    #[inline(always)]
    fn run_one<L: Lane<Scalar = T>>(&mut self, item: usize) {
        let mut gathered = Vec::new();
        let row = row_of(self.input, item, &mut gathered);
        let length = PARAMETERS_PER_JOINT * self.plan.n_joints();
        let at = (item - self.first) * length;
        let out = &mut self.out[at..at + length];
        out.fill(T::ZERO);
        self.plan.apply_one(row, out);
    }
}

struct Backward<'w, 'a, T> {
    plan: &'w TransformPlan<T>,
    cotangent: &'w Batch<'a, T>,
    target: Target<'w, T>,
    first: usize,
}

impl<T: Compute> GroupWork<T> for Backward<'_, '_, T> {
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>) {
        let length = PARAMETERS_PER_JOINT * self.plan.n_joints();
        let mut gathered = Vec::new();
        let mut cotangents = vec![L::zero(); length];
        let mut gradient = vec![L::zero(); self.plan.len()];
        for (start, count) in groups::<L>(items) {
            load_items(self.cotangent, start, count, &mut gathered, &mut cotangents);
            gradient.fill(L::zero());
            for (joint, &seven) in cotangents.as_chunks::<7>().0.iter().enumerate() {
                self.plan.pull(seven, joint, &mut gradient);
            }
            self.target.put(&gradient, 0, start - self.first, count);
        }
    }
}

impl Operation for ApplyParameterTransform {
    fn name(&self) -> &'static str {
        "apply_parameter_transform"
    }

    fn inputs(&self) -> &'static [Input] {
        &super::skeleton_state::MODEL_PARAMETERS
    }

    fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
        super::skeleton_state::model_parameters_rank(self.transform.transform().len(), shape)
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        let n_joints = self.transform.transform().n_joints();
        if self.flatten {
            Shape::from_slice(&[PARAMETERS_PER_JOINT * n_joints])
        } else {
            Shape::from_slice(&[n_joints, PARAMETERS_PER_JOINT])
        }
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
        _: &[Batch<'_, T>],
        _: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        self.vjp_on(isa(), cotangent, gradients, control)
    }

    fn jvp<T: Compute>(
        &self,
        _: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        match &tangents[0] {
            Some(tangent) => self.forward_on(isa(), tangent, out, control),
            None => {
                out.fill(T::ZERO);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Random, batches, cast, character, check_derivatives, isas};
    use super::*;
    use crate::array::View;

    fn agrees_with_the_dense_matrix<T: Compute>(tolerance: f64) {
        let prepared = character(21, 17);
        let transform = prepared.transform();
        let dense = transform.transform().to_dense();
        let n_parameters = transform.transform().len();
        for items in [0, 1, 2, 4, 7, 8, 9, 15, 16, 17, 50] {
            let parameters = Random(items as u64).numbers(items * n_parameters);
            let given: Vec<T> = cast(&parameters);
            let view = View::contiguous(&given, &[items, n_parameters]).unwrap();
            let op = ApplyParameterTransform {
                transform: transform.clone(),
                flatten: items % 2 == 0,
            };
            let (inputs, _, length) = batches(&op, &[view]);
            assert_eq!(length, items * 119);
            for isa in isas() {
                let mut out = vec![T::from_f64(f64::NAN); length];
                op.forward_on(isa, &inputs[0], &mut out, &Control::default())
                    .unwrap();
                for (pose, got) in parameters.chunks(n_parameters).zip(out.chunks(119)) {
                    for (row, got) in dense.chunks(n_parameters).zip(got) {
                        let want: f64 = row.iter().zip(pose).map(|(a, b)| a * b).sum();
                        assert!((got.to_f64() - want).abs() < tolerance);
                    }
                }
            }
        }
    }

    #[test]
    fn the_sparse_map_agrees_with_the_dense_matrix() {
        agrees_with_the_dense_matrix::<f32>(1e-6);
        agrees_with_the_dense_matrix::<f64>(1e-14);
    }

    #[test]
    fn derivatives_agree_with_differences_and_with_each_other() {
        let prepared = character(22, 6);
        let n_parameters = prepared.transform().transform().len();
        for flatten in [false, true] {
            let op = ApplyParameterTransform {
                transform: prepared.transform().clone(),
                flatten,
            };
            for lead in [&[][..], &[5], &[2, 10], &[0]] {
                let shape = [lead, &[n_parameters]].concat();
                let data = Random(9).numbers(shape.iter().product());
                check_derivatives(&op, &[(data, &shape)]);
            }
        }
    }
}
