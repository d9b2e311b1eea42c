//! Vectors turned by quaternions.

use crate::backend::Input;
use crate::backend::operations::pointwise::{PointFunction, input, joined, part};
use crate::math::{Number, quaternion};

/// A vector turned by a quaternion of any length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RotateVector;

impl PointFunction<7, 3> for RotateVector {
    const NAME: &'static str = "rotate_vector";
    const INPUTS: &'static [Input] = &[input("q"), input("v")];
    const ITEMS: &'static [&'static [usize]] = &[&[4], &[3]];
    const OUTPUT: &'static [usize] = &[3];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 7]) -> [N; 3] {
        quaternion::rotate(quaternion::normalize(part(&x, 0)), part(&x, 4))
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 7], cotangent: [N; 3]) -> [N; 7] {
        let unit = quaternion::unit(part(&x, 0));
        let (by_q, by_v) = quaternion::rotate_pull(unit.0, part(&x, 4), cotangent);
        joined(&[&quaternion::unit_pull(unit, by_q), &by_v])
    }
}

/// A vector turned by a quaternion as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RotateVectorAssumeNormalized;

impl PointFunction<7, 3> for RotateVectorAssumeNormalized {
    const NAME: &'static str = "rotate_vector_assume_normalized";
    const INPUTS: &'static [Input] = &[input("q"), input("v")];
    const ITEMS: &'static [&'static [usize]] = &[&[4], &[3]];
    const OUTPUT: &'static [usize] = &[3];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 7]) -> [N; 3] {
        quaternion::rotate(part(&x, 0), part(&x, 4))
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 7], cotangent: [N; 3]) -> [N; 7] {
        let (by_q, by_v) = quaternion::rotate_pull(part(&x, 0), part(&x, 4), cotangent);
        joined(&[&by_q, &by_v])
    }
}
