//! The register types of x86 as lanes.
//!
//! SAFETY, for every block in this folder: values of these types are only made inside functions that
//! [`super::dispatch`] calls after it found the instruction set, so the intrinsics exist on the machine;
//! pointers come from slices whose length was checked in the same method.

use std::arch::x86_64::*;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

use super::{avx2, avx512, items};
use crate::math::{Lane, Number};

macro_rules! operators {
    ($name:ident, $add:ident, $sub:ident, $mul:ident, $div:ident) => {
        impl Add for $name {
            type Output = Self;
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                // SAFETY: see the head of the file.
                Self(unsafe { $add(self.0, other.0) })
            }
        }
        impl Sub for $name {
            type Output = Self;
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                // SAFETY: see the head of the file.
                Self(unsafe { $sub(self.0, other.0) })
            }
        }
        impl Mul for $name {
            type Output = Self;
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                // SAFETY: see the head of the file.
                Self(unsafe { $mul(self.0, other.0) })
            }
        }
        impl Div for $name {
            type Output = Self;
            #[inline(always)]
            fn div(self, other: Self) -> Self {
                // SAFETY: see the head of the file.
                Self(unsafe { $div(self.0, other.0) })
            }
        }
        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                self.negated()
            }
        }
        impl AddAssign for $name {
            #[inline(always)]
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }
        impl SubAssign for $name {
            #[inline(always)]
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }
    };
}

/// `Self` of each of eight registers, and back. Not `map`: what it calls is compiled without the
/// instruction set wherever the optimiser does not happen to inline it.
macro_rules! of_eight {
    ($raw:expr, $wrap:path) => {{
        let [a, b, c, d, e, f, g, h] = $raw;
        [
            $wrap(a),
            $wrap(b),
            $wrap(c),
            $wrap(d),
            $wrap(e),
            $wrap(f),
            $wrap(g),
            $wrap(h),
        ]
    }};
}
macro_rules! in_eight {
    ($values:expr) => {{
        let [a, b, c, d, e, f, g, h] = *$values;
        [a.0, b.0, c.0, d.0, e.0, f.0, g.0, h.0]
    }};
}

/// The methods of [`Number`] that are alike but for the names of the intrinsics.
macro_rules! numbers {
    ($scalar:ty, $set1:ident, $fmadd:ident, $sqrt:ident) => {
        type Scalar = $scalar;

        #[inline(always)]
        fn splat(value: $scalar) -> Self {
            // SAFETY: see the head of the file.
            Self(unsafe { $set1(value) })
        }
        #[inline(always)]
        fn mul_add(self, factor: Self, summand: Self) -> Self {
            // SAFETY: see the head of the file.
            Self(unsafe { $fmadd(self.0, factor.0, summand.0) })
        }
        #[inline(always)]
        fn sqrt(self) -> Self {
            // SAFETY: see the head of the file.
            Self(unsafe { $sqrt(self.0) })
        }
        crate::math::lane::elementary_functions!();
    };
}

/// The methods of [`Lane`] that are alike but for the names of the intrinsics.
macro_rules! lanes {
    ($scalar:ty, $width:literal, $loadu:ident, $storeu:ident) => {
        const WIDTH: usize = $width;

        #[inline(always)]
        fn load(from: &[$scalar]) -> Self {
            let from = &from[..$width];
            // SAFETY: see the head of the file.
            Self(unsafe { $loadu(from.as_ptr()) })
        }
        #[inline(always)]
        fn store(self, to: &mut [$scalar]) {
            let to = &mut to[..$width];
            // SAFETY: see the head of the file.
            unsafe { $storeu(to.as_mut_ptr(), self.0) }
        }
        #[inline(always)]
        fn map(self, f: impl Fn($scalar) -> $scalar) -> Self {
            let mut lanes = [0.0; $width];
            self.store(&mut lanes);
            Self::load(&lanes.map(f))
        }
        #[inline(always)]
        fn sum(self) -> $scalar {
            let mut lanes = [0.0; $width];
            self.store(&mut lanes);
            lanes.iter().sum()
        }
        #[inline(always)]
        fn load_column(rows: &[&[$scalar]], column: usize) -> Self {
            let mut lanes = [0.0; $width];
            for (lane, row) in lanes.iter_mut().zip(&rows[..$width]) {
                *lane = row[column];
            }
            Self::load(&lanes)
        }
        #[inline(always)]
        fn store_column(self, out: &mut [$scalar], start: usize, stride: usize, count: usize) {
            let mut lanes = [0.0; $width];
            self.store(&mut lanes);
            for (lane, &value) in lanes.iter().enumerate().take(count) {
                out[start + lane * stride] = value;
            }
        }
        #[inline(always)]
        fn load_columns8(rows: &[&[$scalar]], column: usize) -> [Self; 8] {
            let rows = &rows[..$width];
            let mut from = [std::ptr::null(); $width];
            for (from, row) in from.iter_mut().zip(rows) {
                *from = row[column..column + 8].as_ptr();
            }
            // SAFETY: see the head of the file; each pointer has 8 numbers behind it.
            unsafe { Self::transposed_load(&from) }
        }
        #[inline(always)]
        fn store_columns8(
            values: &[Self; 8],
            out: &mut [$scalar],
            start: usize,
            stride: usize,
            count: usize,
        ) {
            if count < $width {
                for (c, value) in values.iter().enumerate() {
                    value.store_column(out, start + c, stride, count);
                }
                return;
            }
            let out = &mut out[start..start + ($width - 1) * stride + 8];
            // SAFETY: see the head of the file; the slice reaches to the last number written.
            unsafe { Self::transposed_store(values, out.as_mut_ptr(), stride) }
        }
    };
}

/// Items of four numbers by the transposes named.
macro_rules! items_of_four {
    ($scalar:ty, $width:literal, $load:path, $store:path) => {
        #[inline(always)]
        fn load_items4(from: &[$scalar], stride: usize) -> [Self; 4] {
            let from = &from[..($width - 1) * stride + 4];
            // SAFETY: see the head of the file; the slice reaches to the last number read.
            let [a, b, c, d] = unsafe { $load(from.as_ptr(), stride) };
            [Self(a), Self(b), Self(c), Self(d)]
        }
        #[inline(always)]
        fn store_items4([a, b, c, d]: [Self; 4], to: &mut [$scalar], stride: usize) {
            let to = &mut to[..($width - 1) * stride + 4];
            // SAFETY: see the head of the file; the slice reaches to the last number written.
            unsafe { $store([a.0, b.0, c.0, d.0], to.as_mut_ptr(), stride) }
        }
    };
}

/// Items of three numbers by the permutations named.
macro_rules! items_of_three {
    ($scalar:ty, $width:literal, $load:path, $store:path) => {
        #[inline(always)]
        fn load_items3(from: &[$scalar]) -> [Self; 3] {
            let from = &from[..3 * $width];
            // SAFETY: see the head of the file; the slice reaches to the last number read.
            let [a, b, c] = unsafe { $load(from.as_ptr()) };
            [Self(a), Self(b), Self(c)]
        }
        #[inline(always)]
        fn store_items3([a, b, c]: [Self; 3], to: &mut [$scalar]) {
            let to = &mut to[..3 * $width];
            // SAFETY: see the head of the file; the slice reaches to the last number written.
            unsafe { $store([a.0, b.0, c.0], to.as_mut_ptr()) }
        }
    };
}

/// Eight `f32` in a 256-bit register.
#[derive(Clone, Copy)]
pub struct F32x8(pub(super) __m256);
operators!(
    F32x8,
    _mm256_add_ps,
    _mm256_sub_ps,
    _mm256_mul_ps,
    _mm256_div_ps
);

impl F32x8 {
    #[inline(always)]
    fn negated(self) -> Self {
        // SAFETY: see the head of the file.
        Self(unsafe { _mm256_xor_ps(self.0, _mm256_set1_ps(-0.0)) })
    }
    #[inline(always)]
    unsafe fn transposed_load(from: &[*const f32; 8]) -> [Self; 8] {
        // SAFETY: the caller's.
        of_eight!(unsafe { avx2::load_8x8(from) }, Self)
    }
    #[inline(always)]
    unsafe fn transposed_store(values: &[Self; 8], to: *mut f32, stride: usize) {
        // SAFETY: the caller's.
        unsafe { avx2::store_8x8(in_eight!(values), to, stride) }
    }
}

impl Number for F32x8 {
    type Mask = __m256;
    numbers!(f32, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_sqrt_ps);

    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: see the head of the file.
        Self(unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0) })
    }
    #[inline(always)]
    fn lt(self, other: Self) -> __m256 {
        // SAFETY: see the head of the file.
        unsafe { _mm256_cmp_ps::<_CMP_LT_OQ>(self.0, other.0) }
    }
    #[inline(always)]
    fn select(mask: __m256, yes: Self, no: Self) -> Self {
        // SAFETY: see the head of the file.
        Self(unsafe { _mm256_blendv_ps(no.0, yes.0, mask) })
    }
    #[inline(always)]
    fn all(mask: __m256) -> bool {
        // SAFETY: see the head of the file.
        unsafe { _mm256_movemask_ps(mask) == 0xff }
    }
}

impl Lane for F32x8 {
    lanes!(f32, 8, _mm256_loadu_ps, _mm256_storeu_ps);
    items_of_four!(f32, 8, items::load_8x4_ps, items::store_8x4_ps);
    items_of_three!(f32, 8, items::load_8x3_ps, items::store_8x3_ps);

    #[inline(always)]
    fn round(self) -> Self {
        // SAFETY: see the head of the file.
        Self(unsafe {
            _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0)
        })
    }
    #[inline(always)]
    fn exp2_whole(self) -> Self {
        // SAFETY: see the head of the file.
        Self(unsafe {
            let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(self.0), _mm256_set1_epi32(127));
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
        })
    }
}

/// Four `f64` in a 256-bit register.
#[derive(Clone, Copy)]
pub struct F64x4(pub(super) __m256d);
operators!(
    F64x4,
    _mm256_add_pd,
    _mm256_sub_pd,
    _mm256_mul_pd,
    _mm256_div_pd
);

impl F64x4 {
    #[inline(always)]
    fn negated(self) -> Self {
        // SAFETY: see the head of the file.
        Self(unsafe { _mm256_xor_pd(self.0, _mm256_set1_pd(-0.0)) })
    }
    #[inline(always)]
    unsafe fn transposed_load(from: &[*const f64; 4]) -> [Self; 8] {
        // SAFETY: the caller's.
        of_eight!(unsafe { avx2::load_4x8(from) }, Self)
    }
    #[inline(always)]
    unsafe fn transposed_store(values: &[Self; 8], to: *mut f64, stride: usize) {
        // SAFETY: the caller's.
        unsafe { avx2::store_4x8(in_eight!(values), to, stride) }
    }
}

impl Number for F64x4 {
    type Mask = __m256d;
    numbers!(f64, _mm256_set1_pd, _mm256_fmadd_pd, _mm256_sqrt_pd);

    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: see the head of the file.
        Self(unsafe { _mm256_andnot_pd(_mm256_set1_pd(-0.0), self.0) })
    }
    #[inline(always)]
    fn lt(self, other: Self) -> __m256d {
        // SAFETY: see the head of the file.
        unsafe { _mm256_cmp_pd::<_CMP_LT_OQ>(self.0, other.0) }
    }
    #[inline(always)]
    fn select(mask: __m256d, yes: Self, no: Self) -> Self {
        // SAFETY: see the head of the file.
        Self(unsafe { _mm256_blendv_pd(no.0, yes.0, mask) })
    }
    #[inline(always)]
    fn all(mask: __m256d) -> bool {
        // SAFETY: see the head of the file.
        unsafe { _mm256_movemask_pd(mask) == 0xf }
    }
}

impl Lane for F64x4 {
    lanes!(f64, 4, _mm256_loadu_pd, _mm256_storeu_pd);
    items_of_four!(f64, 4, items::load_4x4_pd, items::store_4x4_pd);
    items_of_three!(f64, 4, items::load_4x3_pd, items::store_4x3_pd);

    #[inline(always)]
    fn round(self) -> Self {
        // SAFETY: see the head of the file.
        Self(unsafe {
            _mm256_round_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0)
        })
    }
    #[inline(always)]
    fn exp2_whole(self) -> Self {
        // SAFETY: see the head of the file.
        Self(unsafe {
            let whole = _mm256_cvtepi32_epi64(_mm256_cvtpd_epi32(self.0));
            let exponent = _mm256_add_epi64(whole, _mm256_set1_epi64x(1023));
            _mm256_castsi256_pd(_mm256_slli_epi64::<52>(exponent))
        })
    }
}

/// Sixteen `f32` in a 512-bit register.
#[derive(Clone, Copy)]
pub struct F32x16(pub(super) __m512);
operators!(
    F32x16,
    _mm512_add_ps,
    _mm512_sub_ps,
    _mm512_mul_ps,
    _mm512_div_ps
);

impl F32x16 {
    #[inline(always)]
    fn negated(self) -> Self {
        // SAFETY: see the head of the file. Integer xor, because the floating-point one needs AVX512DQ.
        Self(unsafe {
            let sign = _mm512_set1_epi32(i32::MIN);
            _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(self.0), sign))
        })
    }
    #[inline(always)]
    unsafe fn transposed_load(from: &[*const f32; 16]) -> [Self; 8] {
        // SAFETY: the caller's.
        of_eight!(unsafe { avx512::load_16x8(from) }, Self)
    }
    #[inline(always)]
    unsafe fn transposed_store(values: &[Self; 8], to: *mut f32, stride: usize) {
        // SAFETY: the caller's.
        unsafe { avx512::store_16x8(in_eight!(values), to, stride) }
    }
}

impl Number for F32x16 {
    type Mask = __mmask16;
    numbers!(f32, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_sqrt_ps);

    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: see the head of the file.
        Self(unsafe { _mm512_abs_ps(self.0) })
    }
    #[inline(always)]
    fn lt(self, other: Self) -> __mmask16 {
        // SAFETY: see the head of the file.
        unsafe { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, other.0) }
    }
    #[inline(always)]
    fn select(mask: __mmask16, yes: Self, no: Self) -> Self {
        // SAFETY: see the head of the file.
        Self(unsafe { _mm512_mask_blend_ps(mask, no.0, yes.0) })
    }
    #[inline(always)]
    fn all(mask: __mmask16) -> bool {
        mask == 0xffff
    }
}

impl Lane for F32x16 {
    lanes!(f32, 16, _mm512_loadu_ps, _mm512_storeu_ps);
    items_of_four!(f32, 16, avx512::load_items_16x4, avx512::store_items_16x4);
    items_of_three!(f32, 16, items::load_16x3, items::store_16x3);

    #[inline(always)]
    fn round(self) -> Self {
        // SAFETY: see the head of the file.
        Self(unsafe { _mm512_roundscale_ps::<0>(self.0) })
    }
    #[inline(always)]
    fn exp2_whole(self) -> Self {
        // SAFETY: see the head of the file.
        Self(unsafe {
            let exponent = _mm512_add_epi32(_mm512_cvtps_epi32(self.0), _mm512_set1_epi32(127));
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponent))
        })
    }
}

/// Eight `f64` in a 512-bit register.
#[derive(Clone, Copy)]
pub struct F64x8(pub(super) __m512d);
operators!(
    F64x8,
    _mm512_add_pd,
    _mm512_sub_pd,
    _mm512_mul_pd,
    _mm512_div_pd
);

impl F64x8 {
    #[inline(always)]
    fn negated(self) -> Self {
        // SAFETY: see the head of the file. Integer xor, because the floating-point one needs AVX512DQ.
        Self(unsafe {
            let sign = _mm512_set1_epi64(i64::MIN);
            _mm512_castsi512_pd(_mm512_xor_si512(_mm512_castpd_si512(self.0), sign))
        })
    }
    #[inline(always)]
    unsafe fn transposed_load(from: &[*const f64; 8]) -> [Self; 8] {
        // SAFETY: the caller's.
        of_eight!(unsafe { avx512::load_8x8(from) }, Self)
    }
    #[inline(always)]
    unsafe fn transposed_store(values: &[Self; 8], to: *mut f64, stride: usize) {
        // SAFETY: the caller's.
        unsafe { avx512::store_8x8(in_eight!(values), to, stride) }
    }
}

impl Number for F64x8 {
    type Mask = __mmask8;
    numbers!(f64, _mm512_set1_pd, _mm512_fmadd_pd, _mm512_sqrt_pd);

    #[inline(always)]
    fn abs(self) -> Self {
        // SAFETY: see the head of the file.
        Self(unsafe { _mm512_abs_pd(self.0) })
    }
    #[inline(always)]
    fn lt(self, other: Self) -> __mmask8 {
        // SAFETY: see the head of the file.
        unsafe { _mm512_cmp_pd_mask::<_CMP_LT_OQ>(self.0, other.0) }
    }
    #[inline(always)]
    fn select(mask: __mmask8, yes: Self, no: Self) -> Self {
        // SAFETY: see the head of the file.
        Self(unsafe { _mm512_mask_blend_pd(mask, no.0, yes.0) })
    }
    #[inline(always)]
    fn all(mask: __mmask8) -> bool {
        mask == 0xff
    }
}

impl Lane for F64x8 {
    lanes!(f64, 8, _mm512_loadu_pd, _mm512_storeu_pd);
    items_of_four!(f64, 8, items::load_8x4, items::store_8x4);
    items_of_three!(f64, 8, items::load_8x3, items::store_8x3);

    #[inline(always)]
    fn round(self) -> Self {
        // SAFETY: see the head of the file.
        Self(unsafe { _mm512_roundscale_pd::<0>(self.0) })
    }
    #[inline(always)]
    fn exp2_whole(self) -> Self {
        // SAFETY: see the head of the file.
        Self(unsafe {
            let whole = _mm512_cvtepi32_epi64(_mm512_cvtpd_epi32(self.0));
            let exponent = _mm512_add_epi64(whole, _mm512_set1_epi64(1023));
            _mm512_castsi512_pd(_mm512_slli_epi64::<52>(exponent))
        })
    }
}
