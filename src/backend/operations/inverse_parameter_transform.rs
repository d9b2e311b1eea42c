//! Joint parameters to model parameters: least squares.

use std::ops::Range;
use std::sync::Arc;

use super::gradients::{Target, for_each_gradient};
use super::lanes::{GroupWork, groups, in_groups, load_items, store_columns};
use crate::array::{Batch, Shape};
use crate::backend::cpu::{Compute, Isa, Items, for_each_group, isa};
use crate::backend::{Control, Gradient, Input, Operation};
use crate::character::PARAMETERS_PER_JOINT;
use crate::error::Result;
use crate::kinematics::PreparedInverse;
use crate::kinematics::inverse_transform::InverseTransformPlan;
use crate::math::Lane;

/// Rough time for one entry of the inverse and one item.
const COST_NS: f64 = 0.5;

/// Model parameters `(..., n_parameters)` from joint parameters `(..., n_joints, 7)` or
/// `(..., 7 * n_joints)`: those for which the parameter transform comes closest, and of those the
/// shortest. A parameter that drives nothing is exactly 0.
#[derive(Debug, Clone, PartialEq)]
pub struct ApplyInverseParameterTransform {
    /// The inverse.
    pub inverse: Arc<PreparedInverse>,
}

impl ApplyInverseParameterTransform {
    fn cost_ns(&self) -> f64 {
        20.0 + COST_NS * (self.inverse.n_entries() + self.length()) as f64
    }

    fn length(&self) -> usize {
        PARAMETERS_PER_JOINT * self.inverse.n_joints()
    }

    fn forward_on<T: Compute>(
        &self,
        isa: Isa,
        input: &Batch<'_, T>,
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let plan = self.inverse.plan::<T>();
        let places = Items {
            data: out,
            length: plan.n_parameters(),
        };
        let (items, width) = (input.len(), T::width(isa));
        for_each_group(
            items,
            width,
            self.cost_ns(),
            places,
            control,
            |range, out| {
                let mut work = Forward {
                    plan,
                    input,
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
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let plan = self.inverse.plan::<T>();
        let length = self.length();
        for_each_gradient(
            cotangent.len(),
            T::width(isa),
            self.cost_ns(),
            [length],
            gradients,
            control,
            |range, [target]| {
                let mut work = Backward {
                    plan,
                    length,
                    cotangent,
                    first: range.start,
                    target,
                };
                in_groups(isa, range, &mut work);
            },
        )
    }
}

struct Forward<'w, 'a, T> {
    plan: &'w InverseTransformPlan<T>,
    input: &'w Batch<'a, T>,
    out: &'w mut [T],
    first: usize,
}

impl<T: Compute> GroupWork<T> for Forward<'_, '_, T> {
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>) {
        let length = self.plan.n_parameters();
        let mut gathered = Vec::new();
        let mut inputs = vec![L::zero(); self.input.core_len()];
        let mut outputs = vec![L::zero(); length];
        for (start, count) in groups::<L>(items) {
            load_items(self.input, start, count, &mut gathered, &mut inputs);
            self.plan.apply(&inputs, &mut outputs);
            let at = (start - self.first) * length;
            store_columns(&outputs, self.out, at, length, count);
        }
    }
}

struct Backward<'w, 'a, T> {
    plan: &'w InverseTransformPlan<T>,
    length: usize,
    cotangent: &'w Batch<'a, T>,
    target: Target<'w, T>,
    first: usize,
}

impl<T: Compute> GroupWork<T> for Backward<'_, '_, T> {
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>) {
        let mut gathered = Vec::new();
        let mut cotangents = vec![L::zero(); self.plan.n_parameters()];
        let mut gradient = vec![L::zero(); self.length];
        for (start, count) in groups::<L>(items) {
            load_items(self.cotangent, start, count, &mut gathered, &mut cotangents);
            gradient.fill(L::zero());
            self.plan.pull(&cotangents, &mut gradient);
            self.target.put(&gradient, 0, start - self.first, count);
        }
    }
}

impl Operation for ApplyInverseParameterTransform {
    fn name(&self) -> &'static str {
        "apply_inverse_parameter_transform"
    }

    fn inputs(&self) -> &'static [Input] {
        &super::skeleton_state::JOINT_PARAMETERS
    }

    fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
        super::skeleton_state::joint_parameters_rank(self.inverse.n_joints(), shape)
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::from_slice(&[self.inverse.n_parameters()])
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
    use super::*;
    use crate::backend::operations::checks::{Argument, assert_derivatives, forward, noise};
    use crate::backend::operations::testing::isas;
    use crate::character::ParameterTransform;
    use nalgebra::{DMatrix, DVector};

    const JOINTS: usize = 4;
    /// Some parameters share joint parameters, two are the same twice, one drives nothing, and one
    /// drives a single joint parameter.
    const PARAMETERS: usize = 9;

    fn transform() -> ParameterTransform {
        let names = (0..PARAMETERS).map(|p| format!("p{p}")).collect();
        let numbers = noise(64, 5);
        let mut entries: Vec<(usize, usize, f64)> =
            (0..18).map(|n| ((n * 5) % 21, n % 5, numbers[n])).collect();
        entries.extend([
            (21, 5, 2.0),
            (22, 6, 1.0),
            (22, 7, 1.0),
            (23, 6, 0.5),
            (23, 7, 0.5),
        ]);
        ParameterTransform::new(names, JOINTS, entries).unwrap()
    }

    #[test]
    fn parameters_are_the_shortest_of_the_best() {
        fn check<T: Compute>(tolerance: f64) {
            let transform = transform();
            let inverse = Arc::new(PreparedInverse::new(&transform));
            let matrix = DMatrix::from_row_slice(7 * JOINTS, PARAMETERS, &transform.to_dense());
            for shape in [
                &[7, 7 * JOINTS][..],
                &[3, 11, JOINTS, 7],
                &[7 * JOINTS],
                &[0, 28],
            ] {
                let joints = Argument::<T>::noise(shape, 6);
                let operation = ApplyInverseParameterTransform {
                    inverse: inverse.clone(),
                };
                let rank = operation.core_rank(0, shape).unwrap();
                let batch = &shape[..shape.len() - rank];
                for isa in isas() {
                    let items = batch.iter().product::<usize>();
                    let mut out = vec![T::from_f64(f64::NAN); items * PARAMETERS];
                    let input = Batch::new(joints.view(), rank, batch);
                    let control = Control::default();
                    operation
                        .forward_on(isa, &input, &mut out, &control)
                        .unwrap();
                    for (got, j) in out.chunks(PARAMETERS).zip(joints.data.chunks(7 * JOINTS)) {
                        let m = DVector::from_iterator(PARAMETERS, got.iter().map(|x| x.to_f64()));
                        let j = DVector::from_iterator(7 * JOINTS, j.iter().map(|x| x.to_f64()));
                        // The best: what is left is across all that the transform can make.
                        let gradient = matrix.transpose() * (&matrix * &m - j);
                        assert!(gradient.amax() < tolerance, "{gradient}");
                        // The shortest: equal parameters share, and what does nothing is zero.
                        assert!((m[6] - m[7]).abs() < tolerance);
                        assert_eq!(m[8], 0.0);
                    }
                }
            }
        }
        check::<f32>(5e-6);
        check::<f64>(1e-14);
    }

    #[test]
    fn an_identity_is_inverted_exactly() {
        let names = (0..14).map(|p| format!("p{p}")).collect();
        let entries = (0..14).map(|n| (n, n, 1.0));
        let transform = ParameterTransform::new(names, 2, entries).unwrap();
        let inverse = Arc::new(PreparedInverse::new(&transform));
        assert_eq!(inverse.n_entries(), 14);
        let joints = Argument::<f32>::noise(&[5, 2, 7], 7);
        let operation = ApplyInverseParameterTransform { inverse };
        assert_eq!(forward(&operation, &[joints.view()]).data, joints.data);
    }

    #[test]
    fn derivatives_agree_with_differences_and_with_each_other() {
        let inverse = Arc::new(PreparedInverse::new(&transform()));
        let operation = ApplyInverseParameterTransform { inverse };
        for shape in [
            &[28][..],
            &[1, 28],
            &[5, 4, 7],
            &[2, 3, 28],
            &[0, 28],
            &[17, 28],
        ] {
            assert_derivatives(&operation, &[Argument::noise(shape, 8)]);
        }
    }
}
