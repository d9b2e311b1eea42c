//! Transposes in 256-bit registers.

use std::arch::x86_64::*;

/// Transposes eight registers of eight numbers: the same going in and out.
#[inline(always)]
unsafe fn transpose_8x8(r: [__m256; 8]) -> [__m256; 8] {
    // SAFETY: the caller found AVX2.
    unsafe {
        let pair = |a, b| (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
        let (a0, a1) = pair(r[0], r[1]);
        let (a2, a3) = pair(r[2], r[3]);
        let (a4, a5) = pair(r[4], r[5]);
        let (a6, a7) = pair(r[6], r[7]);
        let quad = |a, b| {
            (
                _mm256_shuffle_ps::<0x44>(a, b),
                _mm256_shuffle_ps::<0xee>(a, b),
            )
        };
        let (b0, b1) = quad(a0, a2);
        let (b2, b3) = quad(a1, a3);
        let (b4, b5) = quad(a4, a6);
        let (b6, b7) = quad(a5, a7);
        let low = |a, b| _mm256_permute2f128_ps::<0x20>(a, b);
        let high = |a, b| _mm256_permute2f128_ps::<0x31>(a, b);
        [
            low(b0, b4),
            low(b1, b5),
            low(b2, b6),
            low(b3, b7),
            high(b0, b4),
            high(b1, b5),
            high(b2, b6),
            high(b3, b7),
        ]
    }
}

/// Eight numbers from each of eight places, as eight registers of one number from each place.
#[inline(always)]
pub(super) unsafe fn load_8x8(from: &[*const f32; 8]) -> [__m256; 8] {
    // SAFETY: the caller vouches for eight numbers behind each pointer.
    unsafe { transpose_8x8(from.map(|from| _mm256_loadu_ps(from))) }
}

/// The inverse of [`load_8x8`]; places are `stride` numbers apart.
#[inline(always)]
pub(super) unsafe fn store_8x8(values: [__m256; 8], to: *mut f32, stride: usize) {
    // SAFETY: the caller vouches for eight numbers at each place.
    unsafe {
        for (lane, row) in transpose_8x8(values).into_iter().enumerate() {
            _mm256_storeu_ps(to.add(lane * stride), row);
        }
    }
}

#[inline(always)]
unsafe fn transpose_4x4(r: [__m256d; 4]) -> [__m256d; 4] {
    // SAFETY: the caller found AVX2.
    unsafe {
        let a0 = _mm256_unpacklo_pd(r[0], r[1]);
        let a1 = _mm256_unpackhi_pd(r[0], r[1]);
        let a2 = _mm256_unpacklo_pd(r[2], r[3]);
        let a3 = _mm256_unpackhi_pd(r[2], r[3]);
        [
            _mm256_permute2f128_pd::<0x20>(a0, a2),
            _mm256_permute2f128_pd::<0x20>(a1, a3),
            _mm256_permute2f128_pd::<0x31>(a0, a2),
            _mm256_permute2f128_pd::<0x31>(a1, a3),
        ]
    }
}

/// Eight numbers from each of four places, as eight registers.
#[inline(always)]
pub(super) unsafe fn load_4x8(from: &[*const f64; 4]) -> [__m256d; 8] {
    // SAFETY: the caller vouches for eight numbers behind each pointer.
    unsafe {
        let first = transpose_4x4(from.map(|from| _mm256_loadu_pd(from)));
        let last = transpose_4x4(from.map(|from| _mm256_loadu_pd(from.add(4))));
        [
            first[0], first[1], first[2], first[3], last[0], last[1], last[2], last[3],
        ]
    }
}

/// The inverse of [`load_4x8`]; places are `stride` numbers apart.
#[inline(always)]
pub(super) unsafe fn store_4x8(v: [__m256d; 8], to: *mut f64, stride: usize) {
    // SAFETY: the caller vouches for eight numbers at each place.
    unsafe {
        let first = transpose_4x4([v[0], v[1], v[2], v[3]]);
        let last = transpose_4x4([v[4], v[5], v[6], v[7]]);
        for lane in 0..4 {
            _mm256_storeu_pd(to.add(lane * stride), first[lane]);
            _mm256_storeu_pd(to.add(lane * stride + 4), last[lane]);
        }
    }
}
