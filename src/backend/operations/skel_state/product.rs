//! Products and inverses of states.

use crate::backend::Input;
use crate::backend::operations::pointwise::{PointFunction, input, joined, part};
use crate::math::{Number, Transform, quaternion, vector};

const FACTORS: &[Input] = &[input("s1"), input("s2")];

/// The product of two states whose quaternions are of length 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MultiplyAssumeNormalized;

impl PointFunction<16, 8> for MultiplyAssumeNormalized {
    const NAME: &'static str = "multiply_assume_normalized";
    const INPUTS: &'static [Input] = FACTORS;
    const ITEMS: &'static [&'static [usize]] = &[&[8], &[8]];
    const OUTPUT: &'static [usize] = &[8];
    const COST_NS: f64 = 4.0;

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 16]) -> [N; 8] {
        let (a, b) = (part(&x, 0), part(&x, 8));
        let (a, b) = (Transform::from_columns(a), Transform::from_columns(b));
        a.compose(&b).to_columns()
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 16], cotangent: [N; 8]) -> [N; 16] {
        let (a, b) = (part(&x, 0), part(&x, 8));
        let (a, b) = (Transform::from_columns(a), Transform::from_columns(b));
        let Transform { t, q, s } = Transform::from_columns(cotangent);
        // Of t1 + s1 · rotate(q1, t2), q1 · q2 and s1 · s2.
        let turned = quaternion::rotate(a.q, b.t);
        let (turn, arm) = quaternion::rotate_pull(a.q, b.t, vector::scale(t, a.s));
        let mut by_a = quaternion::multiply(q, quaternion::conjugate(b.q));
        for k in 0..4 {
            by_a[k] += turn[k];
        }
        let by_b = quaternion::multiply(quaternion::conjugate(a.q), q);
        let by_scale = s.mul_add(b.s, vector::dot(turned, t));
        joined(&[&t, &by_a, &[by_scale], &arm, &by_b, &[s * a.s]])
    }
}

/// The product of two states, with a unit quaternion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Multiply;

impl PointFunction<16, 8> for Multiply {
    const NAME: &'static str = "multiply";
    const INPUTS: &'static [Input] = FACTORS;
    const ITEMS: &'static [&'static [usize]] = &[&[8], &[8]];
    const OUTPUT: &'static [usize] = &[8];
    const COST_NS: f64 = 6.0;

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 16]) -> [N; 8] {
        let (a, b) = (part(&x, 0), part(&x, 8));
        let mut a = Transform::from_columns(a);
        let mut b = Transform::from_columns(b);
        a.q = quaternion::normalize(a.q);
        b.q = quaternion::normalize(b.q);
        a.compose(&b).to_columns()
    }

    // The same as for unit quaternions, then back through their lengths.
    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 16], cotangent: [N; 8]) -> [N; 16] {
        let a = quaternion::unit(part(&x, 3));
        let b = quaternion::unit(part(&x, 11));
        let mut unit = x;
        unit[3..7].copy_from_slice(&a.0);
        unit[11..15].copy_from_slice(&b.0);
        let mut gradient = MultiplyAssumeNormalized.pull(unit, cotangent);
        let by_a = quaternion::unit_pull(a, part(&gradient, 3));
        let by_b = quaternion::unit_pull(b, part(&gradient, 11));
        gradient[3..7].copy_from_slice(&by_a);
        gradient[11..15].copy_from_slice(&by_b);
        gradient
    }
}

/// The state that undoes a state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inverse;

impl PointFunction<8, 8> for Inverse {
    const NAME: &'static str = "inverse";
    const INPUTS: &'static [Input] = &[input("skeleton_states")];
    const ITEMS: &'static [&'static [usize]] = &[&[8]];
    const OUTPUT: &'static [usize] = &[8];
    const COST_NS: f64 = 6.0;

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 8]) -> [N; 8] {
        let state = Transform::from_columns(x);
        let q = quaternion::normalize(state.q);
        let t = Transform { q, ..state }.inverse().t;
        let s = N::one() / state.s;
        joined(&[&t, &quaternion::inverse(state.q), &[s]])
    }
}
