//! Skinning by dual quaternions: the constant data, and kernels over groups of poses.
//!
//! Each joint's skinning transform is a scale `s`, then a rotation `q`, then a translation, the last two
//! as a dual quaternion `q + ε e`. A vertex blends the three numbers of its joints, `(b, e, s)`, and goes
//! to `vec((b (s r) + 2 e) b*) / |b|²`: blended scale first, then the rigid motion that the blended dual
//! quaternion is, of unit length or not.

use crate::character::Character;
use crate::error::{Error, Result};
use crate::math::{Lane, Quaternion, Real, Vector, quaternion, vector};

use super::skinning::skin_of;

/// The constant data of dual quaternion skinning in one precision.
#[derive(Debug)]
pub struct DualQuaternionPlan<T> {
    /// Influences of vertex `v` are `starts[v] .. starts[v + 1]`.
    starts: Vec<u32>,
    /// The joint of each influence and its part of the vertex' whole weight; the largest comes first.
    influences: Vec<(u32, T)>,
    /// Joint from world in the bind pose, `tx ty tz qx qy qz qw s`.
    binds: Vec<[T; 8]>,
    /// The mesh's vertices, `(n_vertices, 3)`.
    rest: Vec<T>,
}

impl<T: Real> DualQuaternionPlan<T> {
    /// Collects what skinning needs. Weights count relative to their sum; a vertex whose weights sum
    /// to 0 has none.
    ///
    /// # Errors
    /// [`Error::Character`] where the character has no skin, or where a joint that carries vertices is
    /// bound by a matrix that is more than a rotation, a translation and one scale.
    pub fn new(character: &Character) -> Result<Self> {
        let (mesh, weights) = skin_of(character)?;
        let columns = weights.n_influences();
        let mut slots = weights.index().iter().zip(weights.weight().iter());
        let (mut starts, mut influences) = (vec![0], Vec::new());
        let mut used = vec![false; character.skeleton.len()];
        for _ in 0..weights.n_vertices() {
            let row = slots.by_ref().take(columns).filter(|&(_, w)| w != 0.0);
            let mut row: Vec<(u32, f64)> = row.map(|(&joint, w)| (joint, w)).collect();
            row.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
            let sum: f64 = row.iter().map(|(_, w)| w).sum();
            if sum != 0.0 {
                row.iter()
                    .for_each(|&(joint, _)| used[joint as usize] = true);
                influences.extend(row.iter().map(|&(joint, w)| (joint, T::from_f64(w / sum))));
            }
            starts.push(influences.len() as u32);
        }
        let mut binds = Vec::with_capacity(used.len());
        for (joint, (matrix, used)) in character.inverse_bind_pose.iter().zip(used).enumerate() {
            let bind = similarity(matrix).or(if used { None } else { Some(IDENTITY) });
            let bind = bind.ok_or_else(|| {
                Error::character(
                    format!("joint '{}'", character.skeleton.joints()[joint].name),
                    "its inverse bind pose is more than a rotation, a translation and one scale; \
                     skin_points can use it, dual quaternions cannot",
                )
            })?;
            binds.push(bind.map(T::from_f64));
        }
        Ok(Self {
            starts,
            influences,
            binds,
            rest: mesh.vertices.iter().map(T::from_f64).collect(),
        })
    }

    /// The number of joints.
    #[must_use]
    pub fn n_joints(&self) -> usize {
        self.binds.len()
    }

    /// The number of vertices.
    #[must_use]
    pub fn n_vertices(&self) -> usize {
        self.starts.len() - 1
    }

    /// The number of influences that carry weight.
    #[must_use]
    pub fn n_influences(&self) -> usize {
        self.influences.len()
    }

    /// The mesh's vertices, `(n_vertices, 3)`.
    #[must_use]
    pub fn rest(&self) -> &[T] {
        &self.rest
    }

    /// Joint from world in the bind pose.
    #[inline(always)]
    #[must_use]
    pub fn bind(&self, joint: usize) -> &[T; 8] {
        &self.binds[joint]
    }

    #[inline(always)]
    fn of_vertex(&self, vertex: usize) -> &[(u32, T)] {
        &self.influences[self.starts[vertex] as usize..self.starts[vertex + 1] as usize]
    }
}

const IDENTITY: [f64; 8] = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0];

/// Translation, rotation and scale of a matrix that is nothing else.
fn similarity(m: &[f64; 16]) -> Option<[f64; 8]> {
    use nalgebra::{Matrix3, Rotation3, UnitQuaternion};
    let linear = Matrix3::new(m[0], m[1], m[2], m[4], m[5], m[6], m[8], m[9], m[10]);
    let scale = linear.determinant().cbrt();
    let rotation = linear / scale;
    let error = (rotation.transpose() * rotation - Matrix3::identity())
        .abs()
        .max();
    // Bind poses come from files in float32, and as products of some matrices. NaN is no rotation.
    if !(scale > 0.0 && error < 1e-4) {
        return None;
    }
    let q = UnitQuaternion::from_rotation_matrix(&Rotation3::from_matrix_unchecked(rotation));
    let [x, y, z, w] = q.coords.into();
    Some([m[3], m[7], m[11], x, y, z, w, scale])
}

/// What a joint or a blend of joints is: a dual quaternion and a scale.
#[derive(Debug, Clone, Copy)]
pub struct Part<L> {
    /// The rotation.
    pub real: Quaternion<L>,
    /// Half the translation, times the rotation.
    pub dual: Quaternion<L>,
    /// The scale, applied first.
    pub scale: L,
}

impl<L: Lane> Part<L> {
    /// Nothing, to add to.
    #[inline(always)]
    #[must_use]
    pub fn zero() -> Self {
        Self {
            real: [L::zero(); 4],
            dual: [L::zero(); 4],
            scale: L::zero(),
        }
    }

    /// Adds `weight` times the dual quaternion of another, and `scale_weight` times its scale.
    #[inline(always)]
    fn add(&mut self, other: &Self, weight: L, scale_weight: L) {
        for c in 0..4 {
            self.real[c] = other.real[c].mul_add(weight, self.real[c]);
            self.dual[c] = other.dual[c].mul_add(weight, self.dual[c]);
        }
        self.scale = other.scale.mul_add(scale_weight, self.scale);
    }
}

#[inline(always)]
fn pure<L: Lane>([x, y, z]: Vector<L>) -> Quaternion<L> {
    [x, y, z, L::zero()]
}

#[inline(always)]
fn vector_of<L: Lane>([x, y, z, _]: Quaternion<L>) -> Vector<L> {
    [x, y, z]
}

#[inline(always)]
fn times<L: Lane>(a: Quaternion<L>, factor: L) -> Quaternion<L> {
    a.map(|x| x * factor)
}

#[inline(always)]
fn plus<L: Lane>(a: Quaternion<L>, b: Quaternion<L>) -> Quaternion<L> {
    std::array::from_fn(|c| a[c] + b[c])
}

#[inline(always)]
fn dot<L: Lane>(a: Quaternion<L>, b: Quaternion<L>) -> L {
    (a[0] * b[0] + a[1] * b[1]) + (a[2] * b[2] + a[3] * b[3])
}

/// A joint's world state and its bind, taken apart.
struct Joint<L> {
    /// The state's rotation, of unit length, and one over the length it had.
    q: Quaternion<L>,
    per_length: L,
    s: L,
    bind_t: Vector<L>,
    bind_q: Quaternion<L>,
    bind_s: L,
    /// The rotation and the translation of the product.
    whole_q: Quaternion<L>,
    whole_t: Vector<L>,
    /// The bind's translation, turned by the state.
    turned: Vector<L>,
}

impl<L: Lane> Joint<L> {
    #[inline(always)]
    fn new([tx, ty, tz, qx, qy, qz, qw, s]: [L; 8], bind: &[L::Scalar; 8]) -> Self {
        let [bx, by, bz, ux, uy, uz, uw, bind_s] = bind.map(L::splat);
        let raw = [qx, qy, qz, qw];
        let per_length = L::one() / dot(raw, raw).sqrt();
        let q = times(raw, per_length);
        let (bind_t, bind_q) = ([bx, by, bz], [ux, uy, uz, uw]);
        let turned = quaternion::rotate(q, bind_t);
        Self {
            q,
            per_length,
            s,
            bind_t,
            bind_q,
            bind_s,
            whole_q: quaternion::multiply(q, bind_q),
            whole_t: vector::scale_add(turned, s, [tx, ty, tz]),
            turned,
        }
    }

    #[inline(always)]
    fn dual(&self) -> Quaternion<L> {
        times(
            quaternion::multiply(pure(self.whole_t), self.whole_q),
            L::lit(0.5),
        )
    }
}

/// The skinning transform of a joint: its world state times its inverse bind pose.
#[inline(always)]
pub fn joint_part<L: Lane>(state: [L; 8], bind: &[L::Scalar; 8]) -> Part<L> {
    let joint = Joint::new(state, bind);
    Part {
        real: joint.whole_q,
        dual: joint.dual(),
        scale: joint.s * joint.bind_s,
    }
}

/// The derivative of [`joint_part`] in the direction `tangent`.
#[inline(always)]
pub fn push_joint_part<L: Lane>(state: [L; 8], tangent: [L; 8], bind: &[L::Scalar; 8]) -> Part<L> {
    let joint = Joint::new(state, bind);
    let [tx, ty, tz, x, y, z, w, s] = tangent;
    let raw = [x, y, z, w];
    let along = dot(joint.q, raw);
    let q = times(plus(raw, times(joint.q, -along)), joint.per_length);
    let whole_q = quaternion::multiply(q, joint.bind_q);
    // R(q) b = vec(q b q*), whose two halves change alike.
    let half = quaternion::multiply(pure(joint.bind_t), quaternion::conjugate(joint.q));
    let turning = vector_of(quaternion::multiply(q, half));
    let whole_t = vector::scale_add(
        turning,
        joint.s + joint.s,
        vector::scale_add(joint.turned, s, [tx, ty, tz]),
    );
    let dual = plus(
        quaternion::multiply(pure(whole_t), joint.whole_q),
        quaternion::multiply(pure(joint.whole_t), whole_q),
    );
    Part {
        real: whole_q,
        dual: times(dual, L::lit(0.5)),
        scale: s * joint.bind_s,
    }
}

/// The cotangent of a joint's state from that of its part: the transpose of [`push_joint_part`].
#[inline(always)]
pub fn pull_joint_part<L: Lane>(
    state: [L; 8],
    bind: &[L::Scalar; 8],
    cotangent: &Part<L>,
) -> [L; 8] {
    let joint = Joint::new(state, bind);
    let half = times(cotangent.dual, L::lit(0.5));
    let whole_t = vector_of(quaternion::multiply(
        half,
        quaternion::conjugate(joint.whole_q),
    ));
    let minus_t = pure(vector::scale(joint.whole_t, L::lit(-1.0)));
    let whole_q = plus(cotangent.real, quaternion::multiply(minus_t, half));
    let mut q = quaternion::multiply(whole_q, quaternion::conjugate(joint.bind_q));
    let arm = quaternion::multiply(joint.q, pure(joint.bind_t));
    let force = pure(vector::scale(whole_t, L::lit(-2.0) * joint.s));
    q = plus(q, quaternion::multiply(force, arm));
    let along = dot(joint.q, q);
    let [x, y, z, w] = times(plus(q, times(joint.q, -along)), joint.per_length);
    let s = cotangent
        .scale
        .mul_add(joint.bind_s, vector::dot(whole_t, joint.turned));
    let [tx, ty, tz] = whole_t;
    [tx, ty, tz, x, y, z, w, s]
}

/// The blend of a vertex. Of the two dual quaternions that are one motion, each joint gives the one on
/// the side of the joint with the largest weight. `each` is told every joint, its signed weight and its
/// weight.
#[inline(always)]
fn blend<L: Lane>(
    plan: &DualQuaternionPlan<L::Scalar>,
    parts: &[Part<L>],
    vertex: usize,
    mut each: impl FnMut(usize, L, L),
) -> Part<L> {
    let influences = plan.of_vertex(vertex);
    let mut sum = Part::zero();
    let Some(&(first, _)) = influences.first() else {
        return sum;
    };
    let pivot = parts[first as usize].real;
    for &(joint, weight) in influences {
        let part = &parts[joint as usize];
        let weight = L::splat(weight);
        let signed = L::select(dot(pivot, part.real).lt(L::zero()), -weight, weight);
        sum.add(part, signed, weight);
        each(joint as usize, signed, weight);
    }
    sum
}

/// A vertex on its way: what [`Placed::point`] is made of.
struct Placed<L> {
    /// `b (s r) + 2 e`.
    before: Quaternion<L>,
    /// `1 / |b|²`; 0 where there is nothing to divide by.
    per_square: L,
    point: Vector<L>,
}

#[inline(always)]
fn place<L: Lane>(blend: &Part<L>, rest: Vector<L>) -> Placed<L> {
    let square = dot(blend.real, blend.real);
    let per_square = L::select(L::zero().lt(square), L::one() / square, L::zero());
    let scaled = pure(vector::scale(rest, blend.scale));
    let before = plus(
        quaternion::multiply(blend.real, scaled),
        plus(blend.dual, blend.dual),
    );
    let moved = quaternion::multiply(before, quaternion::conjugate(blend.real));
    Placed {
        before,
        per_square,
        point: vector::scale(vector_of(moved), per_square),
    }
}

/// Where a vertex goes.
#[inline(always)]
pub fn skin_vertex<L: Lane>(
    plan: &DualQuaternionPlan<L::Scalar>,
    parts: &[Part<L>],
    vertex: usize,
    rest: Vector<L>,
) -> Vector<L> {
    place(&blend(plan, parts, vertex, |_, _, _| {}), rest).point
}

/// How it moves while the joints' parts change by `tangents` and its rest point by `slide`.
#[inline(always)]
pub fn push_vertex<L: Lane>(
    plan: &DualQuaternionPlan<L::Scalar>,
    parts: &[Part<L>],
    tangents: &[Part<L>],
    vertex: usize,
    rest: Vector<L>,
    slide: Vector<L>,
) -> Vector<L> {
    let mut change = Part::zero();
    let now = blend(plan, parts, vertex, |joint, signed, weight| {
        change.add(&tangents[joint], signed, weight);
    });
    let placed = place(&now, rest);
    let scaled = pure(vector::scale(rest, now.scale));
    let sliding = vector::scale_add(slide, now.scale, vector::scale(rest, change.scale));
    let before = plus(
        plus(
            quaternion::multiply(change.real, scaled),
            quaternion::multiply(now.real, pure(sliding)),
        ),
        plus(change.dual, change.dual),
    );
    let moved = plus(
        quaternion::multiply(before, quaternion::conjugate(now.real)),
        quaternion::multiply(placed.before, quaternion::conjugate(change.real)),
    );
    let growth = L::lit(-2.0) * dot(now.real, change.real);
    vector::scale(
        vector::scale_add(placed.point, growth, vector_of(moved)),
        placed.per_square,
    )
}

/// Pulls a vertex' cotangent back: adds to `sums` of the joints' parts, and returns the cotangent of
/// its rest point.
#[inline(always)]
pub fn pull_vertex<L: Lane>(
    plan: &DualQuaternionPlan<L::Scalar>,
    parts: &[Part<L>],
    vertex: usize,
    rest: Vector<L>,
    cotangent: Vector<L>,
    sums: &mut [Part<L>],
) -> Vector<L> {
    let now = blend(plan, parts, vertex, |_, _, _| {});
    let placed = place(&now, rest);
    let force = pure(vector::scale(cotangent, placed.per_square));
    let before = quaternion::multiply(force, now.real);
    let conjugate = quaternion::multiply(quaternion::conjugate(placed.before), force);
    let scaled = vector::scale(rest, -now.scale);
    let growth = L::lit(-2.0) * vector::dot(vector_of(force), placed.point);
    let real = plus(
        plus(
            quaternion::conjugate(conjugate),
            quaternion::multiply(before, pure(scaled)),
        ),
        times(now.real, growth),
    );
    let turned = vector_of(quaternion::multiply(
        quaternion::conjugate(now.real),
        before,
    ));
    let pulled = Part {
        real,
        dual: plus(before, before),
        scale: vector::dot(turned, rest),
    };
    let mut reversed = |joint: usize, signed: L, weight: L| {
        sums[joint].add(&pulled, signed, weight);
    };
    blend(plan, parts, vertex, &mut reversed);
    vector::scale(turned, now.scale)
}
