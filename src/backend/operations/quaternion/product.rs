//! Products of rotations.

use crate::backend::Input;
use crate::backend::operations::pointwise::{PointFunction, input, joined, part};
use crate::math::{Number, quaternion};

const FACTORS: &[Input] = &[input("q1"), input("q2")];

/// The product of two quaternions as they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MultiplyAssumeNormalized;

impl PointFunction<8, 4> for MultiplyAssumeNormalized {
    const NAME: &'static str = "multiply_assume_normalized";
    const INPUTS: &'static [Input] = FACTORS;
    const ITEMS: &'static [&'static [usize]] = &[&[4], &[4]];
    const OUTPUT: &'static [usize] = &[4];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 8]) -> [N; 4] {
        quaternion::multiply(part(&x, 0), part(&x, 4))
    }

    // The gradient of a product is a product with the conjugate of the other factor.
    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 8], cotangent: [N; 4]) -> [N; 8] {
        let a = quaternion::conjugate(part(&x, 0));
        let b = quaternion::conjugate(part(&x, 4));
        joined(&[
            &quaternion::multiply(cotangent, b),
            &quaternion::multiply(a, cotangent),
        ])
    }
}

/// The product of the two rotations, a unit quaternion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Multiply;

impl PointFunction<8, 4> for Multiply {
    const NAME: &'static str = "multiply";
    const INPUTS: &'static [Input] = FACTORS;
    const ITEMS: &'static [&'static [usize]] = &[&[4], &[4]];
    const OUTPUT: &'static [usize] = &[4];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 8]) -> [N; 4] {
        quaternion::multiply_rotations(part(&x, 0), part(&x, 4))
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 8], cotangent: [N; 4]) -> [N; 8] {
        let (a, b) = (quaternion::unit(part(&x, 0)), quaternion::unit(part(&x, 4)));
        let by_a = quaternion::multiply(cotangent, quaternion::conjugate(b.0));
        let by_b = quaternion::multiply(quaternion::conjugate(a.0), cotangent);
        joined(&[
            &quaternion::unit_pull(a, by_a),
            &quaternion::unit_pull(b, by_b),
        ])
    }
}
