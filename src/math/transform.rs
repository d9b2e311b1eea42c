//! Similarity transforms `x ↦ t + s · R(q) · x`, the skeleton state of one joint.

use super::number::Number;
use super::quaternion::{self, Quaternion};
use super::vector::{self, Vector};

/// Scale, then rotation, then translation; in arrays `[tx ty tz qx qy qz qw s]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transform<L> {
    /// Translation.
    pub t: Vector<L>,
    /// Rotation, a unit quaternion.
    pub q: Quaternion<L>,
    /// Uniform scale.
    pub s: L,
}

impl<L: Number> Transform<L> {
    /// The transform that changes nothing.
    #[inline(always)]
    pub fn identity() -> Self {
        Self {
            t: vector::zero(),
            q: quaternion::identity(),
            s: L::one(),
        }
    }

    /// From `tx ty tz qx qy qz qw s`.
    #[inline(always)]
    pub fn from_columns([tx, ty, tz, qx, qy, qz, qw, s]: [L; 8]) -> Self {
        Self {
            t: [tx, ty, tz],
            q: [qx, qy, qz, qw],
            s,
        }
    }

    /// As `tx ty tz qx qy qz qw s`.
    #[inline(always)]
    pub fn to_columns(self) -> [L; 8] {
        let ([tx, ty, tz], [qx, qy, qz, qw]) = (self.t, self.q);
        [tx, ty, tz, qx, qy, qz, qw, self.s]
    }

    /// `inner`, then this one.
    #[inline(always)]
    pub fn compose(&self, inner: &Self) -> Self {
        Self {
            t: self.apply(inner.t),
            q: quaternion::multiply(self.q, inner.q),
            s: self.s * inner.s,
        }
    }

    /// The transform that undoes this one.
    #[inline(always)]
    pub fn inverse(&self) -> Self {
        let s = L::one() / self.s;
        Self {
            t: vector::scale(quaternion::rotate_inverse(self.q, self.t), -s),
            q: quaternion::conjugate(self.q),
            s,
        }
    }

    /// Where a point goes.
    #[inline(always)]
    pub fn apply(&self, point: Vector<L>) -> Vector<L> {
        vector::scale_add(quaternion::rotate(self.q, point), self.s, self.t)
    }

    /// Where a point came from.
    #[inline(always)]
    pub fn apply_inverse(&self, point: Vector<L>) -> Vector<L> {
        let turned = quaternion::rotate_inverse(self.q, vector::sub(point, self.t));
        vector::scale(turned, L::one() / self.s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composition_and_inverse_act_on_points_as_their_names_say() {
        let half = std::f64::consts::FRAC_1_SQRT_2;
        let a = Transform::from_columns([1.0, 2.0, 3.0, half, 0.0, 0.0, half, 2.0]);
        let b = Transform::from_columns([-1.0, 0.5, 0.0, 0.6, 0.0, 0.8, 0.0, 0.25]);
        let p = [0.3, -0.7, 1.9];
        // A quarter turn about x takes y to z; then twice, then moved.
        let moved = a.apply([0.0, 1.0, 0.0]);
        assert!((0..3).all(|i| (moved[i] - [1.0, 2.0, 5.0][i]).abs() < 1e-15));
        let near = |x: [f64; 3], y: [f64; 3]| (0..3).all(|i| (x[i] - y[i]).abs() < 1e-14);
        assert!(near(a.compose(&b).apply(p), a.apply(b.apply(p))));
        assert!(near(a.inverse().apply(a.apply(p)), p));
        assert!(near(a.apply_inverse(a.apply(p)), p));
        assert_eq!(Transform::from_columns(a.to_columns()), a);
    }
}
