//! Pose shapes: displacements linear in the rotations of joints.

use std::sync::Arc;

use smallvec::smallvec;

use super::linear_shapes::LinearShapes;
use super::rows::each_gradient;
use crate::array::{Batch, Shape, View, show_shape};
use crate::backend::cpu::{Compute, Items, for_each_group, row_of};
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::{Error, Result};
use crate::kinematics::PreparedPoseShape;
use crate::kinematics::blend_shape::Term;
use crate::kinematics::pose_shape::{
    pull_relative_rotations, push_relative_rotations, relative_rotations,
};

/// Rough time for the rotation of one joint.
const JOINT_NS: f64 = 20.0;

/// Shapes `(..., n_vertices, 3)` from skeleton states `(..., n_joints, 8)`: the base of the pose shape,
/// and displacements by the four numbers of each of its joints' relative rotations.
#[derive(Debug, Clone, PartialEq)]
pub struct ComputePoseShape {
    /// The pose shape.
    pub prepared: Arc<PreparedPoseShape>,
}

impl ComputePoseShape {
    fn linear<T: Compute>(&self, with_base: bool) -> LinearShapes<'_, T> {
        let plan = self.prepared.shapes().plan::<T>();
        LinearShapes {
            base: plan.base().filter(|_| with_base),
            terms: smallvec![Term {
                plan,
                columns: plan.all(),
            }],
            length: plan.length(),
        }
    }

    /// Coefficients of a pose.
    fn width(&self) -> usize {
        4 * self.prepared.shape().joints().len()
    }

    fn cost_ns(&self) -> f64 {
        JOINT_NS * (1 + self.prepared.shape().joints().len()) as f64
    }

    /// The coefficients of every item, or their derivatives.
    fn coefficients<T: Compute>(
        &self,
        states: &Batch<'_, T>,
        tangents: Option<&Batch<'_, T>>,
        control: &Control<'_>,
    ) -> Result<Vec<T>> {
        let (shape, length) = (self.prepared.shape(), self.width());
        let mut out = vec![T::ZERO; states.len() * length];
        if length == 0 {
            return Ok(out);
        }
        let places = Items {
            data: &mut out,
            length,
        };
        let (items, cost) = (states.len(), self.cost_ns());
        for_each_group(items, 1, cost, places, control, |range, places| {
            let (mut s0, mut s1) = (Vec::new(), Vec::new());
            for (item, out) in range.zip(places.data.chunks_exact_mut(length)) {
                let state = row_of(states, item, &mut s0);
                match tangents {
                    None => relative_rotations(shape, state, out),
                    Some(tangents) => {
                        let tangent = row_of(tangents, item, &mut s1);
                        push_relative_rotations(shape, state, tangent, out);
                    }
                }
            }
        })?;
        Ok(out)
    }

    fn combine<T: Compute>(
        &self,
        coefficients: &[T],
        items: usize,
        with_base: bool,
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let view = View::contiguous(coefficients, &[items, self.width()])?;
        let batch = Batch::new(view, 1, &[items]);
        self.linear(with_base).forward(&batch, out, control)
    }
}

impl Operation for ComputePoseShape {
    fn name(&self) -> &'static str {
        "compute_shape"
    }

    fn inputs(&self) -> &'static [Input] {
        &[Input {
            name: "skel_state",
            differentiable: true,
        }]
    }

    fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
        let last = self.prepared.shape().last_joint();
        match shape {
            [.., joints, 8] if *joints > last => Ok(2),
            _ => Err(Error::shape(
                "skel_state",
                format!("(..., n_joints, 8) with at least {} joints", last + 1),
                show_shape(shape),
            )),
        }
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::from_slice(&[self.prepared.shape().n_vertices(), 3])
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let coefficients = self.coefficients(&inputs[0], None, control)?;
        self.combine(&coefficients, inputs[0].len(), true, out, control)
    }

    fn vjp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        _: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let (states, width) = (&inputs[0], self.width());
        let (items, length) = (states.len(), states.core_len());
        let mut pulled = vec![T::ZERO; items * width];
        let linear = self.linear::<T>(false);
        linear.pull(
            cotangent,
            width,
            &mut Gradient::PerItem(&mut pulled),
            control,
        )?;
        let (shape, cost) = (self.prepared.shape(), self.cost_ns());
        let pulled = View::contiguous(&pulled, &[items, width])?;
        let pulled = Batch::new(pulled, 1, &[items]);
        each_gradient(
            [states, &pulled],
            [length],
            cost,
            gradients,
            control,
            || (),
            |[state, pulled], (), [gradient]| {
                if let Some(gradient) = gradient {
                    pull_relative_rotations(shape, state, pulled, gradient);
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
        let Some(tangents) = &tangents[0] else {
            out.fill(T::ZERO);
            return Ok(());
        };
        let coefficients = self.coefficients(&inputs[0], Some(tangents), control)?;
        self.combine(&coefficients, inputs[0].len(), false, out, control)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::operations::checks::{Argument, assert_derivatives, forward, noise};
    use crate::character::PoseShape;
    use nalgebra::{Quaternion, UnitQuaternion};

    const N_VERTICES: usize = 21;

    fn prepared(joints: Vec<usize>) -> Arc<PreparedPoseShape> {
        let base = noise(3 * N_VERTICES, 1).into();
        let displacements = noise(4 * joints.len() * 3 * N_VERTICES, 2).into();
        let turn = UnitQuaternion::from_euler_angles(0.3, -0.5, 0.9);
        let turn = turn.coords.as_slice().try_into().unwrap();
        let shape = PoseShape::new(base, displacements, 1, turn, joints).unwrap();
        Arc::new(PreparedPoseShape::new(Arc::new(shape)))
    }

    fn states(batch: &[usize]) -> Argument<f64> {
        let shape: Vec<usize> = batch.iter().copied().chain([5, 8]).collect();
        Argument::noise(&shape, 3)
    }

    /// The definition, with nalgebra's quaternions.
    fn expected(shape: &PoseShape, state: &[f64]) -> Vec<f64> {
        let rotation = |joint: usize| {
            let q = &state[joint * 8 + 3..joint * 8 + 7];
            UnitQuaternion::new_normalize(Quaternion::new(q[3], q[0], q[1], q[2]))
        };
        let [x, y, z, w] = *shape.base_rotation();
        let turn = UnitQuaternion::new_normalize(Quaternion::new(w, x, y, z));
        let base = turn * rotation(shape.base_joint()).inverse();
        let coefficients = shape.joints().iter().flat_map(|&joint| {
            let q = base * rotation(joint);
            [q.i, q.j, q.k, q.w]
        });
        let mut out = shape.shape().base().as_f64().to_vec();
        let rows = shape.shape().displacements().as_f64().chunks(out.len());
        for (c, row) in coefficients.zip(rows) {
            out.iter_mut().zip(row).for_each(|(x, d)| *x += c * d);
        }
        out
    }

    #[test]
    fn a_pose_shape_is_linear_in_relative_rotations() {
        let prepared = prepared(vec![4, 1, 2]);
        let states = states(&[3, 2]);
        let operation = ComputePoseShape {
            prepared: prepared.clone(),
        };
        let got = forward(&operation, &[states.view()]);
        for (state, got) in states.data.chunks(40).zip(got.data.chunks(3 * N_VERTICES)) {
            for (got, want) in got.iter().zip(expected(prepared.shape(), state)) {
                assert!((got - want).abs() < 1e-13);
            }
        }
    }

    #[test]
    fn derivatives_are_right_and_those_of_each_other() {
        for joints in [vec![], vec![3], vec![4, 1, 0], vec![2, 2]] {
            let prepared = prepared(joints);
            let operation = ComputePoseShape { prepared };
            for batch in [&[][..], &[7]] {
                let mut states = states(batch);
                // Away from zero, where a quaternion has no direction.
                for state in states.data.chunks_mut(8) {
                    state[6] += 2.0;
                }
                assert_derivatives(&operation, &[states]);
            }
        }
    }

    #[test]
    fn the_length_of_quaternions_does_not_matter() {
        let prepared = prepared(vec![4, 2]);
        let operation = ComputePoseShape { prepared };
        let states = states(&[2]);
        let mut longer = states.clone();
        for state in longer.data.chunks_mut(8) {
            state[3..7].iter_mut().for_each(|x| *x *= 3.0);
        }
        let a = forward(&operation, &[states.view()]);
        let b = forward(&operation, &[longer.view()]);
        let pairs = a.data.iter().zip(&b.data);
        assert!(pairs.fold(0.0, |max: f64, (a, b)| max.max((a - b).abs())) < 1e-14);
    }

    #[test]
    fn too_few_joints_are_refused() {
        let prepared = prepared(vec![4]);
        let operation = ComputePoseShape { prepared };
        assert_eq!(operation.core_rank(0, &[3, 5, 8]), Ok(2));
        for shape in [&[3, 4, 8][..], &[5, 7], &[8]] {
            let error = operation.core_rank(0, shape).unwrap_err().to_string();
            assert!(error.contains("at least 5 joints"), "{error}");
        }
    }
}
