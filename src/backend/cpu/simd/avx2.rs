//! Transposes in 256-bit registers. Without closures: they would not inherit the instruction set.

use std::arch::x86_64::*;

/// Transposes eight registers of eight numbers: the same going in and out.
#[inline(always)]
unsafe fn transpose_8x8(r: [__m256; 8]) -> [__m256; 8] {
    // SAFETY: the caller found AVX2.
    unsafe {
        let (a0, a1) = (
            _mm256_unpacklo_ps(r[0], r[1]),
            _mm256_unpackhi_ps(r[0], r[1]),
        );
        let (a2, a3) = (
            _mm256_unpacklo_ps(r[2], r[3]),
            _mm256_unpackhi_ps(r[2], r[3]),
        );
        let (a4, a5) = (
            _mm256_unpacklo_ps(r[4], r[5]),
            _mm256_unpackhi_ps(r[4], r[5]),
        );
        let (a6, a7) = (
            _mm256_unpacklo_ps(r[6], r[7]),
            _mm256_unpackhi_ps(r[6], r[7]),
        );
        let b0 = _mm256_shuffle_ps::<0x44>(a0, a2);
        let b1 = _mm256_shuffle_ps::<0xee>(a0, a2);
        let b2 = _mm256_shuffle_ps::<0x44>(a1, a3);
        let b3 = _mm256_shuffle_ps::<0xee>(a1, a3);
        let b4 = _mm256_shuffle_ps::<0x44>(a4, a6);
        let b5 = _mm256_shuffle_ps::<0xee>(a4, a6);
        let b6 = _mm256_shuffle_ps::<0x44>(a5, a7);
        let b7 = _mm256_shuffle_ps::<0xee>(a5, a7);
        [
            _mm256_permute2f128_ps::<0x20>(b0, b4),
            _mm256_permute2f128_ps::<0x20>(b1, b5),
            _mm256_permute2f128_ps::<0x20>(b2, b6),
            _mm256_permute2f128_ps::<0x20>(b3, b7),
            _mm256_permute2f128_ps::<0x31>(b0, b4),
            _mm256_permute2f128_ps::<0x31>(b1, b5),
            _mm256_permute2f128_ps::<0x31>(b2, b6),
            _mm256_permute2f128_ps::<0x31>(b3, b7),
        ]
    }
}

/// Eight numbers from each of eight places, as eight registers of one number from each place.
#[inline(always)]
pub(super) unsafe fn load_8x8(from: &[*const f32; 8]) -> [__m256; 8] {
    // SAFETY: the caller vouches for eight numbers behind each pointer.
    unsafe {
        transpose_8x8([
            _mm256_loadu_ps(from[0]),
            _mm256_loadu_ps(from[1]),
            _mm256_loadu_ps(from[2]),
            _mm256_loadu_ps(from[3]),
            _mm256_loadu_ps(from[4]),
            _mm256_loadu_ps(from[5]),
            _mm256_loadu_ps(from[6]),
            _mm256_loadu_ps(from[7]),
        ])
    }
}

/// The inverse of [`load_8x8`]; places are `stride` numbers apart.
#[inline(always)]
pub(super) unsafe fn store_8x8(values: [__m256; 8], to: *mut f32, stride: usize) {
    // SAFETY: the caller vouches for eight numbers at each place.
    unsafe {
        let rows = transpose_8x8(values);
        for (lane, row) in rows.iter().enumerate() {
            _mm256_storeu_ps(to.add(lane * stride), *row);
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
        let first = transpose_4x4([
            _mm256_loadu_pd(from[0]),
            _mm256_loadu_pd(from[1]),
            _mm256_loadu_pd(from[2]),
            _mm256_loadu_pd(from[3]),
        ]);
        let last = transpose_4x4([
            _mm256_loadu_pd(from[0].add(4)),
            _mm256_loadu_pd(from[1].add(4)),
            _mm256_loadu_pd(from[2].add(4)),
            _mm256_loadu_pd(from[3].add(4)),
        ]);
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
