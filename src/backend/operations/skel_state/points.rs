//! Points moved by states.

use crate::backend::Input;
use crate::backend::operations::pointwise::{PointFunction, input, joined, part};
use crate::math::{Number, Transform, quaternion, vector};

const INPUTS: &[Input] = &[input("skel_state"), input("points")];

/// Where a state whose quaternion is of length 1 takes a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TransformPointsAssumeNormalized;

impl PointFunction<11, 3> for TransformPointsAssumeNormalized {
    const NAME: &'static str = "transform_points_assume_normalized";
    const INPUTS: &'static [Input] = INPUTS;
    const ITEMS: &'static [&'static [usize]] = &[&[8], &[3]];
    const OUTPUT: &'static [usize] = &[3];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 11]) -> [N; 3] {
        Transform::from_columns(part(&x, 0)).apply(part(&x, 8))
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 11], cotangent: [N; 3]) -> [N; 11] {
        let Transform { q, s, .. } = Transform::from_columns(part(&x, 0));
        let point = part(&x, 8);
        let turned = quaternion::rotate(q, point);
        let (by_q, by_point) = quaternion::rotate_pull(q, point, vector::scale(cotangent, s));
        let by_s = vector::dot(turned, cotangent);
        joined(&[&cotangent, &by_q, &[by_s], &by_point])
    }
}

/// Where a state takes a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TransformPoints;

impl PointFunction<11, 3> for TransformPoints {
    const NAME: &'static str = "transform_points";
    const INPUTS: &'static [Input] = INPUTS;
    const ITEMS: &'static [&'static [usize]] = &[&[8], &[3]];
    const OUTPUT: &'static [usize] = &[3];
    const COST_NS: f64 = 3.0;

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 11]) -> [N; 3] {
        let mut state = Transform::from_columns(part(&x, 0));
        state.q = quaternion::normalize(state.q);
        state.apply(part(&x, 8))
    }

    // The same as for unit quaternions, then back through their lengths.
    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 11], cotangent: [N; 3]) -> [N; 11] {
        let q = quaternion::unit(part(&x, 3));
        let mut unit = x;
        unit[3..7].copy_from_slice(&q.0);
        let mut gradient = TransformPointsAssumeNormalized.pull(unit, cotangent);
        let by_q = quaternion::unit_pull(q, part(&gradient, 3));
        gradient[3..7].copy_from_slice(&by_q);
        gradient
    }
}
