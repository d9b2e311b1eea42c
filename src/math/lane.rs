//! One number, or several side by side.

use super::number::Number;
use super::real::Real;

/// A number, or a SIMD register of numbers of independent items. Kernels are written once over this
/// trait: with `f32`/`f64` they compute one item, with a register they compute `WIDTH` items at once.
///
/// Every method is `#[inline(always)]` in its implementations, so that a kernel becomes one function
/// of the instruction set it was dispatched to.
pub trait Lane: Number {
    /// The number of lanes.
    const WIDTH: usize;

    /// The lanes from the first `WIDTH` numbers of a slice.
    fn load(from: &[Self::Scalar]) -> Self;
    /// The lanes into the first `WIDTH` numbers of a slice.
    fn store(self, to: &mut [Self::Scalar]);
    /// Applies a scalar function to each lane; for rare paths.
    fn map(self, f: impl Fn(Self::Scalar) -> Self::Scalar) -> Self;
    /// The sum over the lanes, first to last.
    fn sum(self) -> Self::Scalar;

    /// The nearest whole number.
    fn round(self) -> Self;
    /// Two to the power of a whole number in the normal range of exponents.
    fn exp2_whole(self) -> Self;

    /// Transposing load: lane `l` of value `c` is `rows[l][column + c]`. `rows` has `WIDTH` slices, each
    /// with at least `column + 8` numbers.
    #[inline(always)]
    fn load_columns8(rows: &[&[Self::Scalar]], column: usize) -> [Self; 8] {
        std::array::from_fn(|c| Self::load_column(rows, column + c))
    }
    /// Items of which every lane takes one, side by side in memory: lane `l` of value `c` is
    /// `from[l · stride + c]`.
    #[inline(always)]
    fn load_items4(from: &[Self::Scalar], stride: usize) -> [Self; 4] {
        [
            Self::load_items(from, stride),
            Self::load_items(&from[1..], stride),
            Self::load_items(&from[2..], stride),
            Self::load_items(&from[3..], stride),
        ]
    }
    /// The same for items of three numbers without gaps.
    #[inline(always)]
    fn load_items3(from: &[Self::Scalar]) -> [Self; 3] {
        [
            Self::load_items(from, 3),
            Self::load_items(&from[1..], 3),
            Self::load_items(&from[2..], 3),
        ]
    }
    /// The same for one number of each item.
    #[inline(always)]
    fn load_items(from: &[Self::Scalar], stride: usize) -> Self {
        let mut lanes = [Self::Scalar::ZERO; 16];
        for (lane, place) in lanes[..Self::WIDTH].iter_mut().enumerate() {
            *place = from[lane * stride];
        }
        Self::load(&lanes)
    }
    /// The inverse of [`Self::load_items4`].
    #[inline(always)]
    fn store_items4(values: [Self; 4], to: &mut [Self::Scalar], stride: usize) {
        let [a, b, c, d] = values;
        a.store_items(to, stride);
        b.store_items(&mut to[1..], stride);
        c.store_items(&mut to[2..], stride);
        d.store_items(&mut to[3..], stride);
    }
    /// The inverse of [`Self::load_items3`].
    #[inline(always)]
    fn store_items3(values: [Self; 3], to: &mut [Self::Scalar]) {
        let [a, b, c] = values;
        a.store_items(to, 3);
        b.store_items(&mut to[1..], 3);
        c.store_items(&mut to[2..], 3);
    }
    /// The inverse of [`Self::load_items`].
    #[inline(always)]
    fn store_items(self, to: &mut [Self::Scalar], stride: usize) {
        let mut lanes = [Self::Scalar::ZERO; 16];
        self.store(&mut lanes);
        for (lane, &value) in lanes[..Self::WIDTH].iter().enumerate() {
            to[lane * stride] = value;
        }
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

/// The elementary functions of [`Number`] for a type of lanes, which is plain.
macro_rules! elementary_functions {
    () => {
        type Plain = Self;

        #[inline(always)]
        fn plain(self) -> Self {
            self
        }
        #[inline(always)]
        fn from_plain(value: Self) -> Self {
            value
        }
        #[inline(always)]
        fn sin_cos(self) -> (Self, Self) {
            $crate::math::sin_cos(self)
        }
        #[inline(always)]
        fn exp2(self) -> Self {
            $crate::math::exp2(self)
        }
        #[inline(always)]
        fn log2(self) -> Self {
            $crate::math::log2(self)
        }
        #[inline(always)]
        fn atan2(self, x: Self) -> Self {
            $crate::math::atan2(self, x)
        }
    };
}
pub(crate) use elementary_functions;

macro_rules! scalar_lane {
    ($t:ty, $bits:ty, $exponent_bias:expr, $mantissa_bits:expr) => {
        impl Number for $t {
            type Scalar = $t;
            type Mask = bool;

            #[inline(always)]
            fn splat(value: $t) -> Self {
                value
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
            $crate::math::lane::elementary_functions!();
        }

        impl Lane for $t {
            const WIDTH: usize = 1;

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
