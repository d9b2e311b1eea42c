//! The rotation and the scale in a matrix.

use super::eigen::Eigen;
use super::matrix::{self, Matrix};
use super::number::Number;
use super::quaternion::{self, Quaternion};
use super::real::Real;
use super::vector;

/// Rotation and uniform scale of a matrix `s · R`: `R` is the nearest rotation, `s` the largest factor
/// by which a length changes, and negative where the matrix mirrors. Exact for matrices that are of
/// that form; an arbitrary rotation and 0 for a matrix of zeros.
#[inline(always)]
pub fn decompose<N: Number>(m: Matrix<N>) -> (Quaternion<N>, N) {
    let mut size = N::zero();
    for row in m {
        for number in row {
            size = number.abs().max(size);
        }
    }
    let size = size.detached();
    let nothing = size.lt(N::splat(N::Scalar::MIN_POSITIVE));
    let size = N::select(nothing, N::one(), size);
    let m = matrix::scale(m, N::one() / size);
    let noise = N::lit(-16.0) * N::epsilon();
    let mirrors = matrix::determinant(m).lt(noise);
    let sign = N::select(mirrors, -N::one(), N::one());
    let m = matrix::scale(m, sign);
    let q = rotation(m);
    // What is left is symmetric; its largest eigenvalue is the scale.
    let rest = matrix::multiply(matrix::transpose(quaternion::to_matrix(q)), m);
    let mut symmetric = rest;
    for i in 0..3 {
        for j in 0..3 {
            symmetric[i][j] = (rest[i][j] + rest[j][i]) * N::lit(0.5);
        }
    }
    let scale = Eigen::of(plain(&symmetric)).first_value(&symmetric);
    (q, scale * sign * size)
}

#[inline(always)]
fn plain<N: Number, const K: usize>(m: &[[N; K]; K]) -> [[N::Plain; K]; K] {
    let mut values = [[N::Plain::zero(); K]; K];
    for i in 0..K {
        for j in 0..K {
            values[i][j] = m[i][j].plain();
        }
    }
    values
}

/// The rotation that is nearest to a matrix, with `w >= 0`: of all `R` the one with the largest trace
/// of `Rᵀ m`, which is a quadratic form of the quaternion.
#[inline(always)]
fn rotation<N: Number>(m: Matrix<N>) -> Quaternion<N> {
    let [[a, b, c], [d, e, f], [g, h, i]] = m;
    let (x, y, z) = (h - f, c - g, d - b);
    let form = [
        [a + e + i, x, y, z],
        [x, a - e - i, b + d, c + g],
        [y, b + d, e - a - i, f + h],
        [z, c + g, f + h, i - a - e],
    ];
    upright(Eigen::of(plain(&form)).first(&form))
}

#[inline(always)]
fn upright<N: Number>([w, x, y, z]: [N; 4]) -> Quaternion<N> {
    let sign = N::select(w.lt(N::zero()), -N::one(), N::one());
    let [x, y, z] = vector::scale([x, y, z], sign);
    [x, y, z, w * sign]
}

/// The rotation in the middle of several, with the weights of the form `Σ w · q qᵀ` (unit quaternions,
/// weights that sum to about 1).
#[inline(always)]
pub fn middle<N: Number>(form: &[[N; 4]; 4]) -> Quaternion<N> {
    Eigen::of(plain(form)).first(form)
}

/// The cotangent of the form, given that of its [`middle`].
#[inline(always)]
pub fn middle_pull<L: Number>(form: &[[L; 4]; 4], cotangent: [L; 4]) -> [[L; 4]; 4] {
    let eigen = Eigen::of(*form);
    let mut along = [L::zero(); 4];
    for k in 1..4 {
        let part = quaternion::dot(eigen.vectors[k], cotangent) * eigen.per_gap(k);
        for c in 0..4 {
            along[c] = eigen.vectors[k][c].mul_add(part, along[c]);
        }
    }
    let first = eigen.vectors[0];
    let mut gradient = *form;
    for i in 0..4 {
        for j in 0..4 {
            let both = along[i].mul_add(first[j], along[j] * first[i]);
            gradient[i][j] = both * L::lit(0.5);
        }
    }
    gradient
}
