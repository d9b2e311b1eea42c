//! From one state to another.

use crate::backend::Input;
use crate::backend::operations::pointwise::{PointFunction, input, joined, part};
use crate::backend::operations::quaternion;
use crate::math::{Number, rotation, vector};

/// A state on the way between two: translation and scale straight, rotation on the shorter arc.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slerp {
    /// Whether the last axis of `t` is one of size 1, not a batch axis.
    pub column: bool,
}

impl PointFunction<17, 8> for Slerp {
    const NAME: &'static str = "slerp";
    const INPUTS: &'static [Input] = &[input("s0"), input("s1"), input("t")];
    const ITEMS: &'static [&'static [usize]] = &[&[8], &[8], &[1]];
    const OUTPUT: &'static [usize] = &[8];
    const COST_NS: f64 = 20.0;

    fn item(&self, index: usize) -> &'static [usize] {
        match (index, self.column) {
            (2, false) => &[],
            _ => Self::ITEMS[index],
        }
    }

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 17]) -> [N; 8] {
        let (a, b, w) = (part::<N, 3>(&x, 0), part(&x, 8), x[16]);
        let t = vector::scale_add(vector::sub(b, a), w, a);
        let q = rotation::interpolate(part(&x, 3), part(&x, 11), w);
        joined(&[&t, &q, &[(x[15] - x[7]).mul_add(w, x[7])]])
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 17], cotangent: [N; 8]) -> [N; 17] {
        let (w, rest) = (x[16], N::one() - x[16]);
        let turn = joined::<N, 9>(&[&x[3..7], &x[11..15], &[w]]);
        let turn = quaternion::Slerp { column: true }.pull(turn, part(&cotangent, 3));
        let g = part::<N, 3>(&cotangent, 0);
        let way = vector::sub(part(&x, 8), part(&x, 0));
        let by_scale = (x[15] - x[7]).mul_add(cotangent[7], vector::dot(way, g));
        joined(&[
            &vector::scale(g, rest),
            &turn[0..4],
            &[cotangent[7] * rest],
            &vector::scale(g, w),
            &turn[4..8],
            &[cotangent[7] * w, by_scale + turn[8]],
        ])
    }
}
