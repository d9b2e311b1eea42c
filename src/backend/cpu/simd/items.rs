//! Items that lie side by side in memory, to and from registers that hold one number of each: the
//! transposes that formulas over many small items live on.
//!
//! SAFETY, for every block in this file: the callers found the instruction set and checked that the
//! memory reaches from the first to the last item. Without closures: they would not inherit the
//! instruction set.

use std::arch::x86_64::*;

/// Where the number `c` of item `l` of items of three is, lane by lane, in two steps: the first takes it
/// from registers 0 and 1, the second keeps that or takes it from register 2.
const fn taken_apart<const W: usize>(c: usize) -> [[i64; W]; 2] {
    let mut steps = [[0; W]; 2];
    let mut lane = 0;
    while lane < W {
        let at = 3 * lane + c;
        steps[0][lane] = (at % (2 * W)) as i64;
        steps[1][lane] = if at < 2 * W { lane } else { at - W } as i64;
        lane += 1;
    }
    steps
}

/// The inverse: where the numbers of register `r` come from, first from columns 0 and 1, then from 2.
const fn put_together<const W: usize>(r: usize) -> [[i64; W]; 2] {
    let mut steps = [[0; W]; 2];
    let mut lane = 0;
    while lane < W {
        let at = r * W + lane;
        let (item, c) = (at / 3, at % 3);
        steps[0][lane] = if c == 1 { W + item } else { item } as i64;
        steps[1][lane] = if c == 2 { W + item } else { lane } as i64;
        lane += 1;
    }
    steps
}

const fn narrow(wide: [[i64; 16]; 2]) -> [[i32; 16]; 2] {
    let mut out = [[0; 16]; 2];
    let mut lane = 0;
    while lane < 16 {
        out[0][lane] = wide[0][lane] as i32;
        out[1][lane] = wide[1][lane] as i32;
        lane += 1;
    }
    out
}

static APART_PS: [[[i32; 16]; 2]; 3] = [
    narrow(taken_apart(0)),
    narrow(taken_apart(1)),
    narrow(taken_apart(2)),
];
static TOGETHER_PS: [[[i32; 16]; 2]; 3] = [
    narrow(put_together(0)),
    narrow(put_together(1)),
    narrow(put_together(2)),
];
static APART_PD: [[[i64; 8]; 2]; 3] = [taken_apart(0), taken_apart(1), taken_apart(2)];
static TOGETHER_PD: [[[i64; 8]; 2]; 3] = [put_together(0), put_together(1), put_together(2)];

#[inline(always)]
unsafe fn mixed_ps(v: [__m512; 3], steps: &[[i32; 16]; 2]) -> __m512 {
    // SAFETY: see the head of the file.
    unsafe {
        let first = _mm512_loadu_si512(steps[0].as_ptr().cast());
        let second = _mm512_loadu_si512(steps[1].as_ptr().cast());
        let half = _mm512_permutex2var_ps(v[0], first, v[1]);
        _mm512_permutex2var_ps(half, second, v[2])
    }
}

#[inline(always)]
unsafe fn mixed_pd(v: [__m512d; 3], steps: &[[i64; 8]; 2]) -> __m512d {
    // SAFETY: see the head of the file.
    unsafe {
        let first = _mm512_loadu_si512(steps[0].as_ptr().cast());
        let second = _mm512_loadu_si512(steps[1].as_ptr().cast());
        let half = _mm512_permutex2var_pd(v[0], first, v[1]);
        _mm512_permutex2var_pd(half, second, v[2])
    }
}

/// Sixteen items of three.
#[inline(always)]
pub(super) unsafe fn load_16x3(from: *const f32) -> [__m512; 3] {
    // SAFETY: see the head of the file.
    unsafe {
        let v = [
            _mm512_loadu_ps(from),
            _mm512_loadu_ps(from.add(16)),
            _mm512_loadu_ps(from.add(32)),
        ];
        [
            mixed_ps(v, &APART_PS[0]),
            mixed_ps(v, &APART_PS[1]),
            mixed_ps(v, &APART_PS[2]),
        ]
    }
}

/// The inverse of [`load_16x3`].
#[inline(always)]
pub(super) unsafe fn store_16x3(v: [__m512; 3], to: *mut f32) {
    // SAFETY: see the head of the file.
    unsafe {
        _mm512_storeu_ps(to, mixed_ps(v, &TOGETHER_PS[0]));
        _mm512_storeu_ps(to.add(16), mixed_ps(v, &TOGETHER_PS[1]));
        _mm512_storeu_ps(to.add(32), mixed_ps(v, &TOGETHER_PS[2]));
    }
}

/// Eight items of three.
#[inline(always)]
pub(super) unsafe fn load_8x3(from: *const f64) -> [__m512d; 3] {
    // SAFETY: see the head of the file.
    unsafe {
        let v = [
            _mm512_loadu_pd(from),
            _mm512_loadu_pd(from.add(8)),
            _mm512_loadu_pd(from.add(16)),
        ];
        [
            mixed_pd(v, &APART_PD[0]),
            mixed_pd(v, &APART_PD[1]),
            mixed_pd(v, &APART_PD[2]),
        ]
    }
}

/// The inverse of [`load_8x3`].
#[inline(always)]
pub(super) unsafe fn store_8x3(v: [__m512d; 3], to: *mut f64) {
    // SAFETY: see the head of the file.
    unsafe {
        _mm512_storeu_pd(to, mixed_pd(v, &TOGETHER_PD[0]));
        _mm512_storeu_pd(to.add(8), mixed_pd(v, &TOGETHER_PD[1]));
        _mm512_storeu_pd(to.add(16), mixed_pd(v, &TOGETHER_PD[2]));
    }
}

/// Four numbers from each of eight places, `stride` apart.
#[inline(always)]
pub(super) unsafe fn load_8x4(from: *const f64, stride: usize) -> [__m512d; 4] {
    // SAFETY: see the head of the file.
    unsafe {
        macro_rules! rows {
            ($r:literal) => {
                _mm512_insertf64x4::<1>(
                    _mm512_castpd256_pd512(_mm256_loadu_pd(from.add($r * stride))),
                    _mm256_loadu_pd(from.add(($r + 4) * stride)),
                )
            };
        }
        let z = [rows!(0), rows!(1), rows!(2), rows!(3)];
        let a = [
            _mm512_unpacklo_pd(z[0], z[1]),
            _mm512_unpackhi_pd(z[0], z[1]),
        ];
        let b = [
            _mm512_unpacklo_pd(z[2], z[3]),
            _mm512_unpackhi_pd(z[2], z[3]),
        ];
        let (low, high) = blocks();
        [
            _mm512_permutex2var_pd(a[0], low, b[0]),
            _mm512_permutex2var_pd(a[1], low, b[1]),
            _mm512_permutex2var_pd(a[0], high, b[0]),
            _mm512_permutex2var_pd(a[1], high, b[1]),
        ]
    }
}

/// The inverse of [`load_8x4`].
#[inline(always)]
pub(super) unsafe fn store_8x4(v: [__m512d; 4], to: *mut f64, stride: usize) {
    // SAFETY: see the head of the file.
    unsafe {
        let (low, high) = blocks();
        let a = [
            _mm512_permutex2var_pd(v[0], low, v[2]),
            _mm512_permutex2var_pd(v[1], low, v[3]),
        ];
        let b = [
            _mm512_permutex2var_pd(v[0], high, v[2]),
            _mm512_permutex2var_pd(v[1], high, v[3]),
        ];
        let z = [
            _mm512_unpacklo_pd(a[0], a[1]),
            _mm512_unpackhi_pd(a[0], a[1]),
            _mm512_unpacklo_pd(b[0], b[1]),
            _mm512_unpackhi_pd(b[0], b[1]),
        ];
        macro_rules! put {
            ($r:literal) => {
                _mm256_storeu_pd(to.add($r * stride), _mm512_castpd512_pd256(z[$r]));
                let upper = _mm512_extractf64x4_pd::<1>(z[$r]);
                _mm256_storeu_pd(to.add(($r + 4) * stride), upper);
            };
        }
        put!(0);
        put!(1);
        put!(2);
        put!(3);
    }
}

/// Even and odd blocks of two registers, alternating.
#[inline(always)]
unsafe fn blocks() -> (__m512i, __m512i) {
    // SAFETY: see the head of the file.
    unsafe {
        (
            _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13),
            _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15),
        )
    }
}

/// Transposes the 4x4 blocks of four registers; its own inverse.
#[inline(always)]
unsafe fn transpose_blocks_ps(c: [__m256; 4]) -> [__m256; 4] {
    // SAFETY: see the head of the file.
    unsafe {
        let a = [
            _mm256_unpacklo_ps(c[0], c[1]),
            _mm256_unpackhi_ps(c[0], c[1]),
            _mm256_unpacklo_ps(c[2], c[3]),
            _mm256_unpackhi_ps(c[2], c[3]),
        ];
        [
            _mm256_shuffle_ps::<0x44>(a[0], a[2]),
            _mm256_shuffle_ps::<0xee>(a[0], a[2]),
            _mm256_shuffle_ps::<0x44>(a[1], a[3]),
            _mm256_shuffle_ps::<0xee>(a[1], a[3]),
        ]
    }
}

/// Four numbers from each of eight places, `stride` apart, in 256-bit registers.
#[inline(always)]
pub(super) unsafe fn load_8x4_ps(from: *const f32, stride: usize) -> [__m256; 4] {
    // SAFETY: see the head of the file.
    unsafe {
        macro_rules! rows {
            ($r:literal) => {
                _mm256_insertf128_ps::<1>(
                    _mm256_castps128_ps256(_mm_loadu_ps(from.add($r * stride))),
                    _mm_loadu_ps(from.add(($r + 4) * stride)),
                )
            };
        }
        transpose_blocks_ps([rows!(0), rows!(1), rows!(2), rows!(3)])
    }
}

/// The inverse of [`load_8x4_ps`].
#[inline(always)]
pub(super) unsafe fn store_8x4_ps(v: [__m256; 4], to: *mut f32, stride: usize) {
    // SAFETY: see the head of the file.
    unsafe {
        let rows = transpose_blocks_ps(v);
        macro_rules! put {
            ($r:literal) => {
                _mm_storeu_ps(to.add($r * stride), _mm256_castps256_ps128(rows[$r]));
                let upper = _mm256_extractf128_ps::<1>(rows[$r]);
                _mm_storeu_ps(to.add(($r + 4) * stride), upper);
            };
        }
        put!(0);
        put!(1);
        put!(2);
        put!(3);
    }
}

/// Transposes a 4x4 block; its own inverse.
#[inline(always)]
unsafe fn transpose_4x4_pd(r: [__m256d; 4]) -> [__m256d; 4] {
    // SAFETY: see the head of the file.
    unsafe {
        let a = [
            _mm256_unpacklo_pd(r[0], r[1]),
            _mm256_unpackhi_pd(r[0], r[1]),
            _mm256_unpacklo_pd(r[2], r[3]),
            _mm256_unpackhi_pd(r[2], r[3]),
        ];
        [
            _mm256_permute2f128_pd::<0x20>(a[0], a[2]),
            _mm256_permute2f128_pd::<0x20>(a[1], a[3]),
            _mm256_permute2f128_pd::<0x31>(a[0], a[2]),
            _mm256_permute2f128_pd::<0x31>(a[1], a[3]),
        ]
    }
}

/// Four numbers from each of four places, `stride` apart.
#[inline(always)]
pub(super) unsafe fn load_4x4_pd(from: *const f64, stride: usize) -> [__m256d; 4] {
    // SAFETY: see the head of the file.
    unsafe {
        transpose_4x4_pd([
            _mm256_loadu_pd(from),
            _mm256_loadu_pd(from.add(stride)),
            _mm256_loadu_pd(from.add(2 * stride)),
            _mm256_loadu_pd(from.add(3 * stride)),
        ])
    }
}

/// The inverse of [`load_4x4_pd`].
#[inline(always)]
pub(super) unsafe fn store_4x4_pd(v: [__m256d; 4], to: *mut f64, stride: usize) {
    // SAFETY: see the head of the file.
    unsafe {
        let rows = transpose_4x4_pd(v);
        _mm256_storeu_pd(to, rows[0]);
        _mm256_storeu_pd(to.add(stride), rows[1]);
        _mm256_storeu_pd(to.add(2 * stride), rows[2]);
        _mm256_storeu_pd(to.add(3 * stride), rows[3]);
    }
}

/// At which places of register `r` of three, of `width` numbers each, number `c` of an item stands.
const fn places(width: usize, r: usize, c: usize) -> i32 {
    let mut mask = 0;
    let mut at = 0;
    while at < width {
        if (width * r + at) % 3 == c {
            mask |= 1 << at;
        }
        at += 1;
    }
    mask
}

/// The place, in whichever register, of number `c` of each of eight items of three; and the inverse.
const fn turned(c: i32) -> [[i32; 8]; 2] {
    let mut turned = [[0; 8]; 2];
    let mut lane = 0;
    while lane < 8 {
        let at = (3 * lane + c) % 8;
        turned[0][lane as usize] = at;
        turned[1][at as usize] = lane;
        lane += 1;
    }
    turned
}

/// The same for four items, as the intrinsic wants it.
const fn turned4(c: i32, inverse: bool) -> i32 {
    let mut packed = 0;
    let mut lane = 0;
    while lane < 4 {
        let at = (3 * lane + c) % 4;
        packed |= if inverse {
            lane << (2 * at)
        } else {
            at << (2 * lane)
        };
        lane += 1;
    }
    packed
}

static TURNED: [[[i32; 8]; 2]; 3] = [turned(0), turned(1), turned(2)];

/// Eight items of three in 256-bit registers. Each number of an item stands at another place in each of
/// the three registers, so that blends bring it together and one permutation into order.
#[inline(always)]
pub(super) unsafe fn load_8x3_ps(from: *const f32) -> [__m256; 3] {
    // SAFETY: see the head of the file.
    unsafe {
        let v = [
            _mm256_loadu_ps(from),
            _mm256_loadu_ps(from.add(8)),
            _mm256_loadu_ps(from.add(16)),
        ];
        macro_rules! column {
            ($c:literal) => {{
                let blend = _mm256_blend_ps::<{ places(8, 1, $c) }>(v[0], v[1]);
                let blend = _mm256_blend_ps::<{ places(8, 2, $c) }>(blend, v[2]);
                let order = _mm256_loadu_si256(TURNED[$c][0].as_ptr().cast());
                _mm256_permutevar8x32_ps(blend, order)
            }};
        }
        [column!(0), column!(1), column!(2)]
    }
}

/// The inverse of [`load_8x3_ps`].
#[inline(always)]
pub(super) unsafe fn store_8x3_ps(v: [__m256; 3], to: *mut f32) {
    // SAFETY: see the head of the file.
    unsafe {
        macro_rules! spread {
            ($c:literal) => {{
                let order = _mm256_loadu_si256(TURNED[$c][1].as_ptr().cast());
                _mm256_permutevar8x32_ps(v[$c], order)
            }};
        }
        let s = [spread!(0), spread!(1), spread!(2)];
        macro_rules! put {
            ($r:literal) => {
                let blend = _mm256_blend_ps::<{ places(8, $r, 1) }>(s[0], s[1]);
                let blend = _mm256_blend_ps::<{ places(8, $r, 2) }>(blend, s[2]);
                _mm256_storeu_ps(to.add(8 * $r), blend);
            };
        }
        put!(0);
        put!(1);
        put!(2);
    }
}

/// Four items of three in 256-bit registers.
#[inline(always)]
pub(super) unsafe fn load_4x3_pd(from: *const f64) -> [__m256d; 3] {
    // SAFETY: see the head of the file.
    unsafe {
        let v = [
            _mm256_loadu_pd(from),
            _mm256_loadu_pd(from.add(4)),
            _mm256_loadu_pd(from.add(8)),
        ];
        macro_rules! column {
            ($c:literal) => {{
                let blend = _mm256_blend_pd::<{ places(4, 1, $c) }>(v[0], v[1]);
                let blend = _mm256_blend_pd::<{ places(4, 2, $c) }>(blend, v[2]);
                _mm256_permute4x64_pd::<{ turned4($c, false) }>(blend)
            }};
        }
        [column!(0), column!(1), column!(2)]
    }
}

/// The inverse of [`load_4x3_pd`].
#[inline(always)]
pub(super) unsafe fn store_4x3_pd(v: [__m256d; 3], to: *mut f64) {
    // SAFETY: see the head of the file.
    unsafe {
        let s = [
            _mm256_permute4x64_pd::<{ turned4(0, true) }>(v[0]),
            _mm256_permute4x64_pd::<{ turned4(1, true) }>(v[1]),
            _mm256_permute4x64_pd::<{ turned4(2, true) }>(v[2]),
        ];
        macro_rules! put {
            ($r:literal) => {
                let blend = _mm256_blend_pd::<{ places(4, $r, 1) }>(s[0], s[1]);
                let blend = _mm256_blend_pd::<{ places(4, $r, 2) }>(blend, s[2]);
                _mm256_storeu_pd(to.add(4 * $r), blend);
            };
        }
        put!(0);
        put!(1);
        put!(2);
    }
}
