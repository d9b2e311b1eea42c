//! States back to joint parameters, and the derivatives of that.
//!
//! Like forward kinematics, derivatives are geometric: motions of the joints become motions relative to
//! their parents, which become rates of the angles; cotangents go the other way as loads.

use super::{Load, Motion};
use crate::character::Skeleton;
use crate::math::{
    Lane, Quaternion, Real, Transform, Vector, euler, log2, quaternion, sin_cos, vector,
};

/// No parent.
const NONE: u32 = u32::MAX;

/// The constant data of one joint.
#[derive(Debug, Clone)]
struct JointPlan<T> {
    offset: [T; 3],
    pre_rotation: [T; 4],
    parent: u32,
}

/// A skeleton laid out for reading joint parameters off states.
#[derive(Debug, Clone)]
pub struct InversePlan<T> {
    joints: Vec<JointPlan<T>>,
}

/// A joint's state with a unit quaternion, and the length it had.
#[derive(Debug, Clone, Copy)]
pub struct Posed<L> {
    state: Transform<L>,
    length: L,
}

impl<L: Lane> Posed<L> {
    /// From `tx ty tz qx qy qz qw s`; the quaternion may have any length but zero.
    #[inline(always)]
    pub fn from_columns(columns: [L; 8]) -> Self {
        let mut state = Transform::from_columns(columns);
        // In two steps, so that squares of short and long quaternions stay in range.
        let size = state.q[0].abs() + state.q[1].abs() + state.q[2].abs() + state.q[3].abs();
        let q = state.q.map(|x| x / size);
        let rest = q.iter().fold(L::zero(), |sum, &x| x.mul_add(x, sum)).sqrt();
        state.q = q.map(|x| x / rest);
        Self {
            state,
            length: size * rest,
        }
    }

    /// How the joint moves while its state changes by `tangent`. Changes of the quaternion's length do
    /// not move it.
    #[inline(always)]
    fn motion(&self, tangent: [L; 8]) -> Motion<L> {
        let [x, y, z, qx, qy, qz, qw, s] = tangent;
        let turn = quaternion::torque(self.state.q, [qx, qy, qz, qw]);
        Motion {
            velocity: [x, y, z],
            angular: vector::scale(turn, L::lit(4.0) / self.length),
            growth: s / self.state.s,
        }
    }

    /// The cotangent of the state from a load; the transpose of [`Self::motion`].
    #[inline(always)]
    pub fn cotangent(&self, load: &Load<L>) -> [L; 8] {
        let [x, y, z] = load.force;
        let factor = L::lit(4.0) / self.length;
        let q = quaternion::turning(self.state.q, load.torque);
        let [qx, qy, qz, qw] = q.map(|x| factor * x);
        [x, y, z, qx, qy, qz, qw, load.stretch / self.state.s]
    }
}

/// The angles of `Rz(rz) Ry(ry) Rx(rx)`, with what their derivatives need.
struct Angles<L: Lane> {
    r: Vector<L>,
    /// Cosine and sine of `ry`.
    cos: L,
    sin: L,
    /// Where `ry` is ±π/2 as far as the numbers can tell.
    locked: L::Mask,
}

impl<L: Lane> Angles<L> {
    /// From a unit quaternion; `|ry| <= π/2`, and `rx = 0` in gimbal lock.
    #[inline(always)]
    fn of(q: Quaternion<L>) -> Self {
        let found = euler::Angles::of([0, 1, 2], q);
        let [x, y, z, w] = q;
        Self {
            r: found.angles,
            cos: found.freedom,
            sin: L::lit(2.0) * (w * y - x * z),
            locked: found.locked,
        }
    }

    /// The rates of the angles under an angular velocity. In gimbal lock the part that no change of
    /// `ry` and `rz` can make is left out.
    #[inline(always)]
    fn rates(&self, [x, y, z]: Vector<L>) -> Vector<L> {
        let (s, c) = sin_cos(self.r[2]);
        let about_x = c.mul_add(x, s * y) / self.cos;
        let rx = L::select(self.locked, L::zero(), about_x);
        [rx, c * y - s * x, self.sin.mul_add(rx, z)]
    }

    /// The torque of a cotangent of the angles; the transpose of [`Self::rates`].
    #[inline(always)]
    fn torque(&self, [rx, ry, rz]: Vector<L>) -> Vector<L> {
        let (s, c) = sin_cos(self.r[2]);
        let about_x = self.sin.mul_add(rz, rx) / self.cos;
        let x = L::select(self.locked, L::zero(), about_x);
        [c * x - s * ry, s.mul_add(x, c * ry), rz]
    }
}

impl<T: Real> InversePlan<T> {
    /// For states in the world.
    #[must_use]
    pub fn world(skeleton: &Skeleton) -> Self {
        let joints = skeleton.joints().iter().map(|joint| JointPlan {
            offset: joint.translation_offset.map(T::from_f64),
            pre_rotation: joint.pre_rotation.map(T::from_f64),
            parent: joint.parent.map_or(NONE, |parent| parent as u32),
        });
        Self {
            joints: joints.collect(),
        }
    }

    /// For states in the parents' frames.
    #[must_use]
    pub fn local(skeleton: &Skeleton) -> Self {
        let mut plan = Self::world(skeleton);
        plan.joints.iter_mut().for_each(|joint| joint.parent = NONE);
        plan
    }

    /// The number of joints.
    #[must_use]
    pub fn n_joints(&self) -> usize {
        self.joints.len()
    }

    #[inline(always)]
    fn parent<'p, P>(&self, joint: usize, all: &'p [P]) -> Option<&'p P> {
        let parent = self.joints[joint].parent;
        (parent != NONE).then(|| &all[parent as usize])
    }

    /// The state in the parent's frame.
    #[inline(always)]
    fn relative<L: Lane<Scalar = T>>(&self, joint: usize, poses: &[Posed<L>]) -> Transform<L> {
        let state = &poses[joint].state;
        match self.parent(joint, poses) {
            None => *state,
            Some(Posed { state: parent, .. }) => {
                let arm = vector::sub(state.t, parent.t);
                let t = quaternion::rotate_inverse(parent.q, arm);
                Transform {
                    t: t.map(|x| x / parent.s),
                    q: quaternion::multiply(quaternion::conjugate(parent.q), state.q),
                    s: state.s / parent.s,
                }
            }
        }
    }

    #[inline(always)]
    fn pre_rotation<L: Lane<Scalar = T>>(&self, joint: usize) -> Quaternion<L> {
        self.joints[joint].pre_rotation.map(L::splat)
    }

    #[inline(always)]
    fn angles<L: Lane<Scalar = T>>(&self, joint: usize, local: &Transform<L>) -> Angles<L> {
        let back = quaternion::conjugate(self.pre_rotation::<L>(joint));
        Angles::of(quaternion::multiply(back, local.q))
    }

    /// The parameters `tx ty tz rx ry rz sc` of one joint.
    #[inline(always)]
    pub fn parameters<L: Lane<Scalar = T>>(&self, joint: usize, poses: &[Posed<L>]) -> [L; 7] {
        let local = self.relative(joint, poses);
        let t: Vector<L> =
            std::array::from_fn(|c| local.t[c] - L::splat(self.joints[joint].offset[c]));
        let [rx, ry, rz] = self.angles(joint, &local).r;
        [t[0], t[1], t[2], rx, ry, rz, log2(local.s)]
    }

    /// The change of one joint's parameters while the states change by `tangents`.
    #[inline(always)]
    pub fn push<L: Lane<Scalar = T>>(
        &self,
        joint: usize,
        poses: &[Posed<L>],
        tangents: &[[L; 8]],
    ) -> [L; 7] {
        let mut motion = poses[joint].motion(tangents[joint]);
        if let Some(posed) = self.parent(joint, poses) {
            let parent = &posed.state;
            let tangent = self.parent(joint, tangents).expect("it has a parent");
            let carrier = posed.motion(*tangent);
            let arm = vector::sub(poses[joint].state.t, parent.t);
            let velocity = vector::sub(motion.velocity, carrier.carried(arm));
            let velocity = quaternion::rotate_inverse(parent.q, velocity);
            let angular = vector::sub(motion.angular, carrier.angular);
            motion = Motion {
                velocity: velocity.map(|x| x / parent.s),
                angular: quaternion::rotate_inverse(parent.q, angular),
                growth: motion.growth - carrier.growth,
            };
        }
        let angles = self.angles(joint, &self.relative(joint, poses));
        let angular = quaternion::rotate_inverse(self.pre_rotation(joint), motion.angular);
        let [rx, ry, rz] = angles.rates(angular);
        let [x, y, z] = motion.velocity;
        let sc = motion.growth * L::lit(std::f64::consts::LOG2_E);
        [x, y, z, rx, ry, rz, sc]
    }

    /// Adds the load that a cotangent of one joint's parameters exerts on it and, reversed, on its
    /// parent.
    #[inline(always)]
    pub fn pull<L: Lane<Scalar = T>>(
        &self,
        joint: usize,
        poses: &[Posed<L>],
        cotangent: [L; 7],
        loads: &mut [Load<L>],
    ) {
        let [x, y, z, rx, ry, rz, sc] = cotangent;
        let angles = self.angles(joint, &self.relative(joint, poses));
        let torque = quaternion::rotate(self.pre_rotation(joint), angles.torque([rx, ry, rz]));
        let mut load = Load {
            force: [x, y, z],
            torque,
            stretch: sc * L::lit(std::f64::consts::LOG2_E),
        };
        if let Some(Posed { state: parent, .. }) = self.parent(joint, poses) {
            let force = quaternion::rotate(parent.q, load.force);
            load.force = force.map(|x| x / parent.s);
            load.torque = quaternion::rotate(parent.q, load.torque);
            let arm = vector::sub(poses[joint].state.t, parent.t);
            let torque = vector::add(load.torque, vector::cross(arm, load.force));
            loads[self.joints[joint].parent as usize].add(&Load {
                force: load.force.map(|x| -x),
                torque: torque.map(|x| -x),
                stretch: -(load.stretch + vector::dot(load.force, arm)),
            });
        }
        loads[joint].add(&load);
    }
}
