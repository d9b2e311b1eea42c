//! Blend shapes: linear combinations of displacements.

use std::sync::Arc;

use smallvec::smallvec;

use super::linear_shapes::LinearShapes;
use crate::array::{Batch, Shape, show_shape};
use crate::backend::cpu::Compute;
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::{Error, Result};
use crate::kinematics::PreparedShapes;
use crate::kinematics::blend_shape::Term;

/// Shapes `(..., n_vertices, 3)` from coefficients `(..., n_shapes)`: `base + Σ_k c_k · d_k`, without
/// the base where the shapes have none.
#[derive(Debug, Clone, PartialEq)]
pub struct ComputeShape {
    /// The shapes.
    pub shapes: Arc<PreparedShapes>,
}

impl ComputeShape {
    fn linear<T: Compute>(&self, with_base: bool) -> LinearShapes<'_, T> {
        let plan = self.shapes.plan::<T>();
        LinearShapes {
            base: plan.base().filter(|_| with_base),
            terms: smallvec![Term {
                plan,
                columns: plan.all(),
            }],
            length: plan.length(),
        }
    }

    fn n_shapes(&self) -> usize {
        self.shapes.shapes().offsets().n_shapes()
    }
}

impl Operation for ComputeShape {
    fn name(&self) -> &'static str {
        "compute_shape"
    }

    fn inputs(&self) -> &'static [Input] {
        &[Input {
            name: "coefficients",
            differentiable: true,
        }]
    }

    fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
        let count = self.n_shapes();
        if shape.ends_with(&[count]) {
            return Ok(1);
        }
        Err(Error::shape(
            "coefficients",
            format!("(..., {count}) = (..., n_shapes)"),
            show_shape(shape),
        ))
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::from_slice(&[self.shapes.shapes().offsets().n_vertices(), 3])
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        self.linear(true).forward(&inputs[0], out, control)
    }

    fn vjp<T: Compute>(
        &self,
        _: &[Batch<'_, T>],
        _: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let linear = self.linear::<T>(false);
        linear.pull(cotangent, self.n_shapes(), &mut gradients[0], control)
    }

    fn jvp<T: Compute>(
        &self,
        _: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        match &tangents[0] {
            Some(tangent) => self.linear(false).forward(tangent, out, control),
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
    use crate::array::View;
    use crate::backend::cpu::set_num_threads;
    use crate::backend::operations::checks::{Argument, assert_derivatives, forward, noise, vjp};
    use crate::character::{BlendShape, BlendShapeBase};
    use crate::kinematics::Shapes;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|index| format!("s{index}")).collect()
    }

    fn whole(n_shapes: usize, n_vertices: usize) -> Arc<PreparedShapes> {
        let base = noise(3 * n_vertices, 1).into();
        let displacements = noise(3 * n_vertices * n_shapes, 2).into();
        let shape = BlendShape::new(names(n_shapes), base, displacements).unwrap();
        Arc::new(PreparedShapes::new(Shapes::Whole(Arc::new(shape))))
    }

    fn offsets(n_shapes: usize, n_vertices: usize) -> Arc<PreparedShapes> {
        let displacements = noise(3 * n_vertices * n_shapes, 2).into();
        let shape = BlendShapeBase::new(names(n_shapes), n_vertices, displacements).unwrap();
        Arc::new(PreparedShapes::new(Shapes::Offsets(Arc::new(shape))))
    }

    /// The sum by its definition.
    fn expected(shapes: &PreparedShapes, coefficients: &[f64]) -> Vec<f64> {
        let offsets = shapes.shapes().offsets();
        let length = 3 * offsets.n_vertices();
        let mut out = match shapes.shapes().base() {
            Some(base) => base.as_f64().to_vec(),
            None => vec![0.0; length],
        };
        let rows = offsets.displacements().as_f64().chunks(length.max(1));
        for (row, c) in rows.zip(coefficients) {
            out.iter_mut().zip(row).for_each(|(x, d)| *x += c * d);
        }
        out
    }

    /// Sizes around panels, registers, groups of poses and chunks.
    const SIZES: [(usize, usize, usize); 9] = [
        (1, 1, 1),
        (4, 16, 2),
        (5, 17, 3),
        (7, 31, 4),
        (3, 33, 5),
        (2, 100, 64),
        (72, 70, 67),
        (9, 5, 700),
        (130, 400, 6),
    ];

    #[test]
    fn a_shape_is_the_sum_of_its_definition() {
        fn check<T: Compute>(tolerance: f64) {
            for (n_shapes, n_vertices, poses) in SIZES {
                for shapes in [whole(n_shapes, n_vertices), offsets(n_shapes, n_vertices)] {
                    let mut coefficients = Argument::<T>::noise(&[poses, n_shapes], 3);
                    // Some shapes are left out by some poses, some by all.
                    for (at, c) in coefficients.data.iter_mut().enumerate() {
                        if at % n_shapes % 4 == 1 || at % 7 == 0 {
                            *c = T::ZERO;
                        }
                    }
                    let operation = ComputeShape {
                        shapes: shapes.clone(),
                    };
                    let got = forward(&operation, &[coefficients.view()]);
                    let rows = coefficients.data.chunks(n_shapes);
                    for (row, got) in rows.zip(got.data.chunks(3 * n_vertices)) {
                        let row: Vec<f64> = row.iter().map(|c| c.to_f64()).collect();
                        for (got, want) in got.iter().zip(expected(&shapes, &row)) {
                            let scale = 1.0 + n_shapes as f64;
                            assert!((got.to_f64() - want).abs() < tolerance * scale);
                        }
                    }
                }
            }
        }
        check::<f64>(1e-15);
        check::<f32>(1e-6);
    }

    #[test]
    fn derivatives_are_right_and_those_of_each_other() {
        for (n_shapes, n_vertices, poses) in SIZES {
            let shapes = whole(n_shapes, n_vertices);
            let operation = ComputeShape { shapes };
            assert_derivatives(&operation, &[Argument::noise(&[poses, n_shapes], 4)]);
        }
        let shapes = offsets(6, 50);
        let operation = ComputeShape { shapes };
        assert_derivatives(&operation, &[Argument::noise(&[2, 3, 6], 4)]);
        assert_derivatives(&operation, &[Argument::noise(&[6], 4)]);
    }

    #[test]
    fn nothing_depends_on_the_number_of_threads() {
        let shapes = whole(10, 300);
        let operation = ComputeShape { shapes };
        for poses in [1, 5, 600] {
            let coefficients = Argument::<f32>::noise(&[poses, 10], 5);
            let cotangent = Argument::<f32>::noise(&[poses, 300, 3], 6);
            let run = |threads| {
                set_num_threads(threads);
                let shape = forward(&operation, &[coefficients.view()]);
                (
                    shape.data,
                    vjp(&operation, &[coefficients.view()], &cotangent),
                )
            };
            let (one, four) = (run(1), run(4));
            set_num_threads(0);
            assert!(one == four);
        }
    }

    #[test]
    fn every_layout_gives_the_same() {
        let shapes = whole(5, 20);
        let operation = ComputeShape { shapes };
        let straight = Argument::<f64>::noise(&[6, 5], 7);
        let mut turned = straight.data.clone();
        for (at, x) in turned.iter_mut().enumerate() {
            *x = straight.data[at % 6 * 5 + at / 6];
        }
        let strides = [1, 6].into_iter().collect();
        let view = View::strided(&turned, 0, Shape::from_slice(&[6, 5]), strides).unwrap();
        let (a, b) = (
            forward(&operation, &[straight.view()]),
            forward(&operation, &[view]),
        );
        assert_eq!(a.data, b.data);
    }

    #[test]
    fn a_cotangent_of_any_layout_is_pulled() {
        let shapes = whole(5, 20);
        let operation = ComputeShape { shapes };
        let coefficients = Argument::<f64>::noise(&[6, 5], 7);
        let straight = Argument::<f64>::noise(&[6, 20, 3], 8);
        let want = vjp(&operation, &[coefficients.view()], &straight);
        // The vertices' axis last.
        let mut turned = straight.data.clone();
        for (at, x) in straight.data.iter().enumerate() {
            turned[at / 60 * 60 + at % 3 * 20 + at / 3 % 20] = *x;
        }
        let strides = [60, 1, 20].into_iter().collect();
        let shape = Shape::from_slice(&[6, 20, 3]);
        let view = View::strided(&turned, 0, shape, strides).unwrap();
        let mut got = vec![f64::NAN; 30];
        let mut gradients = [Gradient::PerItem(&mut got[..])];
        let cotangent = Batch::new(view, 2, &[6]);
        let control = Control::default();
        operation
            .vjp(&[], None, &cotangent, &mut gradients, &control)
            .unwrap();
        assert_eq!(got, want[0]);
    }

    #[test]
    fn nan_stays_with_its_pose() {
        let shapes = whole(3, 20);
        let mut coefficients = Argument::<f64>::new(&[6, 3], [0.0; 18]);
        coefficients.data[3 * 4 + 1] = f64::NAN;
        let got = forward(
            &ComputeShape {
                shapes: shapes.clone(),
            },
            &[coefficients.view()],
        );
        for (pose, row) in got.data.chunks(60).enumerate() {
            assert!(row.iter().all(|x| x.is_nan() == (pose == 4)));
        }
    }

    #[test]
    fn nothing_is_nothing() {
        let empty = whole(3, 0);
        let got = forward(
            &ComputeShape { shapes: empty },
            &[Argument::<f64>::noise(&[2, 3], 1).view()],
        );
        assert_eq!((got.data.len(), &got.shape[..]), (0, &[2, 0, 3][..]));
        let none = whole(0, 4);
        let operation = ComputeShape {
            shapes: none.clone(),
        };
        let coefficients = Argument::<f64>::new(&[2, 0], []);
        let got = forward(&operation, &[coefficients.view()]);
        assert_eq!(got.data[12..], none.shapes().base().unwrap().as_f64()[..]);
        let gradients = vjp(&operation, &[coefficients.view()], &got);
        assert!(gradients[0].is_empty());
    }

    #[test]
    fn another_number_of_coefficients_is_refused() {
        let shapes = whole(3, 20);
        let operation = ComputeShape { shapes };
        for shape in [&[4][..], &[3, 2], &[]] {
            let error = operation.core_rank(0, shape).unwrap_err().to_string();
            assert!(error.contains("(..., 3) = (..., n_shapes)"), "{error}");
        }
    }
}
