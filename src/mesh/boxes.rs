//! A tree of boxes: sixteen children a node, so that a node is tested in a register or two.
//!
//! The tree has no pointers. Items are ordered so that sixteen in a row are one leaf, and sixteen leaves in
//! a row one node; every split is a median along the longest side.

use crate::math::{Lane, Real};

/// Items in a leaf, and children of a node. A multiple of the lanes of every instruction set.
pub(super) const BLOCK: usize = 16;

/// Whether no number is infinite or NaN.
#[inline(always)]
pub(super) fn is_finite<T: Real>(numbers: &[T]) -> bool {
    numbers.iter().all(|&x| x.to_f64().is_finite())
}

/// Something to be found: where it is, and its number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<T, const D: usize> {
    pub(super) middle: [T; D],
    pub(super) index: u32,
}

/// An axis-aligned box.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds<T, const D: usize> {
    pub(super) low: [T; D],
    pub(super) high: [T; D],
}

impl<T: Real, const D: usize> Bounds<T, D> {
    /// The box that holds nothing: infinitely far from everything.
    pub(super) fn nothing() -> Self {
        Self {
            low: [T::from_f64(f64::INFINITY); D],
            high: [T::from_f64(f64::NEG_INFINITY); D],
        }
    }

    pub(super) fn include(&mut self, point: [T; D]) {
        for ((low, high), x) in self.low.iter_mut().zip(&mut self.high).zip(point) {
            if x < *low {
                *low = x;
            }
            if x > *high {
                *high = x;
            }
        }
    }

    fn join(&mut self, other: &Self) {
        self.include(other.low);
        self.include(other.high);
    }

    /// Whether the two have a point in common.
    pub(super) fn meets(&self, other: &Self) -> bool {
        (0..D).all(|axis| self.low[axis] <= other.high[axis] && other.low[axis] <= self.high[axis])
    }
}

/// Sixteen boxes side by side.
#[derive(Debug, Clone)]
struct Node<T, const D: usize> {
    low: [[T; BLOCK]; D],
    high: [[T; BLOCK]; D],
    /// The smallest index inside each, which decides between equals.
    first: [u32; BLOCK],
}

impl<T: Lane<Scalar = T> + Real, const D: usize> Node<T, D> {
    fn of(children: &[(Bounds<T, D>, u32)]) -> Self {
        let nothing = (Bounds::nothing(), u32::MAX);
        let child = |c: usize| children.get(c).unwrap_or(&nothing);
        Self {
            low: std::array::from_fn(|axis| std::array::from_fn(|c| child(c).0.low[axis])),
            high: std::array::from_fn(|axis| std::array::from_fn(|c| child(c).0.high[axis])),
            first: std::array::from_fn(|c| child(c).1),
        }
    }

    /// The squared distances of a point to the boxes.
    #[inline(always)]
    fn distances<L: Lane<Scalar = T>>(&self, point: [T; D]) -> [T; BLOCK] {
        let mut distances = [T::ZERO; BLOCK];
        for (start, to) in (0..BLOCK)
            .step_by(L::WIDTH)
            .zip(distances.chunks_exact_mut(L::WIDTH))
        {
            let mut sum = L::zero();
            for ((low, high), &at) in self.low.iter().zip(&self.high).zip(&point) {
                let at = L::splat(at);
                let below = L::load(&low[start..]) - at;
                let above = at - L::load(&high[start..]);
                let outside = max(max(below, above), L::zero());
                sum = outside.mul_add(outside, sum);
            }
            sum.store(to);
        }
        distances
    }

    fn bounds(&self, child: usize) -> Bounds<T, D> {
        Bounds {
            low: std::array::from_fn(|axis| self.low[axis][child]),
            high: std::array::from_fn(|axis| self.high[axis][child]),
        }
    }
}

#[inline(always)]
pub(super) fn max<L: Lane>(a: L, b: L) -> L {
    L::select(a.lt(b), b, a)
}

#[inline(always)]
pub(super) fn min<L: Lane>(a: L, b: L) -> L {
    L::select(b.lt(a), b, a)
}

/// The best found so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Best<T> {
    pub(super) distance: T,
    pub(super) index: u32,
    pub(super) found: bool,
}

impl<T: Real> Best<T> {
    /// Nothing; only what is closer than the square root of `distance` counts.
    pub(super) fn within(distance: T) -> Self {
        Self {
            distance,
            index: 0,
            found: false,
        }
    }

    /// Whether something at this distance could be better: closer, or as close with a smaller index.
    #[inline(always)]
    fn allows(&self, distance: T, index: u32) -> bool {
        distance < self.distance || distance == self.distance && index < self.index
    }

    /// Takes the best of a leaf, of those that `accept` lets pass. The indices are in ascending order, so
    /// that of several as close the first comes first.
    #[inline(always)]
    pub(super) fn look_at(
        &mut self,
        mut distances: [T; BLOCK],
        indices: &[u32; BLOCK],
        accept: &impl Fn(u32) -> bool,
    ) {
        loop {
            let (at, distance) = nearest(&distances);
            let index = indices[at];
            if !self.allows(distance, index) {
                return;
            }
            if accept(index) {
                *self = Self {
                    distance,
                    index,
                    found: true,
                };
                return;
            }
            distances[at] = T::from_f64(f64::INFINITY);
        }
    }
}

/// The place of the smallest number, and the number; of several the first. Without a branch: which one it
/// is cannot be predicted.
#[inline(always)]
fn nearest<T: Real>(distances: &[T; BLOCK]) -> (usize, T) {
    let mut least = *distances;
    let mut half = BLOCK / 2;
    while half > 0 {
        for at in 0..half {
            if least[at + half] < least[at] {
                least[at] = least[at + half];
            }
        }
        half /= 2;
    }
    let mut places = 0_u32;
    for (at, &distance) in distances.iter().enumerate() {
        places |= u32::from(distance == least[0]) << at;
    }
    (places.trailing_zeros() as usize % BLOCK, least[0])
}

/// A node whose children are being looked at: how far they are, infinity for those that were.
#[derive(Debug, Clone, Copy)]
struct Open<T> {
    distances: [T; BLOCK],
    node: usize,
}

/// The nodes on the way to where a search is.
#[derive(Debug, Clone, Default)]
pub struct Stack<T>(Vec<Open<T>>);

/// What is in the leaves. A trait and no closure: those would not inherit the instruction set.
pub(super) trait Leaves<T, const D: usize> {
    /// Compares `best` with what is in a leaf.
    fn look<L: Lane<Scalar = T>>(&self, leaf: usize, point: [T; D], best: &mut Best<T>);
}

/// Boxes around boxes around leaves.
#[derive(Debug, Clone)]
pub(super) struct BoxTree<T, const D: usize> {
    /// Nodes whose children are leaves, nodes whose children are those, ..., one root.
    levels: Vec<Vec<Node<T, D>>>,
    n_leaves: usize,
}

impl<T: Lane<Scalar = T> + Real, const D: usize> BoxTree<T, D> {
    /// Orders the places, and puts boxes around every sixteen of them.
    pub(super) fn new(
        places: &mut [Place<T, D>],
        bounds: impl Fn(&Place<T, D>) -> Bounds<T, D>,
    ) -> Self {
        let mut size = BLOCK;
        while size * BLOCK < places.len() {
            size *= BLOCK;
        }
        order(places, size);
        for leaf in places.chunks_mut(BLOCK) {
            leaf.sort_unstable_by_key(|place| place.index);
        }
        let mut children: Vec<(Bounds<T, D>, u32)> = places
            .chunks(BLOCK)
            .map(|leaf| {
                let mut all = Bounds::nothing();
                leaf.iter().for_each(|place| all.join(&bounds(place)));
                let first = leaf.iter().map(|place| place.index).min();
                (all, first.unwrap_or(u32::MAX))
            })
            .collect();
        let n_leaves = children.len();
        let mut levels = Vec::new();
        levels.push(children.chunks(BLOCK).map(Node::of).collect());
        while children.len() > BLOCK {
            children = children
                .chunks(BLOCK)
                .map(|group| {
                    let mut all = Bounds::nothing();
                    group.iter().for_each(|(one, _)| all.join(one));
                    let first = group.iter().map(|(_, first)| *first).min();
                    (all, first.unwrap_or(u32::MAX))
                })
                .collect();
            levels.push(children.chunks(BLOCK).map(Node::of).collect());
        }
        Self { levels, n_leaves }
    }

    /// Visits the leaves that can hold something better than `best`, the nearest boxes first.
    #[inline(always)]
    pub(super) fn search<L: Lane<Scalar = T>>(
        &self,
        point: [T; D],
        best: &mut Best<T>,
        stack: &mut Stack<T>,
        leaves: &impl Leaves<T, D>,
    ) {
        // Infinities and NaN have no closest point.
        if self.n_leaves == 0 || !is_finite(&point) {
            return;
        }
        let infinity = T::from_f64(f64::INFINITY);
        let top = self.levels.len();
        let path = &mut stack.0;
        path.clear();
        path.push(Open {
            distances: self.levels[top - 1][0].distances::<L>(point),
            node: 0,
        });
        while let Some(open) = path.last_mut() {
            let (child, distance) = nearest(&open.distances);
            if distance > best.distance || distance == infinity {
                path.pop();
                continue;
            }
            open.distances[child] = infinity;
            let node = open.node;
            let place = node * BLOCK + child;
            let level = top - path.len();
            let first = self.levels[level][node].first[child];
            if distance == best.distance && first > best.index {
                continue;
            }
            if level == 0 {
                leaves.look::<L>(place, point, best);
            } else {
                path.push(Open {
                    distances: self.levels[level - 1][place].distances::<L>(point),
                    node: place,
                });
            }
        }
    }

    /// Calls `meet(a, b)` for every pair of leaves `a <= b` whose boxes have a point in common.
    pub(super) fn pairs(&self, mut meet: impl FnMut(usize, usize)) {
        if self.n_leaves == 0 {
            return;
        }
        let count = |level: usize| match level {
            0 => self.n_leaves,
            _ => self.levels[level - 1].len(),
        };
        let bounds =
            |level: usize, node: usize| self.levels[level][node / BLOCK].bounds(node % BLOCK);
        let mut stack = vec![(self.levels.len(), 0, 0)];
        while let Some((level, a, b)) = stack.pop() {
            if level == 0 {
                meet(a, b);
                continue;
            }
            let children = |node: usize| node * BLOCK..((node + 1) * BLOCK).min(count(level - 1));
            for one in children(a) {
                let around = bounds(level - 1, one);
                for other in children(b).filter(|&other| a != b || other >= one) {
                    if around.meets(&bounds(level - 1, other)) {
                        stack.push((level - 1, one, other));
                    }
                }
            }
        }
    }
}

/// Orders places so that every `size` in a row, and every sixteenth of those, and so on, lie together.
fn order<T: Real, const D: usize>(places: &mut [Place<T, D>], size: usize) {
    if places.len() <= BLOCK {
        return;
    }
    let parts = places.len().div_ceil(size);
    if parts == 1 {
        return order(places, size / BLOCK);
    }
    let mut all = Bounds::nothing();
    places.iter().for_each(|place| all.include(place.middle));
    let mut longest = 0;
    for axis in 1..D {
        if all.high[axis] - all.low[axis] > all.high[longest] - all.low[longest] {
            longest = axis;
        }
    }
    let middle = parts / 2 * size;
    places.select_nth_unstable_by(middle, |a, b| {
        a.middle[longest]
            .partial_cmp(&b.middle[longest])
            .unwrap_or(std::cmp::Ordering::Equal)
            .then(a.index.cmp(&b.index))
    });
    let (left, right) = places.split_at_mut(middle);
    order(left, size);
    order(right, size);
}
