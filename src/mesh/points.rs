//! A tree over points.

use super::boxes::{BLOCK, Best, Bounds, BoxTree, Leaves, Place, Stack, is_finite};
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
            .filter(|(point, _)| is_finite(&point[..]))
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
            for (points, &at) in leaf.points.iter().zip(&point) {
                let apart = L::load(&points[start..]) - L::splat(at);
                sum = apart.mul_add(apart, sum);
            }
            sum.store(to);
        }
        best.look_at(distances, &leaf.indices, &self.accept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::{Compute, Isa, LaneKernel, isa};
    use crate::backend::operations::testing::Random;

    struct Ask<'a, T, const D: usize> {
        tree: &'a PointTree<T, D>,
        points: &'a [T],
        within: f64,
        odd: bool,
    }

    impl<T: Compute, const D: usize> LaneKernel<T> for Ask<'_, T, D> {
        type Output = Vec<Option<u32>>;
        fn run<L: Lane<Scalar = T>>(self) -> Self::Output {
            let mut stack = Stack::default();
            let within = T::from_f64(self.within);
            let accept = |index: u32| !self.odd || index % 2 == 1;
            let points = self.points.as_chunks::<D>().0.iter();
            points
                .map(|&point| self.tree.closest::<L>(point, within, accept, &mut stack))
                .collect()
        }
    }

    fn check<T: Compute, const D: usize>(count: usize, within: f64, odd: bool) {
        // Coarse numbers: distances are exact, and many of them alike.
        let numbers = |count: usize, seed: u64| -> Vec<T> {
            let numbers = Random(seed).numbers(count * D).into_iter();
            numbers
                .map(|x| T::from_f64((x * 8.0).round() / 8.0))
                .collect()
        };
        let mut targets = numbers(count, 1);
        for nowhere in [3, 4 * D] {
            if nowhere < targets.len() {
                targets[nowhere] = T::from_f64(f64::NAN);
            }
        }
        let points = numbers(50, 2);
        let want: Vec<Option<u32>> = points
            .as_chunks::<D>()
            .0
            .iter()
            .map(|point| {
                let mut best = (within, None);
                for (index, target) in targets.as_chunks::<D>().0.iter().enumerate() {
                    let apart = (0..D).map(|c| (point[c].to_f64() - target[c].to_f64()).powi(2));
                    let distance: f64 = apart.sum();
                    if distance < best.0 && (!odd || index % 2 == 1) {
                        best = (distance, Some(index as u32));
                    }
                }
                best.1
            })
            .collect();
        let tree = &PointTree::<T, D>::new(&targets);
        for isa in [Isa::Baseline, Isa::Avx2, Isa::Avx512]
            .into_iter()
            .filter(|&one| one <= isa())
        {
            let points = &points;
            let got = T::run_on(
                isa,
                Ask {
                    tree,
                    points,
                    within,
                    odd,
                },
            );
            assert_eq!(got, want, "{count} points in {D}-D, {}", isa.name());
        }
    }

    #[test]
    fn the_first_of_the_closest_is_found_on_every_instruction_set() {
        for count in [0, 1, 15, 16, 17, 255, 256, 257, 2000] {
            for within in [f64::INFINITY, 0.02] {
                for odd in [false, true] {
                    check::<f32, 3>(count, within, odd);
                    check::<f64, 3>(count, within, odd);
                    check::<f32, 2>(count, within, odd);
                    check::<f64, 2>(count, within, odd);
                }
            }
        }
    }
}
