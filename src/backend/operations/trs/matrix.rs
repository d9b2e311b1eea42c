//! Rotation matrices.

use crate::backend::Input;
use crate::backend::operations::pointwise::{PointFunction, input, joined, part};
use crate::math::{EulerOrder, Number, matrix, quaternion};

/// The inverse of a rotation matrix: its transpose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatrixInverse;

impl PointFunction<9, 9> for MatrixInverse {
    const NAME: &'static str = "rotmat_inverse";
    const INPUTS: &'static [Input] = &[input("r")];
    const ITEMS: &'static [&'static [usize]] = &[&[3, 3]];
    const OUTPUT: &'static [usize] = &[3, 3];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 9]) -> [N; 9] {
        matrix::to_numbers(matrix::transpose(matrix::from_numbers(x)))
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 9], cotangent: [N; 9]) -> [N; 9] {
        let _ = x;
        self.apply(cotangent)
    }
}

/// The product of two matrices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatrixMultiply;

impl PointFunction<18, 9> for MatrixMultiply {
    const NAME: &'static str = "rotmat_multiply";
    const INPUTS: &'static [Input] = &[input("r1"), input("r2")];
    const ITEMS: &'static [&'static [usize]] = &[&[3, 3], &[3, 3]];
    const OUTPUT: &'static [usize] = &[3, 3];
    const COST_NS: f64 = 4.0;

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 18]) -> [N; 9] {
        let (a, b) = (part(&x, 0), part(&x, 9));
        let (a, b) = (matrix::from_numbers(a), matrix::from_numbers(b));
        matrix::to_numbers(matrix::multiply(a, b))
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 18], cotangent: [N; 9]) -> [N; 18] {
        let (a, b) = (part(&x, 0), part(&x, 9));
        let (a, b) = (matrix::from_numbers(a), matrix::from_numbers(b));
        let g = matrix::from_numbers(cotangent);
        let by_a = matrix::multiply(g, matrix::transpose(b));
        let by_b = matrix::multiply(matrix::transpose(a), g);
        joined(&[&matrix::to_numbers(by_a), &matrix::to_numbers(by_b)])
    }
}

/// A matrix times a vector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatrixRotateVector;

impl PointFunction<12, 3> for MatrixRotateVector {
    const NAME: &'static str = "rotmat_rotate_vector";
    const INPUTS: &'static [Input] = &[input("r"), input("v")];
    const ITEMS: &'static [&'static [usize]] = &[&[3, 3], &[3]];
    const OUTPUT: &'static [usize] = &[3];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 12]) -> [N; 3] {
        matrix::apply(matrix::from_numbers(part(&x, 0)), part(&x, 9))
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 12], cotangent: [N; 3]) -> [N; 12] {
        let m = matrix::from_numbers(part(&x, 0));
        let by_m = matrix::outer(cotangent, part(&x, 9));
        let by_v = matrix::apply(matrix::transpose(m), cotangent);
        joined(&[&matrix::to_numbers(by_m), &by_v])
    }
}

/// The matrix of rotations about x, then y, then z.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FromEulerXyz;

impl PointFunction<3, 9> for FromEulerXyz {
    const NAME: &'static str = "rotmat_from_euler_xyz";
    const INPUTS: &'static [Input] = &[input("euler")];
    const ITEMS: &'static [&'static [usize]] = &[&[3]];
    const OUTPUT: &'static [usize] = &[3, 3];
    const COST_NS: f64 = 5.0;

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 3]) -> [N; 9] {
        matrix::to_numbers(quaternion::to_matrix(EulerOrder::XYZ.compose(x)))
    }
}
