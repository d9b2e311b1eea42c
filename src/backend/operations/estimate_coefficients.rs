//! Coefficients of blend shapes from vertices.

use std::sync::Arc;

use smallvec::smallvec;

use super::linear_shapes::LinearShapes;
use crate::array::{Batch, Shape, View, show_shape};
use crate::backend::cpu::Compute;
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::{Error, Result};
use crate::kinematics::CoefficientEstimate;
use crate::kinematics::blend_shape::Term;

/// Coefficients `(..., n_shapes)` from vertices `(..., n_vertices, 3)`, by least squares.
#[derive(Debug, Clone, PartialEq)]
pub struct EstimateCoefficients {
    /// The solved problem.
    pub estimate: Arc<CoefficientEstimate>,
}

impl EstimateCoefficients {
    fn linear<T: Compute>(&self) -> LinearShapes<'_, T> {
        let plan = self.estimate.rows().plan::<T>();
        LinearShapes {
            base: None,
            terms: smallvec![Term {
                plan,
                columns: plan.all(),
            }],
            length: plan.length(),
        }
    }

    fn n_shapes(&self) -> usize {
        self.estimate.rows().shapes().offsets().n_shapes()
    }

    fn n_vertices(&self) -> usize {
        self.estimate.rows().shapes().offsets().n_vertices()
    }

    /// The product of the rows with every item.
    fn product<T: Compute>(
        &self,
        vertices: &Batch<'_, T>,
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let linear = self.linear::<T>();
        linear.pull(
            vertices,
            self.n_shapes(),
            &mut Gradient::PerItem(out),
            control,
        )
    }
}

impl Operation for EstimateCoefficients {
    fn name(&self) -> &'static str {
        "estimate_coefficients"
    }

    fn inputs(&self) -> &'static [Input] {
        &[Input {
            name: "vertices",
            differentiable: true,
        }]
    }

    fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
        let count = self.n_vertices();
        if shape.ends_with(&[count, 3]) {
            return Ok(2);
        }
        Err(Error::shape(
            "vertices",
            format!("(..., {count}, 3) = (..., n_vertices, 3)"),
            show_shape(shape),
        ))
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::from_slice(&[self.n_shapes()])
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        self.product(&inputs[0], out, control)?;
        let of_base = self.estimate.of_base();
        for row in out.chunks_exact_mut(of_base.len().max(1)) {
            for (c, &of_base) in row.iter_mut().zip(of_base) {
                *c -= T::from_f64(of_base);
            }
        }
        Ok(())
    }

    fn vjp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        _: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        match &mut gradients[0] {
            Gradient::Skip => Ok(()),
            Gradient::PerItem(rows) => self.linear().forward(cotangent, rows, control),
            Gradient::Shared(total) => {
                // The product is linear: that of the sum is the sum.
                let mut sum = vec![T::ZERO; self.n_shapes()];
                let mut scratch = sum.clone();
                for item in 0..inputs[0].len() {
                    let row = cotangent.item(item, &mut scratch);
                    sum.iter_mut().zip(row).for_each(|(sum, &x)| *sum += x);
                }
                let sum = View::contiguous(&sum, &[sum.len()])?;
                self.linear()
                    .forward(&Batch::new(sum, 1, &[]), total, control)
            }
        }
    }

    fn jvp<T: Compute>(
        &self,
        _: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        match &tangents[0] {
            Some(tangent) => self.product(tangent, out, control),
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
    use crate::character::BlendShape;
    use crate::kinematics::Shapes;
    use nalgebra::{DMatrix, DVector};

    const N_VERTICES: usize = 40;

    fn shapes(rows: Vec<f64>) -> Shapes {
        let names = (0..rows.len() / (3 * N_VERTICES)).map(|k| format!("s{k}"));
        let base = noise(3 * N_VERTICES, 1).into();
        let shape = BlendShape::new(names.collect(), base, rows.into()).unwrap();
        Shapes::Whole(Arc::new(shape))
    }

    fn estimate(shapes: &Shapes, regularization: f64, weights: Option<&[f64]>) -> Vec<f64> {
        let estimate = CoefficientEstimate::new(shapes, regularization, weights);
        let target = Argument::<f64>::noise(&[N_VERTICES, 3], 9);
        let operation = EstimateCoefficients {
            estimate: Arc::new(estimate.unwrap()),
        };
        forward(&operation, &[target.view()]).data
    }

    /// By a singular value decomposition of the whole stacked problem.
    fn expected(shapes: &Shapes, regularization: f64, weights: &[f64]) -> Vec<f64> {
        let offsets = shapes.offsets();
        let (count, length) = (offsets.n_shapes(), 3 * N_VERTICES);
        let d = offsets.displacements().as_f64();
        let target = noise(length, 9);
        let a = DMatrix::from_fn(length + count, count, |row, k| {
            match row.checked_sub(length) {
                None => weights[row / 3] * d[k * length + row],
                Some(row) if row == k => regularization,
                Some(_) => 0.0,
            }
        });
        let base = shapes.base().unwrap().as_f64();
        let b = DVector::from_fn(length + count, |row, _| match row < length {
            true => weights[row / 3] * (target[row] - base[row]),
            false => 0.0,
        });
        a.svd(true, true)
            .solve(&b, 1e-9)
            .unwrap()
            .as_slice()
            .to_vec()
    }

    fn assert_close(got: &[f64], want: &[f64]) {
        assert_eq!(got.len(), want.len());
        for (got, want) in got.iter().zip(want) {
            assert!((got - want).abs() < 1e-10, "{got} is not {want}");
        }
    }

    #[test]
    fn it_is_the_least_squares_solution() {
        let shapes = shapes(noise(5 * 3 * N_VERTICES, 2));
        let ones = [1.0; N_VERTICES];
        assert_close(
            &estimate(&shapes, 0.0, None),
            &expected(&shapes, 0.0, &ones),
        );
        assert_close(
            &estimate(&shapes, 0.7, None),
            &expected(&shapes, 0.7, &ones),
        );
        let weights: Vec<f64> = (0..N_VERTICES).map(|v| (v % 3) as f64).collect();
        let got = estimate(&shapes, 0.1, Some(&weights));
        assert_close(&got, &expected(&shapes, 0.1, &weights));
    }

    #[test]
    fn shapes_that_depend_on_each_other_get_the_smallest_coefficients() {
        let one = noise(3 * N_VERTICES, 2);
        let shapes = shapes([one.clone(), one].concat());
        let got = estimate(&shapes, 0.0, None);
        assert_close(&got, &expected(&shapes, 0.0, &[1.0; N_VERTICES]));
        assert!((got[0] - got[1]).abs() < 1e-12);
    }

    #[test]
    fn derivatives_are_right_and_those_of_each_other() {
        let shapes = shapes(noise(5 * 3 * N_VERTICES, 2));
        let estimate = CoefficientEstimate::new(&shapes, 0.1, None);
        let operation = EstimateCoefficients {
            estimate: Arc::new(estimate.unwrap()),
        };
        for lead in [&[][..], &[3]] {
            let shape: Vec<usize> = lead.iter().copied().chain([N_VERTICES, 3]).collect();
            assert_derivatives(&operation, &[Argument::noise(&shape, 3)]);
        }
    }

    #[test]
    fn wrong_weights_are_named() {
        let shapes = shapes(noise(3 * N_VERTICES, 2));
        let make = |regularization, weights: &[f64]| {
            CoefficientEstimate::new(&shapes, regularization, Some(weights))
                .unwrap_err()
                .to_string()
        };
        assert!(make(0.0, &[1.0]).contains("(40,) = (n_vertices,), got (1,)"));
        let mut weights = [1.0; N_VERTICES];
        weights[3] = f64::NAN;
        assert!(make(0.0, &weights).contains("vertex 3"));
        assert!(make(-1.0, &[1.0; N_VERTICES]).contains("regularization"));
    }
}
