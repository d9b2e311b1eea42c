//! Numbers that move along one direction, as the scalar type of whole kernels.
//!
//! [`Dual`] differentiates a formula; with this type in the place of `f64` every kernel, forward or
//! backward, computes along its derivative in one direction too. That is where second derivatives come
//! from: the derivative of a vjp is the vjp of moving numbers.
//!
//! Unlike registers these are not inlined at all costs: kernels of them are many and rarely run, and would
//! take the compiler longer than all others together.

use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use super::{Dual, Lane, Number, Real};

/// A double precision number and its rate of change.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Moving(Dual<f64, 1>);

impl Moving {
    /// A number with its rate of change.
    #[inline(always)]
    #[must_use]
    pub fn new(value: f64, rate: f64) -> Self {
        Self(Dual {
            value,
            tangent: [rate],
        })
    }

    /// The number now.
    #[inline(always)]
    #[must_use]
    pub fn value(self) -> f64 {
        self.0.value
    }

    /// Its rate of change.
    #[inline(always)]
    #[must_use]
    pub fn rate(self) -> f64 {
        self.0.tangent[0]
    }
}

impl From<f64> for Moving {
    #[inline(always)]
    fn from(value: f64) -> Self {
        Self::from_f64(value)
    }
}

impl Default for Moving {
    fn default() -> Self {
        Self::ZERO
    }
}

impl fmt::Debug for Moving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Moving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} moving by {}", self.value(), self.rate())
    }
}

/// Compared by what they are now, as kernels branch on that.
impl PartialEq for Moving {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}

impl PartialOrd for Moving {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value().partial_cmp(&other.value())
    }
}

impl Add for Moving {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Moving {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Mul for Moving {
    type Output = Self;
    #[inline(never)]
    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0)
    }
}

impl Div for Moving {
    type Output = Self;
    #[inline(never)]
    fn div(self, other: Self) -> Self {
        Self(self.0 / other.0)
    }
}

impl Neg for Moving {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Moving {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Moving {
    #[inline]
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl MulAssign for Moving {
    #[inline]
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

impl Sum for Moving {
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        numbers.fold(Self::ZERO, |sum, number| sum + number)
    }
}

impl Real for Moving {
    const ZERO: Self = Self(Dual {
        value: 0.0,
        tangent: [0.0],
    });
    const ONE: Self = Self(Dual {
        value: 1.0,
        tangent: [0.0],
    });
    const MIN_POSITIVE: Self = Self(Dual {
        value: f64::MIN_POSITIVE,
        tangent: [0.0],
    });

    #[inline]
    fn from_f64(value: f64) -> Self {
        Self::new(value, 0.0)
    }
    /// What it is now; only for decisions.
    #[inline]
    fn to_f64(self) -> f64 {
        self.value()
    }
}

impl Number for Moving {
    const RARE: bool = true;
    type Scalar = Self;
    type Mask = bool;
    type Plain = Self;

    /// At rest: what a formula takes for constant does not move either.
    #[inline]
    fn plain(self) -> Self {
        Self::from_f64(self.value())
    }
    #[inline]
    fn from_plain(value: Self) -> Self {
        value
    }
    #[inline]
    fn splat(value: Self) -> Self {
        value
    }
    #[inline(never)]
    fn mul_add(self, factor: Self, summand: Self) -> Self {
        Self(self.0.mul_add(factor.0, summand.0))
    }
    #[inline(never)]
    fn sqrt(self) -> Self {
        Self(self.0.sqrt())
    }
    #[inline]
    fn abs(self) -> Self {
        Self(self.0.abs())
    }
    #[inline(never)]
    fn sin_cos(self) -> (Self, Self) {
        let (sin, cos) = self.0.sin_cos();
        (Self(sin), Self(cos))
    }
    #[inline(never)]
    fn exp2(self) -> Self {
        Self(self.0.exp2())
    }
    #[inline(never)]
    fn log2(self) -> Self {
        Self(self.0.log2())
    }
    #[inline(never)]
    fn atan2(self, x: Self) -> Self {
        Self(self.0.atan2(x.0))
    }
    #[inline]
    fn lt(self, other: Self) -> bool {
        self.value() < other.value()
    }
    #[inline]
    fn select(mask: bool, yes: Self, no: Self) -> Self {
        if mask { yes } else { no }
    }
    #[inline]
    fn all(mask: bool) -> bool {
        mask
    }
}

impl Lane for Moving {
    const WIDTH: usize = 1;

    #[inline]
    fn load(from: &[Self]) -> Self {
        from[0]
    }
    #[inline]
    fn store(self, to: &mut [Self]) {
        to[0] = self;
    }
    #[inline]
    fn map(self, f: impl Fn(Self) -> Self) -> Self {
        f(self)
    }
    #[inline]
    fn sum(self) -> Self {
        self
    }
    /// A step function: at rest.
    #[inline]
    fn round(self) -> Self {
        Self::from_f64(Lane::round(self.value()))
    }
    #[inline(never)]
    fn exp2_whole(self) -> Self {
        Self::from_f64(self.value().exp2_whole())
    }
    #[inline]
    fn load_column(rows: &[&[Self]], column: usize) -> Self {
        rows[0][column]
    }
    #[inline]
    fn store_column(self, out: &mut [Self], start: usize, _stride: usize, count: usize) {
        if count > 0 {
            out[start] = self;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_on_moving_numbers_has_the_second_derivative() {
        let gradient = |x: f64, y: f64| {
            let [x, y] = Dual::<f64, 2>::variables([x, y], 0);
            ((x * y).sin_cos().0 * y.exp2() + x.atan2(y)).tangent
        };
        let (x, y, h) = (0.7, 1.3, 1e-5);
        let moving = Dual::<Moving, 2>::variables([Moving::new(x, 1.0), Moving::new(y, 0.5)], 0);
        let [a, b] = moving;
        let got = ((a * b).sin_cos().0 * b.exp2() + a.atan2(b)).tangent;
        let ahead = gradient(x + h, y + 0.5 * h);
        let behind = gradient(x - h, y - 0.5 * h);
        for c in 0..2 {
            assert_eq!(got[c].value(), gradient(x, y)[c]);
            let want = (ahead[c] - behind[c]) / (2.0 * h);
            assert!(
                (got[c].rate() - want).abs() < 1e-8,
                "{} is not {want}",
                got[c]
            );
        }
    }
}
