//! How far a pose is beyond the limits on its parameters, with derivatives.
//!
//! Joint parameters are sums of model parameters, so all limits but ellipsoids are about a few sums.

use super::{
    ForwardPlan, InPrecision, Load, Motion, Precision, TransformPlan, point_velocity, pull_point,
};
use crate::character::{Character, LimitKind, PARAMETERS_PER_JOINT, inverse_ellipsoid};
use crate::error::Result;
use crate::math::{Lane, Real, Transform, Vector, quaternion, vector};

/// PyMomentum counts ellipsoid limits this much less than others.
const ELLIPSOID_WEIGHT: f64 = 1e-4;

/// A sum of model parameters: which and how much of each.
type Sum<T> = Vec<(u32, T)>;

/// A limit that is about sums of model parameters; one residual.
#[derive(Debug, Clone)]
enum Row<T> {
    /// Beyond a range: how far.
    Between { of: Sum<T>, range: [T; 2] },
    /// `scale · target − offset − reference`, while the target is in the range.
    Line {
        reference: Sum<T>,
        target: Sum<T>,
        scale: T,
        offset: T,
        range: Option<[T; 2]>,
    },
    /// How far below a value, as a negative number.
    AtLeast { of: Sum<T>, value: T },
    /// A limit that nothing can change.
    Idle,
}

/// A point that should lie on an ellipsoid; three residuals.
#[derive(Debug, Clone)]
struct OnEllipsoid<T> {
    parent: usize,
    ellipsoid_parent: usize,
    offset: [T; 3],
    ellipsoid: Affine<T>,
    inverse: Affine<T>,
}

/// The first three rows of an affine 4x4.
type Affine<T> = [[T; 4]; 3];

/// The limits of a character in the order of their residuals: MinMax, MinMaxJoint, Linear, LinearJoint,
/// HalfPlane, Ellipsoid (three residuals each); limits of one kind as the character has them.
#[derive(Debug)]
pub struct PreparedLimits {
    rows: Vec<Row<f64>>,
    ellipsoids: Vec<OnEllipsoid<f64>>,
    weights: Vec<f64>,
    limits: Vec<usize>,
    in_precision: InPrecision,
}

/// The limits in precision `T`.
#[derive(Debug)]
pub struct LimitsPlan<T> {
    rows: Vec<Row<T>>,
    ellipsoids: Vec<OnEllipsoid<T>>,
    weights: Vec<T>,
    /// The joints that carry ellipsoids and their points, and all that these hang from.
    joints: Vec<u32>,
}

/// What the work on one pose needs.
#[derive(Debug, Clone)]
pub struct LimitsScratch<T> {
    states: Vec<Transform<T>>,
    motions: Vec<Motion<T>>,
    loads: Vec<Load<T>>,
}

impl PreparedLimits {
    /// Prepares the limits that have a say while only the parameters of `enabled` change (all, where not
    /// given): a limit on model parameters if one of them is enabled, a limit on joint parameters if an
    /// enabled parameter drives one of them. Others keep their residuals, which are 0.
    ///
    /// # Errors
    /// [`crate::Error::Character`] for an ellipsoid that is flat.
    pub fn new(character: &Character, enabled: Option<&[bool]>) -> Result<Self> {
        let mut found: Vec<(u8, usize, Row<f64>, f64)> = Vec::new();
        let (mut ellipsoids, mut on) = (Vec::new(), Vec::new());
        let build = Build::new(character, enabled);
        for (index, limit) in character.parameter_limits.iter().enumerate() {
            match build.row(&limit.kind) {
                Some((order, row, unit)) => found.push((order, index, row, limit.weight * unit)),
                None => {
                    if let Some(ellipsoid) = ellipsoid(&limit.kind)? {
                        ellipsoids.push(ellipsoid);
                        on.push((index, limit.weight));
                    }
                }
            }
        }
        found.sort_by_key(|&(order, ..)| order);
        let mut prepared = Self {
            rows: Vec::new(),
            ellipsoids,
            weights: Vec::new(),
            limits: Vec::new(),
            in_precision: InPrecision::default(),
        };
        for (_, limit, row, weight) in found {
            prepared.rows.push(row);
            prepared.weights.push(weight);
            prepared.limits.push(limit);
        }
        let in_cm = build.centimeters * build.centimeters;
        for (limit, weight) in on {
            prepared
                .weights
                .extend([weight * ELLIPSOID_WEIGHT * in_cm; 3]);
            prepared.limits.extend([limit; 3]);
        }
        Ok(prepared)
    }

    /// The number of residuals.
    #[must_use]
    pub fn n_residuals(&self) -> usize {
        self.weights.len()
    }

    /// How much the square of each residual counts; lengths count in centimetres, whatever the
    /// character's unit.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The limit that each residual belongs to.
    #[must_use]
    pub fn limits(&self) -> &[usize] {
        &self.limits
    }

    /// The limits in precision `T`, for the skeleton of `forward`.
    #[must_use]
    pub fn plan<T: Precision>(&self, forward: &ForwardPlan<T>) -> &LimitsPlan<T> {
        self.in_precision.get::<T, LimitsPlan<T>>(|| {
            let on = self.ellipsoids.iter();
            let joints = on.flat_map(|on| [on.parent, on.ellipsoid_parent]);
            LimitsPlan {
                rows: self.rows.iter().map(Row::cast).collect(),
                joints: forward.chains(joints),
                ellipsoids: self.ellipsoids.iter().map(OnEllipsoid::cast).collect(),
                weights: self.weights.iter().map(|&x| T::from_f64(x)).collect(),
            }
        })
    }
}

/// What turning limits into rows needs to know.
struct Build<'a> {
    character: &'a Character,
    enabled: Vec<bool>,
    lengths: Vec<bool>,
    centimeters: f64,
}

impl<'a> Build<'a> {
    fn new(character: &'a Character, enabled: Option<&[bool]>) -> Self {
        let transform = &character.parameter_transform;
        Self {
            character,
            enabled: enabled.map_or_else(|| vec![true; transform.len()], <[bool]>::to_vec),
            lengths: transform.length_parameters(),
            centimeters: 100.0 / character.unit.per_meter(),
        }
    }

    /// A joint parameter as a sum, and its size in the units that count.
    fn joint(&self, [joint, which]: [usize; 2]) -> (Sum<f64>, f64) {
        let row = joint * PARAMETERS_PER_JOINT + which;
        let entries = self.character.parameter_transform.row(row);
        let sum = entries.map(|(column, value)| (column as u32, value));
        (
            sum.collect(),
            if which < 3 { self.centimeters } else { 1.0 },
        )
    }

    fn model(&self, parameter: usize) -> (Sum<f64>, f64) {
        (vec![(parameter as u32, 1.0)], self.size(parameter))
    }

    fn size(&self, parameter: usize) -> f64 {
        match self.lengths[parameter] {
            true => self.centimeters,
            false => 1.0,
        }
    }

    /// The residual of a limit, its place in the order of kinds, and the factor of its weight.
    fn row(&self, kind: &LimitKind) -> Option<(u8, Row<f64>, f64)> {
        let between = |(of, size): (Sum<f64>, f64), range| (Row::Between { of, range }, size);
        let line = |reference: (Sum<f64>, f64), target: (Sum<f64>, f64), scale, offset, range| {
            let row = Row::Line {
                reference: reference.0,
                target: target.0,
                scale,
                offset,
                range: (range != [0.0, 0.0]).then_some(range),
            };
            (row, reference.1)
        };
        let (order, (row, size)) = match *kind {
            LimitKind::MinMax { parameter, range } => (0, between(self.model(parameter), range)),
            LimitKind::MinMaxJoint {
                joint,
                joint_parameter,
                range,
            } => (1, between(self.joint([joint, joint_parameter]), range)),
            LimitKind::Linear {
                reference,
                target,
                scale,
                offset,
                range,
            } => {
                let (reference, target) = (self.model(reference), self.model(target));
                (2, line(reference, target, scale, offset, range))
            }
            LimitKind::LinearJoint {
                reference,
                target,
                scale,
                offset,
                range,
            } => {
                let (reference, target) = (self.joint(reference), self.joint(target));
                (3, line(reference, target, scale, offset, range))
            }
            LimitKind::HalfPlane {
                parameters,
                normal,
                offset,
            } => {
                let of = vec![
                    (parameters[0] as u32, normal[0]),
                    (parameters[1] as u32, normal[1]),
                ];
                // The distance from the line, were the parameters in the units that count.
                let along = [0, 1].map(|at| normal[at] / self.size(parameters[at]));
                let size = 1.0 / along[0].hypot(along[1]);
                (4, (Row::AtLeast { of, value: offset }, size))
            }
            LimitKind::MinMaxJointPassive { .. } | LimitKind::Ellipsoid { .. } => return None,
        };
        let live = row.sums().any(|&(column, _)| self.enabled[column as usize]);
        Some((order, if live { row } else { Row::Idle }, size * size))
    }
}

fn ellipsoid(kind: &LimitKind) -> Result<Option<OnEllipsoid<f64>>> {
    let LimitKind::Ellipsoid {
        ellipsoid_parent,
        parent,
        offset,
        ellipsoid,
    } = *kind
    else {
        return Ok(None);
    };
    let affine = |m: [f64; 16]| [0, 4, 8].map(|at| [m[at], m[at + 1], m[at + 2], m[at + 3]]);
    Ok(Some(OnEllipsoid {
        parent,
        ellipsoid_parent,
        offset,
        inverse: affine(inverse_ellipsoid(&ellipsoid)?),
        ellipsoid: affine(ellipsoid),
    }))
}

fn cast_sum<T: Real>(sum: &Sum<f64>) -> Sum<T> {
    sum.iter().map(|&(at, x)| (at, T::from_f64(x))).collect()
}

/// The value of a sum.
#[inline(always)]
fn value<T: Real>(sum: &Sum<T>, parameters: &[T]) -> T {
    sum.iter()
        .map(|&(at, factor)| parameters[at as usize] * factor)
        .sum()
}

impl<T: Real> Row<T> {
    fn sums(&self) -> impl Iterator<Item = &(u32, T)> {
        let (first, second): (&[_], &[_]) = match self {
            Self::Between { of, .. } | Self::AtLeast { of, .. } => (of, &[]),
            Self::Line {
                reference, target, ..
            } => (reference, target),
            Self::Idle => (&[], &[]),
        };
        first.iter().chain(second)
    }

    /// The residual, and its slope along each sum.
    #[inline(always)]
    fn residual(&self, parameters: &[T]) -> (T, [T; 2]) {
        let flat = [T::ZERO; 2];
        match self {
            Self::Between { of, range } => {
                let x = value(of, parameters);
                if x < range[0] {
                    (range[0] - x, [-T::ONE, T::ZERO])
                } else if x > range[1] {
                    (x - range[1], [T::ONE, T::ZERO])
                } else {
                    (nan_or_zero(x), flat)
                }
            }
            Self::Line {
                reference,
                target,
                scale,
                offset,
                range,
            } => {
                let (x, y) = (value(reference, parameters), value(target, parameters));
                if range.is_some_and(|[low, high]| y < low || y >= high) {
                    return (nan_or_zero(x), flat);
                }
                (*scale * y - *offset - x, [-T::ONE, *scale])
            }
            Self::AtLeast { of, value: least } => {
                let x = value(of, parameters) - *least;
                if x < T::ZERO {
                    (x, [T::ONE, T::ZERO])
                } else {
                    (nan_or_zero(x), flat)
                }
            }
            Self::Idle => (T::ZERO, flat),
        }
    }

    /// The sums that the slopes of [`Self::residual`] are along.
    #[inline(always)]
    fn along(&self) -> [&[(u32, T)]; 2] {
        match self {
            Self::Between { of, .. } | Self::AtLeast { of, .. } => [of, &[]],
            Self::Line {
                reference, target, ..
            } => [reference, target],
            Self::Idle => [&[], &[]],
        }
    }
}

/// A pose that is not a number must not seem to keep its limits.
#[inline(always)]
fn nan_or_zero<T: Real>(x: T) -> T {
    if x.to_f64().is_nan() { x } else { T::ZERO }
}

impl Row<f64> {
    fn cast<T: Real>(&self) -> Row<T> {
        match self {
            Self::Between { of, range } => Row::Between {
                of: cast_sum(of),
                range: range.map(T::from_f64),
            },
            Self::Line {
                reference,
                target,
                scale,
                offset,
                range,
            } => Row::Line {
                reference: cast_sum(reference),
                target: cast_sum(target),
                scale: T::from_f64(*scale),
                offset: T::from_f64(*offset),
                range: range.map(|range| range.map(T::from_f64)),
            },
            Self::AtLeast { of, value } => Row::AtLeast {
                of: cast_sum(of),
                value: T::from_f64(*value),
            },
            Self::Idle => Row::Idle,
        }
    }
}

impl OnEllipsoid<f64> {
    fn cast<T: Real>(&self) -> OnEllipsoid<T> {
        let affine = |m: &Affine<f64>| m.map(|row| row.map(T::from_f64));
        OnEllipsoid {
            parent: self.parent,
            ellipsoid_parent: self.ellipsoid_parent,
            offset: self.offset.map(T::from_f64),
            ellipsoid: affine(&self.ellipsoid),
            inverse: affine(&self.inverse),
        }
    }
}

#[inline(always)]
fn affine<L: Lane>(m: &Affine<L>, x: Vector<L>) -> Vector<L> {
    m.map(|[a, b, c, d]| vector::dot([a, b, c], x) + d)
}

#[inline(always)]
fn linear<L: Lane>(m: &Affine<L>, x: Vector<L>) -> Vector<L> {
    m.map(|[a, b, c, _]| vector::dot([a, b, c], x))
}

#[inline(always)]
fn transposed<L: Lane>(m: &Affine<L>, x: Vector<L>) -> Vector<L> {
    std::array::from_fn(|at| vector::dot([m[0][at], m[1][at], m[2][at]], x))
}

/// The way of a point to its ellipsoid.
struct Way<T> {
    /// The point and where it should be, in the world.
    point: Vector<T>,
    goal: Vector<T>,
    /// The direction of the point in the unit sphere, and one over its distance from the centre; both
    /// zero at the centre, which has no direction.
    direction: Vector<T>,
    per_distance: T,
}

impl<T: Real + Lane<Scalar = T>> Way<T> {
    #[inline(always)]
    fn of(on: &OnEllipsoid<T>, states: &[Transform<T>]) -> Self {
        let frame = &states[on.ellipsoid_parent];
        let point = states[on.parent].apply(on.offset);
        let in_sphere = affine(&on.inverse, frame.apply_inverse(point));
        let distance = vector::dot(in_sphere, in_sphere).sqrt();
        let per_distance = if distance == T::ZERO {
            T::ZERO
        } else {
            T::ONE / distance
        };
        let direction = vector::scale(in_sphere, per_distance);
        Self {
            point,
            goal: frame.apply(affine(&on.ellipsoid, direction)),
            direction,
            per_distance,
        }
    }

    /// The derivative of the direction, which is its own transpose.
    #[inline(always)]
    fn turn(&self, change: Vector<T>) -> Vector<T> {
        let along = vector::dot(self.direction, change);
        let across = vector::scale_add(self.direction, -along, change);
        vector::scale(across, self.per_distance)
    }
}

impl<T: Real + Lane<Scalar = T>> LimitsPlan<T> {
    /// How much the square of each residual counts.
    #[must_use]
    pub fn weights(&self) -> &[T] {
        &self.weights
    }

    /// What the work on one pose needs.
    #[must_use]
    pub fn scratch(&self, forward: &ForwardPlan<T>) -> LimitsScratch<T> {
        let joints = match self.joints.is_empty() {
            true => 0,
            false => forward.n_joints(),
        };
        LimitsScratch {
            states: vec![Transform::identity(); joints],
            motions: vec![Motion::zero(); joints],
            loads: vec![Load::zero(); joints],
        }
    }

    fn joints(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.joints.iter().map(|&joint| joint as usize)
    }

    /// The residuals of one pose.
    pub fn residuals(
        &self,
        forward: &ForwardPlan<T>,
        drive: &TransformPlan<T>,
        parameters: &[T],
        scratch: &mut LimitsScratch<T>,
        out: &mut [T],
    ) {
        let (rows, points) = out.split_at_mut(self.rows.len());
        for (out, row) in rows.iter_mut().zip(&self.rows) {
            *out = row.residual(parameters).0;
        }
        forward.forward_chains(drive, parameters, self.joints(), &mut scratch.states);
        for (out, on) in points
            .as_chunks_mut::<3>()
            .0
            .iter_mut()
            .zip(&self.ellipsoids)
        {
            let way = Way::of(on, &scratch.states);
            *out = vector::sub(way.point, way.goal);
        }
    }

    /// How the residuals change with the parameters.
    pub fn push(
        &self,
        forward: &ForwardPlan<T>,
        drive: &TransformPlan<T>,
        [parameters, tangents]: [&[T]; 2],
        scratch: &mut LimitsScratch<T>,
        out: &mut [T],
    ) {
        let (rows, points) = out.split_at_mut(self.rows.len());
        for (out, row) in rows.iter_mut().zip(&self.rows) {
            let slopes = row.residual(parameters).1;
            let sums = row.along().into_iter().zip(slopes);
            *out = sums.fold(T::ZERO, |change, (sum, slope)| {
                sum.iter().fold(change, |change, &(at, factor)| {
                    change + slope * factor * tangents[at as usize]
                })
            });
        }
        let (states, motions) = (&mut scratch.states, &mut scratch.motions);
        forward.forward_chains(drive, parameters, self.joints(), states);
        forward.push(drive, parameters, tangents, self.joints(), states, motions);
        for (out, on) in points
            .as_chunks_mut::<3>()
            .0
            .iter_mut()
            .zip(&self.ellipsoids)
        {
            let way = Way::of(on, states);
            let (frame, motion) = (&states[on.ellipsoid_parent], &motions[on.ellipsoid_parent]);
            let velocity = point_velocity(&states[on.parent], &motions[on.parent], on.offset, None);
            // The point as the ellipsoid's joint sees it.
            let seen = vector::sub(velocity, motion.carried(vector::sub(way.point, frame.t)));
            let seen = vector::scale(quaternion::rotate_inverse(frame.q, seen), T::ONE / frame.s);
            let direction = way.turn(linear(&on.inverse, seen));
            let slide = quaternion::rotate(frame.q, linear(&on.ellipsoid, direction));
            let goal = motion.carried(vector::sub(way.goal, frame.t));
            *out = vector::sub(velocity, vector::scale_add(slide, frame.s, goal));
        }
    }

    /// Adds what a cotangent of the residuals means for the parameters.
    pub fn pull(
        &self,
        forward: &ForwardPlan<T>,
        drive: &TransformPlan<T>,
        [parameters, cotangent]: [&[T]; 2],
        scratch: &mut LimitsScratch<T>,
        gradient: &mut [T],
    ) {
        let (rows, points) = cotangent.split_at(self.rows.len());
        for (&cotangent, row) in rows.iter().zip(&self.rows) {
            let slopes = row.residual(parameters).1;
            for (sum, slope) in row.along().into_iter().zip(slopes) {
                for &(at, factor) in sum {
                    gradient[at as usize] += cotangent * slope * factor;
                }
            }
        }
        let (states, loads) = (&mut scratch.states, &mut scratch.loads);
        forward.forward_chains(drive, parameters, self.joints(), states);
        loads.fill(Load::zero());
        for (&force, on) in points.as_chunks::<3>().0.iter().zip(&self.ellipsoids) {
            let way = Way::of(on, states);
            let frame = &states[on.ellipsoid_parent];
            let back = vector::scale(force, -T::ONE);
            let in_frame = vector::scale(quaternion::rotate_inverse(frame.q, back), frame.s);
            let seen = way.turn(transposed(&on.ellipsoid, in_frame));
            let seen = transposed(&on.inverse, seen);
            let seen = vector::scale(quaternion::rotate(frame.q, seen), T::ONE / frame.s);
            let load = &mut loads[on.ellipsoid_parent];
            load.add_force(back, vector::sub(way.goal, frame.t));
            let unseen = vector::scale(seen, -T::ONE);
            load.add_force(unseen, vector::sub(way.point, frame.t));
            let force = vector::add(force, seen);
            pull_point(&states[on.parent], &mut loads[on.parent], on.offset, force);
        }
        let joints = self.joints().rev();
        forward.pull_chains(drive, parameters, joints, states, loads, gradient);
    }
}
