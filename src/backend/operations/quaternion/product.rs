//! Products of rotations.

use crate::backend::Input;
use crate::backend::operations::pointwise::PointFunction;
use crate::math::{Number, quaternion};

static FACTORS: [Input; 2] = [
    Input {
        name: "q1",
        differentiable: true,
    },
    Input {
        name: "q2",
        differentiable: true,
    },
];

/// The product of two quaternions as they are.
#[derive(Debug, Clone, Copy)]
pub struct MultiplyAssumeNormalized;

impl PointFunction<8, 4> for MultiplyAssumeNormalized {
    const NAME: &'static str = "multiply_assume_normalized";
    const INPUTS: &'static [Input] = &FACTORS;
    const ITEMS: &'static [&'static [usize]] = &[&[4], &[4]];
    const OUTPUT: &'static [usize] = &[4];

    #[inline(always)]
    fn apply<N: Number>(self, [ax, ay, az, aw, bx, by, bz, bw]: [N; 8]) -> [N; 4] {
        quaternion::multiply([ax, ay, az, aw], [bx, by, bz, bw])
    }

    // The gradient of a product is a product with the conjugate of the other factor.
    #[inline(always)]
    fn pull<N: Number>(
        self,
        [ax, ay, az, aw, bx, by, bz, bw]: [N; 8],
        cotangent: [N; 4],
    ) -> [N; 8] {
        let a = quaternion::conjugate([ax, ay, az, aw]);
        let b = quaternion::conjugate([bx, by, bz, bw]);
        let [p, q, r, s] = quaternion::multiply(cotangent, b);
        let [t, u, v, w] = quaternion::multiply(a, cotangent);
        [p, q, r, s, t, u, v, w]
    }
}

/// The product of the two rotations, a unit quaternion.
#[derive(Debug, Clone, Copy)]
pub struct Multiply;

impl PointFunction<8, 4> for Multiply {
    const NAME: &'static str = "multiply";
    const INPUTS: &'static [Input] = &FACTORS;
    const ITEMS: &'static [&'static [usize]] = &[&[4], &[4]];
    const OUTPUT: &'static [usize] = &[4];

    #[inline(always)]
    fn apply<N: Number>(self, [ax, ay, az, aw, bx, by, bz, bw]: [N; 8]) -> [N; 4] {
        quaternion::multiply_rotations([ax, ay, az, aw], [bx, by, bz, bw])
    }
}
