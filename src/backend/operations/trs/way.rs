//! From one transform to another.

use crate::backend::Input;
use crate::backend::operations::pointwise::{PointFunction, input, joined, part};
use crate::backend::operations::quaternion::{FromRotationMatrix, Slerp, ToRotationMatrix};
use crate::math::Number;

/// `K` numbers straight from one place to another: translations and scales.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlerpLine<const K: usize> {
    /// Whether the last axis of `t` is one of size 1, not a batch axis.
    pub column: bool,
}

/// The number of inputs of a line depends on its numbers, which Rust cannot say: one of each.
macro_rules! line {
    ($k:literal, $in:literal, $a:literal, $b:literal) => {
        impl PointFunction<$in, $k> for SlerpLine<$k> {
            const NAME: &'static str = "slerp";
            const INPUTS: &'static [Input] = &[input($a), input($b), input("t")];
            const ITEMS: &'static [&'static [usize]] = &[&[$k], &[$k], &[1]];
            const OUTPUT: &'static [usize] = &[$k];

            fn item(&self, index: usize) -> &'static [usize] {
                match (index, self.column) {
                    (2, false) => &[],
                    _ => Self::ITEMS[index],
                }
            }

            #[inline(always)]
            fn apply<N: Number>(self, x: [N; $in]) -> [N; $k] {
                let mut y = [N::zero(); $k];
                for k in 0..$k {
                    y[k] = (x[$k + k] - x[k]).mul_add(x[$in - 1], x[k]);
                }
                y
            }
        }
    };
}
line!(3, 7, "t0", "t1");
line!(1, 3, "s0", "s1");

/// A rotation matrix on the shorter way between two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlerpRotation {
    /// Whether the last axis of `t` is one of size 1, not a batch axis.
    pub column: bool,
}

impl PointFunction<19, 9> for SlerpRotation {
    const NAME: &'static str = "slerp";
    const INPUTS: &'static [Input] = &[input("r0"), input("r1"), input("t")];
    const ITEMS: &'static [&'static [usize]] = &[&[3, 3], &[3, 3], &[1]];
    const OUTPUT: &'static [usize] = &[3, 3];
    const COST_NS: f64 = 40.0;

    fn item(&self, index: usize) -> &'static [usize] {
        match (index, self.column) {
            (2, false) => &[],
            _ => Self::ITEMS[index],
        }
    }

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 19]) -> [N; 9] {
        let a = FromRotationMatrix.apply(part(&x, 0));
        let b = FromRotationMatrix.apply(part(&x, 9));
        let way = Slerp { column: true };
        ToRotationMatrix.apply(way.apply(joined(&[&a, &b, &[x[18]]])))
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 19], cotangent: [N; 9]) -> [N; 19] {
        let (a, b) = (part(&x, 0), part(&x, 9));
        let from = FromRotationMatrix.apply(a);
        let to = FromRotationMatrix.apply(b);
        let (way, ends) = (Slerp { column: true }, joined(&[&from, &to, &[x[18]]]));
        let by_q = ToRotationMatrix.pull(way.apply(ends), cotangent);
        let by_ends = way.pull(ends, by_q);
        let by_a = FromRotationMatrix.pull(a, part(&by_ends, 0));
        let by_b = FromRotationMatrix.pull(b, part(&by_ends, 4));
        joined(&[&by_a, &by_b, &[by_ends[8]]])
    }
}
