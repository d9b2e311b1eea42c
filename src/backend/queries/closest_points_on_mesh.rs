//! The closest point of a mesh.

use std::ops::Range;

use super::forest::Forest;
use crate::array::{Batch, Shape, View, show_shape};
use crate::backend::cpu::{Compute, Items, LaneKernel, dispatch, for_each_group, row_of};
use crate::backend::{Column, Control, Holds, Query, Results};
use crate::error::{Error, Result};
use crate::math::{Lane, vector};
use crate::mesh::{Stack, TriangleSet, TriangleTree, check_faces, closest_on_triangle, corners};

/// Rough time to order a triangle, and to find one.
const ORDER_NS: f64 = 100.0;
const FIND_NS: f64 = 600.0;

/// The closest point of a mesh with vertices `(..., n_vertices, 3)` for each of `(..., n_source, 3)`:
/// whether there is one, the points, the faces they are on, and where on them.
#[derive(Debug, Clone, Copy)]
pub struct FindClosestPointsOnMesh<'a> {
    /// The triangles.
    pub faces: &'a [[u32; 3]],
}

/// `(..., n, 3)`.
fn points_rank(what: &str, shape: &[usize]) -> Result<usize> {
    if shape.len() >= 2 && shape.ends_with(&[3]) {
        return Ok(2);
    }
    Err(Error::shape(what, "(..., n_points, 3)", show_shape(shape)))
}

fn results(n_points: usize) -> Results {
    [
        (Holds::Flags, Shape::from_slice(&[n_points])),
        (Holds::Reals, Shape::from_slice(&[n_points, 3])),
        (Holds::Indices, Shape::from_slice(&[n_points])),
        (Holds::Reals, Shape::from_slice(&[n_points, 3])),
    ]
    .into_iter()
    .collect()
}

impl Query for FindClosestPointsOnMesh<'_> {
    fn name(&self) -> &'static str {
        "find_closest_points_on_mesh"
    }

    fn inputs(&self) -> &'static [&'static str] {
        &["points_source", "vertices_target"]
    }

    fn core_rank(&self, index: usize, shape: &[usize]) -> Result<usize> {
        points_rank(self.inputs()[index], shape)
    }

    fn results(&self, cores: &[&[usize]]) -> Result<Results> {
        check_faces("faces_target", self.faces, cores[1][0])?;
        Ok(results(cores[0][0]))
    }

    fn answer<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        results: &mut [Column<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let [sources, vertices] = inputs else {
            unreachable!("two inputs");
        };
        if sources.core_len() == 0 {
            return Ok(());
        }
        let cost = ORDER_NS * (self.faces.len() + 1) as f64;
        let forest = Forest::plant(vertices, cost, control, |vertices| {
            TriangleTree::new(vertices, self.faces)
        })?;
        Search {
            tree: &|item| forest.tree(item),
            sources,
            vertices,
            faces: self.faces,
        }
        .run(results, control)
    }
}

/// The closest point of one mesh for each of `(..., n_points, 3)`.
#[derive(Debug, Clone, Copy)]
pub struct ClosestPointsOfMesh<'a> {
    /// The mesh.
    pub mesh: &'a TriangleSet,
}

impl Query for ClosestPointsOfMesh<'_> {
    fn name(&self) -> &'static str {
        "MeshTree.closest"
    }

    fn inputs(&self) -> &'static [&'static str] {
        &["points"]
    }

    fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
        points_rank("points", shape)
    }

    fn results(&self, cores: &[&[usize]]) -> Result<Results> {
        Ok(results(cores[0][0]))
    }

    fn answer<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        results: &mut [Column<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        if inputs[0].core_len() == 0 {
            return Ok(());
        }
        let (vertices, tree) = self.mesh.tree::<T>();
        let view = View::contiguous(vertices, &[vertices.len() / 3, 3])?;
        Search {
            tree: &|_| tree,
            sources: &inputs[0],
            vertices: &Batch::new(view, 2, inputs[0].batch_shape()),
            faces: self.mesh.faces(),
        }
        .run(results, control)
    }
}

/// A search for every point of a batch.
struct Search<'a, T> {
    tree: &'a (dyn Fn(usize) -> &'a TriangleTree<T> + Sync),
    sources: &'a Batch<'a, T>,
    vertices: &'a Batch<'a, T>,
    faces: &'a [[u32; 3]],
}

/// Where the answers for a range of points go.
type Answers<'a, T> = (
    (Items<'a, u8>, Items<'a, T>),
    (Items<'a, i32>, Items<'a, T>),
);

impl<T: Compute> Search<'_, T> {
    fn run(&self, results: &mut [Column<'_, T>], control: &Control<'_>) -> Result<()> {
        let [
            Column::Flags(valid),
            Column::Reals(points),
            Column::Indices(faces),
            Column::Reals(barycentric),
        ] = results
        else {
            unreachable!("the results are those of `results`");
        };
        let valid = Items {
            data: valid,
            length: 1,
        };
        let points = Items {
            data: points,
            length: 3,
        };
        let faces = Items {
            data: faces,
            length: 1,
        };
        let barycentric = Items {
            data: barycentric,
            length: 3,
        };
        let items = self.sources.len() * self.sources.core_shape()[0];
        let places = ((valid, points), (faces, barycentric));
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
struct Piece<'s, 'a, T> {
    search: &'s Search<'a, T>,
    range: Range<usize>,
    answers: Answers<'s, T>,
}

impl<T: Compute> LaneKernel<T> for Piece<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(self) {
        let Self {
            search,
            range,
            answers,
        } = self;
        let ((valid, points), (faces, barycentric)) = answers;
        let mut scratch = [const { Vec::new() }; 2];
        let [s0, s1] = &mut scratch;
        let mut stack = Stack::default();
        let infinity = T::from_f64(f64::INFINITY);
        let count = search.sources.core_shape()[0];
        let mut done = 0;
        for item in range.start / count..range.end.div_ceil(count) {
            let tree = (search.tree)(item);
            let sources = row_of(search.sources, item, s0).as_chunks::<3>().0;
            let vertices = row_of(search.vertices, item, s1);
            let first = range.start.max(item * count);
            for at in first..range.end.min((item + 1) * count) {
                let point = sources[at - item * count];
                let found = tree.closest::<L>(point, infinity, &mut stack);
                let (mut bary, mut place) = ([T::ZERO; 3], [T::ZERO; 3]);
                if let Some(face) = found {
                    let [a, b, c] = corners(vertices, search.faces[face as usize]);
                    let edges = [vector::sub(b, a), vector::sub(c, a)];
                    (bary, _) = closest_on_triangle(vector::sub(point, a), edges[0], edges[1]);
                    // Not from `a` along the edges: on a corner it is that corner exactly.
                    for axis in 0..3 {
                        place[axis] = bary[0] * a[axis] + bary[1] * b[axis] + bary[2] * c[axis];
                    }
                }
                valid.data[done] = u8::from(found.is_some());
                points.data[done * 3..(done + 1) * 3].copy_from_slice(&place);
                faces.data[done] = found.map_or(-1, |face| face as i32);
                barycentric.data[done * 3..(done + 1) * 3].copy_from_slice(&bary);
                done += 1;
            }
        }
    }
}
