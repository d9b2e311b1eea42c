//! A tree over triangles.

use super::boxes::{BLOCK, Best, Bounds, BoxTree, Leaves, Place, Stack, is_finite};
use super::triangle::closest_on_triangle;
use crate::math::{Lane, Real, Vector, vector};

/// Triangles ordered for searches. Triangles with corners that are not finite are never found.
#[derive(Debug, Clone)]
pub struct TriangleTree<T> {
    tree: BoxTree<T, 3>,
    leaves: Vec<Leaf<T>>,
}

#[derive(Debug, Clone)]
struct Leaf<T> {
    corner: [[T; BLOCK]; 3],
    ab: [[T; BLOCK]; 3],
    ac: [[T; BLOCK]; 3],
    indices: [u32; BLOCK],
}

/// The corners of a triangle.
#[inline(always)]
pub(crate) fn corners<T: Real>(vertices: &[T], face: [u32; 3]) -> [Vector<T>; 3] {
    face.map(|vertex| {
        let three = &vertices[vertex as usize * 3..vertex as usize * 3 + 3];
        [three[0], three[1], three[2]]
    })
}

/// Where the triangles whose corners are finite lie.
pub(super) fn places<T: Real>(vertices: &[T], faces: &[[u32; 3]]) -> Vec<Place<T, 3>> {
    let half = T::from_f64(0.5);
    let mut places = Vec::with_capacity(faces.len());
    for (&face, index) in faces.iter().zip(0..) {
        let corners = corners(vertices, face);
        if is_finite(corners.as_flattened()) {
            let around = bounds(&corners);
            let middle = std::array::from_fn(|c| around.low[c] * half + around.high[c] * half);
            places.push(Place { middle, index });
        }
    }
    places
}

pub(super) fn bounds<T: Real>(corners: &[Vector<T>; 3]) -> Bounds<T, 3> {
    let mut bounds = Bounds::nothing();
    corners.iter().for_each(|&corner| bounds.include(corner));
    bounds
}

impl<T: Lane<Scalar = T> + Real> TriangleTree<T> {
    /// Orders triangles, whose indices must be in range.
    #[must_use]
    pub fn new(vertices: &[T], faces: &[[u32; 3]]) -> Self {
        let mut places = places(vertices, faces);
        let tree = BoxTree::new(&mut places, |place| {
            bounds(&corners(vertices, faces[place.index as usize]))
        });
        let far = [T::from_f64(f64::INFINITY); 3];
        let leaves = places.chunks(BLOCK).map(|leaf| {
            let mut all = Leaf {
                corner: [[far[0]; BLOCK]; 3],
                ab: [[T::ZERO; BLOCK]; 3],
                ac: [[T::ZERO; BLOCK]; 3],
                indices: [u32::MAX; BLOCK],
            };
            for (at, place) in leaf.iter().enumerate() {
                let [a, b, c] = corners(vertices, faces[place.index as usize]);
                let (ab, ac) = (vector::sub(b, a), vector::sub(c, a));
                for axis in 0..3 {
                    all.corner[axis][at] = a[axis];
                    all.ab[axis][at] = ab[axis];
                    all.ac[axis][at] = ac[axis];
                }
                all.indices[at] = place.index;
            }
            all
        });
        Self {
            leaves: leaves.collect(),
            tree,
        }
    }

    /// The index of the triangle closest to a point and closer than the square root of `within`; of
    /// several as close, the first.
    #[inline(always)]
    pub fn closest<L: Lane<Scalar = T>>(
        &self,
        point: Vector<T>,
        within: T,
        stack: &mut Stack<T>,
    ) -> Option<u32> {
        let mut best = Best::within(within);
        self.tree.search::<L>(point, &mut best, stack, &self.leaves);
        best.found.then_some(best.index)
    }
}

impl<T: Real> Leaves<T, 3> for Vec<Leaf<T>> {
    #[inline(always)]
    fn look<L: Lane<Scalar = T>>(&self, leaf: usize, point: Vector<T>, best: &mut Best<T>) {
        let leaf = &self[leaf];
        let point = [L::splat(point[0]), L::splat(point[1]), L::splat(point[2])];
        let mut distances = [T::ZERO; BLOCK];
        for (start, to) in (0..BLOCK)
            .step_by(L::WIDTH)
            .zip(distances.chunks_exact_mut(L::WIDTH))
        {
            let from = vector::sub(point, load(&leaf.corner, start));
            let (ab, ac) = (load(&leaf.ab, start), load(&leaf.ac, start));
            let (_, distance) = closest_on_triangle(from, ab, ac);
            // Numbers too large to be squared make NaN, which nothing would be smaller than.
            let far = L::lit(f64::INFINITY);
            L::select(distance.lt(far), distance, far).store(to);
        }
        best.look_at(distances, &leaf.indices, &|_| true);
    }
}

#[inline(always)]
fn load<L: Lane>(table: &[[L::Scalar; BLOCK]; 3], start: usize) -> Vector<L> {
    [
        L::load(&table[0][start..]),
        L::load(&table[1][start..]),
        L::load(&table[2][start..]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::{Compute, Isa, LaneKernel, isa};
    use crate::backend::operations::testing::Random;

    struct Ask<'a, T> {
        tree: &'a TriangleTree<T>,
        points: &'a [T],
    }

    impl<T: Compute> LaneKernel<T> for Ask<'_, T> {
        type Output = Vec<Option<u32>>;
        fn run<L: Lane<Scalar = T>>(self) -> Self::Output {
            let mut stack = Stack::default();
            let anywhere = T::from_f64(f64::INFINITY);
            let points = self.points.as_chunks::<3>().0.iter();
            points
                .map(|&point| self.tree.closest::<L>(point, anywhere, &mut stack))
                .collect()
        }
    }

    /// The distance of each point to the triangle found is the least of all triangles.
    fn check<T: Compute>(count: usize, tolerance: f64) {
        let numbers = |count: usize, seed: u64| -> Vec<T> {
            Random(seed)
                .numbers(count)
                .into_iter()
                .map(T::from_f64)
                .collect()
        };
        let (mut vertices, points) = (numbers(3 * 300, 1), numbers(3 * 40, 2));
        vertices[7] = T::from_f64(f64::INFINITY);
        let mut random = Random(3).numbers(3 * count).into_iter();
        let mut vertex = || (random.next().unwrap().abs() * 299.0) as u32;
        let faces: Vec<[u32; 3]> = (0..count).map(|_| [vertex(), vertex(), vertex()]).collect();
        let distance = |point: &[T; 3], face: usize| {
            let [a, b, c] = corners(&vertices, faces[face]).map(|v| v.map(T::to_f64));
            let from = vector::sub(point.map(T::to_f64), a);
            closest_on_triangle(from, vector::sub(b, a), vector::sub(c, a))
                .1
                .sqrt()
        };
        let whole: Vec<usize> = (0..count).filter(|&f| !faces[f].contains(&2)).collect();
        let tree = &TriangleTree::new(&vertices, &faces);
        for isa in [Isa::Baseline, Isa::Avx2, Isa::Avx512]
            .into_iter()
            .filter(|&one| one <= isa())
        {
            let points = &points;
            let found = T::run_on(isa, Ask { tree, points });
            for (point, found) in points.as_chunks::<3>().0.iter().zip(found) {
                let all = whole.iter().map(|&face| distance(point, face));
                let best = all.fold(f64::INFINITY, f64::min);
                match found {
                    None => assert!(whole.is_empty()),
                    Some(face) => {
                        assert!(whole.contains(&(face as usize)));
                        let got = distance(point, face as usize);
                        assert!((got - best).abs() < tolerance, "{got} is not {best}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_triangle_is_closer_than_the_one_found_on_every_instruction_set() {
        for count in [0, 1, 16, 17, 300] {
            check::<f32>(count, 1e-5);
            check::<f64>(count, 1e-12);
        }
    }
}
