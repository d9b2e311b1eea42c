//! Quaternions `x y z w` (Hamilton product) over lanes. Rotations take unit quaternions.

use super::number::Number;
use super::real::Real;
use super::vector::{self, Vector};

/// A quaternion, `x y z w`.
pub type Quaternion<L> = [L; 4];

/// No rotation.
#[inline(always)]
pub fn identity<L: Number>() -> Quaternion<L> {
    [L::zero(), L::zero(), L::zero(), L::one()]
}

/// The squared length.
#[inline(always)]
pub fn square<L: Number>([x, y, z, w]: Quaternion<L>) -> L {
    x.mul_add(x, y.mul_add(y, z.mul_add(z, w * w)))
}

/// Where squared lengths, and the product of two of them, neither vanish nor overflow.
#[inline(always)]
fn is_moderate<L: Number>(square: L) -> bool {
    let most = if size_of::<L::Scalar>() == 4 {
        1e15
    } else {
        1e140
    };
    L::all(square.lt(L::lit(most))) && L::all(L::lit(1.0 / most).lt(square))
}

/// The unit quaternion of the same rotation; a quaternion of length 0 stays 0, with derivatives of 0.
#[inline(always)]
pub fn normalize<L: Number>(q: Quaternion<L>) -> Quaternion<L> {
    unit(q).0
}

/// The unit quaternion, and what the quaternion was multiplied by to become it.
#[inline(always)]
pub fn unit<L: Number>(q: Quaternion<L>) -> (Quaternion<L>, L) {
    let length = square(q);
    if !is_moderate(length) {
        return unit_by_size(q);
    }
    let factor = L::one() / length.sqrt();
    let [x, y, z, w] = q;
    ([x * factor, y * factor, z * factor, w * factor], factor)
}

/// [`unit`] for any length: numbers are divided by the largest first, so that squares neither vanish nor
/// overflow.
#[inline(always)]
fn unit_by_size<L: Number>([x, y, z, w]: Quaternion<L>) -> (Quaternion<L>, L) {
    let size = x.abs().max(y.abs()).max(z.abs().max(w.abs())).detached();
    let nothing = size.lt(L::splat(L::Scalar::MIN_POSITIVE));
    let per_size = L::one() / L::select(nothing, L::one(), size);
    let [x, y, z, w] = [x * per_size, y * per_size, z * per_size, w * per_size];
    let square = x.mul_add(x, y.mul_add(y, z.mul_add(z, w * w)));
    let per_length = L::one() / L::select(nothing, L::one(), square).sqrt();
    let factor = L::select(nothing, L::zero(), per_length);
    let unit = [x * factor, y * factor, z * factor, w * factor];
    (unit, factor * per_size)
}

/// The cotangent of a quaternion, given that of its [`unit`].
#[inline(always)]
pub fn unit_pull<L: Number>(
    (unit, factor): (Quaternion<L>, L),
    cotangent: Quaternion<L>,
) -> Quaternion<L> {
    let along = dot(unit, cotangent);
    let mut gradient = cotangent;
    for k in 0..4 {
        gradient[k] = (cotangent[k] - unit[k] * along) * factor;
    }
    gradient
}

/// The scalar product.
#[inline(always)]
pub fn dot<L: Number>(a: Quaternion<L>, b: Quaternion<L>) -> L {
    a[0].mul_add(b[0], a[1].mul_add(b[1], a[2].mul_add(b[2], a[3] * b[3])))
}

/// The inverse of a quaternion of any length but 0, and 0, with derivatives of 0, of that.
#[inline(always)]
pub fn inverse<L: Number>(q: Quaternion<L>) -> Quaternion<L> {
    let ([x, y, z, w], factor) = unit(q);
    [-(x * factor), -(y * factor), -(z * factor), w * factor]
}

/// The product of two rotations given by quaternions of any length: a unit quaternion, or 0 where one of
/// them has length 0.
#[inline(always)]
pub fn multiply_rotations<L: Number>(a: Quaternion<L>, b: Quaternion<L>) -> Quaternion<L> {
    let (of_a, of_b) = (square(a), square(b));
    if is_moderate(of_a) && is_moderate(of_b) {
        // One root for both lengths.
        let [x, y, z, w] = multiply(a, b);
        let factor = L::one() / (of_a * of_b).sqrt();
        return [x * factor, y * factor, z * factor, w * factor];
    }
    multiply(unit_by_size(a).0, unit_by_size(b).0)
}

/// The product: rotating by it is rotating by `b`, then by `a`.
#[inline(always)]
pub fn multiply<L: Number>(a: Quaternion<L>, b: Quaternion<L>) -> Quaternion<L> {
    let [ax, ay, az, aw] = a;
    let [bx, by, bz, bw] = b;
    let [nx, ny, nz] = [-ax, -ay, -az];
    [
        aw.mul_add(bx, ax.mul_add(bw, ay.mul_add(bz, nz * by))),
        aw.mul_add(by, nx.mul_add(bz, ay.mul_add(bw, az * bx))),
        aw.mul_add(bz, ax.mul_add(by, ny.mul_add(bx, az * bw))),
        aw.mul_add(bw, nx.mul_add(bx, ny.mul_add(by, nz * bz))),
    ]
}

/// The conjugate; the inverse of a unit quaternion.
#[inline(always)]
pub fn conjugate<L: Number>(q: Quaternion<L>) -> Quaternion<L> {
    [-q[0], -q[1], -q[2], q[3]]
}

/// `v` rotated by the unit quaternion `q`.
#[inline(always)]
pub fn rotate<L: Number>(q: Quaternion<L>, v: Vector<L>) -> Vector<L> {
    let u = [q[0], q[1], q[2]];
    let c = vector::cross(u, v);
    let twice = vector::add(c, c);
    vector::add(vector::scale_add(twice, q[3], v), vector::cross(u, twice))
}

/// `v` rotated by the inverse of the unit quaternion `q`.
#[inline(always)]
pub fn rotate_inverse<L: Number>(q: Quaternion<L>, v: Vector<L>) -> Vector<L> {
    rotate([q[0], q[1], q[2], -q[3]], v)
}

/// The cotangents of `q` and `v`, given that of [`rotate`]. `q` is taken as four independent numbers.
#[inline(always)]
pub fn rotate_pull<L: Number>(
    q: Quaternion<L>,
    v: Vector<L>,
    cotangent: Vector<L>,
) -> (Quaternion<L>, Vector<L>) {
    let ([x, y, z, w], g) = (q, cotangent);
    let u = [x, y, z];
    let (uv, gu, gv) = (vector::dot(u, v), vector::dot(g, u), vector::dot(g, v));
    let turn = vector::scale(vector::cross(v, g), w);
    let bend = vector::scale_add(g, uv, vector::scale_add(v, gu, turn));
    let [x, y, z] = vector::scale_add(u, -(gv + gv), bend);
    let along = vector::dot(vector::cross(u, v), g);
    let [x, y, z, w] = [x, y, z, along];
    ([x + x, y + y, z + z, w + w], rotate_inverse(q, g))
}

/// The rotation matrix of the unit quaternion `q`, by rows.
#[inline(always)]
pub fn to_matrix<L: Number>(q: Quaternion<L>) -> [[L; 3]; 3] {
    let [x, y, z, w] = q;
    let [x2, y2, z2] = [x + x, y + y, z + z];
    let (xx, yy, zz) = (x * x2, y * y2, z * z2);
    let (xy, xz, yz) = (x * y2, x * z2, y * z2);
    let (wx, wy, wz) = (w * x2, w * y2, w * z2);
    let one = L::one();
    [
        [one - (yy + zz), xy - wz, xz + wy],
        [xy + wz, one - (xx + zz), yz - wx],
        [xz - wy, yz + wx, one - (xx + yy)],
    ]
}

/// `q` times the rotation about x whose half angle has this sine and cosine.
#[inline(always)]
pub fn times_x<L: Number>([x, y, z, w]: Quaternion<L>, sin: L, cos: L) -> Quaternion<L> {
    [
        w.mul_add(sin, x * cos),
        y.mul_add(cos, z * sin),
        z.mul_add(cos, -(y * sin)),
        w.mul_add(cos, -(x * sin)),
    ]
}

/// `q` times the rotation about y whose half angle has this sine and cosine.
#[inline(always)]
pub fn times_y<L: Number>([x, y, z, w]: Quaternion<L>, sin: L, cos: L) -> Quaternion<L> {
    [
        x.mul_add(cos, -(z * sin)),
        w.mul_add(sin, y * cos),
        z.mul_add(cos, x * sin),
        w.mul_add(cos, -(y * sin)),
    ]
}

/// `q` times the rotation about z whose half angle has this sine and cosine.
#[inline(always)]
pub fn times_z<L: Number>([x, y, z, w]: Quaternion<L>, sin: L, cos: L) -> Quaternion<L> {
    [
        x.mul_add(cos, y * sin),
        y.mul_add(cos, -(x * sin)),
        w.mul_add(sin, z * cos),
        w.mul_add(cos, -(z * sin)),
    ]
}

/// The change of `q` while it turns with angular velocity `w` (in the frame that `q` maps to).
#[inline(always)]
pub fn turning<L: Number>(q: Quaternion<L>, w: Vector<L>) -> Quaternion<L> {
    let half = vector::scale(w, L::lit(0.5));
    multiply([half[0], half[1], half[2], L::zero()], q)
}

/// The transpose of [`turning`]: the torque that a cotangent of the four components exerts.
#[inline(always)]
pub fn torque<L: Number>(q: Quaternion<L>, cotangent: Quaternion<L>) -> Vector<L> {
    let half = L::lit(0.5);
    let [x, y, z, _] = multiply(cotangent, conjugate(q));
    [half * x, half * y, half * z]
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra as na;

    fn unit(seed: f64) -> [f64; 4] {
        let q = [1.0, 2.0, 3.0, 4.0].map(|k| (k * seed).sin());
        let norm = q.iter().map(|x| x * x).sum::<f64>().sqrt();
        q.map(|x| x / norm)
    }

    fn oracle([x, y, z, w]: [f64; 4]) -> na::UnitQuaternion<f64> {
        na::UnitQuaternion::new_unchecked(na::Quaternion::new(w, x, y, z))
    }

    #[test]
    fn products_and_rotations_agree_with_nalgebra() {
        let (a, b) = (unit(1.3), unit(2.9));
        let v = [0.3, -1.7, 2.2];
        let product = oracle(a) * oracle(b);
        for (got, want) in multiply(a, b).iter().zip(product.coords.iter()) {
            assert!((got - want).abs() < 1e-15);
        }
        let want = oracle(a) * na::Vector3::from(v);
        let m = to_matrix(a);
        for i in 0..3 {
            assert!((rotate(a, v)[i] - want[i]).abs() < 1e-15);
            assert!((vector::dot(m[i], v) - want[i]).abs() < 1e-15);
            assert!((rotate_inverse(a, want.into())[i] - v[i]).abs() < 1e-14);
        }
        let (sin, cos) = 0.4_f64.sin_cos();
        let axes = [
            times_x(a, sin, cos),
            times_y(a, sin, cos),
            times_z(a, sin, cos),
        ];
        for (axis, got) in axes.into_iter().enumerate() {
            let mut about = [0.0, 0.0, 0.0, cos];
            about[axis] = sin;
            let want = multiply(a, about);
            assert!((0..4).all(|c| (got[c] - want[c]).abs() < 1e-15));
        }
    }

    #[test]
    fn turning_is_a_derivative_and_torque_its_transpose() {
        let (q, w, g) = (unit(0.7), [0.2, -0.5, 0.9], [0.4, 1.1, -0.3, 0.8]);
        let h = 1e-6;
        let turned = |t: f64| {
            let by = na::UnitQuaternion::from_scaled_axis(na::Vector3::from(w) * t);
            (by * oracle(q)).coords
        };
        let want = (turned(h) - turned(-h)) / (2.0 * h);
        let got = turning(q, w);
        assert!((0..4).all(|c| (got[c] - want[c]).abs() < 1e-9));
        let pushed: f64 = (0..4).map(|c| got[c] * g[c]).sum();
        assert!((pushed - vector::dot(torque(q, g), w)).abs() < 1e-15);
    }
}
