//! Products and inverses, and points moved.

use crate::backend::Input;
use crate::backend::operations::pointwise::{PointFunction, input, joined, part};
use crate::math::{Number, matrix, vector};

/// Where a transform takes a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TransformPoints;

impl PointFunction<16, 3> for TransformPoints {
    const NAME: &'static str = "transform_points";
    const INPUTS: &'static [Input] = &[input("t"), input("r"), input("s"), input("points")];
    const ITEMS: &'static [&'static [usize]] = &[&[3], &[3, 3], &[1], &[3]];
    const OUTPUT: &'static [usize] = &[3];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 16]) -> [N; 3] {
        let (t, m, s) = (part(&x, 0), matrix::from_numbers(part(&x, 3)), x[12]);
        vector::scale_add(matrix::apply(m, part(&x, 13)), s, t)
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 16], cotangent: [N; 3]) -> [N; 16] {
        let (m, s, v) = (matrix::from_numbers(part(&x, 3)), x[12], part(&x, 13));
        let scaled = vector::scale(cotangent, s);
        let by_m = matrix::outer(scaled, v);
        let by_s = vector::dot(matrix::apply(m, v), cotangent);
        let by_v = matrix::apply(matrix::transpose(m), scaled);
        joined(&[&cotangent, &matrix::to_numbers(by_m), &[by_s], &by_v])
    }
}

/// The translation of a product: where the first transform takes that of the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MultiplyTranslation;

impl PointFunction<16, 3> for MultiplyTranslation {
    const NAME: &'static str = "multiply";
    const INPUTS: &'static [Input] = &[input("t1"), input("r1"), input("s1"), input("t2")];
    const ITEMS: &'static [&'static [usize]] = &[&[3], &[3, 3], &[1], &[3]];
    const OUTPUT: &'static [usize] = &[3];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 16]) -> [N; 3] {
        TransformPoints.apply(x)
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 16], cotangent: [N; 3]) -> [N; 16] {
        TransformPoints.pull(x, cotangent)
    }
}

/// The scale of a product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MultiplyScale;

impl PointFunction<2, 1> for MultiplyScale {
    const NAME: &'static str = "multiply";
    const INPUTS: &'static [Input] = &[input("s1"), input("s2")];
    const ITEMS: &'static [&'static [usize]] = &[&[1], &[1]];
    const OUTPUT: &'static [usize] = &[1];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 2]) -> [N; 1] {
        [x[0] * x[1]]
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 2], cotangent: [N; 1]) -> [N; 2] {
        [x[1] * cotangent[0], x[0] * cotangent[0]]
    }
}

/// The translation of an inverse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InverseTranslation;

impl PointFunction<13, 3> for InverseTranslation {
    const NAME: &'static str = "inverse";
    const INPUTS: &'static [Input] = &[input("t"), input("r"), input("s")];
    const ITEMS: &'static [&'static [usize]] = &[&[3], &[3, 3], &[1]];
    const OUTPUT: &'static [usize] = &[3];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 13]) -> [N; 3] {
        let (t, m) = (part(&x, 0), matrix::from_numbers(part(&x, 3)));
        let turned = matrix::apply(matrix::transpose(m), t);
        vector::scale(turned, -(N::one() / x[12]))
    }

    #[inline(always)]
    fn pull<N: Number>(self, x: [N; 13], cotangent: [N; 3]) -> [N; 13] {
        let (t, m) = (part(&x, 0), matrix::from_numbers(part(&x, 3)));
        let per_scale = N::one() / x[12];
        let scaled = vector::scale(cotangent, -per_scale);
        let by_t = matrix::apply(m, scaled);
        let by_m = matrix::outer(t, scaled);
        let by_s = -(per_scale * vector::dot(t, by_t));
        joined(&[&by_t, &matrix::to_numbers(by_m), &[by_s]])
    }
}

/// The scale of an inverse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InverseScale;

impl PointFunction<1, 1> for InverseScale {
    const NAME: &'static str = "inverse";
    const INPUTS: &'static [Input] = &[input("s")];
    const ITEMS: &'static [&'static [usize]] = &[&[1]];
    const OUTPUT: &'static [usize] = &[1];

    #[inline(always)]
    fn apply<N: Number>(self, x: [N; 1]) -> [N; 1] {
        [N::one() / x[0]]
    }
}
