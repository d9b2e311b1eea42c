//! Matrices of three rows and columns, by rows.

use super::number::Number;
use super::vector::{self, Vector};

/// A matrix, by rows.
pub type Matrix<L> = [Vector<L>; 3];

/// From nine numbers, row by row.
#[inline(always)]
pub fn from_numbers<L: Number>([a, b, c, d, e, f, g, h, i]: [L; 9]) -> Matrix<L> {
    [[a, b, c], [d, e, f], [g, h, i]]
}

/// As nine numbers, row by row.
#[inline(always)]
pub fn to_numbers<L: Number>([[a, b, c], [d, e, f], [g, h, i]]: Matrix<L>) -> [L; 9] {
    [a, b, c, d, e, f, g, h, i]
}

/// Rows as columns.
#[inline(always)]
pub fn transpose<L: Number>([[a, b, c], [d, e, f], [g, h, i]]: Matrix<L>) -> Matrix<L> {
    [[a, d, g], [b, e, h], [c, f, i]]
}

/// `m · v`.
#[inline(always)]
pub fn apply<L: Number>(m: Matrix<L>, v: Vector<L>) -> Vector<L> {
    [
        vector::dot(m[0], v),
        vector::dot(m[1], v),
        vector::dot(m[2], v),
    ]
}

/// `a · b`.
#[inline(always)]
pub fn multiply<L: Number>(a: Matrix<L>, b: Matrix<L>) -> Matrix<L> {
    let columns = transpose(b);
    // Rows of b against rows of a: b transposed, times each row.
    [
        apply(columns, a[0]),
        apply(columns, a[1]),
        apply(columns, a[2]),
    ]
}

/// Every number times the factor.
#[inline(always)]
pub fn scale<L: Number>(m: Matrix<L>, factor: L) -> Matrix<L> {
    [
        vector::scale(m[0], factor),
        vector::scale(m[1], factor),
        vector::scale(m[2], factor),
    ]
}

/// `a · bᵀ` for vectors.
#[inline(always)]
pub fn outer<L: Number>(a: Vector<L>, b: Vector<L>) -> Matrix<L> {
    [
        vector::scale(b, a[0]),
        vector::scale(b, a[1]),
        vector::scale(b, a[2]),
    ]
}

/// The determinant.
#[inline(always)]
pub fn determinant<L: Number>(m: Matrix<L>) -> L {
    vector::dot(m[0], vector::cross(m[1], m[2]))
}
