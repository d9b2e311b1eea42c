//! Vectors of three lanes.

use super::number::Number;
use super::real::Real;

/// A vector.
pub type Vector<L> = [L; 3];

/// The zero vector.
#[inline(always)]
pub fn zero<L: Number>() -> Vector<L> {
    [L::zero(); 3]
}

/// `a + b`.
#[inline(always)]
pub fn add<L: Number>(a: Vector<L>, b: Vector<L>) -> Vector<L> {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// `a − b`.
#[inline(always)]
pub fn sub<L: Number>(a: Vector<L>, b: Vector<L>) -> Vector<L> {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// `factor · a`.
#[inline(always)]
pub fn scale<L: Number>(a: Vector<L>, factor: L) -> Vector<L> {
    [a[0] * factor, a[1] * factor, a[2] * factor]
}

/// `factor · a + b`.
#[inline(always)]
pub fn scale_add<L: Number>(a: Vector<L>, factor: L, b: Vector<L>) -> Vector<L> {
    [
        a[0].mul_add(factor, b[0]),
        a[1].mul_add(factor, b[1]),
        a[2].mul_add(factor, b[2]),
    ]
}

/// The scalar product.
#[inline(always)]
pub fn dot<L: Number>(a: Vector<L>, b: Vector<L>) -> L {
    a[0].mul_add(b[0], a[1].mul_add(b[1], a[2] * b[2]))
}

/// The vector product.
#[inline(always)]
pub fn cross<L: Number>(a: Vector<L>, b: Vector<L>) -> Vector<L> {
    [
        a[1].mul_add(b[2], -(a[2] * b[1])),
        a[2].mul_add(b[0], -(a[0] * b[2])),
        a[0].mul_add(b[1], -(a[1] * b[0])),
    ]
}

/// The vector of length 1 in the same direction; the zero vector stays, with derivatives of 0.
#[inline(always)]
pub fn normalize<L: Number>([x, y, z]: Vector<L>) -> Vector<L> {
    let size = x.abs().max(y.abs()).max(z.abs()).detached();
    let nothing = size.lt(L::splat(L::Scalar::MIN_POSITIVE));
    let per_size = L::one() / L::select(nothing, L::one(), size);
    let v = scale([x, y, z], per_size);
    let square = L::select(nothing, L::one(), dot(v, v));
    scale(v, L::select(nothing, L::zero(), L::one() / square.sqrt()))
}
