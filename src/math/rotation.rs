//! Rotations as quaternions: their logarithm and exponential, matrices, arcs, angles between them. Safe
//! at the identity and at half turns: values and derivatives are right there too.

use super::matrix::Matrix;
use super::number::Number;
use super::quaternion::{self, Quaternion};
use super::real::Real;
use super::vector::{self, Vector};

/// `Σ coefficients[k] · x^k`.
#[inline(always)]
fn polynomial<L: Number, const K: usize>(x: L, coefficients: [f64; K]) -> L {
    let mut sum = L::lit(coefficients[K - 1]);
    for k in (0..K - 1).rev() {
        sum = sum.mul_add(x, L::lit(coefficients[k]));
    }
    sum
}

/// The rotation about an axis by an angle in radians, given as axis times angle.
#[inline(always)]
pub fn exp<L: Number>(v: Vector<L>) -> Quaternion<L> {
    let square = vector::dot(v, v) * L::lit(0.25);
    // Series in the square of the half angle: no square root, whose derivative is infinite at 0.
    let near = square.lt(L::lit(0.25));
    let sinc = polynomial(
        square,
        [
            1.0,
            -1.0 / 6.0,
            1.0 / 120.0,
            -1.0 / 5040.0,
            1.0 / 362_880.0,
            -1.0 / 39_916_800.0,
            1.0 / 6_227_020_800.0,
        ],
    );
    let cosine = polynomial(
        square,
        [
            1.0,
            -1.0 / 2.0,
            1.0 / 24.0,
            -1.0 / 720.0,
            1.0 / 40_320.0,
            -1.0 / 3_628_800.0,
            1.0 / 479_001_600.0,
            -1.0 / 87_178_291_200.0,
        ],
    );
    let half = L::select(near, L::one(), square).sqrt();
    let (sin, cos) = half.sin_cos();
    let factor = L::select(near, sinc, sin / half) * L::lit(0.5);
    let [x, y, z] = vector::scale(v, factor);
    [x, y, z, L::select(near, cosine, cos)]
}

/// Axis times angle, the angle in 0 ..= π: the inverse of [`exp`]. The quaternion may have any length.
#[inline(always)]
pub fn log<L: Number>(q: Quaternion<L>) -> Vector<L> {
    let [x, y, z, w] = quaternion::normalize(q);
    let sign = L::select(w.lt(L::zero()), -L::one(), L::one());
    let (v, w) = (vector::scale([x, y, z], sign), w * sign);
    let (square, ww) = (vector::dot(v, v), w * w);
    let near = square.lt(ww * L::lit(0.01));
    let ratio = square / L::select(near, ww, L::one());
    let series = polynomial(
        ratio,
        [
            2.0,
            -2.0 / 3.0,
            2.0 / 5.0,
            -2.0 / 7.0,
            2.0 / 9.0,
            -2.0 / 11.0,
            2.0 / 13.0,
            -2.0 / 15.0,
        ],
    );
    let by_series = series / L::select(near, w, L::one());
    let nothing = square.lt(L::splat(L::Scalar::MIN_POSITIVE));
    let sin = L::select(near, L::one(), L::select(nothing, L::one(), square)).sqrt();
    let angle = sin.atan2(w);
    vector::scale(v, L::select(near, by_series, (angle + angle) / sin))
}

/// The angle between two rotations, in 0 ..= π. 0, with derivatives of 0, where they are the same as
/// far as the numbers can tell: the angle has no derivative there.
#[inline(always)]
pub fn distance<L: Number>(a: Quaternion<L>, b: Quaternion<L>) -> L {
    let (a, b) = (quaternion::normalize(a), quaternion::normalize(b));
    let [x, y, z, w] = quaternion::multiply(quaternion::conjugate(a), b);
    let square = vector::dot([x, y, z], [x, y, z]);
    let noise = L::lit(4.0) * L::epsilon();
    let same = square.lt(noise * noise);
    let sin = L::select(same, L::one(), square).sqrt();
    let angle = sin.atan2(w.abs());
    L::select(same, L::zero(), angle + angle)
}

/// From `a` to `b` at constant speed along the shorter arc, being there at `t` = 1.
#[inline(always)]
pub fn interpolate<L: Number>(a: Quaternion<L>, b: Quaternion<L>, t: L) -> Quaternion<L> {
    let (a, b) = (quaternion::normalize(a), quaternion::normalize(b));
    let way = log(quaternion::multiply(quaternion::conjugate(a), b));
    quaternion::multiply(a, exp(vector::scale(way, t)))
}

/// The rotation of a rotation matrix, from the best conditioned of the four ways to read it off.
#[inline(always)]
pub fn from_matrix<L: Number>([[a, b, c], [d, e, f], [g, h, i]]: Matrix<L>) -> Quaternion<L> {
    let one = L::one();
    let (x, y) = (one + a - e - i, one - a + e - i);
    let (z, mut best) = (one - a - e + i, one + a + e + i);
    let mut q = [h - f, c - g, d - b, best];
    let others = [
        (x, [x, b + d, c + g, h - f]),
        (y, [b + d, y, f + h, c - g]),
        (z, [c + g, f + h, z, d - b]),
    ];
    for (size, candidate) in others {
        let better = best.lt(size);
        best = L::select(better, size, best);
        for k in 0..4 {
            q[k] = L::select(better, candidate[k], q[k]);
        }
    }
    quaternion::normalize(q)
}

/// The shortest rotation of one direction to another; no rotation where one of them is 0. Opposite
/// directions have no shortest one: `aside`, of length 1 and at right angles to `a`, is then on the way.
#[inline(always)]
pub fn between<L: Number>(a: Vector<L>, b: Vector<L>, aside: Vector<L>) -> Quaternion<L> {
    let (a, b) = (vector::normalize(a), vector::normalize(b));
    let sum = vector::add(a, b);
    let square = vector::dot(sum, sum);
    let noise = L::lit(8.0) * L::epsilon();
    let opposite = square.lt(noise * noise);
    // 1 + a · b is half the square of the sum, and a × b is a × (a + b): neither cancels near -a.
    let [x, y, z] = vector::cross(a, sum);
    let direct = quaternion::normalize([x, y, z, L::lit(0.5) * square]);
    let around = quaternion::multiply(right_angle(aside, b), right_angle(a, aside));
    let mut q = around;
    for k in 0..4 {
        q[k] = L::select(opposite, around[k], direct[k]);
    }
    q
}

/// The rotation between two directions that are far from opposite.
#[inline(always)]
fn right_angle<L: Number>(a: Vector<L>, b: Vector<L>) -> Quaternion<L> {
    let [x, y, z] = vector::cross(a, b);
    quaternion::normalize([x, y, z, L::one() + vector::dot(a, b)])
}

/// A direction at right angles to this one.
#[inline(always)]
pub fn aside<L: Number>(v: Vector<L>) -> Vector<L> {
    let [x, y, z] = [v[0].abs(), v[1].abs(), v[2].abs()];
    let (yes, no) = (L::one(), L::zero());
    // The coordinate axis that is furthest away.
    let z_before_x = z.lt(x);
    let y_first = y.lt(x.min(z));
    let ey = L::select(y_first, yes, no);
    let ez = L::select(y_first, no, L::select(z_before_x, yes, no));
    let ex = yes - ey - ez;
    vector::normalize(vector::cross(v, [ex, ey, ez]))
}
