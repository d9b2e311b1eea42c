//! The closest of many points.

use std::ops::Range;

use super::forest::Forest;
use crate::array::{Batch, Shape, View, show_shape};
use crate::backend::cpu::{Compute, Items, LaneKernel, dispatch, for_each_group, row_of};
use crate::backend::{Column, Control, Holds, Query, Results};
use crate::error::{Error, Result};
use crate::math::{Lane, vector};
use crate::mesh::{PointSet, PointTree, Stack, check_count};

/// Rough time to order a point, and to find one.
const ORDER_NS: f64 = 60.0;
const FIND_NS: f64 = 300.0;

/// The closest of the points `(..., n_target, dim)` for each of `(..., n_source, dim)`, in two or three
/// dimensions: points, indices, and whether there is one.
#[derive(Debug, Clone, Copy)]
pub struct FindClosestPoints {
    max_dist: f64,
    /// With normals beside the points: the least scalar product of two that match.
    min_normal_dot: Option<f64>,
}

impl FindClosestPoints {
    /// Points closer than `max_dist`; with normals, of those whose scalar product is at least
    /// `normal_dot`.
    ///
    /// # Errors
    /// [`Error::Value`] for distances and products that are no numbers, and negative distances.
    pub fn new(max_dist: f64, normal_dot: Option<f64>) -> Result<Self> {
        if normal_dot.is_some_and(f64::is_nan) {
            return Err(Error::value("max_normal_dot", "expected a number, got NaN"));
        }
        Ok(Self {
            max_dist: distance(max_dist)?,
            min_normal_dot: normal_dot,
        })
    }
}

/// A distance to search within; as far as single precision goes means anywhere.
pub(super) fn distance(max_dist: f64) -> Result<f64> {
    if max_dist.is_nan() || max_dist < 0.0 {
        let problem = format!("expected a distance of 0 or more, got {max_dist}");
        return Err(Error::value("max_dist", problem));
    }
    Ok(if max_dist >= f64::from(f32::MAX) {
        f64::INFINITY
    } else {
        max_dist
    })
}

pub(super) fn squared<T: Compute>(max_dist: f64) -> T {
    let distance = T::from_f64(max_dist);
    distance * distance
}

/// `(..., n, 3)`, or `(..., n, 2)` too.
fn points_rank(what: &str, shape: &[usize], flat: bool) -> Result<usize> {
    match shape {
        [.., _, 3] => Ok(2),
        [.., _, 2] if flat => Ok(2),
        _ => {
            let expected = if flat {
                "(..., n_points, 3) or (..., n_points, 2)"
            } else {
                "(..., n_points, 3)"
            };
            Err(Error::shape(what, expected, show_shape(shape)))
        }
    }
}

fn results(n_points: usize, dim: usize, normals: bool) -> Results {
    let mut results = Results::new();
    results.push((Holds::Reals, Shape::from_slice(&[n_points, dim])));
    if normals {
        results.push((Holds::Reals, Shape::from_slice(&[n_points, 3])));
    }
    results.push((Holds::Indices, Shape::from_slice(&[n_points])));
    results.push((Holds::Flags, Shape::from_slice(&[n_points])));
    results
}

impl Query for FindClosestPoints {
    fn name(&self) -> &'static str {
        "find_closest_points"
    }

    fn inputs(&self) -> &'static [&'static str] {
        match self.min_normal_dot {
            None => &["points_source", "points_target"],
            Some(_) => &[
                "points_source",
                "normals_source",
                "points_target",
                "normals_target",
            ],
        }
    }

    fn core_rank(&self, index: usize, shape: &[usize]) -> Result<usize> {
        points_rank(self.inputs()[index], shape, self.min_normal_dot.is_none())
    }

    fn results(&self, cores: &[&[usize]]) -> Result<Results> {
        let names = self.inputs();
        let fits = |index: usize, words: &str, fits: bool| {
            if fits {
                Ok(())
            } else {
                Err(Error::shape(names[index], words, show_shape(cores[index])))
            }
        };
        let (source, dim) = (cores[0][0], cores[0][1]);
        if self.min_normal_dot.is_none() {
            fits(
                1,
                &format!("(..., n_target, {dim}) as points_source has {dim} axes"),
                cores[1][1] == dim,
            )?;
        } else {
            fits(
                1,
                &format!("(..., {source}, 3): a normal for each of points_source"),
                cores[1][0] == source,
            )?;
            let target = cores[2][0];
            fits(
                3,
                &format!("(..., {target}, 3): a normal for each of points_target"),
                cores[3][0] == target,
            )?;
        }
        let target = cores.len() / 2;
        check_count(names[target], cores[target][0])?;
        Ok(results(source, dim, self.min_normal_dot.is_some()))
    }

    fn answer<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        results: &mut [Column<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        match inputs[0].core_shape()[1] {
            2 => self.answer_in::<T, 2>(inputs, results, control),
            _ => self.answer_in::<T, 3>(inputs, results, control),
        }
    }
}

impl FindClosestPoints {
    fn answer_in<T: Compute, const D: usize>(
        &self,
        inputs: &[Batch<'_, T>],
        results: &mut [Column<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let (sources, targets, normals) = match inputs {
            [sources, targets] => (sources, targets, None),
            [sources, from, targets, to] => (sources, targets, Some([from, to])),
            _ => unreachable!("two inputs or four"),
        };
        let count = targets.core_shape()[0];
        if sources.core_len() == 0 {
            return Ok(());
        }
        let forest = Forest::plant(targets, ORDER_NS * (count + 1) as f64, control, |points| {
            PointTree::<T, D>::new(points)
        })?;
        Search {
            tree: &|item| forest.tree(item),
            sources,
            targets,
            normals,
            within: squared(self.max_dist),
            least_dot: T::from_f64(self.min_normal_dot.unwrap_or(0.0)),
        }
        .run(results, control)
    }
}

/// The closest of the points of one tree for each of `(..., n_points, dim)`.
#[derive(Debug, Clone, Copy)]
pub struct ClosestPoints<'a> {
    points: &'a PointSet,
    max_dist: f64,
}

impl<'a> ClosestPoints<'a> {
    /// Points closer than `max_dist`.
    ///
    /// # Errors
    /// [`Error::Value`] for a distance that is negative or NaN.
    pub fn new(points: &'a PointSet, max_dist: f64) -> Result<Self> {
        let max_dist = distance(max_dist)?;
        Ok(Self { points, max_dist })
    }
}

impl Query for ClosestPoints<'_> {
    fn name(&self) -> &'static str {
        "PointTree.closest"
    }

    fn inputs(&self) -> &'static [&'static str] {
        &["points"]
    }

    fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
        let dim = self.points.dim();
        if shape.len() >= 2 && shape.ends_with(&[dim]) {
            return Ok(2);
        }
        Err(Error::shape(
            "points",
            format!("(..., n_points, {dim})"),
            show_shape(shape),
        ))
    }

    fn results(&self, cores: &[&[usize]]) -> Result<Results> {
        Ok(results(cores[0][0], self.points.dim(), false))
    }

    fn answer<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        results: &mut [Column<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        match self.points.dim() {
            2 => self.answer_in::<T, 2>(inputs, results, control),
            _ => self.answer_in::<T, 3>(inputs, results, control),
        }
    }
}

impl ClosestPoints<'_> {
    fn answer_in<T: Compute, const D: usize>(
        &self,
        inputs: &[Batch<'_, T>],
        results: &mut [Column<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        if inputs[0].core_len() == 0 {
            return Ok(());
        }
        let (points, tree) = self.points.tree::<T, D>();
        let view = View::contiguous(points, &[points.len() / D, D])?;
        Search::<T, D> {
            tree: &|_| tree,
            sources: &inputs[0],
            targets: &Batch::new(view, 2, inputs[0].batch_shape()),
            normals: None,
            within: squared(self.max_dist),
            least_dot: T::ZERO,
        }
        .run(results, control)
    }
}

/// A search for every point of a batch.
struct Search<'a, T, const D: usize> {
    tree: &'a (dyn Fn(usize) -> &'a PointTree<T, D> + Sync),
    sources: &'a Batch<'a, T>,
    targets: &'a Batch<'a, T>,
    normals: Option<[&'a Batch<'a, T>; 2]>,
    /// Squared.
    within: T,
    least_dot: T,
}

/// Where the answers for a range of points go.
type Answers<'a, T> = (
    (Items<'a, T>, Option<Items<'a, T>>),
    (Items<'a, i32>, Items<'a, u8>),
);

impl<T: Compute, const D: usize> Search<'_, T, D> {
    fn run(&self, results: &mut [Column<'_, T>], control: &Control<'_>) -> Result<()> {
        let (points, normals, index, valid) = match results {
            [Column::Reals(p), Column::Indices(i), Column::Flags(v)] => (p, None, i, v),
            [
                Column::Reals(p),
                Column::Reals(n),
                Column::Indices(i),
                Column::Flags(v),
            ] => {
                let normals = Items { data: n, length: 3 };
                (p, Some(normals), i, v)
            }
            _ => unreachable!("the results are those of `results`"),
        };
        let points = Items {
            data: points,
            length: D,
        };
        let index = Items {
            data: index,
            length: 1,
        };
        let valid = Items {
            data: valid,
            length: 1,
        };
        let items = self.sources.len() * self.sources.core_shape()[0];
        let places = ((points, normals), (index, valid));
        for_each_group(items, 1, FIND_NS, places, control, |range, answers| {
            dispatch(Piece {
                search: self,
                range,
                answers,
            });
        })
    }
}

/// A range of the points of all items.
struct Piece<'s, 'a, T, const D: usize> {
    search: &'s Search<'a, T, D>,
    range: Range<usize>,
    answers: Answers<'s, T>,
}

impl<T: Compute, const D: usize> LaneKernel<T> for Piece<'_, '_, T, D> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(self) {
        let Self {
            search,
            range,
            answers,
        } = self;
        let ((points, mut normals), (index, valid)) = answers;
        let mut scratch = [const { Vec::new() }; 4];
        let [s0, s1, s2, s3] = &mut scratch;
        let mut stack = Stack::default();
        let count = search.sources.core_shape()[0];
        let mut done = 0;
        for item in range.start / count..range.end.div_ceil(count) {
            let tree = (search.tree)(item);
            let sources = row_of(search.sources, item, s0).as_chunks::<D>().0;
            let targets = row_of(search.targets, item, s1).as_chunks::<D>().0;
            let [from, to] = match search.normals {
                None => [&[][..]; 2],
                Some([from, to]) => [
                    row_of(from, item, s2).as_chunks::<3>().0,
                    row_of(to, item, s3).as_chunks::<3>().0,
                ],
            };
            let first = range.start.max(item * count);
            for at in first..range.end.min((item + 1) * count) {
                let source = at - item * count;
                let point = sources[source];
                let found = if normals.is_none() {
                    tree.closest::<L>(point, search.within, |_| true, &mut stack)
                } else {
                    let normal = from[source];
                    let matches =
                        |target: u32| vector::dot(normal, to[target as usize]) >= search.least_dot;
                    tree.closest::<L>(point, search.within, matches, &mut stack)
                };
                let nothing = [T::ZERO; D];
                let place = found.map_or(nothing, |target| targets[target as usize]);
                points.data[done * D..(done + 1) * D].copy_from_slice(&place);
                if let Some(normals) = &mut normals {
                    let normal = found.map_or([T::ZERO; 3], |target| to[target as usize]);
                    normals.data[done * 3..(done + 1) * 3].copy_from_slice(&normal);
                }
                index.data[done] = found.map_or(-1, |target| target as i32);
                valid.data[done] = u8::from(found.is_some());
                done += 1;
            }
        }
    }
}
