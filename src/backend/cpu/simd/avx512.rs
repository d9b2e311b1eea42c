//! Transposes in 512-bit registers: shuffles inside 128-bit blocks, blocks moved by memory access.
//! Without closures: they would not inherit the instruction set.

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

/// Four numbers from each of sixteen places.
#[inline(always)]
unsafe fn load_16x4(from: &[*const f32; 16], skip: usize) -> [__m512; 4] {
    // SAFETY: the caller vouches for `skip + 4` numbers behind each pointer.
    unsafe {
        macro_rules! row {
            ($r:literal) => {
                gather_blocks_ps(
                    from[$r].add(skip),
                    from[4 + $r].add(skip),
                    from[8 + $r].add(skip),
                    from[12 + $r].add(skip),
                )
            };
        }
        // A 4x4 transpose is its own inverse, block by block.
        transpose_blocks_ps([row!(0), row!(1), row!(2), row!(3)])
    }
}

/// The order of lanes in which the blocks of a 4x4 table of blocks change rows and columns; its own inverse.
#[inline(always)]
unsafe fn across() -> __m512i {
    // SAFETY: the caller found AVX512F.
    unsafe { _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15) }
}

/// Four numbers from each of sixteen places, `stride` apart.
#[inline(always)]
pub(super) unsafe fn load_items_16x4(from: *const f32, stride: usize) -> [__m512; 4] {
    // SAFETY: the caller vouches for four numbers at each place.
    unsafe {
        if stride == 4 {
            // Without gaps whole registers are read, and the lanes put into order at the end.
            let [a, b, c, d] = transpose_blocks_ps([
                _mm512_loadu_ps(from),
                _mm512_loadu_ps(from.add(16)),
                _mm512_loadu_ps(from.add(32)),
                _mm512_loadu_ps(from.add(48)),
            ]);
            let order = across();
            return [
                _mm512_permutexvar_ps(order, a),
                _mm512_permutexvar_ps(order, b),
                _mm512_permutexvar_ps(order, c),
                _mm512_permutexvar_ps(order, d),
            ];
        }
        macro_rules! row {
            ($r:literal) => {
                gather_blocks_ps(
                    from.add($r * stride),
                    from.add((4 + $r) * stride),
                    from.add((8 + $r) * stride),
                    from.add((12 + $r) * stride),
                )
            };
        }
        transpose_blocks_ps([row!(0), row!(1), row!(2), row!(3)])
    }
}

/// The inverse of [`load_items_16x4`].
#[inline(always)]
pub(super) unsafe fn store_items_16x4(v: [__m512; 4], to: *mut f32, stride: usize) {
    // SAFETY: the caller vouches for four numbers at each place.
    unsafe {
        if stride == 4 {
            let order = across();
            let rows = transpose_blocks_ps([
                _mm512_permutexvar_ps(order, v[0]),
                _mm512_permutexvar_ps(order, v[1]),
                _mm512_permutexvar_ps(order, v[2]),
                _mm512_permutexvar_ps(order, v[3]),
            ]);
            for (r, &row) in rows.iter().enumerate() {
                _mm512_storeu_ps(to.add(16 * r), row);
            }
            return;
        }
        let rows = transpose_blocks_ps(v);
        for (r, &row) in rows.iter().enumerate() {
            macro_rules! put {
                ($block:literal) => {
                    let place = to.add((4 * $block + r) * stride);
                    _mm_storeu_ps(place, _mm512_extractf32x4_ps::<$block>(row));
                };
            }
            put!(0);
            put!(1);
            put!(2);
            put!(3);
        }
    }
}

/// Eight numbers from each of sixteen places, as eight registers of one number from each place.
#[inline(always)]
pub(super) unsafe fn load_16x8(from: &[*const f32; 16]) -> [__m512; 8] {
    // SAFETY: the caller vouches for eight numbers behind each pointer.
    unsafe {
        let first = load_16x4(from, 0);
        let last = load_16x4(from, 4);
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
            macro_rules! put {
                ($block:literal) => {
                    let place = to.add((4 * $block + r) * stride);
                    _mm_storeu_ps(place, _mm512_extractf32x4_ps::<$block>(first[r]));
                    _mm_storeu_ps(place.add(4), _mm512_extractf32x4_ps::<$block>(last[r]));
                };
            }
            put!(0);
            put!(1);
            put!(2);
            put!(3);
        }
    }
}

/// Transposes eight registers of eight numbers: the same going in and out.
#[inline(always)]
unsafe fn transpose_8x8_pd(r: [__m512d; 8]) -> [__m512d; 8] {
    // SAFETY: the caller found AVX512F.
    unsafe {
        let a = [
            _mm512_unpacklo_pd(r[0], r[1]),
            _mm512_unpackhi_pd(r[0], r[1]),
            _mm512_unpacklo_pd(r[2], r[3]),
            _mm512_unpackhi_pd(r[2], r[3]),
            _mm512_unpacklo_pd(r[4], r[5]),
            _mm512_unpackhi_pd(r[4], r[5]),
            _mm512_unpacklo_pd(r[6], r[7]),
            _mm512_unpackhi_pd(r[6], r[7]),
        ];
        let b = [
            _mm512_shuffle_f64x2::<0x88>(a[0], a[2]),
            _mm512_shuffle_f64x2::<0x88>(a[1], a[3]),
            _mm512_shuffle_f64x2::<0xdd>(a[0], a[2]),
            _mm512_shuffle_f64x2::<0xdd>(a[1], a[3]),
            _mm512_shuffle_f64x2::<0x88>(a[4], a[6]),
            _mm512_shuffle_f64x2::<0x88>(a[5], a[7]),
            _mm512_shuffle_f64x2::<0xdd>(a[4], a[6]),
            _mm512_shuffle_f64x2::<0xdd>(a[5], a[7]),
        ];
        [
            _mm512_shuffle_f64x2::<0x88>(b[0], b[4]),
            _mm512_shuffle_f64x2::<0x88>(b[1], b[5]),
            _mm512_shuffle_f64x2::<0x88>(b[2], b[6]),
            _mm512_shuffle_f64x2::<0x88>(b[3], b[7]),
            _mm512_shuffle_f64x2::<0xdd>(b[0], b[4]),
            _mm512_shuffle_f64x2::<0xdd>(b[1], b[5]),
            _mm512_shuffle_f64x2::<0xdd>(b[2], b[6]),
            _mm512_shuffle_f64x2::<0xdd>(b[3], b[7]),
        ]
    }
}

/// Eight numbers from each of eight places, as eight registers.
#[inline(always)]
pub(super) unsafe fn load_8x8(from: &[*const f64; 8]) -> [__m512d; 8] {
    // SAFETY: the caller vouches for eight numbers behind each pointer.
    unsafe {
        transpose_8x8_pd([
            _mm512_loadu_pd(from[0]),
            _mm512_loadu_pd(from[1]),
            _mm512_loadu_pd(from[2]),
            _mm512_loadu_pd(from[3]),
            _mm512_loadu_pd(from[4]),
            _mm512_loadu_pd(from[5]),
            _mm512_loadu_pd(from[6]),
            _mm512_loadu_pd(from[7]),
        ])
    }
}

/// The inverse of [`load_8x8`]; places are `stride` numbers apart.
#[inline(always)]
pub(super) unsafe fn store_8x8(values: [__m512d; 8], to: *mut f64, stride: usize) {
    // SAFETY: the caller vouches for eight numbers at each place.
    unsafe {
        let rows = transpose_8x8_pd(values);
        for (lane, row) in rows.iter().enumerate() {
            _mm512_storeu_pd(to.add(lane * stride), *row);
        }
    }
}
