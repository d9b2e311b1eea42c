//! Angles from coordinates, over lanes.

use super::lane::Lane;

/// The angle of the point `(x, y)` from the x axis, in -π ..= π, within about two units in the last
/// place; 0 for the origin, NaN where a coordinate is NaN.
///
/// Reduction to |t| <= tan(π/8) about 0 or π/4, then the minimax functions of the Cephes library.
#[inline(always)]
pub fn atan2<L: Lane>(y: L, x: L) -> L {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};
    let (ax, ay) = (x.abs(), y.abs());
    let steep = ax.lt(ay);
    let (low, high) = (L::select(steep, ax, ay), L::select(steep, ay, ax));
    // Past tan(π/8) the angle is π/4 less the angle of (high - low) / (high + low).
    let wide = (high * L::lit(0.414_213_562_373_095_05)).lt(low);
    let over = L::select(wide, low - high, low);
    let under = L::select(wide, low + high, high);
    // The smallest number there is, so that only zero is below it.
    let tiny = if size_of::<L::Scalar>() == 4 {
        1.4e-45
    } else {
        5e-324
    };
    let origin = under.lt(L::lit(tiny));
    let t = over / L::select(origin, L::one(), under);
    let z = t * t;
    let series = if size_of::<L::Scalar>() == 4 {
        let p = L::lit(0.080_537_444_953_8)
            .mul_add(z, L::lit(-0.138_776_856_032))
            .mul_add(z, L::lit(0.199_777_106_478))
            .mul_add(z, L::lit(-0.333_329_491_539));
        p * z
    } else {
        let p = L::lit(-0.875_060_860_003_190_4)
            .mul_add(z, L::lit(-16.157_537_187_333_652))
            .mul_add(z, L::lit(-75.008_557_923_147_05))
            .mul_add(z, L::lit(-122.886_668_449_013_61))
            .mul_add(z, L::lit(-64.850_219_049_420_25));
        let q = (z + L::lit(24.858_464_901_423_062))
            .mul_add(z, L::lit(165.027_009_831_698_85))
            .mul_add(z, L::lit(432.881_060_491_290_27))
            .mul_add(z, L::lit(485.390_399_635_913_7))
            .mul_add(z, L::lit(194.550_657_148_261_4));
        z * p / q
    };
    let small = series.mul_add(t, t);
    let angle = L::select(wide, L::lit(FRAC_PI_4) + small, small);
    let angle = L::select(steep, L::lit(FRAC_PI_2) - angle, angle);
    let angle = L::select(x.lt(L::zero()), L::lit(PI) - angle, angle);
    L::select(y.lt(L::zero()), -angle, angle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_are_right_all_around_and_at_every_size() {
        for step in -4000..=4000 {
            let angle = f64::from(step) * 0.000_785_398_163_3;
            for size in [1e-12, 1.0, 1e12] {
                let (y, x) = (angle.sin() * size, angle.cos() * size);
                assert!((atan2(y, x) - y.atan2(x)).abs() < 9e-16, "{angle}");
                let (y, x) = (y as f32, x as f32);
                let want = f64::from(y).atan2(f64::from(x));
                assert!((f64::from(atan2(y, x)) - want).abs() < 4.5e-7, "{angle}");
            }
        }
        assert_eq!(atan2(0.0_f32, 0.0), 0.0);
        assert_eq!(atan2(0.0_f64, 1.0), 0.0);
        assert_eq!(atan2(1.0_f64, 0.0), std::f64::consts::FRAC_PI_2);
        assert_eq!(atan2(0.0_f64, -1.0), std::f64::consts::PI);
        assert!(atan2(f32::NAN, 1.0).is_nan() && atan2(1.0, f64::NAN).is_nan());
    }
}
