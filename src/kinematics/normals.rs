//! Area-weighted vertex normals of a triangle mesh, and their derivatives.

use crate::error::{Error, Result};
use crate::math::{Lane, Real, Vector, vector};

/// The triangles of a mesh, checked against its number of vertices.
#[derive(Debug, Clone)]
pub struct NormalsPlan {
    triangles: Vec<[u32; 3]>,
    n_vertices: usize,
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
    pub fn normals<T: Real + Lane<Scalar = T>>(&self, vertices: &[T], out: &mut [T]) {
        self.areas(vertices, out);
        for normal in out.as_chunks_mut::<3>().0 {
            *normal = Length::of(*normal).unit(*normal);
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

/// The length of a vector in two factors, so that squares of the smallest areas do not vanish.
struct Length<T> {
    size: T,
    rest: T,
}

impl<T: Real + Lane<Scalar = T>> Length<T> {
    #[inline(always)]
    fn of(v: Vector<T>) -> Self {
        let size = v[0].abs() + v[1].abs() + v[2].abs();
        let scaled = v.map(|x| x / size);
        Self {
            size,
            rest: vector::dot(scaled, scaled).sqrt(),
        }
    }

    #[inline(always)]
    fn unit(&self, v: Vector<T>) -> Vector<T> {
        if self.size == T::ZERO {
            return v;
        }
        v.map(|x| x / self.size / self.rest)
    }

    /// The part of `change` across `v`, per length of `v`; zero where `v` is. Its own transpose.
    #[inline(always)]
    fn across(&self, v: Vector<T>, change: Vector<T>) -> Vector<T> {
        if self.size == T::ZERO {
            return [T::ZERO; 3];
        }
        let unit = self.unit(v);
        let along = vector::dot(unit, change);
        std::array::from_fn(|c| (change[c] - along * unit[c]) / self.size / self.rest)
    }
}
