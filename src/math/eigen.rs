//! Eigenvectors of small symmetric matrices, with derivatives.

use super::number::Number;
use super::real::Real;

/// Sweeps after which Jacobi's method stops in any case; five are usual.
const MOST_SWEEPS: usize = 12;

/// Eigenvalues and, as rows, unit eigenvectors of a symmetric matrix, the largest eigenvalue first.
#[derive(Debug, Clone, Copy)]
pub struct Eigen<L, const K: usize> {
    /// The eigenvalues; only the first is in its place.
    pub values: [L; K],
    /// The eigenvectors.
    pub vectors: [[L; K]; K],
}

#[inline(always)]
fn dot<L: Number, const K: usize>(a: &[L; K], b: &[L; K]) -> L {
    let mut sum = L::zero();
    for k in 0..K {
        sum = a[k].mul_add(b[k], sum);
    }
    sum
}

#[inline(always)]
fn times<L: Number, const K: usize>(m: &[[L; K]; K], v: &[L; K]) -> [L; K] {
    let mut product = [L::zero(); K];
    for k in 0..K {
        product[k] = dot(&m[k], v);
    }
    product
}

impl<L: Number, const K: usize> Eigen<L, K> {
    /// Jacobi's method: plane rotations until nothing is left beside the diagonal.
    #[inline(always)]
    pub fn of(mut m: [[L; K]; K]) -> Self {
        let mut vectors = [[L::zero(); K]; K];
        for k in 0..K {
            vectors[k][k] = L::one();
        }
        for _ in 0..MOST_SWEEPS {
            let (mut beside, mut size) = (L::zero(), L::splat(L::Scalar::MIN_POSITIVE));
            for p in 0..K {
                size += m[p][p].abs() * L::epsilon();
                for q in p + 1..K {
                    beside += m[p][q].abs();
                }
            }
            if L::all(beside.lt(size)) {
                break;
            }
            for p in 0..K {
                for q in p + 1..K {
                    rotate(&mut m, &mut vectors, p, q);
                }
            }
        }
        let mut values = [L::zero(); K];
        for k in 0..K {
            values[k] = m[k][k];
        }
        for k in 1..K {
            let larger = values[0].lt(values[k]);
            let (first, other) = (values[0], values[k]);
            values[0] = L::select(larger, other, first);
            values[k] = L::select(larger, first, other);
            for c in 0..K {
                let (first, other) = (vectors[0][c], vectors[k][c]);
                vectors[0][c] = L::select(larger, other, first);
                vectors[k][c] = L::select(larger, first, other);
            }
        }
        Self { values, vectors }
    }

    /// How far apart two eigenvalues must be to count as two.
    #[inline(always)]
    fn noise(&self) -> L {
        let mut size = L::splat(L::Scalar::MIN_POSITIVE);
        for k in 0..K {
            size += self.values[k].abs();
        }
        size * (L::lit(16.0) * L::epsilon())
    }

    /// One over the distance of eigenvalue `k` from the first; 0 where they meet.
    #[inline(always)]
    pub fn per_gap(&self, k: usize) -> L {
        let gap = self.values[0] - self.values[k];
        let apart = self.noise().lt(gap);
        let rate = L::one() / L::select(apart, gap, L::one());
        L::select(apart, rate, L::zero())
    }

    /// The first eigenvector of `m`, whose plain eigenvectors these are. Where its eigenvalue is not
    /// the only one of its size, the part of the derivative that is infinite is left out.
    ///
    /// Two steps of Newton's method from the plain eigenvector: each makes one more order of the
    /// derivatives right.
    #[inline(always)]
    pub fn first<N: Number<Plain = L, Scalar = L::Scalar, Mask = L::Mask>>(
        &self,
        m: &[[N; K]; K],
    ) -> [N; K] {
        let mut v = [N::zero(); K];
        for c in 0..K {
            v[c] = N::from_plain(self.vectors[0][c]);
        }
        for _ in 0..2 {
            let product = times(m, &v);
            let value = dot(&v, &product) / dot(&v, &v);
            let mut step = [N::zero(); K];
            for k in 1..K {
                let mut part = N::zero();
                for c in 0..K {
                    let rest = product[c] - value * v[c];
                    part = N::from_plain(self.vectors[k][c]).mul_add(rest, part);
                }
                part = part * N::from_plain(self.per_gap(k));
                for c in 0..K {
                    step[c] = N::from_plain(self.vectors[k][c]).mul_add(part, step[c]);
                }
            }
            for c in 0..K {
                v[c] += step[c];
            }
        }
        let per_length = N::one() / dot(&v, &v).sqrt();
        for c in 0..K {
            v[c] = v[c] * per_length;
        }
        v
    }

    /// The first eigenvalue of `m`, whose plain eigenvectors these are. Where several meet, their mean:
    /// its derivative exists.
    #[inline(always)]
    pub fn first_value<N: Number<Plain = L, Scalar = L::Scalar, Mask = L::Mask>>(
        &self,
        m: &[[N; K]; K],
    ) -> N {
        let v = self.first(m);
        let alone = dot(&v, &times(m, &v));
        let (mut sum, mut count) = (N::zero(), N::zero());
        let noise = self.noise();
        for k in 0..K {
            let mut v = [N::zero(); K];
            for c in 0..K {
                v[c] = N::from_plain(self.vectors[k][c]);
            }
            let apart = noise.lt(self.values[0] - self.values[k]);
            sum += N::select(apart, N::zero(), dot(&v, &times(m, &v)));
            count += N::select(apart, N::zero(), N::one());
        }
        let meet = N::lit(1.5).lt(count);
        N::select(meet, sum / N::select(meet, count, N::one()), alone)
    }
}

/// Turns the plane of `p` and `q` so that nothing is left between them.
#[inline(always)]
fn rotate<L: Number, const K: usize>(
    m: &mut [[L; K]; K],
    vectors: &mut [[L; K]; K],
    p: usize,
    q: usize,
) {
    let beside = m[p][q];
    let nothing = beside.abs().lt(L::splat(L::Scalar::MIN_POSITIVE));
    let ratio = (m[q][q] - m[p][p]) / L::select(nothing, L::one(), beside + beside);
    let sign = L::select(ratio.lt(L::zero()), -L::one(), L::one());
    let tangent = sign / (ratio.abs() + ratio.mul_add(ratio, L::one()).sqrt());
    let tangent = L::select(nothing, L::zero(), tangent);
    let cos = L::one() / tangent.mul_add(tangent, L::one()).sqrt();
    let sin = tangent * cos;
    for k in 0..K {
        let (a, b) = (m[k][p], m[k][q]);
        m[k][p] = cos.mul_add(a, -(sin * b));
        m[k][q] = sin.mul_add(a, cos * b);
    }
    for k in 0..K {
        let (a, b) = (m[p][k], m[q][k]);
        m[p][k] = cos.mul_add(a, -(sin * b));
        m[q][k] = sin.mul_add(a, cos * b);
        let (a, b) = (vectors[p][k], vectors[q][k]);
        vectors[p][k] = cos.mul_add(a, -(sin * b));
        vectors[q][k] = sin.mul_add(a, cos * b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra as na;

    #[test]
    fn eigenvectors_agree_with_nalgebra_and_repeated_values_are_no_trouble() {
        for seed in 0..20 {
            let raw = na::Matrix4::from_fn(|i, j| f64::from(seed * 7 + (i * 4 + j) as i32).sin());
            let m = raw + raw.transpose();
            let m: na::Matrix4<f64> = if seed == 0 {
                na::Matrix4::identity()
            } else {
                m
            };
            let eigen = Eigen::of(std::array::from_fn(|i| std::array::from_fn(|j| m[(i, j)])));
            let want = m.symmetric_eigen().eigenvalues.max();
            assert!((eigen.values[0] - want).abs() < 1e-14 * (1.0 + want.abs()));
            for (value, vector) in eigen.values.iter().zip(&eigen.vectors) {
                let v = na::Vector4::from(*vector);
                assert!((m * v - v * *value).norm() < 1e-13);
                assert!((v.norm() - 1.0).abs() < 1e-14);
            }
        }
    }
}
