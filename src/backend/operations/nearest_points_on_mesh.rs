//! The closest points of a mesh as one function of points and vertices.

use std::sync::Arc;

use super::ClosestPointsOnMesh;
use crate::array::{Batch, Shape};
use crate::backend::cpu::Compute;
use crate::backend::queries::FindClosestPointsOnMesh;
use crate::backend::{Column, Control, Gradient, Input, Operation, Query};
use crate::error::Result;
use crate::math::Real;

/// The closest points `(..., n_source, 3)` of a mesh with vertices `(..., n_vertices, 3)` for points
/// `(..., n_source, 3)`; zero where there is none.
///
/// Every verb searches first, and then holds what was found: the derivative is that of
/// [`ClosestPointsOnMesh`].
#[derive(Debug, Clone, PartialEq)]
pub struct NearestPointsOnMesh {
    /// The triangles.
    pub faces: Arc<[[u32; 3]]>,
}

impl NearestPointsOnMesh {
    /// With the correspondence held fixed; the search is left to [`Self::found`].
    fn held(&self, face_index: Vec<i32>, barycentric: Vec<f64>) -> ClosestPointsOnMesh {
        ClosestPointsOnMesh {
            faces: self.faces.clone(),
            face_index: face_index.into(),
            barycentric: barycentric.into(),
        }
    }

    fn found<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        control: &Control<'_>,
    ) -> Result<ClosestPointsOnMesh> {
        let count = inputs[0].len() * inputs[0].core_shape()[0];
        let mut valid = vec![0_u8; count];
        let mut face_index = vec![-1_i32; count];
        let (mut points, mut shares) = (vec![T::ZERO; 3 * count], vec![T::ZERO; 3 * count]);
        let query = FindClosestPointsOnMesh { faces: &self.faces };
        let mut columns = [
            Column::Flags(&mut valid),
            Column::Reals(&mut points),
            Column::Indices(&mut face_index),
            Column::Reals(&mut shares),
        ];
        query.answer(inputs, &mut columns, control)?;
        let barycentric = shares.into_iter().map(Real::to_f64).collect();
        Ok(self.held(face_index, barycentric))
    }
}

impl Operation for NearestPointsOnMesh {
    fn name(&self) -> &'static str {
        "closest_points_on_mesh"
    }

    fn inputs(&self) -> &'static [Input] {
        const INPUTS: [Input; 2] = [
            Input {
                name: "points_source",
                differentiable: true,
            },
            Input {
                name: "vertices_target",
                differentiable: true,
            },
        ];
        &INPUTS
    }

    fn core_rank(&self, index: usize, shape: &[usize]) -> Result<usize> {
        self.held(Vec::new(), Vec::new()).core_rank(index, shape)
    }

    fn output_core(&self, cores: &[&[usize]]) -> Shape {
        Shape::from_slice(cores[0])
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        self.found(inputs, control)?.forward(inputs, out, control)
    }

    fn vjp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        output: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        self.found(inputs, control)?
            .vjp(inputs, output, cotangent, gradients, control)
    }

    fn jvp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        self.found(inputs, control)?
            .jvp(inputs, tangents, out, control)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::operations::checks::{Argument, assert_derivatives};

    #[test]
    fn derivatives_are_right_and_those_of_each_other() {
        let faces = [[0, 1, 2], [2, 1, 3], [2, 3, 4], [4, 3, 5], [6, 6, 6]].into();
        let operation = NearestPointsOnMesh { faces };
        for (points, vertices) in [(&[12, 3][..], &[7, 3][..]), (&[2, 9, 3], &[7, 3])] {
            let points = Argument::<f64>::noise(points, 3);
            let vertices = Argument::<f64>::noise(vertices, 4);
            assert_derivatives(&operation, &[points, vertices]);
        }
    }
}
