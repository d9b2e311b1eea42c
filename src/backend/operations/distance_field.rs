//! Distances of points to a surface, read from a grid, and the gradients of them.

use std::sync::Arc;

use super::gradients::{Target, for_each_gradient};
use crate::array::{Batch, Shape, show_shape};
use crate::backend::cpu::{Compute, Items, for_each_group};
use crate::backend::{Control, Gradient, Input, Operation};
use crate::character::SignedDistanceField;
use crate::error::{Error, Result};
use crate::kinematics::DistanceSampler;
use crate::math::{Vector, vector};

/// Rough time for one point.
const POINT_NS: f64 = 25.0;

/// Signed distances `(...)` of points `(..., 3)`, negative inside.
pub type SampleDistanceField = ReadDistanceField<false>;
/// Gradients `(..., 3)` of the signed distance at points `(..., 3)`.
pub type DistanceFieldGradient = ReadDistanceField<true>;

/// See [`SampleDistanceField`] and [`DistanceFieldGradient`].
#[derive(Debug, Clone, PartialEq)]
pub struct ReadDistanceField<const GRADIENT: bool> {
    /// The grid.
    pub field: Arc<SignedDistanceField>,
}

fn point<T: Compute>(points: &Batch<'_, T>, item: usize) -> Vector<T> {
    let mut scratch = vector::zero();
    let numbers = points.item(item, &mut scratch);
    [numbers[0], numbers[1], numbers[2]]
}

impl<const GRADIENT: bool> ReadDistanceField<GRADIENT> {
    const LENGTH: usize = if GRADIENT { 3 } else { 1 };

    /// Calls `work(item, its place)` for every item.
    fn each<T: Compute>(
        items: usize,
        out: &mut [T],
        control: &Control<'_>,
        work: impl Fn(usize, &mut [T]) + Sync,
    ) -> Result<()> {
        let length = Self::LENGTH;
        let places = Items { data: out, length };
        for_each_group(items, 1, POINT_NS, places, control, |range, places| {
            for (item, place) in range.zip(places.data.chunks_exact_mut(length)) {
                work(item, place);
            }
        })
    }
}

impl<const GRADIENT: bool> Operation for ReadDistanceField<GRADIENT> {
    fn name(&self) -> &'static str {
        if GRADIENT {
            "SignedDistanceField.gradient"
        } else {
            "SignedDistanceField.sample"
        }
    }

    fn inputs(&self) -> &'static [Input] {
        &[Input {
            name: "positions",
            differentiable: true,
        }]
    }

    fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
        if shape.ends_with(&[3]) {
            return Ok(1);
        }
        Err(Error::shape("positions", "(..., 3)", show_shape(shape)))
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::from_slice(if GRADIENT { &[3] } else { &[] })
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let (points, sampler) = (&inputs[0], DistanceSampler::<T>::new(&self.field));
        Self::each(points.len(), out, control, |item, place| {
            let point = point(points, item);
            if GRADIENT {
                place.copy_from_slice(&sampler.gradient(point));
            } else {
                place[0] = sampler.sample(point);
            }
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
        let (points, sampler) = (&inputs[0], DistanceSampler::<T>::new(&self.field));
        for_each_gradient(
            points.len(),
            1,
            2.0 * POINT_NS,
            [3],
            gradients,
            control,
            |range, [mut target]| {
                for (place, item) in range.enumerate() {
                    let at = point(points, item);
                    let pulled = if GRADIENT {
                        sampler.curve(at, point(cotangent, item))
                    } else {
                        let mut scratch = [T::ZERO];
                        let along = cotangent.item(item, &mut scratch)[0];
                        vector::scale(sampler.gradient(at), along)
                    };
                    match &mut target {
                        Target::Skip => return,
                        Target::Rows(rows, _) => {
                            rows[3 * place..3 * place + 3].copy_from_slice(&pulled);
                        }
                        Target::Sum(sum) => {
                            sum.iter_mut().zip(pulled).for_each(|(sum, x)| *sum += x);
                        }
                    }
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
        let (points, sampler) = (&inputs[0], DistanceSampler::<T>::new(&self.field));
        let Some(tangents) = &tangents[0] else {
            out.fill(T::ZERO);
            return Ok(());
        };
        Self::each(points.len(), out, control, |item, place| {
            let (at, along) = (point(points, item), point(tangents, item));
            if GRADIENT {
                place.copy_from_slice(&sampler.curve(at, along));
            } else {
                place[0] = vector::dot(sampler.gradient(at), along);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::operations::checks::{Argument, assert_derivatives, forward, noise};

    /// Distances that are no distances, so that nothing is right by accident; one axis has one sample.
    fn field(resolution: [usize; 3]) -> Arc<SignedDistanceField> {
        let values = noise(resolution.iter().product(), 1);
        let bounds = [[-0.5, 0.0, 1.0], [0.7, 2.0, 1.9]];
        Arc::new(SignedDistanceField::new(bounds, resolution, values.into()).unwrap())
    }

    /// Points inside and out, on each side, none near a face of a voxel.
    fn points() -> Vec<f64> {
        let places = [
            [-1.9, 0.13, 0.51, 1.7],
            [-0.4, 0.31, 1.11, 3.0],
            [0.2, 1.17, 1.42, 2.5],
        ];
        let mut points = Vec::new();
        for x in places[0] {
            for y in places[1] {
                for z in places[2] {
                    points.extend([x, y, z]);
                }
            }
        }
        points
    }

    #[test]
    fn samples_are_where_they_belong_and_x_runs_fastest() {
        let field = field([3, 4, 2]);
        let [voxel, min] = [field.voxel_size(), field.bounds()[0]];
        let sampler = DistanceSampler::<f64>::new(&field);
        for (at, want) in field.values().iter().enumerate() {
            let index = [at % 3, at / 3 % 4, at / 12];
            let point = std::array::from_fn(|c| min[c] + index[c] as f64 * voxel[c]);
            assert!((sampler.sample(point) - want).abs() < 1e-12);
        }
    }

    #[test]
    fn a_linear_field_is_read_exactly_and_grows_by_the_distance_outside() {
        let bounds = [[0.0; 3], [4.0; 3]];
        let values: Vec<f64> = (0..64)
            .map(|at| (at % 4) as f64 + 2.0 * (at / 4 % 4) as f64 - (at / 16) as f64)
            .collect();
        let field = SignedDistanceField::new(bounds, [4; 3], values.into()).unwrap();
        let sampler = DistanceSampler::<f64>::new(&field);
        assert!((sampler.sample([0.5, 1.25, 2.75]) - (0.5 + 2.5 - 2.75)).abs() < 1e-12);
        assert_eq!(sampler.gradient([0.5, 1.25, 2.75]), [1.0, 2.0, -1.0]);
        // The samples end at 3, one voxel inside the bounds.
        assert!((sampler.sample([6.0, 7.0, 1.0]) - (3.0 + 6.0 - 1.0 + 5.0)).abs() < 1e-12);
        // Outward in x and y; along the face in z.
        let gradient = sampler.gradient([6.0, 7.0, 1.0]);
        let near = |c: usize| (gradient[c] - [0.6, 0.8, -1.0][c]).abs() < 1e-12;
        assert!((0..3).all(near), "{gradient:?}");
        assert!(sampler.sample([f64::NAN, 1.0, 1.0]).is_nan());
    }

    #[test]
    fn derivatives_agree_with_differences_and_with_each_other() {
        for resolution in [[3, 4, 2], [3, 1, 4], [1, 1, 1]] {
            let field = field(resolution);
            let distance = SampleDistanceField {
                field: field.clone(),
            };
            let points = Argument::<f64>::new(&[64, 3], points());
            let points = [points];
            assert_derivatives(&distance, &points);
            assert_derivatives(&DistanceFieldGradient { field }, &points);
            let one = Argument::<f64>::new(&[3], [0.13, 0.31, 1.17]);
            assert_derivatives(&distance, &[one]);
        }
    }

    #[test]
    fn both_precisions_agree() {
        let field = field([5, 4, 3]);
        let read = SampleDistanceField { field };
        let double = forward(&read, &[Argument::<f64>::new(&[64, 3], points()).view()]);
        let single = forward(&read, &[Argument::<f32>::new(&[64, 3], points()).view()]);
        for (a, b) in double.data.iter().zip(&single.data) {
            assert!((a - f64::from(*b)).abs() < 1e-5);
        }
    }
}
