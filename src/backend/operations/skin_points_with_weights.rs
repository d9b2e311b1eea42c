//! Linear blend skinning with the weights as an argument, for those who fit them.

use std::sync::Arc;

use super::SkinPoints;
use crate::array::{Batch, Shape, View, show_shape};
use crate::backend::cpu::Compute;
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::{Error, Result};
use crate::kinematics::Prepared;

/// `points (..., n_vertices, 3)` from joint states `(..., n_joints, 8)` or matrices
/// `(..., n_joints, 4, 4)`, weights `(..., n_vertices, n_influences)` beside the character's own indices,
/// and rest points `(..., n_vertices, 3)`.
///
/// Each vertex is moved by each of its joints alone, by [`SkinPoints`]; the result is their sum by weights.
#[derive(Debug, Clone, PartialEq)]
pub struct SkinPointsWithWeights {
    each: SkinPoints,
    n_vertices: usize,
    n_influences: usize,
    /// The mesh's own vertices, where they are no input.
    rest: Option<Arc<[f64]>>,
}

/// What one call works on: the items, each with its moved influences.
struct Moved<T> {
    /// `items · n_vertices · n_influences · 3`.
    points: Vec<T>,
    shape: Shape,
}

impl SkinPointsWithWeights {
    /// Skinning of a character's mesh; with `with_rest` the rest points are the third input.
    ///
    /// # Errors
    /// [`Error::Character`] where the character has no mesh or no skin weights.
    pub fn new(prepared: &Arc<Prepared>, with_rest: bool) -> Result<Self> {
        let each = SkinPoints::of_influences(prepared)?;
        let character = prepared.character();
        let weights = character.skin_weights.as_ref();
        let rest = match (&character.mesh, with_rest) {
            (Some(mesh), false) => Some(mesh.vertices.iter().collect()),
            _ => None,
        };
        Ok(Self {
            each,
            n_vertices: weights.map_or(0, |weights| weights.n_vertices()),
            n_influences: weights.map_or(0, |weights| weights.n_influences()),
            rest,
        })
    }

    /// Rest points once for each influence: for one item of every batch index, or one for all.
    fn repeated<T: Compute>(&self, rest: Option<&Batch<'_, T>>) -> Moved<T> {
        let (items, mut shape) = match rest {
            None => (1, Shape::new()),
            Some(rest) if rest.is_shared() => (1, Shape::new()),
            Some(rest) => (rest.len(), Shape::from_slice(rest.batch_shape())),
        };
        let mut points = Vec::with_capacity(items * self.n_vertices * self.n_influences * 3);
        let mut item: Vec<T> = vec![T::ZERO; self.n_vertices * 3];
        for index in 0..items {
            match (rest, &self.rest) {
                (Some(rest), _) if !rest.is_empty() => rest.copy_item(index, &mut item),
                (None, Some(own)) => {
                    for (to, &from) in item.iter_mut().zip(&**own) {
                        *to = T::from_f64(from);
                    }
                }
                _ => {}
            }
            for point in item.as_chunks::<3>().0 {
                for _ in 0..self.n_influences {
                    points.extend_from_slice(point);
                }
            }
        }
        shape.extend_from_slice(&[self.n_vertices * self.n_influences, 3]);
        Moved { points, shape }
    }

    /// Influences of every item of the call, moved by `work`, which is given the place for them.
    fn moved<T: Compute>(
        &self,
        batch: &[usize],
        work: impl FnOnce(&mut [T]) -> Result<()>,
    ) -> Result<Moved<T>> {
        let mut shape = Shape::from_slice(batch);
        shape.extend_from_slice(&[self.n_vertices * self.n_influences, 3]);
        let mut points = vec![T::ZERO; shape.iter().product()];
        work(&mut points)?;
        Ok(Moved { points, shape })
    }

    /// Adds to `out` the points of each vertex, by weights.
    fn blend<T: Compute>(&self, points: &[T], weights: &Batch<'_, T>, out: &mut [T]) {
        let columns = self.n_influences;
        let mut scratch = vec![T::ZERO; weights.core_len()];
        let row = (self.n_vertices * columns * 3).max(1);
        for (item, (points, out)) in points
            .chunks_exact(row)
            .zip(out.chunks_exact_mut((self.n_vertices * 3).max(1)))
            .enumerate()
        {
            let weights = weights.item(item, &mut scratch);
            let points = points.as_chunks::<3>().0.iter().zip(weights);
            for (at, (point, &weight)) in points.enumerate() {
                let to = at / columns * 3;
                for axis in 0..3 {
                    out[to + axis] += weight * point[axis];
                }
            }
        }
    }
}

impl<T: Compute> Moved<T> {
    fn batch(&self, lead: &[usize]) -> Result<Batch<'_, T>> {
        Ok(Batch::new(
            View::contiguous(&self.points, &self.shape)?,
            2,
            lead,
        ))
    }
}

impl Operation for SkinPointsWithWeights {
    fn name(&self) -> &'static str {
        "skin_points_with_weights"
    }

    fn inputs(&self) -> &'static [Input] {
        const fn input(name: &'static str) -> Input {
            Input {
                name,
                differentiable: true,
            }
        }
        const INPUTS: [Input; 3] = [
            input("skel_state"),
            input("weights"),
            input("rest_vertices"),
        ];
        &INPUTS[..2 + usize::from(self.rest.is_none())]
    }

    fn core_rank(&self, index: usize, shape: &[usize]) -> Result<usize> {
        let expected = match index {
            0 => return self.each.core_rank(0, shape),
            1 => [self.n_vertices, self.n_influences],
            _ => [self.n_vertices, 3],
        };
        if shape.ends_with(&expected) {
            return Ok(2);
        }
        let words = match index {
            1 => "(..., n_vertices, n_influences)",
            _ => "(..., n_vertices, 3)",
        };
        let expected = format!("{words} with {}", show_shape(&expected));
        let name = self.inputs()[index].name;
        Err(Error::shape(name, expected, show_shape(shape)))
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::from_slice(&[self.n_vertices, 3])
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let batch = inputs[0].batch_shape();
        let rest = self.repeated(inputs.get(2));
        let given = [inputs[0].clone(), rest.batch(batch)?];
        let moved = self.moved(batch, |to| self.each.forward(&given, to, control))?;
        out.fill(T::ZERO);
        self.blend(&moved.points, &inputs[1], out);
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
        let batch = inputs[0].batch_shape();
        let (columns, items) = (self.n_influences, cotangent.len());
        let repeated = self.repeated(inputs.get(2));
        let given = [inputs[0].clone(), repeated.batch(batch)?];
        let [of_states, of_weights, of_rest @ ..] = gradients else {
            unreachable!("two inputs at least");
        };

        // By the weights: how far the cotangent goes along each moved point.
        if let Gradient::PerItem(all) | Gradient::Shared(all) = of_weights {
            all.fill(T::ZERO);
        }
        if !matches!(of_weights, Gradient::Skip) {
            let moved = self.moved(batch, |to| self.each.forward(&given, to, control))?;
            let mut scratch = vec![T::ZERO; cotangent.core_len()];
            let row = (self.n_vertices * columns).max(1);
            for (item, points) in moved.points.chunks_exact(row * 3).enumerate() {
                let pulled = cotangent.item(item, &mut scratch);
                let sums: &mut [T] = match of_weights {
                    Gradient::PerItem(all) => &mut all[item * row..(item + 1) * row],
                    Gradient::Shared(sum) => sum,
                    Gradient::Skip => break,
                };
                let points = points.as_chunks::<3>().0;
                for (at, (sum, point)) in sums.iter_mut().zip(points).enumerate() {
                    for axis in 0..3 {
                        *sum += pulled[at / columns * 3 + axis] * point[axis];
                    }
                }
            }
        }

        // By what moves them: the cotangent of each moved point.
        let pulled = self.moved(batch, |to| {
            let mut scratch = [
                vec![T::ZERO; cotangent.core_len()],
                vec![T::ZERO; inputs[1].core_len()],
            ];
            let [of_points, of_weights] = &mut scratch;
            let row = (self.n_vertices * columns * 3).max(1);
            for (item, to) in to.chunks_exact_mut(row).enumerate() {
                let pulled = cotangent.item(item, of_points);
                let weights = inputs[1].item(item, of_weights);
                let points = to.as_chunks_mut::<3>().0;
                for (at, (point, &weight)) in points.iter_mut().zip(weights).enumerate() {
                    for axis in 0..3 {
                        point[axis] = weight * pulled[at / columns * 3 + axis];
                    }
                }
            }
            Ok(())
        })?;
        let mut each: Vec<T> = Vec::new();
        let length = self.n_vertices * columns * 3;
        let of_each = match of_rest.first() {
            Some(Gradient::PerItem(_)) => {
                each.resize(items * length, T::ZERO);
                Gradient::PerItem(&mut each[..])
            }
            Some(Gradient::Shared(_)) => {
                each.resize(items.max(1) * length, T::ZERO);
                Gradient::PerItem(&mut each[..items * length])
            }
            _ => Gradient::Skip,
        };
        let of_states = std::mem::replace(of_states, Gradient::Skip);
        // A rest point for each item, so that those of one item are not added up with another's.
        let whole;
        let given = if matches!(of_each, Gradient::Skip) || given[1].as_slice().is_some() {
            given
        } else {
            whole = self.moved(batch, |to| {
                for (item, to) in to.chunks_exact_mut(length.max(1)).enumerate() {
                    given[1].copy_item(item, to);
                }
                Ok(())
            })?;
            [inputs[0].clone(), whole.batch(batch)?]
        };
        self.each.vjp(
            &given,
            None,
            &pulled.batch(batch)?,
            &mut [of_states, of_each],
            control,
        )?;
        if let Some(Gradient::PerItem(all) | Gradient::Shared(all)) = of_rest.first_mut() {
            all.fill(T::ZERO);
            let count = all.len().max(1);
            for (at, point) in each.as_chunks::<3>().0.iter().enumerate() {
                let to = at / columns * 3 % count;
                for axis in 0..3 {
                    all[to + axis] += point[axis];
                }
            }
        }
        Ok(())
    }

    fn jvp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let batch = inputs[0].batch_shape();
        let rest = self.repeated(inputs.get(2));
        let given = [inputs[0].clone(), rest.batch(batch)?];
        out.fill(T::ZERO);
        let of_rest = tangents.get(2).and_then(Option::as_ref);
        if tangents[0].is_some() || of_rest.is_some() {
            let repeated = of_rest.map(|tangent| self.repeated(Some(tangent)));
            let of_each = match &repeated {
                Some(repeated) => Some(repeated.batch(batch)?),
                None => None,
            };
            let along = [tangents[0].clone(), of_each];
            let moved = self.moved(batch, |to| self.each.jvp(&given, &along, to, control))?;
            self.blend(&moved.points, &inputs[1], out);
        }
        if let Some(weights) = &tangents[1] {
            let moved = self.moved(batch, |to| self.each.forward(&given, to, control))?;
            self.blend(&moved.points, weights, out);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::operations::checks::{Argument, assert_derivatives, forward};
    use crate::backend::operations::rest_vertices::tests::{N_VERTICES, shaped};

    fn states(lead: &[usize]) -> Argument<f64> {
        let shape: Vec<usize> = lead.iter().copied().chain([5, 8]).collect();
        let mut states = Argument::<f64>::noise(&shape, 8);
        for state in states.data.chunks_mut(8) {
            state[6] += 2.0;
        }
        states
    }

    #[test]
    fn with_the_weights_of_the_character_it_is_skinning() {
        let prepared = shaped();
        let own = prepared.character().skin_weights.clone().unwrap();
        let weights = Argument::<f64>::new(&[N_VERTICES, own.n_influences()], own.weight().iter());
        let skin = SkinPoints::new(&prepared, false).unwrap();
        let with = SkinPointsWithWeights::new(&prepared, false).unwrap();
        let states = states(&[3]);
        let want = forward(&skin, &[states.view()]);
        let got = forward(&with, &[states.view(), weights.view()]);
        assert_eq!(got.shape, want.shape);
        for (got, want) in got.data.iter().zip(&want.data) {
            assert!((got - want).abs() < 1e-12);
        }
    }

    #[test]
    fn derivatives_are_right_and_those_of_each_other() {
        let prepared = shaped();
        let own = prepared.character().skin_weights.clone().unwrap();
        for lead in [&[][..], &[2]] {
            let core = [N_VERTICES, own.n_influences()];
            let whole: Vec<usize> = lead.iter().copied().chain(core).collect();
            let weights = Argument::noise(&whole, 3);
            let with = SkinPointsWithWeights::new(&prepared, false).unwrap();
            assert_derivatives(&with, &[states(&[2]), weights.clone()]);
            let with = SkinPointsWithWeights::new(&prepared, true).unwrap();
            for rest in [&[N_VERTICES, 3][..], &[2, N_VERTICES, 3]] {
                let rest = Argument::noise(rest, 5);
                assert_derivatives(&with, &[states(&[2]), weights.clone(), rest]);
            }
        }
    }
}
