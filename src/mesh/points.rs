//! A tree over points.

use super::boxes::{BLOCK, Best, Bounds, BoxTree, Leaves, Place, Stack};
use crate::math::{Lane, Real};

/// Points in two or three dimensions, ordered for searches. Points that are not finite are never found.
#[derive(Debug, Clone)]
pub struct PointTree<T, const D: usize> {
    tree: BoxTree<T, D>,
    leaves: Vec<Leaf<T, D>>,
}

#[derive(Debug, Clone)]
struct Leaf<T, const D: usize> {
    points: [[T; BLOCK]; D],
    indices: [u32; BLOCK],
}

impl<T: Lane<Scalar = T> + Real, const D: usize> PointTree<T, D> {
    /// Orders `(n, D)` points.
    #[must_use]
    pub fn new(points: &[T]) -> Self {
        let mut places: Vec<Place<T, D>> = points
            .as_chunks::<D>()
            .0
            .iter()
            .zip(0..)
            .filter(|(point, _)| point.iter().all(|&x| x - x == T::ZERO))
            .map(|(&middle, index)| Place { middle, index })
            .collect();
        let tree = BoxTree::new(&mut places, |place| Bounds {
            low: place.middle,
            high: place.middle,
        });
        let nowhere = Place {
            middle: [T::from_f64(f64::INFINITY); D],
            index: u32::MAX,
        };
        let leaves = places.chunks(BLOCK).map(|leaf| {
            let place = |at: usize| leaf.get(at).unwrap_or(&nowhere);
            Leaf {
                points: std::array::from_fn(|axis| {
                    std::array::from_fn(|at| place(at).middle[axis])
                }),
                indices: std::array::from_fn(|at| place(at).index),
            }
        });
        Self {
            leaves: leaves.collect(),
            tree,
        }
    }

    /// The index of the closest of the points that `accept` lets pass and whose squared distance is below
    /// `within`; of several as close, the first.
    #[inline(always)]
    pub fn closest<L: Lane<Scalar = T>>(
        &self,
        point: [T; D],
        within: T,
        accept: impl Fn(u32) -> bool,
        stack: &mut Stack<T>,
    ) -> Option<u32> {
        let mut best = Best::within(within);
        let leaves = Accepted {
            leaves: &self.leaves,
            accept,
        };
        self.tree.search::<L>(point, &mut best, stack, &leaves);
        best.found.then_some(best.index)
    }
}

/// The points that a condition lets pass.
struct Accepted<'a, T, const D: usize, F> {
    leaves: &'a [Leaf<T, D>],
    accept: F,
}

impl<T: Real, const D: usize, F: Fn(u32) -> bool> Leaves<T, D> for Accepted<'_, T, D, F> {
    #[inline(always)]
    fn look<L: Lane<Scalar = T>>(&self, leaf: usize, point: [T; D], best: &mut Best<T>) {
        let leaf = &self.leaves[leaf];
        let mut distances = [T::ZERO; BLOCK];
        for (start, to) in (0..BLOCK)
            .step_by(L::WIDTH)
            .zip(distances.chunks_exact_mut(L::WIDTH))
        {
            let mut sum = L::zero();
            for axis in 0..D {
                let apart = L::load(&leaf.points[axis][start..]) - L::splat(point[axis]);
                sum = apart.mul_add(apart, sum);
            }
            sum.store(to);
        }
        best.look_at(distances, &leaf.indices, &self.accept);
    }
}
