//! How likely poses are under a mixture of Gaussians.

use std::sync::Arc;

use super::rows::{each_gradient, each_item, one_axis};
use super::skeleton_state::MODEL_PARAMETERS;
use crate::array::{Batch, Shape};
use crate::backend::cpu::Compute;
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::Result;
use crate::kinematics::{MixturePlan, PreparedMixture};

/// Rough time for one entry of a factor.
const ENTRY_NS: f64 = 0.5;

/// Which of the numbers given are those of the mixture, in its order; `None` reads 0.
#[derive(Debug, Clone, PartialEq)]
pub struct PriorColumns {
    /// The number of parameters given.
    pub n_parameters: usize,
    /// For each parameter of the mixture its place among them.
    pub places: Vec<Option<usize>>,
}

/// What both operations work with.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior {
    /// The mixture.
    pub mixture: Arc<PreparedMixture>,
    /// Where its parameters are; where not given, exactly they are given.
    pub columns: Option<Arc<PriorColumns>>,
}

/// Parameters `(..., n_parameters)` to `(..., n_dimension)`: the residual whose square is the squared
/// Mahalanobis distance of the component that is most likely there.
#[derive(Debug, Clone, PartialEq)]
pub struct PriorResiduals(pub Prior);

/// Parameters `(..., n_parameters)` to `(...)`: minus half the square of the residual. Without the
/// constants that make it a density, as PyMomentum has it.
#[derive(Debug, Clone, PartialEq)]
pub struct PriorLogProbability(pub Prior);

/// Two rows of as many numbers as the mixture has parameters, and one to work in.
type Scratch<T> = [Vec<T>; 3];

impl Prior {
    fn n_parameters(&self) -> usize {
        self.columns
            .as_ref()
            .map_or(self.mixture.n_dimension(), |columns| columns.n_parameters)
    }

    fn rank(&self, shape: &[usize]) -> Result<usize> {
        let axis = match &self.columns {
            Some(_) => "n_parameters",
            None => "n_dimension",
        };
        one_axis("model_parameters", self.n_parameters(), axis, shape)
    }

    fn cost_ns(&self) -> f64 {
        let d = self.mixture.n_dimension() as f64;
        20.0 + ENTRY_NS * d * d * self.mixture.n_mixtures() as f64 + self.n_parameters() as f64
    }

    fn scratch<T: Compute>(&self) -> Scratch<T> {
        [(); 3].map(|()| vec![T::ZERO; self.mixture.n_dimension()])
    }

    fn gather<T: Compute>(&self, from: &[T], to: &mut [T]) {
        match &self.columns {
            None => to.copy_from_slice(from),
            Some(columns) => {
                for (to, place) in to.iter_mut().zip(&columns.places) {
                    *to = place.map_or(T::ZERO, |place| from[place]);
                }
            }
        }
    }

    fn scatter<T: Compute>(&self, from: &[T], to: &mut [T]) {
        match &self.columns {
            None => to.iter_mut().zip(from).for_each(|(to, &x)| *to += x),
            Some(columns) => {
                for (&x, place) in from.iter().zip(&columns.places) {
                    if let Some(place) = *place {
                        to[place] += x;
                    }
                }
            }
        }
    }

    /// The residual of a pose, left in the second row, and its component.
    fn residual<T: Compute>(
        &self,
        plan: &MixturePlan<T>,
        pose: &[T],
        [x, residual, work]: &mut Scratch<T>,
    ) -> Option<usize> {
        self.gather(pose, x);
        plan.residual(x, work, residual)
    }
}

fn dot<T: Compute>(a: &[T], b: &[T]) -> T {
    a.iter().zip(b).map(|(&a, &b)| a * b).sum()
}

impl Operation for PriorResiduals {
    fn name(&self) -> &'static str {
        "Mppca.residuals"
    }

    fn inputs(&self) -> &'static [Input] {
        &MODEL_PARAMETERS
    }

    fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
        self.0.rank(shape)
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::from_slice(&[self.0.mixture.n_dimension()])
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let (prior, plan) = (&self.0, self.0.mixture.plan::<T>());
        each_item(
            [&inputs[0]],
            prior.mixture.n_dimension(),
            prior.cost_ns(),
            out,
            control,
            || prior.scratch(),
            |[pose], scratch, out| {
                prior.residual(plan, pose, scratch);
                out.copy_from_slice(&scratch[1]);
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
        let (prior, plan) = (&self.0, self.0.mixture.plan::<T>());
        each_gradient(
            [&inputs[0], cotangent],
            [prior.n_parameters()],
            2.0 * prior.cost_ns(),
            gradients,
            control,
            || prior.scratch(),
            |[pose, cotangent], scratch, [gradient]| {
                let component = prior.residual(plan, pose, scratch);
                if let (Some(gradient), Some(component)) = (gradient, component) {
                    scratch[1].copy_from_slice(cotangent);
                    plan.multiply_transposed(component, &mut scratch[1]);
                    prior.scatter(&scratch[1], gradient);
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
        let (prior, plan) = (&self.0, self.0.mixture.plan::<T>());
        each_item(
            [&inputs[0], tangent],
            prior.mixture.n_dimension(),
            2.0 * prior.cost_ns(),
            out,
            control,
            || prior.scratch(),
            |[pose, tangent], scratch, out| match prior.residual(plan, pose, scratch) {
                None => out.fill(T::ZERO),
                Some(component) => {
                    prior.gather(tangent, out);
                    plan.multiply(component, out);
                }
            },
        )
    }
}

impl Operation for PriorLogProbability {
    fn name(&self) -> &'static str {
        "Mppca.log_probability"
    }

    fn inputs(&self) -> &'static [Input] {
        &MODEL_PARAMETERS
    }

    fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
        self.0.rank(shape)
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
        let (prior, plan) = (&self.0, self.0.mixture.plan::<T>());
        each_item(
            [&inputs[0]],
            1,
            prior.cost_ns(),
            out,
            control,
            || prior.scratch(),
            |[pose], scratch, out| {
                prior.residual(plan, pose, scratch);
                out[0] = -(T::from_f64(0.5) * dot(&scratch[1], &scratch[1]));
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
        let (prior, plan) = (&self.0, self.0.mixture.plan::<T>());
        each_gradient(
            [&inputs[0], cotangent],
            [prior.n_parameters()],
            2.0 * prior.cost_ns(),
            gradients,
            control,
            || prior.scratch(),
            |[pose, cotangent], scratch, [gradient]| {
                let component = prior.residual(plan, pose, scratch);
                if let (Some(gradient), Some(component)) = (gradient, component) {
                    plan.multiply_transposed(component, &mut scratch[1]);
                    scratch[1].iter_mut().for_each(|x| *x *= -cotangent[0]);
                    prior.scatter(&scratch[1], gradient);
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
        let (prior, plan) = (&self.0, self.0.mixture.plan::<T>());
        each_item(
            [&inputs[0], tangent],
            1,
            2.0 * prior.cost_ns(),
            out,
            control,
            || prior.scratch(),
            |[pose, tangent], scratch, out| {
                out[0] = match prior.residual(plan, pose, scratch) {
                    None => T::ZERO,
                    Some(component) => {
                        let [x, residual, _] = scratch;
                        prior.gather(tangent, x);
                        plan.multiply(component, x);
                        -dot(residual, x)
                    }
                };
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::checks::{Argument, assert_derivatives, forward};
    use super::*;
    use crate::character::{Mppca, MppcaParts};

    fn prepared(n: usize) -> Arc<PreparedMixture> {
        let noise = |count, seed| Argument::<f64>::noise(&[count], seed).data;
        let mixture = Mppca::new(MppcaParts {
            names: ["a", "b", "c"].map(String::from).to_vec(),
            pi: vec![1.0 / n.max(1) as f64; n],
            mu: noise(3 * n, 1),
            axes: noise(6 * n, 2),
            sigma: vec![0.5; n],
        });
        Arc::new(PreparedMixture::new(&mixture.unwrap()).unwrap())
    }

    #[test]
    fn derivatives_agree_with_differences_and_with_each_other() {
        let columns = Arc::new(PriorColumns {
            n_parameters: 4,
            places: vec![Some(3), None, Some(1)],
        });
        for n in [1, 3, 0] {
            let mixture = prepared(n);
            for (columns, count) in [(None, 3), (Some(columns.clone()), 4)] {
                let prior = Prior {
                    mixture: mixture.clone(),
                    columns,
                };
                let residuals = PriorResiduals(prior.clone());
                let log_probability = PriorLogProbability(prior);
                for lead in [&[][..], &[5], &[2, 0]] {
                    let pose = Argument::noise(&[lead, &[count]].concat(), 31);
                    assert_derivatives(&residuals, std::slice::from_ref(&pose));
                    assert_derivatives(&log_probability, &[pose]);
                }
            }
        }
    }

    #[test]
    fn a_pose_that_is_not_a_number_is_not_likely() {
        let mixture = prepared(2);
        let columns = None;
        let op = PriorLogProbability(Prior { mixture, columns });
        let got = forward(
            &op,
            &[Argument::<f64>::new(&[3], [0.0, f64::NAN, 0.0]).view()],
        );
        assert!(got.data[0].is_nan());
    }
}
