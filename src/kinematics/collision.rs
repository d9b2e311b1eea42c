//! How deep the solids of a character are in one another, and the derivatives of that.
//!
//! Two solids are compared along the line between their closest centre points: a capsule's centre is
//! its segment, an ellipsoid's or a box' its middle. Their overlap is what their radii along that line
//! sum to, less the distance of the points. This is exact for spheres and an approximation that is
//! consistent for the rest; ellipsoids and boxes whose bounds along the world's axes do not meet have none.

use crate::character::{Character, CollisionGeometry, CollisionShape, Skeleton};
use crate::math::{Lane, Real, Transform, Vector, vector};

use super::skinning::{matrix_of_state, pull_matrix_of_state, push_matrix_of_state};

/// What a solid is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Capsule,
    Ellipsoid,
    Box,
}

/// A solid in some frame.
#[derive(Debug, Clone, Copy)]
struct Placed<T> {
    /// Where a capsule's segment starts; the centre of others.
    origin: Vector<T>,
    /// A capsule's segment comes first, the rest is zero; the half axes of others.
    axes: [Vector<T>; 3],
    /// A capsule's radii at both ends; zero for others.
    radius: [T; 2],
}

impl<T: Real + Lane<Scalar = T>> Placed<T> {
    fn zero() -> Self {
        Self {
            origin: vector::zero(),
            axes: [vector::zero(); 3],
            radius: [T::ZERO; 2],
        }
    }

    /// The same in the world, given world from joint and its scale; or the change of that.
    fn carried(&self, m: &[T; 12], scale: T) -> Self {
        let turned = |v: Vector<T>| -> Vector<T> {
            std::array::from_fn(|row| vector::dot([m[row * 4], m[row * 4 + 1], m[row * 4 + 2]], v))
        };
        Self {
            origin: vector::add(turned(self.origin), [m[3], m[7], m[11]]),
            axes: self.axes.map(turned),
            radius: self.radius.map(|r| r * scale),
        }
    }

    /// The transpose of [`Placed::carried`]: adds the cotangents of the matrix and the scale.
    fn pull(&self, cotangent: &Self, m: &mut [T; 12], scale: &mut T) {
        for row in 0..3 {
            for column in 0..3 {
                let mut sum = cotangent.origin[row] * self.origin[column];
                for (ours, theirs) in self.axes.iter().zip(&cotangent.axes) {
                    sum += theirs[row] * ours[column];
                }
                m[row * 4 + column] += sum;
            }
            m[row * 4 + 3] += cotangent.origin[row];
        }
        *scale += self.radius[0] * cotangent.radius[0] + self.radius[1] * cotangent.radius[1];
    }

    /// The lowest and the highest coordinates of a solid of this form.
    fn bounds(&self, form: Form) -> [Vector<T>; 2] {
        let lower = |a: T, b: T| if b < a { b } else { a };
        let (mut low, mut high) = (self.origin, self.origin);
        for c in 0..3 {
            let along = self.axes.map(|axis| axis[c]);
            if form == Form::Capsule {
                let ([r0, r1], end) = (self.radius, self.origin[c] + along[0]);
                low[c] = lower(self.origin[c] - r0, end - r1);
                high[c] = -lower(-self.origin[c] - r0, -end - r1);
                continue;
            }
            let reach = match form {
                Form::Ellipsoid => vector::dot(along, along).sqrt(),
                _ => along[0].abs() + along[1].abs() + along[2].abs(),
            };
            (low[c], high[c]) = (self.origin[c] - reach, self.origin[c] + reach);
        }
        [low, high]
    }

    fn dot(&self, other: &Self) -> T {
        let mut sum = vector::dot(self.origin, other.origin);
        for (a, b) in self.axes.iter().zip(&other.axes) {
            sum += vector::dot(*a, *b);
        }
        sum + self.radius[0] * other.radius[0] + self.radius[1] * other.radius[1]
    }

    fn add_scaled(&mut self, other: &Self, factor: T) {
        self.origin = vector::scale_add(other.origin, factor, self.origin);
        for (a, b) in self.axes.iter_mut().zip(&other.axes) {
            *a = vector::scale_add(*b, factor, *a);
        }
        self.radius[0] += other.radius[0] * factor;
        self.radius[1] += other.radius[1] * factor;
    }
}

/// A solid in the frame of the joint that carries it.
#[derive(Debug, Clone, Copy)]
struct Solid<T> {
    parent: Option<usize>,
    form: Form,
    local: Placed<T>,
}

impl Solid<f64> {
    fn new(solid: &CollisionGeometry) -> Self {
        let m = &solid.transformation;
        let column = |c: usize| [m[c], m[4 + c], m[8 + c]];
        // Half axes are lengths by themselves: of the transformation they take the direction.
        let half_axes = |lengths: [f64; 3]| {
            std::array::from_fn(|c| {
                let axis = column(c);
                let norm = vector::dot(axis, axis).sqrt();
                vector::scale(axis, if norm > 0.0 { lengths[c] / norm } else { 0.0 })
            })
        };
        let zero = vector::zero();
        let (form, axes, radius) = match solid.shape {
            CollisionShape::TaperedCapsule { radius, length } => {
                let segment = vector::scale(column(0), length);
                (Form::Capsule, [segment, zero, zero], radius)
            }
            CollisionShape::Ellipsoid { radii } => (Form::Ellipsoid, half_axes(radii), [0.0; 2]),
            CollisionShape::Box { half_extents } => (Form::Box, half_axes(half_extents), [0.0; 2]),
        };
        Self {
            parent: solid.parent,
            form,
            local: Placed {
                origin: column(3),
                axes,
                radius,
            },
        }
    }

    fn cast<T: Real>(&self) -> Solid<T> {
        let vector = |v: Vector<f64>| v.map(T::from_f64);
        Solid {
            parent: self.parent,
            form: self.form,
            local: Placed {
                origin: vector(self.local.origin),
                axes: self.local.axes.map(vector),
                radius: self.local.radius.map(T::from_f64),
            },
        }
    }
}

/// The solids of a character in one precision, and which pairs of them may collide.
#[derive(Debug)]
pub struct CollisionPlan<T> {
    solids: Vec<Solid<T>>,
    pairs: Vec<[u32; 2]>,
    n_joints: usize,
    /// Centre points that are nearer than this have no direction between them.
    coincident: T,
}

impl<T: Real> CollisionPlan<T> {
    /// Leaves out what always touches: solids of one joint or of a joint and its parent, and pairs of the
    /// character that overlap in the rest pose. Solids of the world meet every solid of the character,
    /// and not each other.
    #[must_use]
    pub fn new(character: &Character) -> Self {
        let solids: Vec<_> = character
            .collision_geometry
            .iter()
            .map(Solid::new)
            .collect();
        // The peer's 1e-8, which it means in centimetres.
        let coincident = 1e-10 * character.unit.per_meter();
        let rest = rest_states(&character.skeleton);
        let worlds: Vec<_> = solids
            .iter()
            .map(|solid| world(solid, |joint| rest[joint]))
            .collect();
        let mut pairs = Vec::new();
        for second in 0..solids.len() {
            for first in 0..second {
                let pair = [first, second];
                let parents = pair.map(|solid| solids[solid].parent);
                let forms = pair.map(|solid| solids[solid].form);
                let at_rest = || overlap(forms, pair.map(|solid| &worlds[solid]), coincident);
                let of_world = parents.contains(&None);
                if may_collide(&character.skeleton, parents) && (of_world || at_rest().is_none()) {
                    pairs.push(pair.map(|solid| solid as u32));
                }
            }
        }
        pairs.sort_unstable();
        Self {
            solids: solids.iter().map(Solid::cast).collect(),
            pairs,
            n_joints: character.skeleton.len(),
            coincident: T::from_f64(coincident),
        }
    }

    /// The pairs of solids that may collide, in order.
    #[must_use]
    pub fn pairs(&self) -> &[[u32; 2]] {
        &self.pairs
    }

    /// The number of solids.
    #[must_use]
    pub fn n_solids(&self) -> usize {
        self.solids.len()
    }

    /// The number of joints.
    #[must_use]
    pub fn n_joints(&self) -> usize {
        self.n_joints
    }
}

/// World states of the joints in the zero pose.
fn rest_states(skeleton: &Skeleton) -> Vec<[f64; 8]> {
    let mut states: Vec<Transform<f64>> = Vec::with_capacity(skeleton.len());
    for joint in skeleton.joints() {
        let local = Transform {
            t: joint.translation_offset,
            q: joint.pre_rotation,
            s: 1.0,
        };
        states.push(match joint.parent {
            Some(parent) => states[parent].compose(&local),
            None => local,
        });
    }
    states.into_iter().map(Transform::to_columns).collect()
}

/// Whether the joints of two solids are further apart than parent and child.
fn may_collide(skeleton: &Skeleton, parents: [Option<usize>; 2]) -> bool {
    let joints = skeleton.joints();
    match parents {
        [None, None] => false,
        [None, _] | [_, None] => true,
        [Some(a), Some(b)] => a != b && joints[a].parent != Some(b) && joints[b].parent != Some(a),
    }
}

/// Eight numbers of a joint's state.
fn state_of<T: Real>(states: &[T], joint: usize) -> [T; 8] {
    std::array::from_fn(|c| states[joint * 8 + c])
}

fn world<T: Real + Lane<Scalar = T>>(
    solid: &Solid<T>,
    state: impl Fn(usize) -> [T; 8],
) -> Placed<T> {
    match solid.parent {
        None => solid.local,
        Some(joint) => {
            let state = state(joint);
            solid.local.carried(&matrix_of_state(state), state[7])
        }
    }
}

impl<T: Real + Lane<Scalar = T>> CollisionPlan<T> {
    fn worlds(&self, states: &[T]) -> Vec<Placed<T>> {
        let worlds = self.solids.iter();
        worlds
            .map(|solid| world(solid, |joint| state_of(states, joint)))
            .collect()
    }

    /// Calls `then(pair, its overlap)` for every pair that overlaps in a pose.
    fn each(&self, worlds: &[Placed<T>], mut then: impl FnMut(usize, [usize; 2], Overlap<T>)) {
        for (at, pair) in self.pairs.iter().enumerate() {
            let pair = pair.map(|solid| solid as usize);
            let forms = pair.map(|solid| self.solids[solid].form);
            let both = pair.map(|solid| &worlds[solid]);
            // Along the line of centres two boxes may seem to meet that lie side by side.
            if forms != [Form::Capsule; 2] && apart([0, 1].map(|n| both[n].bounds(forms[n]))) {
                continue;
            }
            if let Some(overlap) = overlap(forms, both, self.coincident) {
                then(at, pair, overlap);
            }
        }
    }

    /// The overlap of each pair, 0 where the two do not meet.
    pub fn overlaps(&self, states: &[T], out: &mut [T]) {
        out.fill(T::ZERO);
        self.each(&self.worlds(states), |at, _, overlap| {
            out[at] = overlap.depth
        });
    }

    /// The joint of each solid that one carries, and the solid's deepest point against `up`, a unit
    /// vector.
    pub fn deepest(&self, states: &[T], up: Vector<T>) -> Vec<(usize, Vector<T>)> {
        let mut found = Vec::new();
        for (solid, world) in self.solids.iter().zip(self.worlds(states)) {
            let Some(parent) = solid.parent else { continue };
            let [start, axis] = [world.origin, world.axes[0]];
            let point = if solid.form == Form::Capsule {
                let lowest = |end: Vector<T>, radius: T| vector::scale_add(up, -radius, end);
                let [a, b] = [
                    lowest(start, world.radius[0]),
                    lowest(vector::add(start, axis), world.radius[1]),
                ];
                if vector::dot(up, b) < vector::dot(up, a) {
                    b
                } else {
                    a
                }
            } else {
                vector::sub(start, Reach::of(solid.form, &world, up).by_normal)
            };
            found.push((parent, point));
        }
        found
    }

    /// How the overlaps change while the states do.
    pub fn push(&self, states: &[T], tangents: &[T], out: &mut [T]) {
        out.fill(T::ZERO);
        let changes: Vec<_> = self
            .solids
            .iter()
            .map(|solid| match solid.parent {
                None => Placed::zero(),
                Some(joint) => {
                    let tangent = state_of(tangents, joint);
                    let m = push_matrix_of_state(state_of(states, joint), tangent);
                    solid.local.carried(&m, tangent[7])
                }
            })
            .collect();
        self.each(&self.worlds(states), |at, [a, b], overlap| {
            let [by_a, by_b] = overlap.gradient();
            out[at] = by_a.dot(&changes[a]) + by_b.dot(&changes[b]);
        });
    }

    /// Adds the cotangents of the states from those of the overlaps.
    pub fn pull(&self, states: &[T], cotangent: &[T], gradient: &mut [T]) {
        let mut sums = vec![Placed::zero(); self.solids.len()];
        self.each(&self.worlds(states), |at, pair, overlap| {
            for (solid, by) in pair.into_iter().zip(overlap.gradient()) {
                sums[solid].add_scaled(&by, cotangent[at]);
            }
        });
        for (solid, sum) in self.solids.iter().zip(&sums) {
            let Some(joint) = solid.parent else { continue };
            let (mut m, mut scale) = ([T::ZERO; 12], T::ZERO);
            solid.local.pull(sum, &mut m, &mut scale);
            let mut pulled = pull_matrix_of_state(state_of(states, joint), m);
            pulled[7] += scale;
            let gradient = &mut gradient[joint * 8..joint * 8 + 8];
            gradient.iter_mut().zip(pulled).for_each(|(g, x)| *g += x);
        }
    }
}

/// Whether two boxes, each from low to high, do not meet.
fn apart<T: Real>([[low_a, high_a], [low_b, high_b]]: [[Vector<T>; 2]; 2]) -> bool {
    (0..3).any(|c| high_a[c] < low_b[c] || high_b[c] < low_a[c])
}

/// Two solids that overlap.
struct Overlap<'a, T> {
    depth: T,
    forms: [Form; 2],
    solids: [&'a Placed<T>; 2],
    closest: Closest<T>,
    /// From the second solid's closest point to the first one's, of unit length, and its length.
    normal: Vector<T>,
    distance: T,
}

fn overlap<'a, T: Real + Lane<Scalar = T>>(
    forms: [Form; 2],
    solids: [&'a Placed<T>; 2],
    coincident: T,
) -> Option<Overlap<'a, T>> {
    let segments = [0, 1].map(|n| match forms[n] {
        Form::Capsule => solids[n].axes[0],
        Form::Ellipsoid | Form::Box => vector::zero(),
    });
    let closest = Closest::of_segments(solids.map(|solid| solid.origin), segments);
    let at = [0, 1].map(|n| vector::scale_add(segments[n], closest.at[n], solids[n].origin));
    let apart = vector::sub(at[0], at[1]);
    let distance = vector::dot(apart, apart).sqrt();
    if distance < coincident {
        return None;
    }
    let normal = vector::scale(apart, T::ONE / distance);
    let mut depth = -distance;
    for n in 0..2 {
        let [r0, r1] = solids[n].radius;
        depth += r0 + closest.at[n] * (r1 - r0) + Reach::of(forms[n], solids[n], normal).length;
    }
    // NaN comes out as itself.
    if depth <= T::ZERO {
        return None;
    }
    Some(Overlap {
        depth,
        forms,
        solids,
        closest,
        normal,
        distance,
    })
}

impl<T: Real + Lane<Scalar = T>> Overlap<'_, T> {
    /// The derivative of the depth by each solid.
    fn gradient(&self) -> [Placed<T>; 2] {
        let reaches = [0, 1].map(|n| Reach::of(self.forms[n], self.solids[n], self.normal));
        let turning = vector::add(reaches[0].by_normal, reaches[1].by_normal);
        let along = vector::dot(self.normal, turning);
        let across = vector::scale_add(self.normal, -along, turning);
        let per_distance = T::ONE / self.distance;
        let minus_normal = vector::scale(self.normal, -T::ONE);
        // By the closest points, first and second.
        let by_first = vector::scale_add(across, per_distance, minus_normal);
        let by_point = [by_first, vector::scale(by_first, -T::ONE)];
        let by_at = [0, 1].map(|n| {
            let [r0, r1] = self.solids[n].radius;
            r1 - r0 + vector::dot(by_point[n], self.closest.segments[n])
        });
        let moving = self.closest.pull(by_at);
        [0, 1].map(|n| {
            let at = self.closest.at[n];
            let mut axes = reaches[n].by_axes;
            if self.forms[n] == Form::Capsule {
                axes[0] = vector::scale_add(by_point[n], at, moving[n].1);
            }
            Placed {
                origin: vector::add(by_point[n], moving[n].0),
                axes,
                radius: [T::ONE - at, at],
            }
        })
    }
}

/// How far an ellipsoid or a box reaches from its centre along a direction.
struct Reach<T> {
    length: T,
    by_normal: Vector<T>,
    by_axes: [Vector<T>; 3],
}

impl<T: Real + Lane<Scalar = T>> Reach<T> {
    fn of(form: Form, solid: &Placed<T>, normal: Vector<T>) -> Self {
        let along = solid.axes.map(|axis| vector::dot(axis, normal));
        // The length is Σ weight · along.
        let (length, weights) = match form {
            Form::Capsule => (T::ZERO, [T::ZERO; 3]),
            Form::Ellipsoid => {
                let length = vector::dot(along, along).sqrt();
                let per = if length > T::ZERO {
                    T::ONE / length
                } else {
                    T::ZERO
                };
                (length, along.map(|x| x * per))
            }
            Form::Box => {
                // A corner where a face or an edge lies across.
                let signs = along.map(|x| if x < T::ZERO { -T::ONE } else { T::ONE });
                (vector::dot(along, signs), signs)
            }
        };
        let mut by_normal = vector::zero();
        for (axis, weight) in solid.axes.iter().zip(weights) {
            by_normal = vector::scale_add(*axis, weight, by_normal);
        }
        Self {
            length,
            by_normal,
            by_axes: weights.map(|weight| vector::scale(normal, weight)),
        }
    }
}

/// The closest points of two segments.
struct Closest<T> {
    segments: [Vector<T>; 2],
    /// From the second origin to the first.
    between: Vector<T>,
    /// Where on each segment, 0 to 1.
    at: [T; 2],
    /// Whether the point is inside the segment, and so moves with it and the other.
    free: [bool; 2],
}

impl<T: Real + Lane<Scalar = T>> Closest<T> {
    fn of_segments(origins: [Vector<T>; 2], segments: [Vector<T>; 2]) -> Self {
        let between = vector::sub(origins[0], origins[1]);
        let [d1, d2] = segments;
        let (a, e) = (vector::dot(d1, d1), vector::dot(d2, d2));
        let (b, c, f) = (
            vector::dot(d1, d2),
            vector::dot(d1, between),
            vector::dot(d2, between),
        );
        // The nearest place in 0..1 and whether it is inside.
        let inside = |above: T, below: T| -> (T, bool) {
            let at = above / below;
            match (below > T::ZERO, at > T::ZERO, at < T::ONE) {
                (true, true, true) => (at, true),
                (true, true, false) => (T::ONE, false),
                _ => (T::ZERO, false),
            }
        };
        let determinant = a * e - b * b;
        // Parallel segments have no one closest pair: the first starts from its origin.
        let parallel = T::from_f64(if size_of::<T>() == 4 { 1e-6 } else { 1e-14 });
        let (mut u, mut u_free) = if e > T::ZERO {
            match determinant > parallel * a * e {
                true => inside(b * f - c * e, determinant),
                false => (T::ZERO, false),
            }
        } else {
            inside(-c, a)
        };
        let (v, v_free) = inside(b * u + f, e);
        // Where the second ends, the first is nearest to that end.
        if e > T::ZERO && !v_free {
            (u, u_free) = inside(b * v - c, a);
        }
        Self {
            segments,
            between,
            at: [u, v],
            free: [u_free, v_free],
        }
    }

    /// The cotangents of each origin and segment from those of the two places: both places solve
    /// linear equations whose numbers are products of the segments.
    fn pull(&self, [by_u, by_v]: [T; 2]) -> [(Vector<T>, Vector<T>); 2] {
        let [d1, d2] = self.segments;
        let [u, v] = self.at;
        let (a, e, b) = (
            vector::dot(d1, d1),
            vector::dot(d2, d2),
            vector::dot(d1, d2),
        );
        let [l1, l2] = match self.free {
            [false, false] => return [(vector::zero(), vector::zero()); 2],
            [true, false] => [by_u / a, T::ZERO],
            [false, true] => [T::ZERO, by_v / e],
            [true, true] => {
                let determinant = a * e - b * b;
                [
                    (e * by_u + b * by_v) / determinant,
                    (b * by_u + a * by_v) / determinant,
                ]
            }
        };
        let by_b = l1 * v + l2 * u;
        let combine = |x: T, y: T, z: T| {
            let sum = vector::scale_add(d2, y, vector::scale(d1, x));
            vector::scale_add(self.between, z, sum)
        };
        let origin = combine(-l1, l2, T::ZERO);
        let two = T::from_f64(2.0);
        [
            (origin, combine(-(two * l1 * u), by_b, -l1)),
            (
                vector::scale(origin, -T::ONE),
                combine(by_b, -(two * l2 * v), l2),
            ),
        ]
    }
}
