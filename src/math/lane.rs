//! One number, or several side by side.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

use super::real::Real;

/// A number, or a SIMD register of numbers of independent items. Kernels are written once over this
/// trait: with `f32`/`f64` they compute one item, with a register they compute `WIDTH` items at once.
///
/// Every method is `#[inline(always)]` in its implementations, so that a kernel becomes one function
/// of the instruction set it was dispatched to.
pub trait Lane:
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
    /// The number in one lane.
    type Scalar: Real;
    /// The result of a comparison, lane by lane.
    type Mask: Copy;
    /// The number of lanes.
    const WIDTH: usize;

    /// The same number in every lane.
    fn splat(value: Self::Scalar) -> Self;
    /// A constant in every lane.
    #[inline(always)]
    fn lit(value: f64) -> Self {
        Self::splat(Self::Scalar::from_f64(value))
    }
    /// Zero in every lane.
    #[inline(always)]
    fn zero() -> Self {
        Self::splat(Self::Scalar::ZERO)
    }
    /// One in every lane.
    #[inline(always)]
    fn one() -> Self {
        Self::splat(Self::Scalar::ONE)
    }

    /// The lanes from the first `WIDTH` numbers of a slice.
    fn load(from: &[Self::Scalar]) -> Self;
    /// The lanes into the first `WIDTH` numbers of a slice.
    fn store(self, to: &mut [Self::Scalar]);
    /// Applies a scalar function to each lane; for rare paths.
    fn map(self, f: impl Fn(Self::Scalar) -> Self::Scalar) -> Self;
    /// The sum over the lanes, first to last.
    fn sum(self) -> Self::Scalar;

    /// `self · factor + summand`, in one rounding where the instruction set has it.
    fn mul_add(self, factor: Self, summand: Self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// The nearest whole number.
    fn round(self) -> Self;
    /// Two to the power of a whole number in the normal range of exponents.
    fn exp2_whole(self) -> Self;

    /// `self < other`; false where either is NaN.
    fn lt(self, other: Self) -> Self::Mask;
    /// `yes` where the mask holds, else `no`.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;
    /// Whether the mask holds in every lane.
    fn all(mask: Self::Mask) -> bool;

    /// Transposing load: lane `l` of value `c` is `rows[l][column + c]`. `rows` has `WIDTH` slices, each
    /// with at least `column + 8` numbers.
    #[inline(always)]
    fn load_columns8(rows: &[&[Self::Scalar]], column: usize) -> [Self; 8] {
        std::array::from_fn(|c| Self::load_column(rows, column + c))
    }
    /// Lane `l` is `rows[l][column]`.
    fn load_column(rows: &[&[Self::Scalar]], column: usize) -> Self;
    /// Transposing store: `out[start + l · stride + c]` is lane `l` of `values[c]`, for the first `count`
    /// lanes.
    #[inline(always)]
    fn store_columns8(
        values: &[Self; 8],
        out: &mut [Self::Scalar],
        start: usize,
        stride: usize,
        count: usize,
    ) {
        for (c, value) in values.iter().enumerate() {
            value.store_column(out, start + c, stride, count);
        }
    }
    /// `out[start + l · stride]` is lane `l`, for the first `count` lanes.
    fn store_column(self, out: &mut [Self::Scalar], start: usize, stride: usize, count: usize);
}

macro_rules! scalar_lane {
    ($t:ty, $bits:ty, $exponent_bias:expr, $mantissa_bits:expr) => {
        impl Lane for $t {
            type Scalar = $t;
            type Mask = bool;
            const WIDTH: usize = 1;

            #[inline(always)]
            fn splat(value: $t) -> Self {
                value
            }
            #[inline(always)]
            fn load(from: &[$t]) -> Self {
                from[0]
            }
            #[inline(always)]
            fn store(self, to: &mut [$t]) {
                to[0] = self;
            }
            #[inline(always)]
            fn map(self, f: impl Fn($t) -> $t) -> Self {
                f(self)
            }
            #[inline(always)]
            fn sum(self) -> $t {
                self
            }
            // Not `mul_add`: without the instruction that is a slow library call.
            #[inline(always)]
            fn mul_add(self, factor: Self, summand: Self) -> Self {
                self * factor + summand
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                <$t>::sqrt(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                <$t>::abs(self)
            }
            // Adding and taking away 1.5 · 2^mantissa rounds to nearest without a library call; the
            // callers stay far below the range where that would be wrong.
            #[inline(always)]
            fn round(self) -> Self {
                const MAGIC: $t = 1.5 * (1_u64 << $mantissa_bits) as $t;
                (self + MAGIC) - MAGIC
            }
            #[inline(always)]
            fn exp2_whole(self) -> Self {
                <$t>::from_bits(((self as i32 + $exponent_bias) as $bits) << $mantissa_bits)
            }
            #[inline(always)]
            fn lt(self, other: Self) -> bool {
                self < other
            }
            #[inline(always)]
            fn select(mask: bool, yes: Self, no: Self) -> Self {
                if mask { yes } else { no }
            }
            #[inline(always)]
            fn all(mask: bool) -> bool {
                mask
            }
            #[inline(always)]
            fn load_column(rows: &[&[$t]], column: usize) -> Self {
                rows[0][column]
            }
            #[inline(always)]
            fn load_columns8(rows: &[&[$t]], column: usize) -> [Self; 8] {
                let r = &rows[0][column..column + 8];
                [r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7]]
            }
            #[inline(always)]
            fn store_columns8(
                values: &[Self; 8],
                out: &mut [$t],
                start: usize,
                _stride: usize,
                count: usize,
            ) {
                if count > 0 {
                    out[start..start + 8].copy_from_slice(values);
                }
            }
            #[inline(always)]
            fn store_column(self, out: &mut [$t], start: usize, _stride: usize, count: usize) {
                if count > 0 {
                    out[start] = self;
                }
            }
        }
    };
}
scalar_lane!(f32, u32, 127, 23);
scalar_lane!(f64, u64, 1023, 52);
