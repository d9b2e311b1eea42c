//! Closest points of a mesh as a function of the points and the mesh: what of the search is differentiable.

use std::ops::Range;
use std::sync::Arc;

use super::gradients::{Target, for_each_gradient};
use crate::array::{Batch, Shape, show_shape};
use crate::backend::cpu::{Compute, Items, for_each_group, row_of};
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::{Error, Result};
use crate::math::{Real, Vector, vector};
use crate::mesh::{Piece, check_faces, corners};

/// Rough time for one point.
const POINT_NS: f64 = 40.0;

/// Points `(..., n_source, 3)` projected to the corners, edges and faces of a mesh with vertices
/// `(..., n_vertices, 3)` that a search found: the `points` of
/// [`FindClosestPointsOnMesh`](crate::backend::queries::FindClosestPointsOnMesh) with the correspondence held
/// fixed. Zero, with zero derivatives, where nothing was found.
///
/// The derivative is that of the closest point wherever the correspondence does not change; where it
/// jumps (as far from two places), or changes from a face to its edge, it is that of the side held.
#[derive(Debug, Clone, PartialEq)]
pub struct ClosestPointsOnMesh {
    /// The triangles.
    pub faces: Arc<[[u32; 3]]>,
    /// The triangle of each point, negative where there is none: `batch · n_source`, row-major, as the
    /// search gives it.
    pub face_index: Arc<[i32]>,
    /// Barycentric coordinates, three for each of `face_index`; those that are exactly zero say what the
    /// point is projected to.
    pub barycentric: Arc<[f64]>,
}

/// The vertices of a triangle in the target, and what of it a point is projected to.
type Found = ([u32; 3], Piece);

impl ClosestPointsOnMesh {
    fn found(&self, at: usize) -> Option<Found> {
        let face = usize::try_from(self.face_index[at]).ok()?;
        let share = &self.barycentric[at * 3..at * 3 + 3];
        Some((self.faces[face], Piece::of([share[0], share[1], share[2]])))
    }

    /// Checks that there is a correspondence for each point, in range.
    fn check(&self, points: &Batch<'_, impl Copy>) -> Result<()> {
        let count = points.len() * points.core_shape()[0];
        let faces = self.faces.len();
        if self.face_index.len() != count || self.barycentric.len() != 3 * count {
            let got = format!("{} and {}", self.face_index.len(), self.barycentric.len());
            let expected = format!("{count} faces and {} coordinates", 3 * count);
            return Err(Error::shape("face_index", expected, got));
        }
        let outside = self
            .face_index
            .iter()
            .find(|&&f| usize::try_from(f).is_ok_and(|f| f >= faces));
        match outside {
            None => Ok(()),
            Some(face) => {
                let problem = format!("triangle {face}, but there are {faces} triangles");
                Err(Error::value("face_index", problem))
            }
        }
    }

    /// Calls `work(items, their places)` over all items.
    fn each<T: Compute>(
        &self,
        points: &Batch<'_, T>,
        out: &mut [T],
        control: &Control<'_>,
        work: impl Fn(Range<usize>, &mut [Vector<T>]) + Sync,
    ) -> Result<()> {
        let length = points.core_len();
        if length == 0 {
            return Ok(());
        }
        let cost = POINT_NS * points.core_shape()[0] as f64;
        let places = Items { data: out, length };
        for_each_group(points.len(), 1, cost, places, control, |range, places| {
            work(range, places.data.as_chunks_mut().0);
        })
    }
}

fn add<T: Real>(to: &mut [T], row: usize, change: Vector<T>) {
    for (sum, change) in to[row * 3..row * 3 + 3].iter_mut().zip(change) {
        *sum += change;
    }
}

impl Operation for ClosestPointsOnMesh {
    fn name(&self) -> &'static str {
        "find_closest_points_on_mesh"
    }

    fn inputs(&self) -> &'static [Input] {
        &[
            Input {
                name: "points_source",
                differentiable: true,
            },
            Input {
                name: "vertices_target",
                differentiable: true,
            },
        ]
    }

    fn core_rank(&self, index: usize, shape: &[usize]) -> Result<usize> {
        let name = self.inputs()[index].name;
        if shape.len() < 2 || !shape.ends_with(&[3]) {
            return Err(Error::shape(name, "(..., n_points, 3)", show_shape(shape)));
        }
        if index == 1 {
            check_faces("faces_target", &self.faces, shape[shape.len() - 2])?;
        }
        Ok(2)
    }

    fn output_core(&self, cores: &[&[usize]]) -> Shape {
        Shape::from_slice(cores[0])
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let (points, vertices) = (&inputs[0], &inputs[1]);
        self.check(points)?;
        self.each(points, out, control, |range, places| {
            let mut scratch = [const { Vec::new() }; 2];
            let [s0, s1] = &mut scratch;
            let count = points.core_shape()[0];
            for (item, places) in range.zip(places.chunks_exact_mut(count)) {
                let points = row_of(points, item, s0).as_chunks::<3>().0;
                let vertices = row_of(vertices, item, s1);
                for (at, place) in places.iter_mut().enumerate() {
                    *place = match self.found(item * count + at) {
                        None => [T::ZERO; 3],
                        Some((face, piece)) => piece.project(points[at], &corners(vertices, face)),
                    };
                }
            }
        })
    }

    fn vjp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        _: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let (points, vertices) = (&inputs[0], &inputs[1]);
        self.check(points)?;
        let count = points.core_shape()[0];
        let lengths = [points.core_len(), vertices.core_len()];
        let cost = 2.0 * POINT_NS * (count + vertices.core_shape()[0]) as f64;
        for_each_gradient(
            points.len(),
            1,
            cost,
            lengths,
            gradients,
            control,
            |range, mut targets| {
                let mut scratch = [const { Vec::new() }; 3];
                let [s0, s1, s2] = &mut scratch;
                for target in &mut targets {
                    if let Target::Rows(rows, _) = target {
                        rows.fill(T::ZERO);
                    }
                }
                for (place, item) in range.enumerate() {
                    let points = row_of(points, item, s0).as_chunks::<3>().0;
                    let vertices = row_of(vertices, item, s1);
                    let given = row_of(cotangent, item, s2).as_chunks::<3>().0;
                    let [mut to_points, mut to_vertices] =
                        targets.each_mut().map(|target| match target {
                            Target::Skip => None,
                            Target::Rows(rows, length) => {
                                Some(&mut rows[place * *length..(place + 1) * *length])
                            }
                            Target::Sum(sums) => Some(&mut sums[..]),
                        });
                    for at in 0..count {
                        let Some((face, piece)) = self.found(item * count + at) else {
                            continue;
                        };
                        let triangle = corners(vertices, face);
                        let (of_point, of_corners) = piece.pull(points[at], &triangle, given[at]);
                        if let Some(to) = &mut to_points {
                            add(to, at, of_point);
                        }
                        if let Some(to) = &mut to_vertices {
                            for (vertex, change) in face.into_iter().zip(of_corners) {
                                add(to, vertex as usize, change);
                            }
                        }
                    }
                }
            },
        )
    }

    fn jvp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let (points, vertices) = (&inputs[0], &inputs[1]);
        self.check(points)?;
        self.each(points, out, control, |range, places| {
            let mut scratch = [const { Vec::new() }; 4];
            let [s0, s1, s2, s3] = &mut scratch;
            let count = points.core_shape()[0];
            for (item, places) in range.zip(places.chunks_exact_mut(count)) {
                let points = row_of(points, item, s0).as_chunks::<3>().0;
                let vertices = row_of(vertices, item, s1);
                let d_points = tangents[0]
                    .as_ref()
                    .map(|t| row_of(t, item, s2).as_chunks::<3>().0);
                let d_vertices = tangents[1].as_ref().map(|t| row_of(t, item, s3));
                for (at, place) in places.iter_mut().enumerate() {
                    let Some((face, piece)) = self.found(item * count + at) else {
                        *place = vector::zero();
                        continue;
                    };
                    let triangle = corners(vertices, face);
                    let d_point = d_points.map_or(vector::zero(), |points| points[at]);
                    let d_triangle =
                        d_vertices.map_or([vector::zero(); 3], |vertices| corners(vertices, face));
                    *place = piece.push(points[at], &triangle, d_point, &d_triangle);
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::operations::checks::{Argument, assert_derivatives, forward, noise};
    use crate::backend::queries::FindClosestPointsOnMesh;
    use crate::backend::{Column, Query};

    const FACES: [[u32; 3]; 5] = [[0, 1, 2], [2, 1, 3], [2, 3, 4], [4, 3, 5], [6, 6, 6]];

    struct Search {
        face_index: Vec<i32>,
        barycentric: Vec<f64>,
        points: Vec<f64>,
    }

    fn search(points: &Argument<f64>, vertices: &Argument<f64>) -> Search {
        let query = FindClosestPointsOnMesh { faces: &FACES };
        let lead = |shape: &[usize]| shape[..shape.len() - 2].to_vec();
        let batch = [lead(&points.shape), lead(&vertices.shape)]
            .into_iter()
            .max_by_key(Vec::len)
            .unwrap();
        let count = batch.iter().product::<usize>() * points.shape[points.shape.len() - 2];
        let inputs = [points, vertices].map(|argument| Batch::new(argument.view(), 2, &batch));
        let mut valid = vec![9; count];
        let mut found = vec![f64::NAN; count * 3];
        let mut face_index = vec![9; count];
        let mut barycentric = vec![f64::NAN; count * 3];
        let mut columns = [
            Column::Flags(&mut valid),
            Column::Reals(&mut found),
            Column::Indices(&mut face_index),
            Column::Reals(&mut barycentric),
        ];
        query
            .answer(&inputs, &mut columns, &Control::default())
            .unwrap();
        Search {
            face_index,
            barycentric,
            points: found,
        }
    }

    #[test]
    fn projecting_to_what_was_found_gives_the_points_that_were_found() {
        let vertices = Argument::<f64>::noise(&[7, 3], 1);
        let points = Argument::new(&[3, 40, 3], noise(360, 2).into_iter().map(|x| 1.5 * x));
        let found = search(&points, &vertices);
        let operation = ClosestPointsOnMesh {
            faces: FACES.into(),
            face_index: found.face_index.clone().into(),
            barycentric: found.barycentric.clone().into(),
        };
        let again = forward(&operation, &[points.view(), vertices.view()]);
        for (again, found) in again.data.iter().zip(&found.points) {
            assert!((again - found).abs() < 1e-12);
        }
        let zeros = found
            .barycentric
            .chunks(3)
            .map(|b| b.iter().filter(|&&x| x == 0.0).count());
        let kinds: Vec<usize> = zeros.collect();
        assert!(
            (0..3).all(|kind| kinds.contains(&kind)),
            "faces, edges and corners were met"
        );
    }

    #[test]
    fn derivatives_agree_with_differences_and_with_each_other() {
        for (points, vertices) in [
            (&[12, 3][..], &[7, 3][..]),
            (&[4, 9, 3], &[7, 3]),
            (&[9, 3], &[4, 7, 3]),
            (&[2, 3, 5, 3], &[2, 3, 7, 3]),
            (&[0, 9, 3], &[7, 3]),
        ] {
            let points = Argument::<f64>::noise(points, 3);
            let vertices = Argument::<f64>::noise(vertices, 4);
            let found = search(&points, &vertices);
            let operation = ClosestPointsOnMesh {
                faces: FACES.into(),
                face_index: found.face_index.into(),
                barycentric: found.barycentric.into(),
            };
            assert_derivatives(&operation, &[points, vertices]);
        }
    }

    #[test]
    fn every_kind_of_place_has_its_derivative() {
        let points = Argument::<f64>::noise(&[8, 3], 5);
        let vertices = Argument::<f64>::noise(&[7, 3], 6);
        let third = 1.0 / 3.0;
        let places = [
            [third, third, third],
            [0.5, 0.5, 0.0],
            [0.5, 0.0, 0.5],
            [0.0, 0.5, 0.5],
            [1.0, 0.0, 0.0],
            [0.0, 1.0, 0.0],
            [0.0, 0.0, 1.0],
            [0.0, 0.0, 0.0],
        ];
        let operation = ClosestPointsOnMesh {
            faces: FACES.into(),
            face_index: [0, 1, 2, 3, 0, 1, 2, -1].into(),
            barycentric: places.as_flattened().into(),
        };
        assert_derivatives(&operation, &[points, vertices]);
    }

    #[test]
    fn a_correspondence_that_does_not_fit_is_refused() {
        let points = Argument::<f64>::noise(&[2, 3], 5);
        let vertices = Argument::<f64>::noise(&[7, 3], 6);
        let check = |face_index: &[i32]| {
            let operation = ClosestPointsOnMesh {
                faces: FACES.into(),
                face_index: face_index.into(),
                barycentric: [1.0; 6].into(),
            };
            let inputs = [&points, &vertices].map(|argument| Batch::new(argument.view(), 2, &[]));
            let mut out = [0.0; 6];
            let result = operation.forward(&inputs, &mut out, &Control::default());
            result.unwrap_err().to_string()
        };
        assert_eq!(
            check(&[0, 5]),
            "face_index: triangle 5, but there are 5 triangles"
        );
        assert!(check(&[0]).contains("expected 2 faces"));
    }
}
