//! Skinning of the rest mesh that model parameters ask for.

use std::sync::Arc;

use super::{RestVertices, SkinPoints};
use crate::array::{Batch, Shape, View};
use crate::backend::cpu::Compute;
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::Result;
use crate::kinematics::Prepared;

/// `points (..., n_vertices, 3)` from joint states `(..., n_joints, 8)` or matrices
/// `(..., n_joints, 4, 4)`, and model parameters `(..., n_parameters)` of which the coefficients of
/// shapes count: [`RestVertices`], then [`SkinPoints`].
#[derive(Debug, Clone, PartialEq)]
pub struct SkinShapedPoints {
    rest: RestVertices,
    skin: SkinPoints,
}

/// The shape of a batch's own leading axes, before they were stretched.
fn own_lead<'b, T: Copy>(batch: &'b Batch<'_, T>) -> &'b [usize] {
    let shape = batch.view().shape();
    &shape[..shape.len() - batch.core_shape().len()]
}

impl SkinShapedPoints {
    /// Skinning of a character's shapes.
    ///
    /// # Errors
    /// [`crate::Error::Character`] where the character has no mesh or no skin weights, or parameters for
    /// shapes that it has not.
    pub fn new(prepared: &Arc<Prepared>) -> Result<Self> {
        Ok(Self {
            skin: SkinPoints::new(prepared, true)?,
            rest: RestVertices::new(prepared)?,
        })
    }

    /// The rest vertices of the parameters, or their change with `tangents`: one for each of the
    /// parameters' own leading axes.
    fn rest_vertices<T: Compute>(
        &self,
        parameters: &Batch<'_, T>,
        tangents: Option<&Batch<'_, T>>,
        control: &Control<'_>,
    ) -> Result<Vec<T>> {
        let length: usize = self.rest.output_core(&[]).iter().product();
        let source = tangents.unwrap_or(parameters);
        let own = Batch::new(source.view().clone(), 1, own_lead(source));
        let mut out = vec![T::ZERO; own.len() * length];
        match tangents {
            None => self.rest.forward(&[own], &mut out, control)?,
            // What is linear needs no place to be linear at.
            Some(_) => self.rest.jvp(&[], &[Some(own)], &mut out, control)?,
        }
        Ok(out)
    }

    /// Rest vertices as the second input of the skinning of `parameters`' batch.
    fn as_input<'r, T: Compute>(
        &self,
        rest: &'r [T],
        parameters: &Batch<'_, T>,
    ) -> Result<Batch<'r, T>> {
        let mut shape = Shape::from_slice(own_lead(parameters));
        shape.extend_from_slice(&self.rest.output_core(&[]));
        Ok(Batch::new(
            View::contiguous(rest, &shape)?,
            2,
            parameters.batch_shape(),
        ))
    }
}

impl Operation for SkinShapedPoints {
    fn name(&self) -> &'static str {
        "skin_points"
    }

    fn inputs(&self) -> &'static [Input] {
        const INPUTS: [Input; 2] = [
            Input {
                name: "skel_state",
                differentiable: true,
            },
            Input {
                name: "model_parameters",
                differentiable: true,
            },
        ];
        &INPUTS
    }

    fn core_rank(&self, index: usize, shape: &[usize]) -> Result<usize> {
        match index {
            0 => self.skin.core_rank(0, shape),
            _ => self.rest.core_rank(0, shape),
        }
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        self.rest.output_core(&[])
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let [states, parameters] = inputs else {
            unreachable!("two inputs");
        };
        let rest = self.rest_vertices(parameters, None, control)?;
        let rest = self.as_input(&rest, parameters)?;
        self.skin.forward(&[states.clone(), rest], out, control)
    }

    fn vjp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        _: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let [states, parameters] = inputs else {
            unreachable!("two inputs");
        };
        let [of_states, of_parameters] = gradients else {
            unreachable!("two inputs");
        };
        let rest = self.rest_vertices(parameters, None, control)?;
        let rest = self.as_input(&rest, parameters)?;
        let core = self.rest.output_core(&[]);
        let length: usize = core.iter().product();
        // Cotangents of the rest vertices, summed where those of the parameters are.
        let mut lead = Shape::new();
        if matches!(of_parameters, Gradient::PerItem(_)) {
            lead.extend_from_slice(parameters.batch_shape());
        }
        let items: usize = lead.iter().product();
        let mut pulled = vec![T::ZERO; items * length];
        let of_rest = match of_parameters {
            Gradient::Skip => Gradient::Skip,
            Gradient::PerItem(_) => Gradient::PerItem(&mut pulled[..]),
            Gradient::Shared(_) => Gradient::Shared(&mut pulled[..]),
        };
        let of_states = std::mem::replace(of_states, Gradient::Skip);
        self.skin.vjp(
            &[states.clone(), rest],
            None,
            cotangent,
            &mut [of_states, of_rest],
            control,
        )?;
        if matches!(of_parameters, Gradient::Skip) {
            return Ok(());
        }
        let rank = lead.len();
        lead.extend_from_slice(&core);
        let pulled = Batch::new(View::contiguous(&pulled, &lead)?, 2, &lead[..rank]);
        let gradients = std::slice::from_mut(of_parameters);
        self.rest.vjp(&[], None, &pulled, gradients, control)
    }

    fn jvp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let [states, parameters] = inputs else {
            unreachable!("two inputs");
        };
        let rest = self.rest_vertices(parameters, None, control)?;
        let rest = self.as_input(&rest, parameters)?;
        let moved = match &tangents[1] {
            None => None,
            Some(tangent) => Some(self.rest_vertices(parameters, Some(tangent), control)?),
        };
        let moved = match (&moved, &tangents[1]) {
            (Some(moved), Some(tangent)) => Some(self.as_input(moved, tangent)?),
            _ => None,
        };
        let tangents = [tangents[0].clone(), moved];
        self.skin
            .jvp(&[states.clone(), rest], &tangents, out, control)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::operations::checks::{Argument, assert_derivatives, forward};
    use crate::backend::operations::rest_vertices::tests::{N_VERTICES, bare, shaped};

    fn states(lead: &[usize]) -> Argument<f64> {
        let shape: Vec<usize> = lead.iter().copied().chain([5, 8]).collect();
        let mut states = Argument::<f64>::noise(&shape, 8);
        for state in states.data.chunks_mut(8) {
            state[6] += 2.0;
        }
        states
    }

    fn parameters(prepared: &Prepared, lead: &[usize]) -> Argument<f64> {
        let count = prepared.character().parameter_transform.len();
        let shape: Vec<usize> = lead.iter().copied().chain([count]).collect();
        Argument::noise(&shape, 9)
    }

    #[test]
    fn it_skins_the_rest_vertices_of_the_parameters() {
        let prepared = shaped();
        let rest = RestVertices::new(&prepared).unwrap();
        let skin = SkinPoints::new(&prepared, true).unwrap();
        let both = SkinShapedPoints::new(&prepared).unwrap();
        for (of_states, of_parameters) in [
            (&[][..], &[][..]),
            (&[3], &[]),
            (&[], &[3]),
            (&[2, 1], &[1, 3]),
        ] {
            let states = states(of_states);
            let parameters = parameters(&prepared, of_parameters);
            let shapes = forward(&rest, &[parameters.view()]);
            let want = forward(&skin, &[states.view(), shapes.view()]);
            let got = forward(&both, &[states.view(), parameters.view()]);
            assert_eq!((got.shape, got.data), (want.shape, want.data));
        }
    }

    #[test]
    fn without_shapes_parameters_change_nothing() {
        let prepared = Arc::new(Prepared::new(Arc::new(bare())));
        let states = states(&[2]);
        let both = SkinShapedPoints::new(&prepared).unwrap();
        let got = forward(&both, &[states.view(), parameters(&prepared, &[2]).view()]);
        let plain = SkinPoints::new(&prepared, false).unwrap();
        let want = forward(&plain, &[states.view()]);
        for (got, want) in got.data.iter().zip(&want.data) {
            assert!((got - want).abs() < 1e-13);
        }
        assert_eq!(got.shape, [2, N_VERTICES, 3]);
    }

    #[test]
    fn derivatives_are_right_and_those_of_each_other() {
        let prepared = shaped();
        let both = SkinShapedPoints::new(&prepared).unwrap();
        for (of_states, of_parameters) in
            [(&[][..], &[][..]), (&[3], &[3]), (&[3], &[]), (&[], &[3])]
        {
            let parameters = parameters(&prepared, of_parameters);
            assert_derivatives(&both, &[states(of_states), parameters]);
        }
    }
}
