//! Forward kinematics of a group of poses, and its derivatives.
//!
//! The derivatives are geometric. Going forward each joint has a velocity, an angular velocity and a
//! rate of growth; going backward each subtree exerts a force and a torque at its joint, and a pull on
//! its scale. No Jacobian is formed, and the work of a derivative is a small multiple of the forward map.

use super::Drive;
use crate::character::Skeleton;
use crate::math::{Lane, Real, Transform, Vector, exp2, quaternion, sin_cos, vector};

/// No parent, no place.
const NONE: u32 = u32::MAX;
/// Bits of [`Drive::active`].
const TRANSLATION: u8 = 0b000_0111;
const RX: u8 = 1 << 3;
const RY: u8 = 1 << 4;
const RZ: u8 = 1 << 5;
const ROTATION: u8 = RX | RY | RZ;
const SCALE: u8 = 1 << 6;

/// The constant data of one joint.
#[derive(Debug, Clone)]
struct JointPlan<T> {
    offset: [T; 3],
    pre_rotation: [T; 4],
    /// Whether the pre-rotation does anything.
    turned: bool,
    parent: u32,
    /// Where the parent's state is kept while it is needed, and where this joint's goes.
    parent_place: u32,
    place: u32,
    /// Whether no later joint has the same parent.
    last_child: bool,
}

/// A skeleton laid out for computing.
#[derive(Debug, Clone)]
pub struct ForwardPlan<T> {
    joints: Vec<JointPlan<T>>,
    n_places: usize,
    /// Offsets and pre-rotations again, for lanes across joints: seven rows of [`Self::padded`] numbers.
    constants: Vec<T>,
}

/// How a joint moves: the derivative of its state.
#[derive(Debug, Clone, Copy)]
pub struct Motion<L> {
    /// Velocity of the joint's origin.
    pub velocity: Vector<L>,
    /// Angular velocity, in the world's axes.
    pub angular: Vector<L>,
    /// The scale's derivative divided by the scale.
    pub growth: L,
}

impl<L: Lane> Motion<L> {
    /// At rest.
    #[inline(always)]
    pub fn zero() -> Self {
        Self {
            velocity: vector::zero(),
            angular: vector::zero(),
            growth: L::zero(),
        }
    }

    /// The derivative of `tx ty tz qx qy qz qw s`.
    #[inline(always)]
    pub fn to_columns(self, state: &Transform<L>) -> [L; 8] {
        let [x, y, z] = self.velocity;
        let [qx, qy, qz, qw] = quaternion::turning(state.q, self.angular);
        [x, y, z, qx, qy, qz, qw, self.growth * state.s]
    }

    /// The velocity of what the joint carries at `arm` from its origin.
    #[inline(always)]
    pub fn carried(&self, arm: Vector<L>) -> Vector<L> {
        vector::add(
            vector::scale_add(arm, self.growth, self.velocity),
            vector::cross(self.angular, arm),
        )
    }
}

/// What a joint and everything below it exert: the cotangent of a [`Motion`].
#[derive(Debug, Clone, Copy)]
pub struct Load<L> {
    /// Force.
    pub force: Vector<L>,
    /// Torque about the joint's origin.
    pub torque: Vector<L>,
    /// Pull on the joint's relative growth.
    pub stretch: L,
}

impl<L: Lane> Load<L> {
    /// Nothing.
    #[inline(always)]
    pub fn zero() -> Self {
        Self {
            force: vector::zero(),
            torque: vector::zero(),
            stretch: L::zero(),
        }
    }

    /// What a cotangent of `tx ty tz qx qy qz qw s` exerts on the joint in this state.
    #[inline(always)]
    pub fn of_cotangent([x, y, z, qx, qy, qz, qw, s]: [L; 8], state: &Transform<L>) -> Self {
        Self {
            force: [x, y, z],
            torque: quaternion::torque(state.q, [qx, qy, qz, qw]),
            stretch: s * state.s,
        }
    }

    /// Adds another load at the same origin.
    #[inline(always)]
    pub fn add(&mut self, other: &Self) {
        self.force = vector::add(self.force, other.force);
        self.torque = vector::add(self.torque, other.torque);
        self.stretch += other.stretch;
    }

    /// Adds a load whose origin is at `arm` from this one's.
    #[inline(always)]
    fn add_carried(&mut self, other: &Self, arm: Vector<L>) {
        self.add_force(other.force, arm);
        self.torque = vector::add(self.torque, other.torque);
        self.stretch += other.stretch;
    }

    /// Adds a force that acts at `arm` from the origin.
    #[inline(always)]
    pub fn add_force(&mut self, force: Vector<L>, arm: Vector<L>) {
        self.force = vector::add(self.force, force);
        self.torque = vector::add(self.torque, vector::cross(arm, force));
        self.stretch += vector::dot(arm, force);
    }
}

/// Takes the states that the forward map finds. A trait and not a closure, as [`LoadSource`] is: a
/// closure is compiled without the kernel's instruction set wherever it is not inlined.
pub trait StateSink<L: Lane> {
    /// Takes the state of one joint.
    fn put(&mut self, joint: usize, state: &Transform<L>);
}

/// What the backward sweep starts from.
pub trait LoadSource<L: Lane> {
    /// The state of a joint.
    fn state(&self, joint: usize) -> Transform<L>;
    /// What a joint in this state exerts by itself.
    fn load(&self, joint: usize, state: &Transform<L>) -> Load<L>;
}

/// A joint's transform to its parent, and which parts of it are trivial.
struct Local<L> {
    transform: Transform<L>,
    rotates: bool,
    scales: bool,
}

impl<T: Real> JointPlan<T> {
    #[inline(always)]
    fn pre_rotation<L: Lane<Scalar = T>>(&self) -> [L; 4] {
        let [x, y, z, w] = self.pre_rotation;
        [L::splat(x), L::splat(y), L::splat(z), L::splat(w)]
    }

    #[inline(always)]
    fn local<L: Lane<Scalar = T>>(&self, active: u8, parameters: &[L; 7]) -> Local<L> {
        let [tx, ty, tz, rx, ry, rz, sc] = *parameters;
        let [x, y, z] = self.offset;
        let mut t = [L::splat(x), L::splat(y), L::splat(z)];
        if active & TRANSLATION != 0 {
            t = vector::add(t, [tx, ty, tz]);
        }
        let half = L::lit(0.5);
        let mut q = self.pre_rotation();
        if active & RZ != 0 {
            let (sin, cos) = sin_cos(rz * half);
            q = if self.turned {
                quaternion::times_z(q, sin, cos)
            } else {
                [L::zero(), L::zero(), sin, cos]
            };
        }
        if active & RY != 0 {
            let (sin, cos) = sin_cos(ry * half);
            q = quaternion::times_y(q, sin, cos);
        }
        if active & RX != 0 {
            let (sin, cos) = sin_cos(rx * half);
            q = quaternion::times_x(q, sin, cos);
        }
        let scales = active & SCALE != 0;
        Local {
            transform: Transform {
                t,
                q,
                s: if scales { exp2(sc) } else { L::one() },
            },
            rotates: self.turned || active & ROTATION != 0,
            scales,
        }
    }
}

impl<L: Lane> Local<L> {
    /// The world state, given the parent's.
    #[inline(always)]
    fn below(&self, parent: &Transform<L>) -> Transform<L> {
        let inner = &self.transform;
        Transform {
            t: parent.apply(inner.t),
            q: if self.rotates {
                quaternion::multiply(parent.q, inner.q)
            } else {
                parent.q
            },
            s: if self.scales {
                parent.s * inner.s
            } else {
                parent.s
            },
        }
    }
}

impl<T: Real> ForwardPlan<T> {
    /// States in the world.
    #[must_use]
    pub fn world(skeleton: &Skeleton) -> Self {
        Self::new(skeleton, |parent| parent)
    }

    /// States in the parents' frames: every joint is a root.
    #[must_use]
    pub fn local(skeleton: &Skeleton) -> Self {
        Self::new(skeleton, |_| None)
    }

    fn new(skeleton: &Skeleton, parent_of: impl Fn(Option<usize>) -> Option<usize>) -> Self {
        let mut last_child = vec![0; skeleton.len()];
        for (index, joint) in skeleton.joints().iter().enumerate() {
            if let Some(parent) = parent_of(joint.parent) {
                last_child[parent] = index;
            }
        }
        // A state is kept from its joint to the joint's last child; places are then used again, so that
        // few of them are ever touched and they stay in the nearest cache.
        let mut free: Vec<u32> = Vec::new();
        let mut n_places = 0;
        let mut joints: Vec<JointPlan<T>> = Vec::with_capacity(skeleton.len());
        for (index, joint) in skeleton.joints().iter().enumerate() {
            let parent = parent_of(joint.parent);
            let parent_place = parent.map_or(NONE, |parent| joints[parent].place);
            if let Some(parent) = parent
                && last_child[parent] == index
            {
                free.push(joints[parent].place);
            }
            let place = if last_child[index] == 0 {
                NONE
            } else {
                free.pop().unwrap_or_else(|| {
                    n_places += 1;
                    n_places - 1
                })
            };
            joints.push(JointPlan {
                offset: joint.translation_offset.map(T::from_f64),
                pre_rotation: joint.pre_rotation.map(T::from_f64),
                turned: joint.pre_rotation != [0.0, 0.0, 0.0, 1.0],
                parent: parent.map_or(NONE, |parent| parent as u32),
                parent_place,
                place,
                last_child: parent.is_some_and(|parent| last_child[parent] == index),
            });
        }
        let mut plan = Self {
            joints,
            n_places: n_places as usize,
            constants: Vec::new(),
        };
        let padded = plan.padded();
        plan.constants = vec![T::ZERO; 7 * padded];
        for (index, joint) in plan.joints.iter().enumerate() {
            let numbers = joint.offset.iter().chain(&joint.pre_rotation);
            for (row, &number) in numbers.enumerate() {
                plan.constants[row * padded + index] = number;
            }
        }
        plan
    }

    /// The number of joints, rounded up to whole registers of any width.
    #[inline(always)]
    fn padded(&self) -> usize {
        self.joints.len().next_multiple_of(16)
    }

    /// The number of joints.
    #[must_use]
    pub fn n_joints(&self) -> usize {
        self.joints.len()
    }

    /// How many states [`Self::forward`] keeps at a time.
    #[must_use]
    pub fn n_places(&self) -> usize {
        self.n_places
    }

    /// Marks the joints and all that they hang from; in order.
    #[must_use]
    pub fn chains(&self, joints: impl IntoIterator<Item = usize>) -> Vec<u32> {
        let mut needed = vec![false; self.joints.len()];
        for mut joint in joints {
            while !needed[joint] {
                needed[joint] = true;
                match self.joints[joint].parent {
                    NONE => break,
                    parent => joint = parent as usize,
                }
            }
        }
        (0..needed.len() as u32)
            .filter(|&joint| needed[joint as usize])
            .collect()
    }

    /// Computes the states of all joints, in order, and hands each to `sink`. `kept` has
    /// [`Self::n_places`] places for states.
    #[inline(always)]
    pub fn forward<L: Lane<Scalar = T>>(
        &self,
        drive: impl Drive<T>,
        inputs: &[L],
        kept: &mut [Transform<L>],
        sink: &mut impl StateSink<L>,
    ) {
        for (index, joint) in self.joints.iter().enumerate() {
            let parameters = drive.joint_parameters(inputs, index);
            let local = joint.local(drive.active(index), &parameters);
            let state = match joint.parent_place {
                NONE => local.transform,
                place => local.below(&kept[place as usize]),
            };
            if joint.place != NONE {
                kept[joint.place as usize] = state;
            }
            sink.put(index, &state);
        }
    }

    /// Computes the states of one pose into `out`, eight numbers per joint. With one pose the lanes lie
    /// across joints: the angles of many joints are turned into quaternions at once, and only the
    /// composition goes from joint to joint.
    #[inline(always)]
    pub fn forward_one<L: Lane<Scalar = T>>(
        &self,
        drive: impl Drive<T>,
        inputs: &[T],
        out: &mut [T],
    ) where
        T: Lane<Scalar = T>,
    {
        let padded = self.padded();
        let mut scratch = vec![T::ZERO; 15 * padded];
        let (parameters, locals) = scratch.split_at_mut(7 * padded);
        drive.spread(inputs, parameters, padded);
        let half = L::lit(0.5);
        for first in (0..padded).step_by(L::WIDTH) {
            macro_rules! row {
                ($of:expr, $row:literal) => {
                    L::load(&$of[$row * padded + first..])
                };
            }
            let t = [
                row!(self.constants, 0) + row!(parameters, 0),
                row!(self.constants, 1) + row!(parameters, 1),
                row!(self.constants, 2) + row!(parameters, 2),
            ];
            let pre = [
                row!(self.constants, 3),
                row!(self.constants, 4),
                row!(self.constants, 5),
                row!(self.constants, 6),
            ];
            let (sin, cos) = sin_cos(row!(parameters, 5) * half);
            let q = quaternion::times_z(pre, sin, cos);
            let (sin, cos) = sin_cos(row!(parameters, 4) * half);
            let q = quaternion::times_y(q, sin, cos);
            let (sin, cos) = sin_cos(row!(parameters, 3) * half);
            let q = quaternion::times_x(q, sin, cos);
            let s = exp2(row!(parameters, 6));
            let columns = Transform { t, q, s }.to_columns();
            L::store_columns8(&columns, locals, 8 * first, 8, L::WIDTH);
        }
        let locals = locals.as_chunks::<8>().0;
        let out = out.as_chunks_mut::<8>().0;
        for (index, (joint, &local)) in self.joints.iter().zip(locals).enumerate() {
            out[index] = match joint.parent {
                NONE => local,
                parent => {
                    let above = Transform::from_columns(out[parent as usize]);
                    above.compose(&Transform::from_columns(local)).to_columns()
                }
            };
        }
    }

    /// Computes the states of `joints` (as from [`Self::chains`]) into `states`, one per joint of the
    /// skeleton.
    #[inline(always)]
    pub fn forward_chains<L: Lane<Scalar = T>>(
        &self,
        drive: impl Drive<T>,
        inputs: &[L],
        joints: impl Iterator<Item = usize>,
        states: &mut [Transform<L>],
    ) {
        for index in joints {
            let joint = &self.joints[index];
            let parameters = drive.joint_parameters(inputs, index);
            let local = joint.local(drive.active(index), &parameters);
            states[index] = match joint.parent {
                NONE => local.transform,
                parent => local.below(&states[parent as usize]),
            };
        }
    }

    /// Computes how `joints` move while the inputs change by `tangents`. `states` must be what
    /// [`Self::forward_chains`] found.
    #[inline(always)]
    pub fn push<L: Lane<Scalar = T>>(
        &self,
        drive: impl Drive<T>,
        inputs: &[L],
        tangents: &[L],
        joints: impl Iterator<Item = usize>,
        states: &[Transform<L>],
        motions: &mut [Motion<L>],
    ) {
        for index in joints {
            let joint = &self.joints[index];
            let state = &states[index];
            let active = drive.active(index);
            let [tx, ty, tz, rx, ry, rz, sc] = drive.joint_parameters(tangents, index);
            let mut own = Motion {
                velocity: [tx, ty, tz],
                angular: vector::zero(),
                growth: sc * L::lit(std::f64::consts::LN_2),
            };
            let parent = match joint.parent {
                NONE => None,
                parent => Some((&states[parent as usize], &motions[parent as usize])),
            };
            if active & (RY | RZ) != 0 {
                let (sin, cos) = self.turn_about_z(drive, inputs, index);
                let turned = [-(sin * ry), cos * ry, rz];
                own.angular = quaternion::rotate(self.frame(joint, parent.map(|p| p.0)), turned);
            }
            if active & RX != 0 {
                let axis = quaternion::rotate(state.q, [rx, L::zero(), L::zero()]);
                own.angular = vector::add(own.angular, axis);
            }
            if let Some((above, motion)) = parent {
                let arm = vector::sub(state.t, above.t);
                let slide = quaternion::rotate(above.q, own.velocity);
                own.velocity = vector::scale_add(slide, above.s, motion.carried(arm));
                own.angular = vector::add(own.angular, motion.angular);
                own.growth += motion.growth;
            }
            motions[index] = own;
        }
    }

    /// Pulls what all joints exert back to the inputs, last joint first: `source` knows the
    /// joints' states and what each exerts by itself, and `gradient` is added to. `kept` has [`Self::n_places`] places
    /// for states and the loads that gather on them; what it holds on entry does not matter.
    #[inline(always)]
    pub fn pull<L: Lane<Scalar = T>>(
        &self,
        drive: impl Drive<T>,
        inputs: &[L],
        kept: &mut [(Transform<L>, Load<L>)],
        source: &impl LoadSource<L>,
        gradient: &mut [L],
    ) {
        for (index, joint) in self.joints.iter().enumerate().rev() {
            let (state_here, mut load) = match joint.place {
                NONE => (source.state(index), Load::zero()),
                place => kept[place as usize],
            };
            load.add(&source.load(index, &state_here));
            let above = match joint.parent_place {
                NONE => None,
                place => {
                    let (above, to) = &mut kept[place as usize];
                    if joint.last_child {
                        *above = source.state(joint.parent as usize);
                        *to = Load::zero();
                    }
                    to.add_carried(&load, vector::sub(state_here.t, above.t));
                    Some(&*above)
                }
            };
            if drive.active(index) != 0 {
                let cotangent = self.cotangent(drive, inputs, index, &state_here, above, &load);
                drive.pull(cotangent, index, gradient);
            }
        }
    }

    /// Pulls the loads on `joints` back to the inputs. `joints` are in descending order, with all that
    /// they hang from; `loads`, one per joint of the skeleton, say what each exerts by itself and gather
    /// what is below; `gradient` is added to.
    #[inline(always)]
    pub fn pull_chains<L: Lane<Scalar = T>>(
        &self,
        drive: impl Drive<T>,
        inputs: &[L],
        joints: impl Iterator<Item = usize>,
        states: &[Transform<L>],
        loads: &mut [Load<L>],
        gradient: &mut [L],
    ) {
        for index in joints {
            let (state, load) = (&states[index], loads[index]);
            let above = match self.joints[index].parent {
                NONE => None,
                parent => {
                    let above = &states[parent as usize];
                    loads[parent as usize].add_carried(&load, vector::sub(state.t, above.t));
                    Some(above)
                }
            };
            if drive.active(index) != 0 {
                let cotangent = self.cotangent(drive, inputs, index, state, above, &load);
                drive.pull(cotangent, index, gradient);
            }
        }
    }

    /// What the load on a joint means for its active parameters.
    #[inline(always)]
    fn cotangent<L: Lane<Scalar = T>>(
        &self,
        drive: impl Drive<T>,
        inputs: &[L],
        index: usize,
        state: &Transform<L>,
        above: Option<&Transform<L>>,
        load: &Load<L>,
    ) -> [L; 7] {
        let joint = &self.joints[index];
        let active = drive.active(index);
        let mut cotangent = [L::zero(); 7];
        if active & TRANSLATION != 0 {
            let force = match above {
                None => load.force,
                Some(above) => {
                    vector::scale(quaternion::rotate_inverse(above.q, load.force), above.s)
                }
            };
            cotangent[..3].copy_from_slice(&force);
        }
        if active & RX != 0 {
            cotangent[3] = quaternion::rotate_inverse(state.q, load.torque)[0];
        }
        if active & (RY | RZ) != 0 {
            let [x, y, z] = quaternion::rotate_inverse(self.frame(joint, above), load.torque);
            cotangent[5] = z;
            if active & RY != 0 {
                let (sin, cos) = self.turn_about_z(drive, inputs, index);
                cotangent[4] = cos.mul_add(y, -(sin * x));
            }
        }
        cotangent[6] = load.stretch * L::lit(std::f64::consts::LN_2);
        cotangent
    }

    /// The rotation of the frame in which a joint's Euler angles turn.
    #[inline(always)]
    fn frame<L: Lane<Scalar = T>>(
        &self,
        joint: &JointPlan<T>,
        parent: Option<&Transform<L>>,
    ) -> [L; 4] {
        match (parent, joint.turned) {
            (None, _) => joint.pre_rotation(),
            (Some(parent), false) => parent.q,
            (Some(parent), true) => quaternion::multiply(parent.q, joint.pre_rotation()),
        }
    }

    /// Sine and cosine of a joint's angle about z.
    #[inline(always)]
    fn turn_about_z<L: Lane<Scalar = T>>(
        &self,
        drive: impl Drive<T>,
        inputs: &[L],
        joint: usize,
    ) -> (L, L) {
        if drive.active(joint) & RZ == 0 {
            return (L::zero(), L::one());
        }
        sin_cos(drive.joint_parameters(inputs, joint)[5])
    }
}
