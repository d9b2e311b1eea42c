//! Euler angles of any order, also in gimbal lock.

use std::f64::consts::{PI, TAU};

use super::number::Number;
use super::quaternion::{self, Quaternion};
use crate::error::{Error, Result};

/// The three axes of Euler angles, and how the angles are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EulerOrder {
    /// 0, 1, 2 for x, y, z; the rotation that is applied first comes first.
    axes: [usize; 3],
    /// Whether the angles are listed the other way round.
    reversed: bool,
}

impl EulerOrder {
    /// Rotations about x, then y, then z, all fixed: `Rz · Ry · Rx`.
    pub const XYZ: Self = Self {
        axes: [0, 1, 2],
        reversed: false,
    };
    /// The same rotations as `Rx · Ry · Rz`, listed z, y, x.
    pub const ZYX: Self = Self {
        axes: [2, 1, 0],
        reversed: false,
    };

    /// From three letters: `xyz` about fixed axes, in this order; `XYZ` about the axes that the
    /// rotations before took along.
    ///
    /// # Errors
    /// [`Error::Value`] for anything else, and where one axis comes twice in a row.
    pub fn parse(order: &str) -> Result<Self> {
        let reversed = order.chars().all(|letter| letter.is_ascii_uppercase());
        let letters: Vec<usize> = order
            .chars()
            .filter_map(|letter| (if reversed { "XYZ" } else { "xyz" }).find(letter))
            .collect();
        let axes = match letters[..] {
            [a, b, c] if order.len() == 3 && a != b && b != c => [a, b, c],
            _ => {
                let problem = format!(
                    "{order:?} is not three of the letters x y z (fixed axes) or X Y Z (moving axes) \
                     without neighbours that are the same"
                );
                return Err(Error::value("order", problem));
            }
        };
        let [a, b, c] = axes;
        Ok(Self {
            axes: if reversed { [c, b, a] } else { axes },
            reversed,
        })
    }

    #[inline(always)]
    fn listed<L: Number>(self, [a, b, c]: [L; 3]) -> [L; 3] {
        if self.reversed { [c, b, a] } else { [a, b, c] }
    }

    /// The rotation of these angles.
    #[inline(always)]
    pub fn compose<L: Number>(self, angles: [L; 3]) -> Quaternion<L> {
        let angles = self.listed(angles);
        let mut q = quaternion::identity();
        for step in (0..3).rev() {
            let (sin, cos) = (angles[step] * L::lit(0.5)).sin_cos();
            q = match self.axes[step] {
                0 => quaternion::times_x(q, sin, cos),
                1 => quaternion::times_y(q, sin, cos),
                _ => quaternion::times_z(q, sin, cos),
            };
        }
        q
    }

    /// The angles of a unit quaternion.
    #[inline(always)]
    pub fn decompose<L: Number>(self, q: Quaternion<L>) -> [L; 3] {
        self.listed(Angles::of(self.axes, q).angles)
    }
}

/// Angles of a rotation about three fixed axes.
#[derive(Debug, Clone, Copy)]
pub struct Angles<L: Number> {
    /// The angle that is applied first comes first. The middle one is in -π/2 ..= π/2, or in 0 ..= π
    /// where the first axis is the last one too. In gimbal lock the first one is 0.
    pub angles: [L; 3],
    /// The cosine of the middle angle, or half its sine where the first axis is the last one too: 0 in
    /// gimbal lock.
    pub freedom: L,
    /// Where the rotation is in gimbal lock as far as the numbers can tell.
    pub locked: L::Mask,
}

impl<L: Number> Angles<L> {
    /// From a unit quaternion.
    ///
    /// With half angles α, β, γ the four numbers below are, up to constants, `cos β` times cosine and
    /// sine of `γ + α` and `sin β` times those of `γ - α` (β counted from the lock where the three axes
    /// differ). So sum and difference come from an arc tangent each, and so does β. Near a lock one of
    /// the two is vague, but then the rotation hardly depends on it.
    #[inline(always)]
    pub fn of([i, j, k]: [usize; 3], q: Quaternion<L>) -> Self {
        let proper = i == k;
        let k = 3 - i - j;
        let even = (j + 3 - i) % 3 == 1;
        let third = if even { q[k] } else { -q[k] };
        let (w, first, second) = (q[3], q[i], q[j]);
        let (a, b, c, d) = if proper {
            (w, first, second, third)
        } else {
            (w - second, first + third, w + second, third - first)
        };
        let near = a.mul_add(a, b * b).sqrt_or_zero();
        let far = c.mul_add(c, d * d).sqrt_or_zero();
        let (sum, difference) = (b.atan2(a), d.atan2(c));

        let lock = L::lit(4.0) * L::epsilon();
        let (near_locked, far_locked) = (near.lt(lock), far.lt(lock));
        let locked = near.min(far).lt(lock);
        let (sum, difference) = (
            L::select(near_locked, difference, sum),
            L::select(far_locked, sum, difference),
        );
        // A length has no derivative at 0. The angles are those of a rotation that swings through the
        // lock, and on that way the length goes on below 0.
        let swing = a * c.detached() + b * d.detached();
        let near_through = swing / L::select(near_locked, far.max(lock), L::one()).detached();
        let swing = c * a.detached() + d * b.detached();
        let far_through = swing / L::select(far_locked, near.max(lock), L::one()).detached();
        let near = L::select(near_locked, near_through, near);
        let far = L::select(far_locked, far_through, far);

        let half = if proper {
            far.atan2(near)
        } else {
            let both = near + far;
            let difference = second * w - first * third;
            (L::lit(4.0) * difference).atan2(both * both)
        };
        let last = sum + difference;
        let last = if proper || even { last } else { -last };
        Self {
            angles: [wrapped(sum - difference), half + half, wrapped(last)],
            freedom: near * far,
            locked,
        }
    }
}

/// The same angle in -π ..= π.
#[inline(always)]
fn wrapped<L: Number>(angle: L) -> L {
    let angle = L::select(L::lit(PI).lt(angle), angle - L::lit(TAU), angle);
    L::select(angle.lt(L::lit(-PI)), angle + L::lit(TAU), angle)
}
