//! To matrices and skeleton states, and back.

use crate::backend::Input;
use crate::backend::operations::pointwise::{PointFunction, input, joined, part};
use crate::backend::operations::quaternion::{FromRotationMatrix, ToRotationMatrix};
use crate::backend::operations::skel_state::{ScaledRotation, linear};
use crate::math::{Number, matrix};

/// The 4x4 matrix of a transform.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToMatrix;

impl PointFunction<13, 16> for ToMatrix {
    const NAME: &'static str = "to_matrix";
    const INPUTS: &'static [Input] = &[input("t"), input("r"), input("s")];
    const ITEMS: &'static [&'static [usize]] = &[&[3], &[3, 3], &[1]];
    const OUTPUT: &'static [usize] = &[4, 4];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 13]) -> [N; 16] {
        let [a, b, c] = matrix::scale(matrix::from_numbers(part(&x, 3)), x[12]);
        let (zero, one) = (N::zero(), N::one());
        let last = [zero, zero, zero, one];
        joined(&[&a, &[x[0]], &b, &[x[1]], &c, &[x[2]], &last])
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 13], cotangent: [N; 16]) -> [N; 13] {
        let (m, g) = (part::<N, 9>(&x, 3), linear(&cotangent));
        let (mut by_m, mut by_s) = (g, N::zero());
        for k in 0..9 {
            by_m[k] = g[k] * x[12];
            by_s = g[k].mul_add(m[k], by_s);
        }
        let by_t = [cotangent[3], cotangent[7], cotangent[11]];
        joined(&[&by_t, &by_m, &[by_s]])
    }
}

/// The translation in a 4x4 matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FromMatrixTranslation;

impl PointFunction<16, 3> for FromMatrixTranslation {
    const NAME: &'static str = "from_matrix";
    const INPUTS: &'static [Input] = &[input("matrices")];
    const ITEMS: &'static [&'static [usize]] = &[&[4, 4]];
    const OUTPUT: &'static [usize] = &[3];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 16]) -> [N; 3] {
        [x[3], x[7], x[11]]
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 16], cotangent: [N; 3]) -> [N; 16] {
        let _ = x;
        let mut gradient = [N::zero(); 16];
        for k in 0..3 {
            gradient[4 * k + 3] = cotangent[k];
        }
        gradient
    }
}

/// The rotation in a 4x4 matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FromMatrixRotation;

impl PointFunction<16, 9> for FromMatrixRotation {
    const NAME: &'static str = "from_matrix";
    const INPUTS: &'static [Input] = &[input("matrices")];
    const ITEMS: &'static [&'static [usize]] = &[&[4, 4]];
    const OUTPUT: &'static [usize] = &[3, 3];
    const COST_NS: f64 = 200.0;

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 16]) -> [N; 9] {
        let turn = ScaledRotation.apply(linear(&x));
        ToRotationMatrix.apply(part(&turn, 0))
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 16], cotangent: [N; 9]) -> [N; 16] {
        let turn = ScaledRotation.apply(linear(&x));
        let by_q = ToRotationMatrix.pull(part(&turn, 0), cotangent);
        from_linear(ScaledRotation.pull(linear(&x), joined(&[&by_q, &[N::zero()]])))
    }
}

/// The scale in a 4x4 matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FromMatrixScale;

impl PointFunction<16, 1> for FromMatrixScale {
    const NAME: &'static str = "from_matrix";
    const INPUTS: &'static [Input] = &[input("matrices")];
    const ITEMS: &'static [&'static [usize]] = &[&[4, 4]];
    const OUTPUT: &'static [usize] = &[1];
    const COST_NS: f64 = 200.0;

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 16]) -> [N; 1] {
        [ScaledRotation.apply(linear(&x))[4]]
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 16], cotangent: [N; 1]) -> [N; 16] {
        let mut by_turn = [N::zero(); 5];
        by_turn[4] = cotangent[0];
        from_linear(ScaledRotation.pull(linear(&x), by_turn))
    }
}

/// The rotation matrix of a skeleton state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FromSkeletonStateRotation;

impl PointFunction<8, 9> for FromSkeletonStateRotation {
    const NAME: &'static str = "from_skeleton_state";
    const INPUTS: &'static [Input] = &[input("skeleton_state")];
    const ITEMS: &'static [&'static [usize]] = &[&[8]];
    const OUTPUT: &'static [usize] = &[3, 3];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 8]) -> [N; 9] {
        ToRotationMatrix.apply(part(&x, 3))
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 8], cotangent: [N; 9]) -> [N; 8] {
        let by_q = ToRotationMatrix.pull(part(&x, 3), cotangent);
        joined(&[&[N::zero(); 3], &by_q, &[N::zero()]])
    }
}

/// The skeleton state of a transform.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToSkeletonState;

impl PointFunction<13, 8> for ToSkeletonState {
    const NAME: &'static str = "to_skeleton_state";
    const INPUTS: &'static [Input] = &[input("t"), input("r"), input("s")];
    const ITEMS: &'static [&'static [usize]] = &[&[3], &[3, 3], &[1]];
    const OUTPUT: &'static [usize] = &[8];
    const COST_NS: f64 = 6.0;

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 13]) -> [N; 8] {
        let q = FromRotationMatrix.apply(part(&x, 3));
        joined(&[&x[0..3], &q, &[x[12]]])
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 13], cotangent: [N; 8]) -> [N; 13] {
        let by_m = FromRotationMatrix.pull(part(&x, 3), part(&cotangent, 3));
        joined(&[&cotangent[0..3], &by_m, &[cotangent[7]]])
    }
}

/// The cotangent of a 4x4 matrix from that of its 3x3 part.
#[inline(always)]
fn from_linear<N: Number>(gradient: [N; 9]) -> [N; 16] {
    let [a, b, c] = matrix::from_numbers(gradient);
    let zero = N::zero();
    joined(&[&a, &[zero], &b, &[zero], &c, &[zero; 5]])
}
