//! States from their parts, and back.

use crate::backend::Input;
use crate::backend::operations::pointwise::{PointFunction, input, joined, part};
use crate::math::Number;

/// `LENGTH` numbers of an item of `IN`, from number `FROM` on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part<const IN: usize, const FROM: usize, const LENGTH: usize>;

impl<const IN: usize, const FROM: usize, const LENGTH: usize> PointFunction<IN, LENGTH>
    for Part<IN, FROM, LENGTH>
{
    const NAME: &'static str = "split";
    const INPUTS: &'static [Input] = &[input(if IN == 4 { "q" } else { "skel_state" })];
    const ITEMS: &'static [&'static [usize]] = &[&[IN]];
    const OUTPUT: &'static [usize] = &[LENGTH];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; IN]) -> [N; LENGTH] {
        part(&x, FROM)
    }

    #[inline(always)]
    fn pull<N: Number>(self, _: [N; IN], cotangent: [N; LENGTH]) -> [N; IN] {
        let mut gradient = [N::zero(); IN];
        gradient[FROM..FROM + LENGTH].copy_from_slice(&cotangent);
        gradient
    }
}

/// A state that only moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FromTranslation;

impl PointFunction<3, 8> for FromTranslation {
    const NAME: &'static str = "from_translation";
    const INPUTS: &'static [Input] = &[input("translation")];
    const ITEMS: &'static [&'static [usize]] = &[&[3]];
    const OUTPUT: &'static [usize] = &[8];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 3]) -> [N; 8] {
        let (zero, one) = (N::zero(), N::one());
        joined(&[&x, &[zero, zero, zero, one, one]])
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 3], cotangent: [N; 8]) -> [N; 3] {
        let _ = x;
        part(&cotangent, 0)
    }
}

/// A state that only turns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FromQuaternion;

impl PointFunction<4, 8> for FromQuaternion {
    const NAME: &'static str = "from_quaternion";
    const INPUTS: &'static [Input] = &[input("rotation")];
    const ITEMS: &'static [&'static [usize]] = &[&[4]];
    const OUTPUT: &'static [usize] = &[8];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 4]) -> [N; 8] {
        joined(&[&[N::zero(); 3], &x, &[N::one()]])
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 4], cotangent: [N; 8]) -> [N; 4] {
        let _ = x;
        part(&cotangent, 3)
    }
}

/// A state that only scales.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FromScale;

impl PointFunction<1, 8> for FromScale {
    const NAME: &'static str = "from_scale";
    const INPUTS: &'static [Input] = &[input("scale")];
    const ITEMS: &'static [&'static [usize]] = &[&[1]];
    const OUTPUT: &'static [usize] = &[8];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 1]) -> [N; 8] {
        let mut state = [N::zero(); 8];
        (state[6], state[7]) = (N::one(), x[0]);
        state
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 1], cotangent: [N; 8]) -> [N; 1] {
        let _ = x;
        [cotangent[7]]
    }
}
