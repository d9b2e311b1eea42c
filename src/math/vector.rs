//! Vectors of three lanes.

use super::number::Number;

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
