//! States to matrices and back.

use crate::backend::Input;
use crate::backend::operations::pointwise::{PointFunction, input, joined, part};
use crate::math::{Number, matrix, polar, quaternion};

/// The 4x4 matrix of a state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToMatrix;

impl PointFunction<8, 16> for ToMatrix {
    const NAME: &'static str = "to_matrix";
    const INPUTS: &'static [Input] = &[input("skeleton_state")];
    const ITEMS: &'static [&'static [usize]] = &[&[8]];
    const OUTPUT: &'static [usize] = &[4, 4];
    const COST_NS: f64 = 4.0;

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 8]) -> [N; 16] {
        let rotation = quaternion::to_matrix(quaternion::normalize(part(&x, 3)));
        let [a, b, c] = matrix::scale(rotation, x[7]);
        let (zero, one) = (N::zero(), N::one());
        let last = [zero, zero, zero, one];
        joined(&[&a, &[x[0]], &b, &[x[1]], &c, &[x[2]], &last])
    }
}

/// The rotation and the scale in a 3x3 matrix, as `qx qy qz qw s`: a part of other functions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::backend::operations) struct ScaledRotation;

impl PointFunction<9, 5> for ScaledRotation {
    const NAME: &'static str = "from_matrix";
    const INPUTS: &'static [Input] = &[input("matrices")];
    const ITEMS: &'static [&'static [usize]] = &[&[3, 3]];
    const OUTPUT: &'static [usize] = &[5];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 9]) -> [N; 5] {
        let (q, s) = polar::decompose(matrix::from_numbers(x));
        joined(&[&q, &[s]])
    }
}

/// The state of a 4x4 matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FromMatrix;

impl PointFunction<16, 8> for FromMatrix {
    const NAME: &'static str = "from_matrix";
    const INPUTS: &'static [Input] = &[input("matrices")];
    const ITEMS: &'static [&'static [usize]] = &[&[4, 4]];
    const OUTPUT: &'static [usize] = &[8];
    const COST_NS: f64 = 200.0;

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 16]) -> [N; 8] {
        let turn = ScaledRotation.apply(linear(&x));
        joined(&[&[x[3], x[7], x[11]], &turn])
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 16], cotangent: [N; 8]) -> [N; 16] {
        let turn = ScaledRotation.pull(linear(&x), part(&cotangent, 3));
        let [a, b, c] = matrix::from_numbers(turn);
        let (zero, t) = ([N::zero(); 4], part::<N, 3>(&cotangent, 0));
        joined(&[&a, &[t[0]], &b, &[t[1]], &c, &[t[2]], &zero])
    }
}

/// The part of a 4x4 matrix that does not move the origin.
#[inline(always)]
pub(in crate::backend::operations) fn linear<N: Number>(x: &[N; 16]) -> [N; 9] {
    joined(&[&x[0..3], &x[4..7], &x[8..11]])
}
