//! Vertex normals of a triangle mesh.

use std::ops::Range;
use std::sync::Arc;

use super::gradients::{Target, for_each_gradient};
use super::lanes::{GroupWork, groups, in_groups};
use crate::array::{Batch, Shape, show_shape};
use crate::backend::cpu::{Compute, Items, LaneKernel, for_each_group, isa, row_of, rows_of};
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::{Error, Result};
use crate::kinematics::{NormalsPlan, TileLanes};
use crate::math::Lane;

/// Rough time for one triangle.
const TRIANGLE_NS: f64 = 5.0;

/// Unit vertex normals `(..., n_vertices, 3)` from vertices `(..., n_vertices, 3)`: the sum of the area
/// vectors of the triangles around each vertex, normalised. Zero, with zero derivatives, where a vertex
/// has no triangles, or none with an area.
#[derive(Debug, Clone, PartialEq)]
pub struct ComputeVertexNormals {
    /// The triangles.
    pub plan: Arc<NormalsPlan>,
}

impl ComputeVertexNormals {
    fn length(&self) -> usize {
        self.plan.n_vertices() * 3
    }

    fn cost_ns(&self) -> f64 {
        20.0 + TRIANGLE_NS * (self.plan.n_triangles() + self.plan.n_vertices()) as f64
    }

    /// Calls `work(item, its place)` for every item.
    fn each<T: Compute>(
        &self,
        items: usize,
        out: &mut [T],
        control: &Control<'_>,
        work: impl Fn(Range<usize>, &mut dyn Iterator<Item = &mut [T]>) + Sync,
    ) -> Result<()> {
        let length = self.length();
        if length == 0 {
            return Ok(());
        }
        let places = Items { data: out, length };
        for_each_group(
            items,
            1,
            self.cost_ns(),
            places,
            control,
            |range, places| {
                work(range, &mut places.data.chunks_exact_mut(length));
            },
        )
    }
}

/// From how many poses on they are worked on side by side: cutting the mesh takes as long as a few.
const MANY: usize = 16;

/// The normals of a range of poses.
struct Normals<'a, T> {
    plan: &'a NormalsPlan,
    vertices: &'a Batch<'a, T>,
    /// The pose whose normals `out` starts with.
    first: usize,
    out: &'a mut [T],
}

impl<T: Compute> GroupWork<T> for Normals<'_, T> {
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(&mut self, items: Range<usize>) {
        if L::WIDTH == 1 {
            return items.for_each(|item| self.run_one::<L>(item));
        }
        let length = self.plan.n_vertices() * 3;
        let mut lanes = TileLanes::<L>::default();
        let mut gathered = Vec::new();
        for (start, count) in groups::<L>(items) {
            let rows = rows_of(self.vertices, start, count, L::WIDTH, &mut gathered);
            let out = &mut self.out[(start - self.first) * length..][..count * length];
            self.plan.normals_of_many(&rows, count, &mut lanes, out);
        }
    }

    #[inline(always)]
    fn run_one<L: Lane<Scalar = T>>(&mut self, item: usize) {
        let length = self.plan.n_vertices() * 3;
        let mut gathered = Vec::new();
        let row = row_of(self.vertices, item, &mut gathered);
        let out = &mut self.out[(item - self.first) * length..][..length];
        self.plan.normals::<L>(row, out);
    }
}

/// One pose, with lanes for its vertices.
struct One<'w, 'a, T> {
    item: usize,
    work: &'w mut Normals<'a, T>,
}

impl<T: Compute> LaneKernel<T> for One<'_, '_, T> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(self) {
        self.work.run_one::<L>(self.item);
    }
}

impl Operation for ComputeVertexNormals {
    fn name(&self) -> &'static str {
        "compute_vertex_normals"
    }

    fn inputs(&self) -> &'static [Input] {
        &[Input {
            name: "vertices",
            differentiable: true,
        }]
    }

    fn core_rank(&self, _: usize, shape: &[usize]) -> Result<usize> {
        let count = self.plan.n_vertices();
        if shape.ends_with(&[count, 3]) {
            return Ok(2);
        }
        Err(Error::shape(
            "vertices",
            format!("(..., {count}, 3) = (..., n_vertices, 3)"),
            show_shape(shape),
        ))
    }

    fn output_core(&self, _: &[&[usize]]) -> Shape {
        Shape::from_slice(&[self.plan.n_vertices(), 3])
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let vertices = &inputs[0];
        let length = self.length();
        if length == 0 {
            return Ok(());
        }
        let isa = isa();
        let together = vertices.len() >= MANY;
        let group = if together { T::width(isa) } else { 1 };
        let cost = self.cost_ns() / if together { 4.0 } else { 1.0 };
        let places = Items { data: out, length };
        for_each_group(
            vertices.len(),
            group,
            cost,
            places,
            control,
            |range, places| {
                let mut work = Normals {
                    plan: &self.plan,
                    vertices,
                    first: range.start,
                    out: places.data,
                };
                if together {
                    in_groups(isa, range, &mut work);
                } else {
                    range.for_each(|item| {
                        T::run_on(
                            isa,
                            One {
                                item,
                                work: &mut work,
                            },
                        )
                    });
                }
            },
        )
    }

    fn vjp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        _: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let vertices = &inputs[0];
        let length = self.length();
        for_each_gradient(
            vertices.len(),
            1,
            2.0 * self.cost_ns(),
            [length],
            gradients,
            control,
            |range, [mut target]| {
                let mut scratch = [const { Vec::new() }; 3];
                scratch
                    .iter_mut()
                    .for_each(|scratch| scratch.resize(length, T::ZERO));
                let [s0, s1, s2] = &mut scratch;
                for (place, item) in range.enumerate() {
                    let gradient = match &mut target {
                        Target::Skip => return,
                        Target::Rows(rows, length) => {
                            let row = &mut rows[place * *length..(place + 1) * *length];
                            row.fill(T::ZERO);
                            row
                        }
                        Target::Sum(sum) => sum,
                    };
                    let (vertices, cotangent) = (vertices.item(item, s0), cotangent.item(item, s1));
                    self.plan.pull(vertices, cotangent, s2, gradient);
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
        let vertices = &inputs[0];
        let Some(tangent) = &tangents[0] else {
            out.fill(T::ZERO);
            return Ok(());
        };
        self.each(vertices.len(), out, control, |range, places| {
            let mut scratch = [const { Vec::new() }; 3];
            scratch
                .iter_mut()
                .for_each(|scratch| scratch.resize(self.length(), T::ZERO));
            let [s0, s1, s2] = &mut scratch;
            for (item, place) in range.zip(places) {
                let (vertices, tangent) = (vertices.item(item, s0), tangent.item(item, s1));
                self.plan.push(vertices, tangent, s2, place);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::operations::checks::{Argument, assert_derivatives, forward, jvp, vjp};

    /// A strip of triangles, one of them without area (6), and a vertex of its own (7).
    fn plan() -> Arc<NormalsPlan> {
        let triangles = vec![[0, 1, 2], [2, 1, 3], [2, 3, 4], [4, 3, 5], [6, 6, 6]];
        Arc::new(NormalsPlan::new(triangles, 8).unwrap())
    }

    #[test]
    fn normals_are_area_weighted_and_zero_without_area() {
        fn check<T: Compute>(tolerance: f64, size: f64) {
            let plan = plan();
            let mut vertices = Argument::<T>::noise(&[5, 8, 3], 1);
            for x in &mut vertices.data {
                *x *= T::from_f64(size);
            }
            let got = forward(&ComputeVertexNormals { plan }, &[vertices.view()]);
            for (vertices, normals) in vertices.data.chunks(24).zip(got.data.chunks(24)) {
                let at = |v: u32| {
                    nalgebra::Vector3::from_fn(|c, _| vertices[v as usize * 3 + c].to_f64() / size)
                };
                let mut want = [nalgebra::Vector3::zeros(); 8];
                for [a, b, c] in [[0, 1, 2], [2, 1, 3], [2, 3, 4], [4, 3, 5_u32]] {
                    let area = (at(b) - at(a)).cross(&(at(c) - at(a)));
                    for v in [a, b, c] {
                        want[v as usize] += area;
                    }
                }
                for v in 0..8 {
                    let want = want[v].try_normalize(0.0).unwrap_or_default();
                    for c in 0..3 {
                        let error = (normals[v * 3 + c].to_f64() - want[c]).abs();
                        assert!(error < tolerance, "vertex {v}: off by {error}");
                    }
                }
            }
        }
        check::<f32>(3e-6, 1.0);
        check::<f64>(1e-13, 1.0);
        // Areas whose squares are below the smallest number.
        check::<f32>(3e-6, 1e-13);
        check::<f64>(1e-13, 1e-100);
    }

    /// A grid of more than one tile, its vertices in a random order, with a vertex of its own and a
    /// triangle without area.
    #[test]
    fn many_poses_side_by_side_are_the_same_as_one_by_one() {
        fn check<T: Compute>(tolerance: f64) {
            const SIDE: u32 = 45;
            let count = (SIDE * SIDE + 1) as usize;
            let place = |i: u32, j: u32| ((i * SIDE + j) * 1001) % (SIDE * SIDE);
            let mut triangles = vec![[3, 3, 700]];
            for i in 0..SIDE - 1 {
                for j in 0..SIDE - 1 {
                    let [a, b] = [place(i, j), place(i, j + 1)];
                    let [c, d] = [place(i + 1, j), place(i + 1, j + 1)];
                    triangles.extend([[a, b, c], [c, b, d]]);
                }
            }
            let plan = Arc::new(NormalsPlan::new(triangles, count).unwrap());
            let operation = ComputeVertexNormals { plan };
            for poses in [MANY, MANY + 1, 37] {
                let mut vertices = Argument::<T>::noise(&[poses, count, 3], 8);
                vertices.data[count * 3] = T::from_f64(f64::NAN);
                let together = forward(&operation, &[vertices.view()]);
                let rows = vertices
                    .data
                    .chunks(count * 3)
                    .zip(together.data.chunks(count * 3));
                for (row, together) in rows {
                    let one = Argument {
                        data: row.to_vec(),
                        shape: vec![count, 3],
                    };
                    let alone = forward(&operation, &[one.view()]);
                    for (a, b) in alone.data.iter().zip(together) {
                        let (a, b) = (a.to_f64(), b.to_f64());
                        assert!((a - b).abs() < tolerance || a.is_nan() && b.is_nan());
                    }
                }
            }
        }
        check::<f32>(1e-4);
        check::<f64>(1e-12);
    }

    #[test]
    fn derivatives_agree_with_differences_and_with_each_other() {
        let plan = plan();
        let operation = ComputeVertexNormals { plan };
        for batch in [&[][..], &[1], &[5], &[2, 3], &[0]] {
            let mut shape = batch.to_vec();
            shape.extend([8, 3]);
            assert_derivatives(&operation, &[Argument::noise(&shape, 2)]);
        }
    }

    #[test]
    fn derivatives_are_zero_where_there_is_no_area() {
        let plan = Arc::new(NormalsPlan::new(vec![[0, 1, 1], [1, 2, 1], [2, 2, 2]], 3).unwrap());
        let operation = ComputeVertexNormals { plan };
        let vertices = Argument::<f32>::noise(&[3, 3], 3);
        let along = Argument::noise(&[3, 3], 4);
        let zero = vec![0.0; 9];
        assert_eq!(forward(&operation, &[vertices.view()]).data, zero);
        assert_eq!(vjp(&operation, &[vertices.view()], &along)[0], zero);
        let pushed = jvp(&operation, &[vertices.view()], &[Some(along.view())]);
        assert_eq!(pushed.data, zero);
    }

    #[test]
    fn nan_stays_with_the_triangles_it_touches() {
        let plan = Arc::new(NormalsPlan::new(vec![[0, 1, 2], [3, 4, 5]], 6).unwrap());
        let mut vertices = Argument::<f32>::noise(&[6, 3], 5);
        vertices.data[0] = f32::NAN;
        vertices.data[17] = f32::INFINITY;
        let got = forward(
            &ComputeVertexNormals { plan: plan.clone() },
            &[vertices.view()],
        );
        assert!(got.data[..9].iter().any(|x| x.is_nan()));
        vertices.data[17] = 0.5;
        let got = forward(&ComputeVertexNormals { plan }, &[vertices.view()]);
        assert!(got.data[9..].iter().all(|x| x.is_finite()));
    }

    #[test]
    fn a_triangle_out_of_range_is_named() {
        let error = NormalsPlan::new(vec![[0, 1, 2], [0, 1, 9]], 3).unwrap_err();
        assert_eq!(
            error.to_string(),
            "triangles: triangle 1 [0, 1, 9] uses vertex 9, but there are 3 vertices"
        );
        let plan = plan();
        let operation = ComputeVertexNormals { plan };
        assert_eq!(
            operation.core_rank(0, &[2, 7, 3]).unwrap_err().to_string(),
            "vertices: expected (..., 8, 3) = (..., n_vertices, 3), got (2, 7, 3)"
        );
    }
}
