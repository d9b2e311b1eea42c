//! Elementary functions over lanes.

// Coefficients stand as published; what f64 cannot hold is rounded by the compiler.
#![allow(clippy::excessive_precision)]

use super::lane::Lane;
use super::real::Real;

/// Whether the lanes are single precision; a constant after inlining.
#[inline(always)]
const fn single<L: Lane>() -> bool {
    size_of::<L::Scalar>() == 4
}

/// `Σ coefficients[i] · x^i`, by Horner's rule.
#[inline(always)]
fn polynomial<L: Lane, const N: usize>(x: L, coefficients: [f64; N]) -> L {
    let mut sum = L::lit(coefficients[N - 1]);
    for &coefficient in coefficients[..N - 1].iter().rev() {
        sum = sum.mul_add(x, L::lit(coefficient));
    }
    sum
}

/// Sine and cosine, within about one unit in the last place; NaN where not finite.
///
/// Reduction to ±π/4 by three parts of π/2 with trailing zeros (Cody and Waite), then the minimax
/// polynomials of the Cephes library. Large arguments take the standard library's way.
#[inline(always)]
pub fn sin_cos<L: Lane>(x: L) -> (L, L) {
    let limit = if single::<L>() { 8192.0 } else { 1.0e6 };
    if !L::all(x.abs().lt(L::lit(limit))) {
        return sin_cos_far(x);
    }
    let quarter = (x * L::lit(std::f64::consts::FRAC_2_PI)).round();
    let parts: [f64; 3] = if single::<L>() {
        [1.5703125, 4.837512969970703125e-4, 7.54978995489188216e-8]
    } else {
        [
            1.570_796_251_296_997_070_31,
            7.549_789_415_861_596_353_35e-8,
            5.390_302_858_158_119_052_90e-15,
        ]
    };
    let minus = -quarter;
    let mut r = minus.mul_add(L::lit(parts[0]), x);
    r = minus.mul_add(L::lit(parts[1]), r);
    r = minus.mul_add(L::lit(parts[2]), r);
    let r2 = r * r;
    let (s, c) = if single::<L>() {
        (
            polynomial(
                r2,
                [-1.666_665_461_1e-1, 8.332_160_873_6e-3, -1.951_529_589_1e-4],
            ),
            polynomial(
                r2,
                [
                    4.166_664_568_298_827e-2,
                    -1.388_731_625_493_765e-3,
                    2.443_315_711_809_948e-5,
                ],
            ),
        )
    } else {
        (
            polynomial(
                r2,
                [
                    -1.666_666_666_666_663_072_95e-1,
                    8.333_333_333_322_118_588_78e-3,
                    -1.984_126_982_958_953_859_96e-4,
                    2.755_731_362_138_572_452_13e-6,
                    -2.505_074_776_285_780_728_66e-8,
                    1.589_623_015_765_465_680_60e-10,
                ],
            ),
            polynomial(
                r2,
                [
                    4.166_666_666_666_659_292_18e-2,
                    -1.388_888_888_887_305_641_16e-3,
                    2.480_158_728_885_170_453_48e-5,
                    -2.755_731_417_929_673_881_12e-7,
                    2.087_570_084_197_473_167_78e-9,
                    -1.135_853_652_138_768_173_00e-11,
                ],
            ),
        )
    };
    let sin = (r * r2).mul_add(s, r);
    let cos = (r2 * r2).mul_add(c, L::lit(-0.5).mul_add(r2, L::one()));
    // quarter mod 4 = 2·half + odd, all exact in floating point.
    let quarter_of =
        |x: L, step: f64| x - (x * L::lit(1.0 / step) - L::lit(0.375)).round() * L::lit(step);
    let odd = L::lit(0.5).lt(quarter_of(quarter, 2.0));
    let turn = quarter_of(quarter, 4.0);
    let negative_sin = L::lit(1.5).lt(turn);
    let negative_cos = L::lit(0.5).lt(turn);
    let not_last = turn.lt(L::lit(2.5));
    let (sin, cos) = (L::select(odd, cos, sin), L::select(odd, sin, cos));
    let cos_flipped = L::select(not_last, -cos, cos);
    (
        L::select(negative_sin, -sin, sin),
        L::select(negative_cos, cos_flipped, cos),
    )
}

#[cold]
#[inline(never)]
fn sin_cos_far<L: Lane>(x: L) -> (L, L) {
    (
        x.map(|x| L::Scalar::from_f64(x.to_f64().sin())),
        x.map(|x| L::Scalar::from_f64(x.to_f64().cos())),
    )
}

/// Two to the power of `x`, within about one unit in the last place.
#[inline(always)]
pub fn exp2<L: Lane>(x: L) -> L {
    let limit = if single::<L>() { 125.0 } else { 1021.0 };
    if !L::all(x.abs().lt(L::lit(limit))) {
        return exp2_far(x);
    }
    let whole = x.round();
    let f = (x - whole) * L::lit(std::f64::consts::LN_2);
    // The Taylor series on |f| <= ln(2)/2 reaches the last place with these many terms.
    let series = if single::<L>() {
        polynomial(
            f,
            [
                1.0,
                1.0,
                1.0 / 2.0,
                1.0 / 6.0,
                1.0 / 24.0,
                1.0 / 120.0,
                1.0 / 720.0,
                1.0 / 5040.0,
            ],
        )
    } else {
        polynomial(
            f,
            [
                1.0,
                1.0,
                1.0 / 2.0,
                1.0 / 6.0,
                1.0 / 24.0,
                1.0 / 120.0,
                1.0 / 720.0,
                1.0 / 5040.0,
                1.0 / 40_320.0,
                1.0 / 362_880.0,
                1.0 / 3_628_800.0,
                1.0 / 39_916_800.0,
                1.0 / 479_001_600.0,
                1.0 / 6_227_020_800.0,
            ],
        )
    };
    series * whole.exp2_whole()
}

#[cold]
#[inline(never)]
fn exp2_far<L: Lane>(x: L) -> L {
    x.map(|x| L::Scalar::from_f64(x.to_f64().exp2()))
}

/// The logarithm to base two; NaN below zero, minus infinity at zero.
#[inline(always)]
pub fn log2<L: Lane>(x: L) -> L {
    // Most scales are 1.
    if L::all((x - L::one()).abs().lt(L::lit(1e-30))) {
        return L::zero();
    }
    x.map(|x| L::Scalar::from_f64(x.to_f64().log2()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sine_and_cosine_are_right_in_every_quarter_and_far_away() {
        let mut x = -50.0_f64;
        while x < 50.0 {
            let (s, c) = sin_cos(x);
            assert!(
                (s - x.sin()).abs() < 3e-16 && (c - x.cos()).abs() < 3e-16,
                "{x}"
            );
            let (s, c) = sin_cos(x as f32);
            let x32 = f64::from(x as f32);
            assert!((f64::from(s) - x32.sin()).abs() < 1.5e-7, "{x}");
            assert!((f64::from(c) - x32.cos()).abs() < 1.5e-7, "{x}");
            x += 0.017;
        }
        for x in [9.0e5_f64, -9.9e5, 1e9, 1e300] {
            let (s, c) = sin_cos(x);
            assert!(
                (s - x.sin()).abs() < 1e-12 && (c - x.cos()).abs() < 1e-12,
                "{x}"
            );
        }
        assert!(sin_cos(f64::NAN).0.is_nan() && sin_cos(f32::INFINITY).1.is_nan());
    }

    #[test]
    fn powers_of_two_are_right() {
        let mut x = -40.0_f64;
        while x < 40.0 {
            assert!((exp2(x) / x.exp2() - 1.0).abs() < 5e-16, "{x}");
            let single = f64::from(exp2(x as f32));
            assert!(
                (single / f64::from(x as f32).exp2() - 1.0).abs() < 2e-7,
                "{x}"
            );
            x += 0.013;
        }
        assert_eq!(exp2(0.0_f32), 1.0);
        assert_eq!(exp2(2000.0_f64), f64::INFINITY);
        assert!(exp2(f32::NAN).is_nan());
    }
}
