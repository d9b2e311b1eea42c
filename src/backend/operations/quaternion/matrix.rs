//! Quaternions to rotation matrices and back.

use crate::backend::Input;
use crate::backend::operations::pointwise::{PointFunction, input};
use crate::math::{Number, matrix, quaternion, rotation};

/// The rotation matrix of a quaternion of any length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToRotationMatrix;

impl PointFunction<4, 9> for ToRotationMatrix {
    const NAME: &'static str = "to_rotation_matrix";
    const INPUTS: &'static [Input] = &[input("q")];
    const ITEMS: &'static [&'static [usize]] = &[&[4]];
    const OUTPUT: &'static [usize] = &[3, 3];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 4]) -> [N; 9] {
        matrix::to_numbers(quaternion::to_matrix(quaternion::normalize(x)))
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 4], cotangent: [N; 9]) -> [N; 4] {
        let unit = quaternion::unit(x);
        let gradient = ToRotationMatrixAssumeNormalized.pull(unit.0, cotangent);
        quaternion::unit_pull(unit, gradient)
    }
}

/// The rotation matrix of a unit quaternion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToRotationMatrixAssumeNormalized;

impl PointFunction<4, 9> for ToRotationMatrixAssumeNormalized {
    const NAME: &'static str = "to_rotation_matrix_assume_normalized";
    const INPUTS: &'static [Input] = &[input("q")];
    const ITEMS: &'static [&'static [usize]] = &[&[4]];
    const OUTPUT: &'static [usize] = &[3, 3];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 4]) -> [N; 9] {
        matrix::to_numbers(quaternion::to_matrix(x))
    }
}

/// The unit quaternion of a rotation matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FromRotationMatrix;

impl PointFunction<9, 4> for FromRotationMatrix {
    const NAME: &'static str = "from_rotation_matrix";
    const INPUTS: &'static [Input] = &[input("matrices")];
    const ITEMS: &'static [&'static [usize]] = &[&[3, 3]];
    const OUTPUT: &'static [usize] = &[4];
    const COST_NS: f64 = 5.0;

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 9]) -> [N; 4] {
        rotation::from_matrix(matrix::from_numbers(x))
    }
}
