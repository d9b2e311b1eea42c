//! Joint parameters to model parameters, where the scaling parameters are known.

use std::sync::Arc;

use super::rows::{each_gradient, each_item, one_axis};
use super::skeleton_state::joint_parameters_rank;
use crate::array::{Batch, Shape};
use crate::backend::cpu::Compute;
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::Result;
use crate::kinematics::InverseWithKnownScales;

/// Rough time for one entry of the inverse.
const ENTRY_NS: f64 = 1.0;

static INPUTS: [Input; 2] = [
    Input {
        name: "joint_parameters",
        differentiable: true,
    },
    Input {
        name: "scale_parameters",
        differentiable: true,
    },
];

/// Model parameters `(..., n_parameters)` from joint parameters `(..., n_joints, 7)` or
/// `(..., 7 * n_joints)` and scaling parameters `(..., n_scales)`: the scales as they are, the pose
/// parameters that come closest, all others 0. Linear in both.
#[derive(Debug, Clone, PartialEq)]
pub struct ApplyInverseWithKnownScales {
    /// The inverse.
    pub inverse: Arc<InverseWithKnownScales>,
}

impl ApplyInverseWithKnownScales {
    fn cost_ns(&self) -> f64 {
        20.0 + ENTRY_NS * (self.inverse.pose().n_entries() + self.n_parameters()) as f64
    }

    fn n_parameters(&self) -> usize {
        self.inverse.pose().n_parameters()
    }

    fn length(&self) -> usize {
        7 * self.inverse.pose().n_joints()
    }

    fn apply<T: Compute>(
        &self,
        inputs: [&Batch<'_, T>; 2],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let (pose, taken) = (self.inverse.pose().plan::<T>(), self.inverse.taken::<T>());
        each_item(
            inputs,
            self.n_parameters(),
            self.cost_ns(),
            out,
            control,
            || (),
            |[joints, scales], (), out| {
                pose.apply::<T>(joints, out);
                for &(parameter, scale, factor) in taken {
                    out[parameter as usize] -= factor * scales[scale as usize];
                }
                for (&parameter, &scale) in self.inverse.scales().iter().zip(scales) {
                    out[parameter] = scale;
                }
            },
        )
    }

    /// The same for one input alone, the other being 0.
    fn apply_part<T: Compute>(
        &self,
        input: &Batch<'_, T>,
        is_scales: bool,
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let other = vec![
            T::ZERO;
            if is_scales {
                self.length()
            } else {
                self.inverse.scales().len()
            }
        ];
        let shape = [other.len()];
        let view = crate::array::View::contiguous(&other, &shape)?;
        let other = Batch::new(view, 1, input.batch_shape());
        let inputs = if is_scales {
            [&other, input]
        } else {
            [input, &other]
        };
        self.apply(inputs, out, control)
    }
}

impl Operation for ApplyInverseWithKnownScales {
    fn name(&self) -> &'static str {
        "joint_parameters_to_model_parameters_with_known_scales"
    }

    fn inputs(&self) -> &'static [Input] {
        &INPUTS
    }

    fn core_rank(&self, index: usize, shape: &[usize]) -> Result<usize> {
        match index {
            0 => joint_parameters_rank(self.inverse.pose().n_joints(), shape),
            _ => {
                let count = self.inverse.scales().len();
                one_axis("scale_parameters", count, "n_scaling_parameters", shape)
            }
        }
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::from_slice(&[self.n_parameters()])
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        self.apply([&inputs[0], &inputs[1]], out, control)
    }

    fn vjp<T: Compute>(
        &self,
        _: &[Batch<'_, T>],
        _: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let (pose, taken) = (self.inverse.pose().plan::<T>(), self.inverse.taken::<T>());
        each_gradient(
            [cotangent],
            [self.length(), self.inverse.scales().len()],
            2.0 * self.cost_ns(),
            gradients,
            control,
            || (),
            |[cotangent], (), [joints, scales]| {
                if let Some(joints) = joints {
                    pose.pull::<T>(cotangent, joints);
                }
                if let Some(scales) = scales {
                    for &(parameter, scale, factor) in taken {
                        scales[scale as usize] -= factor * cotangent[parameter as usize];
                    }
                    for (&parameter, scale) in self.inverse.scales().iter().zip(scales) {
                        *scale += cotangent[parameter];
                    }
                }
            },
        )
    }

    fn jvp<T: Compute>(
        &self,
        _: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        match (&tangents[0], &tangents[1]) {
            (Some(joints), Some(scales)) => self.apply([joints, scales], out, control),
            (Some(joints), None) => self.apply_part(joints, false, out, control),
            (None, Some(scales)) => self.apply_part(scales, true, out, control),
            (None, None) => {
                out.fill(T::ZERO);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::checks::{Argument, assert_derivatives, forward};
    use super::*;
    use crate::character::ParameterTransform;

    /// A scale that drives what a pose parameter drives too, one by itself, and a blend shape.
    fn transform() -> ParameterTransform {
        let names = ["root_tx", "scale_a", "turn", "scale_b"].map(String::from);
        let entries = [
            (0, 0, 1.0),
            (0, 1, 0.5),
            (6, 1, 1.0),
            (3, 2, 1.0),
            (4, 2, 2.0),
            (13, 3, 1.0),
        ];
        ParameterTransform::new(names.to_vec(), 2, entries)
            .unwrap()
            .with_blend_shape_parameters(1)
            .unwrap()
    }

    #[test]
    fn the_pose_comes_back_beside_its_scales() {
        let transform = transform();
        let inverse = Arc::new(InverseWithKnownScales::new(&transform));
        let op = ApplyInverseWithKnownScales { inverse };
        let pose = [0.3, -0.2, 0.7, 0.4, 0.0];
        let dense = transform.to_dense();
        let joints = dense
            .chunks(5)
            .map(|row| row.iter().zip(pose).map(|(a, b)| a * b).sum());
        let joints = Argument::<f64>::new(&[14], joints.collect::<Vec<f64>>());
        let scales = Argument::new(&[2], [pose[1], pose[3]]);
        let got = forward(&op, &[joints.view(), scales.view()]);
        for (got, want) in got.data.iter().zip(pose) {
            assert!((got - want).abs() < 1e-14, "{got} {want}");
        }
    }

    #[test]
    fn derivatives_agree_with_differences_and_with_each_other() {
        let inverse = Arc::new(InverseWithKnownScales::new(&transform()));
        let op = ApplyInverseWithKnownScales { inverse };
        for (joints, scales) in [
            (&[14][..], &[2][..]),
            (&[3, 2, 7], &[3, 2]),
            (&[5, 14], &[2]),
        ] {
            assert_derivatives(
                &op,
                &[Argument::noise(joints, 5), Argument::noise(scales, 6)],
            );
        }
    }
}
