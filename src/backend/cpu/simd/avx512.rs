//! Transposes in 512-bit registers: shuffles inside 128-bit blocks, blocks moved by memory access.

use std::arch::x86_64::*;

/// Four registers of one column each become four whose block `b` holds lane `4b + r`, four columns.
#[inline(always)]
unsafe fn transpose_blocks_ps(c: [__m512; 4]) -> [__m512; 4] {
    // SAFETY: the caller found AVX512F.
    unsafe {
        let a0 = _mm512_unpacklo_ps(c[0], c[1]);
        let a1 = _mm512_unpackhi_ps(c[0], c[1]);
        let a2 = _mm512_unpacklo_ps(c[2], c[3]);
        let a3 = _mm512_unpackhi_ps(c[2], c[3]);
        [
            _mm512_shuffle_ps::<0x44>(a0, a2),
            _mm512_shuffle_ps::<0xee>(a0, a2),
            _mm512_shuffle_ps::<0x44>(a1, a3),
            _mm512_shuffle_ps::<0xee>(a1, a3),
        ]
    }
}

/// Four numbers from each of four places, one place to a block.
#[inline(always)]
unsafe fn gather_blocks_ps(a: *const f32, b: *const f32, c: *const f32, d: *const f32) -> __m512 {
    // SAFETY: the caller vouches for four numbers behind each pointer.
    unsafe {
        let blocks = _mm512_castps128_ps512(_mm_loadu_ps(a));
        let blocks = _mm512_insertf32x4::<1>(blocks, _mm_loadu_ps(b));
        let blocks = _mm512_insertf32x4::<2>(blocks, _mm_loadu_ps(c));
        _mm512_insertf32x4::<3>(blocks, _mm_loadu_ps(d))
    }
}

/// Eight numbers from each of sixteen places, as eight registers of one number from each place.
#[inline(always)]
pub(super) unsafe fn load_16x8(from: &[*const f32; 16]) -> [__m512; 8] {
    // SAFETY: the caller vouches for eight numbers behind each pointer.
    unsafe {
        let half = |skip: usize| {
            let rows: [__m512; 4] = std::array::from_fn(|r| {
                gather_blocks_ps(
                    from[r].add(skip),
                    from[4 + r].add(skip),
                    from[8 + r].add(skip),
                    from[12 + r].add(skip),
                )
            });
            // A 4x4 transpose is its own inverse, block by block.
            transpose_blocks_ps(rows)
        };
        let (first, last) = (half(0), half(4));
        [
            first[0], first[1], first[2], first[3], last[0], last[1], last[2], last[3],
        ]
    }
}

/// The inverse of [`load_16x8`]; places are `stride` numbers apart.
#[inline(always)]
pub(super) unsafe fn store_16x8(v: [__m512; 8], to: *mut f32, stride: usize) {
    // SAFETY: the caller vouches for eight numbers at each place.
    unsafe {
        let first = transpose_blocks_ps([v[0], v[1], v[2], v[3]]);
        let last = transpose_blocks_ps([v[4], v[5], v[6], v[7]]);
        for r in 0..4 {
            let put = |block: usize, a: __m128, b: __m128| {
                let place = to.add((4 * block + r) * stride);
                _mm_storeu_ps(place, a);
                _mm_storeu_ps(place.add(4), b);
            };
            put(
                0,
                _mm512_castps512_ps128(first[r]),
                _mm512_castps512_ps128(last[r]),
            );
            put(
                1,
                _mm512_extractf32x4_ps::<1>(first[r]),
                _mm512_extractf32x4_ps::<1>(last[r]),
            );
            put(
                2,
                _mm512_extractf32x4_ps::<2>(first[r]),
                _mm512_extractf32x4_ps::<2>(last[r]),
            );
            put(
                3,
                _mm512_extractf32x4_ps::<3>(first[r]),
                _mm512_extractf32x4_ps::<3>(last[r]),
            );
        }
    }
}

/// Transposes eight registers of eight numbers: the same going in and out.
#[inline(always)]
unsafe fn transpose_8x8_pd(r: [__m512d; 8]) -> [__m512d; 8] {
    // SAFETY: the caller found AVX512F.
    unsafe {
        let low = |a, b| _mm512_unpacklo_pd(a, b);
        let high = |a, b| _mm512_unpackhi_pd(a, b);
        let a = [
            low(r[0], r[1]),
            high(r[0], r[1]),
            low(r[2], r[3]),
            high(r[2], r[3]),
            low(r[4], r[5]),
            high(r[4], r[5]),
            low(r[6], r[7]),
            high(r[6], r[7]),
        ];
        let even = |x, y| _mm512_shuffle_f64x2::<0x88>(x, y);
        let odd = |x, y| _mm512_shuffle_f64x2::<0xdd>(x, y);
        let b = [
            even(a[0], a[2]),
            even(a[1], a[3]),
            odd(a[0], a[2]),
            odd(a[1], a[3]),
            even(a[4], a[6]),
            even(a[5], a[7]),
            odd(a[4], a[6]),
            odd(a[5], a[7]),
        ];
        [
            even(b[0], b[4]),
            even(b[1], b[5]),
            even(b[2], b[6]),
            even(b[3], b[7]),
            odd(b[0], b[4]),
            odd(b[1], b[5]),
            odd(b[2], b[6]),
            odd(b[3], b[7]),
        ]
    }
}

/// Eight numbers from each of eight places, as eight registers.
#[inline(always)]
pub(super) unsafe fn load_8x8(from: &[*const f64; 8]) -> [__m512d; 8] {
    // SAFETY: the caller vouches for eight numbers behind each pointer.
    unsafe { transpose_8x8_pd(from.map(|from| _mm512_loadu_pd(from))) }
}

/// The inverse of [`load_8x8`]; places are `stride` numbers apart.
#[inline(always)]
pub(super) unsafe fn store_8x8(values: [__m512d; 8], to: *mut f64, stride: usize) {
    // SAFETY: the caller vouches for eight numbers at each place.
    unsafe {
        for (lane, row) in transpose_8x8_pd(values).into_iter().enumerate() {
            _mm512_storeu_pd(to.add(lane * stride), row);
        }
    }
}
