//! What formulas are written over.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

use super::real::Real;

/// A number that formulas are written over, once: one real number, a register of several
/// ([`super::Lane`]), or a number with its derivatives ([`super::Dual`]). Branches are selections, so
/// that all of these take the same way.
pub trait Number:
    Copy
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
{
    /// The real type underneath.
    type Scalar: Real;
    /// The result of a comparison.
    type Mask: Copy;
    /// Whether it is worth no more code than it takes: it is rarely computed with.
    const RARE: bool = false;
    /// A number of this kind without derivatives.
    type Plain: Number<Scalar = Self::Scalar, Mask = Self::Mask>;

    /// The value, without derivatives.
    fn plain(self) -> Self::Plain;
    /// A value whose derivatives are 0.
    fn from_plain(value: Self::Plain) -> Self;
    /// The same value with derivatives of 0.
    #[inline(always)]
    fn detached(self) -> Self {
        Self::from_plain(self.plain())
    }

    /// A constant.
    fn splat(value: Self::Scalar) -> Self;
    /// A constant of the formula.
    #[inline(always)]
    fn lit(value: f64) -> Self {
        Self::splat(Self::Scalar::from_f64(value))
    }
    /// Zero.
    #[inline(always)]
    fn zero() -> Self {
        Self::splat(Self::Scalar::ZERO)
    }
    /// One.
    #[inline(always)]
    fn one() -> Self {
        Self::splat(Self::Scalar::ONE)
    }

    /// `self · factor + summand`, in one rounding where the instruction set has it.
    fn mul_add(self, factor: Self, summand: Self) -> Self;
    /// Square root. Its derivative at 0 is infinite: guard it.
    fn sqrt(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// Sine and cosine.
    fn sin_cos(self) -> (Self, Self);
    /// Two to this power.
    fn exp2(self) -> Self;
    /// The logarithm to base two; NaN below zero.
    fn log2(self) -> Self;
    /// The angle of the point `(x, self)` from the x axis, in -π ..= π; 0 for the origin, with
    /// derivatives of 0 there.
    fn atan2(self, x: Self) -> Self;

    /// `self < other`; false where either is NaN.
    fn lt(self, other: Self) -> Self::Mask;
    /// `yes` where the mask holds, else `no`. The derivatives of the other one do not count, whatever
    /// they are.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
    /// Whether the mask holds everywhere.
    fn all(mask: Self::Mask) -> bool;

    /// The larger of two; `other` where this is NaN.
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self::select(other.lt(self), self, other)
    }
    /// The smaller of two; `other` where this is NaN.
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self::select(self.lt(other), self, other)
    }
    /// The square root, and 0 with derivatives of 0 for what is not above 0.
    #[inline(always)]
    fn sqrt_or_zero(self) -> Self {
        let positive = Self::zero().lt(self);
        let root = Self::select(positive, self, Self::one()).sqrt();
        Self::select(positive, root, Self::zero())
    }
    /// The distance from 1 to the next number.
    #[inline(always)]
    fn epsilon() -> Self {
        Self::lit(if size_of::<Self::Scalar>() == 4 {
            f64::from(f32::EPSILON)
        } else {
            f64::EPSILON
        })
    }
}
