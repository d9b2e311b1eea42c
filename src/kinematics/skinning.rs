//! Linear blend skinning: the constant data, and kernels over groups of poses or single ones.
//!
//! `p_v = Σ_k w_vk · M_j · B_j · r_v`, where `M` is the joint's world transform, `B` its inverse bind
//! pose and `r` the rest point. The kernels blend the 12 numbers of `M_j · B_j` first and apply the
//! result once, so rest points cost the same whether they are shared or differ from pose to pose.

use std::ops::Range;

use crate::character::{Character, Mesh, SkinWeights};
use crate::error::{Error, Result};
use crate::math::{Lane, Real};

/// Vertices that a kernel collects before it writes them out.
const TILE: usize = 8;
/// Numbers in a tile.
pub const TILE_NUMBERS: usize = TILE * 3;
/// The widest lanes there are.
const MAX_WIDTH: usize = 16;

/// The constant data of skinning in one precision.
#[derive(Debug)]
pub struct SkinPlan<T> {
    /// Influences of vertex `v` are `starts[v] .. starts[v + 1]`.
    starts: Vec<u32>,
    /// The joint and weight of each influence that has one, vertex after vertex.
    influences: Vec<(u32, T)>,
    /// The upper three rows of each joint's inverse bind pose, row-major.
    inverse_bind: Vec<[T; 12]>,
    /// The points in the rest pose, `(n_vertices, 3)`.
    rest: Vec<T>,
}

/// The mesh and the weights of a character that can be skinned.
///
/// # Errors
/// [`Error::Character`] where the character has no mesh or no skin weights.
pub fn skin_of(character: &Character) -> Result<(&Mesh, &SkinWeights)> {
    let missing = |what: &str| Error::character(format!("character '{}'", character.name), what);
    let mesh = character.mesh.as_deref();
    let mesh = mesh.ok_or_else(|| missing("it has no mesh to skin"))?;
    let weights = character.skin_weights.as_deref();
    let weights = weights.ok_or_else(|| missing("its mesh has no skin weights"))?;
    Ok((mesh, weights))
}

/// The upper three rows of each joint's inverse bind pose.
fn inverse_bind_pose<T: Real>(character: &Character) -> Vec<[T; 12]> {
    let matrices = character.inverse_bind_pose.iter();
    matrices
        .map(|m| std::array::from_fn(|at| T::from_f64(m[at])))
        .collect()
}

impl<T: Real> SkinPlan<T> {
    /// Collects what skinning needs; influences of weight zero are left out, other weights stay as
    /// they are. A character without a skin has no vertices here.
    #[must_use]
    pub fn new(character: &Character) -> Self {
        let mut plan = Self::without_points(inverse_bind_pose(character));
        if let Ok((mesh, weights)) = skin_of(character) {
            let columns = weights.n_influences();
            let mut slots = weights.index().iter().zip(weights.weight().iter());
            for _ in 0..weights.n_vertices() {
                let row = slots.by_ref().take(columns).filter(|&(_, w)| w != 0.0);
                plan.push_point(row.map(|(&joint, w)| (joint, w)));
            }
            plan.rest = mesh.vertices.iter().map(T::from_f64).collect();
        }
        plan
    }

    /// The skinned locators of a character, as if they were vertices. Their weights count relative to
    /// their sum, as in the peer; a locator whose weights sum to 0 goes to the origin.
    #[must_use]
    pub fn of_skinned_locators(character: &Character) -> Self {
        let mut plan = Self::without_points(inverse_bind_pose(character));
        for locator in character.skinned_locators.iter() {
            let sum: f64 = locator.influences().map(|(_, w)| w).sum();
            let count = if sum == 0.0 { 0 } else { usize::MAX };
            plan.push_point(
                locator
                    .influences()
                    .take(count)
                    .map(|(joint, w)| (joint, w / sum)),
            );
            plan.rest.extend(locator.position.map(T::from_f64));
        }
        plan
    }

    /// The locators of a character: one joint carries each, in whose own frame it is given.
    #[must_use]
    pub fn of_locators(character: &Character) -> Self {
        let identity = std::array::from_fn(|at| if at % 5 == 0 { T::ONE } else { T::ZERO });
        let mut plan = Self::without_points(vec![identity; character.skeleton.len()]);
        for locator in character.locators.iter() {
            plan.push_point([(locator.parent as u32, 1.0)].into_iter());
            plan.rest.extend(locator.offset.map(T::from_f64));
        }
        plan
    }

    /// One point for each influence that a vertex may have, moved by its joint alone: vertex `v`'s are
    /// `v · columns ..`, whatever their weights.
    #[must_use]
    pub fn of_influences(character: &Character) -> Self {
        let mut plan = Self::without_points(inverse_bind_pose(character));
        if let Some(weights) = &character.skin_weights {
            for &joint in weights.index() {
                plan.push_point([(joint, 1.0)].into_iter());
            }
        }
        plan
    }

    fn without_points(inverse_bind: Vec<[T; 12]>) -> Self {
        Self {
            starts: vec![0],
            influences: Vec::new(),
            inverse_bind,
            rest: Vec::new(),
        }
    }

    fn push_point(&mut self, influences: impl Iterator<Item = (u32, f64)>) {
        let influences = influences.map(|(joint, w)| (joint, T::from_f64(w)));
        self.influences.extend(influences);
        self.starts.push(self.influences.len() as u32);
    }

    /// The number of joints.
    #[must_use]
    pub fn n_joints(&self) -> usize {
        self.inverse_bind.len()
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

    /// The points in the rest pose, `(n_vertices, 3)`.
    #[must_use]
    pub fn rest(&self) -> &[T] {
        &self.rest
    }

    #[inline(always)]
    fn of_vertex(&self, vertex: usize) -> &[(u32, T)] {
        &self.influences[self.starts[vertex] as usize..self.starts[vertex + 1] as usize]
    }
}

/// How a joint's world transform is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JointForm {
    /// Eight numbers, `tx ty tz qx qy qz qw s`.
    State,
    /// A row-major 4x4 matrix whose last row is not read.
    Matrix,
}

impl JointForm {
    /// Numbers per joint.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::State => 8,
            Self::Matrix => 16,
        }
    }
}

/// Rest points of the lanes of a group.
#[derive(Debug, Clone, Copy)]
pub enum Points<'a, T> {
    /// The same for every lane, `(n_vertices, 3)`.
    Shared(&'a [T]),
    /// One row per lane.
    Rows(&'a [&'a [T]]),
}

/// The scaled rotation of the quaternion part: `R = I + (2/|q|²) K(q)`.
#[inline(always)]
fn quadratic<L: Lane>([x, y, z, w]: [L; 4]) -> [L; 9] {
    let (xx, yy, zz) = (x * x, y * y, z * z);
    [
        -(yy + zz),
        x * y - w * z,
        x * z + w * y,
        x * y + w * z,
        -(xx + zz),
        y * z - w * x,
        x * z - w * y,
        y * z + w * x,
        -(xx + yy),
    ]
}

#[inline(always)]
fn two_over_norm<L: Lane>([x, y, z, w]: [L; 4]) -> L {
    L::lit(2.0) / (x * x + y * y + z * z + w * w)
}

/// The upper three rows of the matrix of a state, for a quaternion of any length but zero.
#[inline(always)]
pub(super) fn matrix_of_state<L: Lane>(state: [L; 8]) -> [L; 12] {
    let [tx, ty, tz, x, y, z, w, s] = state;
    let q = [x, y, z, w];
    let k = quadratic(q);
    let n = two_over_norm(q);
    let diagonal = |k: L| s * n.mul_add(k, L::one());
    let beside = |k: L| s * (n * k);
    [
        diagonal(k[0]),
        beside(k[1]),
        beside(k[2]),
        tx,
        beside(k[3]),
        diagonal(k[4]),
        beside(k[5]),
        ty,
        beside(k[6]),
        beside(k[7]),
        diagonal(k[8]),
        tz,
    ]
}

/// The derivative of [`matrix_of_state`] in the direction `tangent`.
#[inline(always)]
pub(super) fn push_matrix_of_state<L: Lane>(state: [L; 8], tangent: [L; 8]) -> [L; 12] {
    let [_, _, _, x, y, z, w, s] = state;
    let [dtx, dty, dtz, dx, dy, dz, dw, ds] = tangent;
    let q = [x, y, z, w];
    let k = quadratic(q);
    let n = two_over_norm(q);
    let two = L::lit(2.0);
    let dn = -(n * n) * (x * dx + y * dy + z * dz + w * dw);
    let (dxx, dyy, dzz) = (two * x * dx, two * y * dy, two * z * dz);
    let both = |a: L, da: L, b: L, db: L| a * db + da * b;
    let (xy, xz, yz) = (both(x, dx, y, dy), both(x, dx, z, dz), both(y, dy, z, dz));
    let (wx, wy, wz) = (both(w, dw, x, dx), both(w, dw, y, dy), both(w, dw, z, dz));
    let dk = [
        -(dyy + dzz),
        xy - wz,
        xz + wy,
        xy + wz,
        -(dxx + dzz),
        yz - wx,
        xz - wy,
        yz + wx,
        -(dxx + dyy),
    ];
    let translation = [dtx, dty, dtz];
    std::array::from_fn(|at| {
        let (row, column) = (at / 4, at % 4);
        if column == 3 {
            return translation[row];
        }
        let e = row * 3 + column;
        let rotation = if row == column {
            n.mul_add(k[e], L::one())
        } else {
            n * k[e]
        };
        ds * rotation + s * (dn * k[e] + n * dk[e])
    })
}

/// The cotangent of a state from the cotangent of its matrix: the transpose of
/// [`push_matrix_of_state`].
#[inline(always)]
pub(super) fn pull_matrix_of_state<L: Lane>(state: [L; 8], m: [L; 12]) -> [L; 8] {
    let [_, _, _, x, y, z, w, s] = state;
    let q = [x, y, z, w];
    let n = two_over_norm(q);
    let g = [m[0], m[1], m[2], m[4], m[5], m[6], m[8], m[9], m[10]];
    let two = L::lit(2.0);
    let (xy, xz, yz) = (g[1] + g[3], g[2] + g[6], g[5] + g[7]);
    let (wx, wy, wz) = (g[7] - g[5], g[2] - g[6], g[3] - g[1]);
    // f = <G, K(q)>, quadratic in q, and its gradient d; so f = q·d / 2.
    let d = [
        y * xy + z * xz + w * wx - two * x * (g[4] + g[8]),
        x * xy + z * yz + w * wy - two * y * (g[0] + g[8]),
        x * xz + y * yz + w * wz - two * z * (g[0] + g[4]),
        x * wx + y * wy + z * wz,
    ];
    let f = (x * d[0] + y * d[1] + z * d[2] + w * d[3]) * L::lit(0.5);
    let ds = g[0] + g[4] + g[8] + n * f;
    let along = n * f;
    let sn = s * n;
    [
        m[3],
        m[7],
        m[11],
        sn * (d[0] - along * x),
        sn * (d[1] - along * y),
        sn * (d[2] - along * z),
        sn * (d[3] - along * w),
        ds,
    ]
}

/// The product of two affine matrices, each as its upper three rows. `homogeneous` is the last number
/// of the first one's missing row: 1 for a matrix.
#[inline(always)]
fn times<L: Lane>(m: [L; 12], b: &[L::Scalar; 12]) -> [L; 12] {
    std::array::from_fn(|at| {
        let (row, column) = (at / 4 * 4, at % 4);
        let b = |k: usize| L::splat(b[k * 4 + column]);
        let mut sum = m[row] * b(0);
        sum = m[row + 1].mul_add(b(1), sum);
        sum = m[row + 2].mul_add(b(2), sum);
        if column == 3 { sum + m[row + 3] } else { sum }
    })
}

/// The cotangent of `m` in [`times`], from the product's.
#[inline(always)]
fn pull_times<L: Lane>(c: [L; 12], b: &[L::Scalar; 12]) -> [L; 12] {
    std::array::from_fn(|at| {
        let (row, k) = (at / 4 * 4, at % 4);
        if k == 3 {
            return c[row + 3];
        }
        let b = |column: usize| L::splat(b[k * 4 + column]);
        let mut sum = c[row] * b(0);
        sum = c[row + 1].mul_add(b(1), sum);
        sum = c[row + 2].mul_add(b(2), sum);
        c[row + 3].mul_add(b(3), sum)
    })
}

#[inline(always)]
fn load_state<L: Lane>(rows: &[&[L::Scalar]], joint: usize) -> [L; 8] {
    L::load_columns8(rows, joint * 8)
}

#[inline(always)]
fn load_matrix<L: Lane>(rows: &[&[L::Scalar]], joint: usize) -> [L; 12] {
    let first = L::load_columns8(rows, joint * 16);
    let last = L::load_columns8(rows, joint * 16 + 8);
    std::array::from_fn(|at| if at < 8 { first[at] } else { last[at - 8] })
}

/// `M_j · B_j` of each joint and lane, or their derivative where `tangents` are given.
#[inline(always)]
fn skinning_matrix<L: Lane>(
    form: JointForm,
    joints: &[&[L::Scalar]],
    tangents: Option<&[&[L::Scalar]]>,
    joint: usize,
    inverse_bind: &[L::Scalar; 12],
) -> [L; 12] {
    let world = match (form, tangents) {
        (JointForm::State, None) => matrix_of_state(load_state::<L>(joints, joint)),
        (JointForm::State, Some(tangents)) => {
            push_matrix_of_state(load_state::<L>(joints, joint), load_state(tangents, joint))
        }
        (JointForm::Matrix, None) => load_matrix(joints, joint),
        (JointForm::Matrix, Some(tangents)) => load_matrix(tangents, joint),
    };
    times(world, inverse_bind)
}

/// Writes the skinning matrices of a group of poses: 12 lanes for each joint.
#[inline(always)]
pub fn group_matrices<L: Lane>(
    plan: &SkinPlan<L::Scalar>,
    form: JointForm,
    joints: &[&[L::Scalar]],
    tangents: Option<&[&[L::Scalar]]>,
    out: &mut [L::Scalar],
) {
    for (joint, (bind, out)) in plan
        .inverse_bind
        .iter()
        .zip(out.chunks_exact_mut(12 * L::WIDTH))
        .enumerate()
    {
        let m = skinning_matrix::<L>(form, joints, tangents, joint, bind);
        for (number, out) in m.into_iter().zip(out.chunks_exact_mut(L::WIDTH)) {
            number.store(out);
        }
    }
}

/// Writes the skinning matrices of one pose: 16 numbers for each joint, four columns of three and a
/// zero, so that registers hold whole columns.
#[inline(always)]
pub fn pose_matrices<T: Real + Lane<Scalar = T>>(
    plan: &SkinPlan<T>,
    form: JointForm,
    joints: &[T],
    tangents: Option<&[T]>,
    out: &mut [T],
) {
    for (joint, (bind, out)) in plan
        .inverse_bind
        .iter()
        .zip(out.chunks_exact_mut(16))
        .enumerate()
    {
        let tangents = tangents.map(|tangents| [tangents]);
        let tangents = tangents.as_ref().map(<[_; 1]>::as_slice);
        let m = skinning_matrix::<T>(form, &[joints], tangents, joint, bind);
        for (at, out) in out.iter_mut().enumerate() {
            let (column, row) = (at / 4, at % 4);
            *out = if row < 3 {
                m[row * 4 + column]
            } else {
                T::ZERO
            };
        }
    }
}

/// One summand of what a kernel computes: blended matrices applied to points.
#[derive(Debug, Clone, Copy)]
pub struct Term<'a, T> {
    /// From [`group_matrices`] or [`pose_matrices`].
    pub matrices: &'a [T],
    /// The points, or directions.
    pub points: Points<'a, T>,
    /// Whether they are points (moved by translations) rather than directions.
    pub translate: bool,
}

/// The blended matrix of one vertex for a group of poses.
#[inline(always)]
fn blend<L: Lane>(influences: &[(u32, L::Scalar)], matrices: &[L::Scalar]) -> [L; 12] {
    let mut sum = [L::zero(); 12];
    for &(joint, weight) in influences {
        let block = 12 * L::WIDTH;
        let matrix = &matrices[joint as usize * block..][..block];
        let weight = L::splat(weight);
        for (e, sum) in sum.iter_mut().enumerate() {
            *sum = L::load(&matrix[e * L::WIDTH..]).mul_add(weight, *sum);
        }
    }
    sum
}

/// A tile of points: numbers `c` of lane `l`, for the vertices `first .. first + count`.
#[inline(always)]
fn load_tile<L: Lane>(rows: &[&[L::Scalar]], first: usize, count: usize) -> [L; TILE_NUMBERS] {
    let mut tile = [L::zero(); TILE_NUMBERS];
    if count == TILE {
        for (part, tile) in tile.chunks_exact_mut(8).enumerate() {
            tile.copy_from_slice(&L::load_columns8(rows, first * 3 + part * 8));
        }
    } else {
        for (c, tile) in tile.iter_mut().enumerate().take(count * 3) {
            *tile = L::load_column(rows, first * 3 + c);
        }
    }
    tile
}

#[inline(always)]
fn point<L: Lane>(
    points: Points<'_, L::Scalar>,
    tile: &[L; TILE_NUMBERS],
    vertex: usize,
    at: usize,
) -> [L; 3] {
    match points {
        Points::Shared(points) => {
            let points = &points[vertex * 3..vertex * 3 + 3];
            std::array::from_fn(|c| L::splat(points[c]))
        }
        Points::Rows(_) => std::array::from_fn(|c| tile[at * 3 + c]),
    }
}

/// Transposes a tile into one row of [`TILE_NUMBERS`] numbers per lane.
#[inline(always)]
fn transposed<L: Lane>(tile: &[L; TILE_NUMBERS], out: &mut [L::Scalar; TILE_NUMBERS * MAX_WIDTH]) {
    for (part, eight) in tile.chunks_exact(8).enumerate() {
        let eight: [L; 8] = std::array::from_fn(|c| eight[c]);
        L::store_columns8(&eight, out, part * 8, TILE_NUMBERS, L::WIDTH);
    }
}

/// Skins some vertices of a group of poses: the sum of the terms, into one row per pose. Row `l` of
/// `out` starts at the first of `vertices`; there may be fewer rows than lanes.
#[inline(always)]
pub fn skin_group<L: Lane>(
    plan: &SkinPlan<L::Scalar>,
    terms: &[Term<'_, L::Scalar>],
    vertices: Range<usize>,
    out: &mut [&mut [L::Scalar]],
) {
    let mut staged = [L::Scalar::ZERO; TILE_NUMBERS * MAX_WIDTH];
    let mut first = vertices.start;
    while first < vertices.end {
        let count = TILE.min(vertices.end - first);
        let mut tile = [L::zero(); TILE_NUMBERS];
        for term in terms {
            let points = match term.points {
                Points::Rows(rows) => load_tile::<L>(rows, first, count),
                Points::Shared(_) => [L::zero(); TILE_NUMBERS],
            };
            for at in 0..count {
                let m = blend::<L>(plan.of_vertex(first + at), term.matrices);
                let [x, y, z] = point(term.points, &points, first + at, at);
                for row in 0..3 {
                    let m = &m[row * 4..row * 4 + 4];
                    let sum = tile[at * 3 + row];
                    let moved = if term.translate { sum + m[3] } else { sum };
                    tile[at * 3 + row] = m[0].mul_add(x, m[1].mul_add(y, m[2].mul_add(z, moved)));
                }
            }
        }
        transposed(&tile, &mut staged);
        let place = (first - vertices.start) * 3;
        for (row, staged) in out.iter_mut().zip(staged.chunks_exact(TILE_NUMBERS)) {
            if count == TILE {
                row[place..place + TILE_NUMBERS].copy_from_slice(staged);
            } else {
                row[place..place + count * 3].copy_from_slice(&staged[..count * 3]);
            }
        }
        first += count;
    }
}

/// Skins some vertices of one pose; the lanes are the numbers of a matrix.
#[inline(always)]
pub fn skin_pose<L: Lane>(
    plan: &SkinPlan<L::Scalar>,
    terms: &[Term<'_, L::Scalar>],
    vertices: Range<usize>,
    out: &mut [L::Scalar],
) {
    let registers = 16 / L::WIDTH;
    for (vertex, out) in vertices.zip(out.chunks_exact_mut(3)) {
        let mut result = [L::Scalar::ZERO; 4];
        for term in terms {
            let mut sum = [L::zero(); 16];
            for &(joint, weight) in plan.of_vertex(vertex) {
                let matrix = &term.matrices[joint as usize * 16..][..16];
                let weight = L::splat(weight);
                for r in 0..registers {
                    sum[r] = L::load(&matrix[r * L::WIDTH..]).mul_add(weight, sum[r]);
                }
            }
            let mut m = [L::Scalar::ZERO; 16];
            for r in 0..registers {
                sum[r].store(&mut m[r * L::WIDTH..]);
            }
            let points = match term.points {
                Points::Shared(points) => points,
                Points::Rows(rows) => rows[0],
            };
            let [x, y, z]: [L::Scalar; 3] = std::array::from_fn(|c| points[vertex * 3 + c]);
            let h = if term.translate {
                L::Scalar::ONE
            } else {
                L::Scalar::ZERO
            };
            for (row, result) in result.iter_mut().enumerate() {
                *result += (m[row] * x + m[4 + row] * y) + (m[8 + row] * z + m[12 + row] * h);
            }
        }
        out.copy_from_slice(&result[..3]);
    }
}

/// What pulls a cotangent of the points back, for some poses.
pub struct Pull<'a, T> {
    /// From [`group_matrices`]; read only for the rest points' cotangent.
    pub matrices: &'a [T],
    /// The rest points.
    pub points: Points<'a, T>,
    /// The points' cotangent, one row per lane.
    pub cotangent: &'a [&'a [T]],
}

/// Pulls the cotangent of a group of poses back: adds that of the skinning matrices to `matrix_sums`
/// (12 lanes for each joint), and hands that of the rest points to `rest(first vertex, count, rows)`,
/// where the rows are `3 · count` numbers for each lane, [`TILE_NUMBERS`] apart.
#[inline(always)]
pub fn pull_group<L: Lane>(
    plan: &SkinPlan<L::Scalar>,
    pull: &Pull<'_, L::Scalar>,
    mut matrix_sums: Option<&mut [L::Scalar]>,
    mut rest: Option<impl FnMut(usize, usize, &[L::Scalar])>,
) {
    let block = 12 * L::WIDTH;
    let mut staged = [L::Scalar::ZERO; TILE_NUMBERS * MAX_WIDTH];
    let end = plan.n_vertices();
    let mut first = 0;
    while first < end {
        let count = TILE.min(end - first);
        let cotangents = load_tile::<L>(pull.cotangent, first, count);
        let points = match pull.points {
            Points::Rows(rows) if matrix_sums.is_some() => load_tile::<L>(rows, first, count),
            _ => [L::zero(); TILE_NUMBERS],
        };
        let mut pulled = [L::zero(); TILE_NUMBERS];
        for at in 0..count {
            let influences = plan.of_vertex(first + at);
            let g: [L; 3] = std::array::from_fn(|c| cotangents[at * 3 + c]);
            if let Some(sums) = &mut matrix_sums {
                let p = point(pull.points, &points, first + at, at);
                let outer: [L; 12] = std::array::from_fn(|e| {
                    let g = g[e / 4];
                    if e % 4 == 3 { g } else { g * p[e % 4] }
                });
                for &(joint, weight) in influences {
                    let sums = &mut sums[joint as usize * block..][..block];
                    let weight = L::splat(weight);
                    for (e, outer) in outer.iter().enumerate() {
                        let sum = &mut sums[e * L::WIDTH..][..L::WIDTH];
                        outer.mul_add(weight, L::load(sum)).store(sum);
                    }
                }
            }
            if rest.is_some() {
                let m = blend::<L>(influences, pull.matrices);
                for c in 0..3 {
                    pulled[at * 3 + c] =
                        m[c].mul_add(g[0], m[4 + c].mul_add(g[1], m[8 + c] * g[2]));
                }
            }
        }
        if let Some(rest) = &mut rest {
            transposed(&pulled, &mut staged);
            rest(first, count, &staged);
        }
        first += count;
    }
}

/// Turns the cotangents of one joint's skinning matrices into those of its states or matrices, `8` or
/// `16` numbers.
#[inline(always)]
pub fn pull_joint<L: Lane>(
    plan: &SkinPlan<L::Scalar>,
    form: JointForm,
    joints: &[&[L::Scalar]],
    joint: usize,
    matrix_sums: &[L::Scalar],
) -> [L; 16] {
    let block = &matrix_sums[joint * 12 * L::WIDTH..][..12 * L::WIDTH];
    let sums = std::array::from_fn(|e| L::load(&block[e * L::WIDTH..]));
    let world = pull_times::<L>(sums, &plan.inverse_bind[joint]);
    let mut out = [L::zero(); 16];
    match form {
        JointForm::Matrix => out[..12].copy_from_slice(&world),
        JointForm::State => {
            let state = load_state::<L>(joints, joint);
            out[..8].copy_from_slice(&pull_matrix_of_state(state, world));
        }
    }
    out
}
