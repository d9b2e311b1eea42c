//! Unit quaternions and inverses.

use crate::backend::Input;
use crate::backend::operations::pointwise::{PointFunction, input};
use crate::math::{Number, quaternion};

/// The quaternion of length 1 in the same direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalize;

impl PointFunction<4, 4> for Normalize {
    const NAME: &'static str = "normalize";
    const INPUTS: &'static [Input] = &[input("q")];
    const ITEMS: &'static [&'static [usize]] = &[&[4]];
    const OUTPUT: &'static [usize] = &[4];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 4]) -> [N; 4] {
        quaternion::normalize(x)
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 4], cotangent: [N; 4]) -> [N; 4] {
        quaternion::unit_pull(quaternion::unit(x), cotangent)
    }
}

/// The conjugate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conjugate;

impl PointFunction<4, 4> for Conjugate {
    const NAME: &'static str = "conjugate";
    const INPUTS: &'static [Input] = &[input("q")];
    const ITEMS: &'static [&'static [usize]] = &[&[4]];
    const OUTPUT: &'static [usize] = &[4];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 4]) -> [N; 4] {
        quaternion::conjugate(x)
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 4], cotangent: [N; 4]) -> [N; 4] {
        let _ = x;
        quaternion::conjugate(cotangent)
    }
}

/// The inverse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inverse;

impl PointFunction<4, 4> for Inverse {
    const NAME: &'static str = "inverse";
    const INPUTS: &'static [Input] = &[input("q")];
    const ITEMS: &'static [&'static [usize]] = &[&[4]];
    const OUTPUT: &'static [usize] = &[4];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 4]) -> [N; 4] {
        quaternion::inverse(x)
    }
}
