//! Area-weighted vertex normals of a triangle mesh, and their derivatives.

use std::sync::OnceLock;

use super::normal_tiles::{Tile, cut};
use crate::error::{Error, Result};
use crate::math::{Lane, Real, Vector, vector};

/// The triangles of a mesh, checked against its number of vertices.
#[derive(Debug, Clone)]
pub struct NormalsPlan {
    triangles: Vec<[u32; 3]>,
    n_vertices: usize,
    /// Made when several poses are worked on side by side.
    tiles: OnceLock<Vec<Tile>>,
}

impl PartialEq for NormalsPlan {
    fn eq(&self, other: &Self) -> bool {
        self.n_vertices == other.n_vertices && self.triangles == other.triangles
    }
}

/// Vertices that are normalised side by side.
const BLOCK: usize = 16;

/// Lanes of numbers that are kept between groups of poses, so that they are not allocated again.
#[derive(Debug, Clone)]
pub struct TileLanes<L> {
    positions: Vec<Vector<L>>,
    areas: Vec<Vector<L>>,
}

impl<L> Default for TileLanes<L> {
    fn default() -> Self {
        Self {
            positions: Vec::new(),
            areas: Vec::new(),
        }
    }
}

impl NormalsPlan {
    /// Checks the triangles.
    ///
    /// # Errors
    /// [`Error::Value`] naming the triangle and the vertex that does not exist.
    pub fn new(triangles: Vec<[u32; 3]>, n_vertices: usize) -> Result<Self> {
        for (index, triangle) in triangles.iter().enumerate() {
            if let Some(vertex) = triangle
                .iter()
                .find(|&&vertex| vertex as usize >= n_vertices)
            {
                return Err(Error::value(
                    "triangles",
                    format!(
                        "triangle {index} {triangle:?} uses vertex {vertex}, but there are \
                         {n_vertices} vertices"
                    ),
                ));
            }
        }
        Ok(Self {
            triangles,
            n_vertices,
            tiles: OnceLock::new(),
        })
    }

    /// The number of vertices.
    #[must_use]
    pub fn n_vertices(&self) -> usize {
        self.n_vertices
    }

    /// The number of triangles.
    #[must_use]
    pub fn n_triangles(&self) -> usize {
        self.triangles.len()
    }

    /// Unit normals of one mesh, `(n_vertices, 3)`; zero where no triangle with an area meets
    /// the vertex.
    #[inline(always)]
    pub fn normals<L: Lane>(&self, vertices: &[L::Scalar], out: &mut [L::Scalar])
    where
        L::Scalar: Lane<Scalar = L::Scalar>,
    {
        let areas = self.padded_areas(vertices);
        let (blocks, rest) = out.as_chunks_mut::<{ 3 * BLOCK }>();
        let (sums, last) = areas.as_chunks::<BLOCK>();
        for (block, sums) in blocks.iter_mut().zip(sums) {
            let normals = block.as_chunks_mut::<3>().0;
            // Apart, so that lanes can work on them, and together again.
            let mut apart = [[L::Scalar::ZERO; BLOCK]; 3];
            for (at, sum) in sums.iter().enumerate() {
                for axis in 0..3 {
                    apart[axis][at] = sum[axis];
                }
            }
            for start in (0..BLOCK).step_by(L::WIDTH) {
                let normal = [
                    L::load(&apart[0][start..]),
                    L::load(&apart[1][start..]),
                    L::load(&apart[2][start..]),
                ];
                let unit = normalized(normal);
                for axis in 0..3 {
                    unit[axis].store(&mut apart[axis][start..]);
                }
            }
            for (at, normal) in normals.iter_mut().enumerate() {
                for axis in 0..3 {
                    normal[axis] = apart[axis][at];
                }
            }
        }
        for (normal, sum) in rest.as_chunks_mut::<3>().0.iter_mut().zip(last) {
            *normal = normalized([sum[0], sum[1], sum[2]]);
        }
    }

    /// The same for several poses of the mesh side by side: `rows` has `L::WIDTH` of them, and the normals
    /// of the first `count` go to `out`, one pose after the other.
    #[inline(always)]
    pub fn normals_of_many<L: Lane>(
        &self,
        rows: &[&[L::Scalar]],
        count: usize,
        lanes: &mut TileLanes<L>,
        out: &mut [L::Scalar],
    ) {
        let stride = 3 * self.n_vertices;
        let tiles = self
            .tiles
            .get_or_init(|| cut(&self.triangles, self.n_vertices));
        for tile in tiles {
            let TileLanes { positions, areas } = lanes;
            let all = tile.count + tile.around.len();
            positions.resize(all, vector::zero());
            areas.clear();
            areas.resize(all, vector::zero());
            let (own, around) = positions.split_at_mut(tile.count);
            load_row(rows, 3 * tile.start, own.as_flattened_mut());
            for (position, &vertex) in around.iter_mut().zip(&tile.around) {
                for (axis, place) in position.iter_mut().enumerate() {
                    *place = L::load_column(rows, 3 * vertex as usize + axis);
                }
            }
            for &triangle in &tile.triangles {
                let [a, b, c] = [
                    triangle[0] as usize,
                    triangle[1] as usize,
                    triangle[2] as usize,
                ];
                let start = positions[a];
                let u = vector::sub(positions[b], start);
                let v = vector::sub(positions[c], start);
                let area = vector::cross(u, v);
                areas[a] = vector::add(areas[a], area);
                areas[b] = vector::add(areas[b], area);
                areas[c] = vector::add(areas[c], area);
            }
            let own = &mut areas[..tile.count];
            for normal in own.iter_mut() {
                *normal = normalized(*normal);
            }
            store_row(own.as_flattened(), out, 3 * tile.start, stride, count);
        }
    }

    /// The change of the normals while the vertices move along `tangent`; zero where the normal is.
    /// `scratch` has as many numbers as `out`.
    pub fn push<T: Real + Lane<Scalar = T>>(
        &self,
        vertices: &[T],
        tangent: &[T],
        scratch: &mut [T],
        out: &mut [T],
    ) {
        self.areas(vertices, scratch);
        out.fill(T::ZERO);
        for triangle in &self.triangles {
            let [u, v] = edges(vertices, triangle);
            let [du, dv] = edges(tangent, triangle);
            let change = vector::add(vector::cross(du, v), vector::cross(u, dv));
            add_to_corners(out, triangle, change);
        }
        let (areas, changes) = (scratch.as_chunks::<3>().0, out.as_chunks_mut::<3>().0);
        for (&area, change) in areas.iter().zip(changes) {
            *change = Length::of(area).across(area, *change);
        }
    }

    /// Adds the vertices' cotangent to `gradient`. `scratch` has as many numbers as it.
    pub fn pull<T: Real + Lane<Scalar = T>>(
        &self,
        vertices: &[T],
        cotangent: &[T],
        scratch: &mut [T],
        gradient: &mut [T],
    ) {
        self.areas(vertices, scratch);
        let (areas, given) = (scratch.as_chunks_mut::<3>().0, cotangent.as_chunks::<3>().0);
        for (area, &given) in areas.iter_mut().zip(given) {
            *area = Length::of(*area).across(*area, given);
        }
        for triangle in &self.triangles {
            let [u, v] = edges(vertices, triangle);
            let [a, b, c] = triangle.map(|vertex| at(scratch, vertex));
            let sum = vector::add(vector::add(a, b), c);
            let (of_u, of_v) = (vector::cross(v, sum), vector::cross(sum, u));
            add_at(gradient, triangle[1], of_u);
            add_at(gradient, triangle[2], of_v);
            let of_first = vector::scale(vector::add(of_u, of_v), -T::ONE);
            add_at(gradient, triangle[0], of_first);
        }
    }

    /// The sums of twice the area vectors around each vertex, each in four numbers: so that one register
    /// takes a vector.
    #[inline(always)]
    fn padded_areas<T: Real + Lane<Scalar = T>>(&self, vertices: &[T]) -> Vec<[T; 4]> {
        let pad = |v: &[T; 3]| [v[0], v[1], v[2], T::ZERO];
        let positions: Vec<[T; 4]> = vertices.as_chunks::<3>().0.iter().map(pad).collect();
        let mut areas = vec![[T::ZERO; 4]; positions.len()];
        for &[a, b, c] in &self.triangles {
            let [a, b, c] = [a as usize, b as usize, c as usize];
            let start = positions[a];
            let u = minus(positions[b], start);
            let v = minus(positions[c], start);
            let area = cross(u, v);
            plus(&mut areas[a], area);
            plus(&mut areas[b], area);
            plus(&mut areas[c], area);
        }
        areas
    }

    /// The sums of twice the area vectors around each vertex.
    fn areas<T: Real + Lane<Scalar = T>>(&self, vertices: &[T], out: &mut [T]) {
        out.fill(T::ZERO);
        for triangle in &self.triangles {
            let [u, v] = edges(vertices, triangle);
            add_to_corners(out, triangle, vector::cross(u, v));
        }
    }
}

#[inline(always)]
fn minus<T: Real>(a: [T; 4], b: [T; 4]) -> [T; 4] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3]]
}

#[inline(always)]
fn plus<T: Real>(sum: &mut [T; 4], b: [T; 4]) {
    *sum = [sum[0] + b[0], sum[1] + b[1], sum[2] + b[2], sum[3] + b[3]];
}

/// The vector product; turned by one place twice, which takes fewer shuffles.
#[inline(always)]
fn cross<T: Real>(u: [T; 4], v: [T; 4]) -> [T; 4] {
    let turned = |x: [T; 4]| [x[1], x[2], x[0], x[3]];
    let times = |a: [T; 4], b: [T; 4]| [a[0] * b[0], a[1] * b[1], a[2] * b[2], a[3] * b[3]];
    turned(minus(times(u, turned(v)), times(turned(u), v)))
}

#[inline(always)]
fn at<T: Real>(numbers: &[T], vertex: u32) -> Vector<T> {
    let start = vertex as usize * 3;
    let three = &numbers[start..start + 3];
    [three[0], three[1], three[2]]
}

#[inline(always)]
fn add_at<T: Real>(numbers: &mut [T], vertex: u32, change: Vector<T>) {
    let start = vertex as usize * 3;
    let three = &mut numbers[start..start + 3];
    for c in 0..3 {
        three[c] += change[c];
    }
}

#[inline(always)]
fn add_to_corners<T: Real>(numbers: &mut [T], triangle: &[u32; 3], change: Vector<T>) {
    for &vertex in triangle {
        add_at(numbers, vertex, change);
    }
}

/// The edges from the first corner to the other two.
#[inline(always)]
fn edges<T: Real + Lane<Scalar = T>>(vertices: &[T], triangle: &[u32; 3]) -> [Vector<T>; 2] {
    let [a, b, c] = triangle.map(|vertex| at(vertices, vertex));
    [vector::sub(b, a), vector::sub(c, a)]
}

/// Loads columns `first ..` of the rows, one register each.
#[inline(always)]
fn load_row<L: Lane>(rows: &[&[L::Scalar]], first: usize, to: &mut [L]) {
    let (blocks, rest) = to.as_chunks_mut::<8>();
    let whole = 8 * blocks.len();
    for (at, block) in blocks.iter_mut().enumerate() {
        *block = L::load_columns8(rows, first + 8 * at);
    }
    for (at, place) in rest.iter_mut().enumerate() {
        *place = L::load_column(rows, first + whole + at);
    }
}

/// Stores one register for each column, as `count` rows `stride` apart.
#[inline(always)]
fn store_row<L: Lane>(
    from: &[L],
    out: &mut [L::Scalar],
    start: usize,
    stride: usize,
    count: usize,
) {
    let (blocks, rest) = from.as_chunks::<8>();
    for (at, block) in blocks.iter().enumerate() {
        L::store_columns8(block, out, start + 8 * at, stride, count);
    }
    for (at, value) in rest.iter().enumerate() {
        value.store_column(out, start + 8 * blocks.len() + at, stride, count);
    }
}

/// A vector of unit length along this one; zero where that is.
#[inline(always)]
fn normalized<L: Lane>(v: Vector<L>) -> Vector<L> {
    // Where nothing is lost by squaring, as nearly everywhere, there is one division.
    let square = vector::dot(v, v);
    let limit = if size_of::<L::Scalar>() == 4 {
        1e30
    } else {
        1e250
    };
    let inside = L::select(square.lt(L::lit(limit)), square, L::zero());
    if L::all(L::lit(1.0 / limit).lt(inside)) {
        return vector::scale(v, L::one() / square.sqrt());
    }
    Length::of(v).unit(v)
}

/// The length of a vector in two factors, so that squares of the smallest areas do not vanish.
struct Length<L> {
    size: L,
    rest: L,
}

impl<L: Lane> Length<L> {
    #[inline(always)]
    fn of(v: Vector<L>) -> Self {
        let size = v[0].abs() + v[1].abs() + v[2].abs();
        let scaled = [v[0] / size, v[1] / size, v[2] / size];
        Self {
            size,
            rest: vector::dot(scaled, scaled).sqrt(),
        }
    }

    /// `v` of unit length.
    #[inline(always)]
    fn unit(&self, v: Vector<L>) -> Vector<L> {
        [
            self.unless_zero(v[0] / self.size / self.rest),
            self.unless_zero(v[1] / self.size / self.rest),
            self.unless_zero(v[2] / self.size / self.rest),
        ]
    }

    /// The number, or zero where the length is; NaN where that is.
    #[inline(always)]
    fn unless_zero(&self, number: L) -> L {
        L::select(L::zero().lt(self.size), number, self.size)
    }

    /// The part of `change` across `v`, per length of `v`; zero where `v` is. Its own transpose.
    #[inline(always)]
    fn across(&self, v: Vector<L>, change: Vector<L>) -> Vector<L> {
        let unit = self.unit(v);
        let along = vector::dot(unit, change);
        let part = |c: usize| (change[c] - along * unit[c]) / self.size / self.rest;
        [
            self.unless_zero(part(0)),
            self.unless_zero(part(1)),
            self.unless_zero(part(2)),
        ]
    }
}
