//! From model parameters to points in the world, in one step: forward kinematics, then what moves points
//! with the joints. Of the states nothing is kept for the way back: they are quicker computed again than
//! kept.

use std::sync::Arc;

use super::{ModelParametersToSkeletonState, SkinPoints, SkinShapedPoints};
use crate::array::{Batch, Shape, View};
use crate::backend::cpu::Compute;
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::Result;
use crate::kinematics::Prepared;

/// `points (..., n_points, 3)` from model parameters `(..., n_parameters)` and what else `S` takes beside
/// states.
#[derive(Debug, Clone, PartialEq)]
pub struct PosedPoints<S> {
    name: &'static str,
    pose: ModelParametersToSkeletonState,
    points: S,
    /// Whether the second input of the points is the parameters once more.
    shaped: bool,
}

const NAMES: [&str; 2] = [
    "model_parameters_to_skinned_points",
    "model_parameters_to_locator_positions",
];

impl PosedPoints<SkinPoints> {
    /// The mesh's vertices, or with `with_rest` other rest vertices, a second input.
    ///
    /// # Errors
    /// As [`SkinPoints::new`].
    pub fn of_mesh(prepared: &Arc<Prepared>, with_rest: bool) -> Result<Self> {
        let points = SkinPoints::new(prepared, with_rest)?;
        Ok(Self::of(NAMES[0], prepared, points, false))
    }

    /// The locators, at their own offsets or with `with_offsets` at those of a second input.
    #[must_use]
    pub fn of_locators(prepared: &Arc<Prepared>, with_offsets: bool) -> Self {
        let points = SkinPoints::of_locators(prepared, with_offsets);
        Self::of(NAMES[1], prepared, points, false)
    }
}

impl PosedPoints<SkinShapedPoints> {
    /// The vertices of the mesh in the shape that the parameters ask for.
    ///
    /// # Errors
    /// As [`SkinShapedPoints::new`].
    pub fn of_shapes(prepared: &Arc<Prepared>) -> Result<Self> {
        let points = SkinShapedPoints::new(prepared)?;
        Ok(Self::of(NAMES[0], prepared, points, true))
    }
}

impl<S: Operation> PosedPoints<S> {
    fn of(name: &'static str, prepared: &Arc<Prepared>, points: S, shaped: bool) -> Self {
        let prepared = prepared.clone();
        Self {
            name,
            pose: ModelParametersToSkeletonState { prepared },
            points,
            shaped,
        }
    }

    /// The inputs of the points, given states.
    fn with_states<'a, T: Compute>(
        &self,
        states: Batch<'a, T>,
        inputs: &[Batch<'a, T>],
    ) -> [Option<Batch<'a, T>>; 2] {
        let second = if self.shaped {
            inputs.first()
        } else {
            inputs.get(1)
        };
        [Some(states), second.cloned()]
    }

    /// One item of states for each of the call.
    fn as_states<'s, T: Compute>(&self, states: &'s [T], batch: &[usize]) -> Result<Batch<'s, T>> {
        let mut shape = Shape::from_slice(batch);
        shape.extend_from_slice(&self.pose.output_core(&[]));
        Ok(Batch::new(View::contiguous(states, &shape)?, 2, batch))
    }

    fn room_for_states<T: Compute>(&self, items: usize) -> Vec<T> {
        let one: usize = self.pose.output_core(&[]).iter().product();
        vec![T::ZERO; items * one]
    }
}

fn given<T: Clone, const N: usize>(some: [Option<T>; N]) -> Vec<T> {
    some.into_iter().flatten().collect()
}

impl<S: Operation> Operation for PosedPoints<S> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn inputs(&self) -> &'static [Input] {
        const fn input(name: &'static str) -> Input {
            Input {
                name,
                differentiable: true,
            }
        }
        const MESH: [Input; 2] = [input("model_parameters"), input("rest_vertices")];
        const LOCATORS: [Input; 2] = [input("model_parameters"), input("offsets")];
        let count = if self.shaped {
            1
        } else {
            self.points.inputs().len()
        };
        if self.name == NAMES[0] {
            &MESH[..count]
        } else {
            &LOCATORS[..count]
        }
    }

    fn core_rank(&self, index: usize, shape: &[usize]) -> Result<usize> {
        match index {
            0 => self.pose.core_rank(0, shape),
            _ => self.points.core_rank(index, shape),
        }
    }

    fn output_core(&self, cores: &[&[usize]]) -> Shape {
        self.points.output_core(cores)
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let mut states = self.room_for_states(inputs[0].len());
        self.pose.forward(&inputs[..1], &mut states, control)?;
        let states = self.as_states(&states, inputs[0].batch_shape())?;
        let inputs = given(self.with_states(states, inputs));
        self.points.forward(&inputs, out, control)
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
        let mut states = self.room_for_states(inputs[0].len());
        self.pose.forward(&inputs[..1], &mut states, control)?;
        let states = self.as_states(&states, batch)?;
        let points_inputs = given(self.with_states(states.clone(), inputs));
        let (of_parameters, others) = gradients.split_first_mut().expect("one input at least");
        // Where the parameters move the points directly too, what comes of that is added in the end.
        let mut direct = match (self.shaped, &*of_parameters) {
            (true, Gradient::PerItem(all) | Gradient::Shared(all)) => vec![T::ZERO; all.len()],
            _ => Vec::new(),
        };
        let skips = matches!(of_parameters, Gradient::Skip);
        let mut pulled = self.room_for_states(if skips { 0 } else { inputs[0].len() });
        let of_states = match skips {
            true => Gradient::Skip,
            false => Gradient::PerItem(&mut pulled[..]),
        };
        let second = match (self.shaped, &*of_parameters) {
            (false, _) => match others.first_mut() {
                Some(other) => std::mem::replace(other, Gradient::Skip),
                None => Gradient::Skip,
            },
            (true, Gradient::PerItem(_)) => Gradient::PerItem(&mut direct[..]),
            (true, Gradient::Shared(_)) => Gradient::Shared(&mut direct[..]),
            (true, Gradient::Skip) => Gradient::Skip,
        };
        let mut of_points = [of_states, second];
        let of_points = &mut of_points[..points_inputs.len()];
        self.points
            .vjp(&points_inputs, None, cotangent, of_points, control)?;
        if skips {
            return Ok(());
        }
        let pulled = self.as_states(&pulled, batch)?;
        let by_pose = std::slice::from_mut(of_parameters);
        self.pose
            .vjp(&inputs[..1], Some(&states), &pulled, by_pose, control)?;
        if let Gradient::PerItem(all) | Gradient::Shared(all) = of_parameters {
            for (sum, direct) in all.iter_mut().zip(direct) {
                *sum += direct;
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
        let mut states = self.room_for_states(inputs[0].len());
        self.pose.forward(&inputs[..1], &mut states, control)?;
        let states = self.as_states(&states, batch)?;
        let points_inputs = given(self.with_states(states, inputs));
        let moves = tangents[0].is_some();
        let mut moved = self.room_for_states(if moves { inputs[0].len() } else { 0 });
        let mut of_states = None;
        if moves {
            self.pose
                .jvp(&inputs[..1], &tangents[..1], &mut moved, control)?;
            of_states = Some(self.as_states(&moved, batch)?);
        }
        let second = if self.shaped {
            &tangents[0]
        } else {
            tangents.get(1).unwrap_or(&None)
        };
        let of_points = [of_states, second.clone()];
        let of_points = &of_points[..points_inputs.len()];
        self.points.jvp(&points_inputs, of_points, out, control)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::operations::checks::{Argument, assert_derivatives, forward};
    use crate::backend::operations::rest_vertices::tests::{N_VERTICES, shaped};

    fn parameters(prepared: &Prepared, lead: &[usize]) -> Argument<f64> {
        let count = prepared.character().parameter_transform.len();
        let shape: Vec<usize> = lead.iter().copied().chain([count]).collect();
        Argument::noise(&shape, 9)
    }

    #[test]
    fn it_is_one_step_after_the_other() {
        let prepared = shaped();
        let pose = ModelParametersToSkeletonState {
            prepared: prepared.clone(),
        };
        for lead in [&[][..], &[3], &[2, 3]] {
            let parameters = parameters(&prepared, lead);
            let states = forward(&pose, &[parameters.view()]);
            let skin = SkinPoints::new(&prepared, false).unwrap();
            let want = forward(&skin, &[states.view()]);
            let posed = PosedPoints::of_mesh(&prepared, false).unwrap();
            let got = forward(&posed, &[parameters.view()]);
            assert_eq!((got.shape, got.data), (want.shape, want.data));
            let skin = SkinShapedPoints::new(&prepared).unwrap();
            let want = forward(&skin, &[states.view(), parameters.view()]);
            let posed = PosedPoints::of_shapes(&prepared).unwrap();
            let got = forward(&posed, &[parameters.view()]);
            assert_eq!((got.shape, got.data), (want.shape, want.data));
        }
    }

    #[test]
    fn derivatives_are_right_and_those_of_each_other() {
        let prepared = shaped();
        for lead in [&[][..], &[3]] {
            let parameters = parameters(&prepared, lead);
            let posed = PosedPoints::of_shapes(&prepared).unwrap();
            assert_derivatives(&posed, std::slice::from_ref(&parameters));
            let posed = PosedPoints::of_mesh(&prepared, true).unwrap();
            for rest in [&[N_VERTICES, 3][..], &[3, N_VERTICES, 3]] {
                let rest = Argument::noise(rest, 5);
                assert_derivatives(&posed, &[parameters.clone(), rest]);
            }
        }
    }
}
