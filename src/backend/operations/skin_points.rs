//! Linear blend skinning of a mesh.

use std::ops::Range;
use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use crate::array::{Batch, Shape, show_shape};
use crate::backend::cpu::{
    Compute, Isa, Items, LaneKernel, Places, for_each_group, isa, num_threads, rows_of,
};
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::{Error, Result};
use crate::kinematics::SkinPlan;
use crate::kinematics::skinning::{self, JointForm, Points, SkinData, Term};
use crate::math::Lane;

/// Poses as many as this part of a register are skinned one by one.
const SINGLES_PART: usize = 4;
/// A group needs this long for one influence.
const INFLUENCE_NS: f64 = 4.0;

/// `points (..., n_vertices, 3)` from joint states `(..., n_joints, 8)` or matrices
/// `(..., n_joints, 4, 4)`, and optionally rest points `(..., n_vertices, 3)`.
///
/// Which form the joints have follows from the last two axes alone: `(n_joints, 8)` is a state, and a
/// matrix ends in `(4, 4)`, so no shape can be read both ways. Of matrices the last row is not read,
/// and its cotangent is zero. A state's quaternion may have any length but zero. Weights are used as
/// the character has them, without normalisation; a vertex without any goes to the origin.
#[derive(Debug, Clone)]
pub struct SkinPoints {
    plan: Arc<SkinPlan>,
    with_rest: bool,
}

impl SkinPoints {
    /// Skinning by a plan; with `with_rest` the rest points are the second input, without they are
    /// the vertices of the character's mesh.
    #[must_use]
    pub fn of_plan(plan: Arc<SkinPlan>, with_rest: bool) -> Self {
        Self { plan, with_rest }
    }
}

/// The rows of a group's poses from the vertex where the piece starts.
struct Rows<'a, T>(SmallVec<[&'a mut [T]; 16]>);

impl<T: Send> Places for Rows<'_, T> {
    fn split(self, vertices: usize) -> (Self, Self) {
        let (first, rest) = self
            .0
            .into_iter()
            .map(|row| row.split_at_mut(vertices * 3))
            .unzip();
        (Self(first), Self(rest))
    }
}

/// Memory that starts at a cache line, so that no register's load crosses two.
struct Aligned<T> {
    data: Vec<T>,
    start: usize,
    length: usize,
}

impl<T: Compute> Aligned<T> {
    fn new(length: usize) -> Self {
        const LINE: usize = 64;
        let data = vec![T::ZERO; length + LINE / size_of::<T>()];
        let start = data.as_ptr().align_offset(LINE);
        let start = if start > LINE / size_of::<T>() {
            0
        } else {
            start
        };
        Self {
            data,
            start,
            length,
        }
    }
    fn get(&self) -> &[T] {
        &self.data[self.start..self.start + self.length]
    }
    fn get_mut(&mut self) -> &mut [T] {
        &mut self.data[self.start..self.start + self.length]
    }
}

/// How one group is computed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Lanes are poses.
    Together,
    /// Pose after pose; lanes are numbers of a matrix.
    Single,
}

/// Computes the skinning matrices of a group.
struct Prepare<'a, T> {
    way: Way,
    data: &'a SkinData<T>,
    form: JointForm,
    joints: &'a [&'a [T]],
    tangents: Option<&'a [&'a [T]]>,
    out: &'a mut [T],
}

impl<T: Compute> LaneKernel<T> for Prepare<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(self) {
        match self.way {
            Way::Together => skinning::group_matrices::<L>(
                self.data,
                self.form,
                self.joints,
                self.tangents,
                self.out,
            ),
            Way::Single => {
                let length = self.data.inverse_bind.len() * 16;
                for (lane, out) in self.out.chunks_exact_mut(length.max(1)).enumerate() {
                    let tangents = self.tangents.map(|tangents| tangents[lane]);
                    skinning::pose_matrices(self.data, self.form, self.joints[lane], tangents, out);
                }
            }
        }
    }
}

/// Skins some vertices of a group.
struct Skin<'a, 'r, T> {
    way: Way,
    data: &'a SkinData<T>,
    terms: &'a [Term<'a, T>],
    vertices: Range<usize>,
    out: &'a mut [&'r mut [T]],
}

impl<T: Compute> LaneKernel<T> for Skin<'_, '_, T> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(self) {
        match self.way {
            Way::Together => {
                skinning::skin_group::<L>(self.data, self.terms, self.vertices, self.out);
            }
            Way::Single => {
                let length = self.data.inverse_bind.len() * 16;
                for (lane, out) in self.out.iter_mut().enumerate() {
                    let terms: SmallVec<[Term<'_, T>; 2]> = self
                        .terms
                        .iter()
                        .map(|term| Term {
                            matrices: &term.matrices[lane * length..(lane + 1) * length],
                            points: match term.points {
                                Points::Rows(rows) => Points::Rows(&rows[lane..=lane]),
                                shared => shared,
                            },
                            ..*term
                        })
                        .collect();
                    skinning::skin_pose::<L>(self.data, &terms, self.vertices.clone(), out);
                }
            }
        }
    }
}

/// What skinning (or its derivative in a direction) reads.
struct Sources<'a, T> {
    data: &'a SkinData<T>,
    joints: &'a Batch<'a, T>,
    rest: Option<&'a Batch<'a, T>>,
    /// Skin along these instead: tangents of the joints, of the rest points.
    tangents: Option<[Option<&'a Batch<'a, T>>; 2]>,
}

impl<T: Compute> Sources<'_, T> {
    fn form(&self) -> JointForm {
        if self.joints.core_shape().len() == 3 {
            JointForm::Matrix
        } else {
            JointForm::State
        }
    }

    /// Prepares the group of items `start .. start + count` and hands its terms to `then`.
    fn with_group<R>(
        &self,
        isa: Isa,
        start: usize,
        count: usize,
        then: impl FnOnce(Way, &[Term<'_, T>]) -> R,
    ) -> R {
        let width = T::width(isa);
        let way = if width > 1 && count * SINGLES_PART > width {
            Way::Together
        } else {
            Way::Single
        };
        let lanes = if way == Way::Together { width } else { count };
        let numbers = match way {
            Way::Together => 12 * width,
            Way::Single => 16 * count,
        } * self.data.inverse_bind.len();
        let mut scratch: [Vec<T>; 4] = Default::default();
        let [s0, s1, s2, s3] = &mut scratch;
        let joints = rows_of(self.joints, start, count, lanes, s0);
        let rest_rows;
        let rest = match self.rest {
            None => Points::Shared(self.data.rest.as_slice()),
            Some(rest) if rest.is_shared() => {
                s1.resize(rest.core_len(), T::ZERO);
                Points::Shared(rest.item(start, s1))
            }
            Some(rest) => {
                rest_rows = rows_of(rest, start, count, lanes, s1);
                Points::Rows(&rest_rows)
            }
        };
        let prepare = |tangents: Option<&[&[T]]>| {
            let mut matrices = Aligned::new(numbers);
            T::run_on(
                isa,
                Prepare {
                    way,
                    data: self.data,
                    form: self.form(),
                    joints: &joints,
                    tangents,
                    out: matrices.get_mut(),
                },
            );
            matrices
        };
        let Some([of_joints, of_rest]) = self.tangents else {
            let matrices = prepare(None);
            return then(
                way,
                &[Term {
                    matrices: matrices.get(),
                    points: rest,
                    translate: true,
                }],
            );
        };
        let (moved, still, rest_tangents);
        let mut terms: SmallVec<[Term<'_, T>; 2]> = SmallVec::new();
        if let Some(tangents) = of_joints {
            let tangents = rows_of(tangents, start, count, lanes, s2);
            moved = prepare(Some(&tangents));
            terms.push(Term {
                matrices: moved.get(),
                points: rest,
                translate: true,
            });
        }
        if let Some(tangents) = of_rest {
            rest_tangents = rows_of(tangents, start, count, lanes, s3);
            still = prepare(None);
            terms.push(Term {
                matrices: still.get(),
                points: Points::Rows(&rest_tangents),
                translate: false,
            });
        }
        then(way, &terms)
    }

    /// Skins every item into `out`.
    fn skin(&self, isa: Isa, out: &mut [T], control: &Control<'_>) -> Result<()> {
        let (items, vertices) = (self.joints.len(), self.data.starts.len() - 1);
        if items == 0 || vertices == 0 {
            return Ok(());
        }
        let width = T::width(isa);
        let length = vertices * 3;
        let cost = self.data.influences.len() as f64 * INFLUENCE_NS;
        let groups = items.div_ceil(width);
        if groups >= 4 * num_threads() {
            let places = Items { data: out, length };
            let cost = cost / width as f64;
            return for_each_group(items, width, cost, places, control, |range, places| {
                let mut out: SmallVec<[&mut [T]; 16]> = SmallVec::new();
                for (group, block) in places.data.chunks_mut(length * width).enumerate() {
                    let count = block.len() / length;
                    out.clear();
                    out.extend(block.chunks_exact_mut(length));
                    self.with_group(isa, range.start + group * width, count, |way, terms| {
                        self.run(isa, way, terms, 0..vertices, &mut out);
                    });
                }
            });
        }
        // Few groups: the threads share the vertices of each.
        for (group, block) in out.chunks_mut(length * width).enumerate() {
            let rows: SmallVec<[&mut [T]; 16]> = block.chunks_exact_mut(length).collect();
            let count = rows.len();
            self.with_group(isa, group * width, count, |way, terms| {
                let cost = match way {
                    Way::Together => cost,
                    Way::Single => cost * count as f64 / SINGLES_PART as f64,
                } / vertices as f64;
                for_each_group(
                    vertices,
                    64,
                    cost,
                    Rows(rows),
                    control,
                    |range, mut rows| {
                        self.run(isa, way, terms, range, &mut rows.0);
                    },
                )
            })?;
        }
        Ok(())
    }

    fn run(
        &self,
        isa: Isa,
        way: Way,
        terms: &[Term<'_, T>],
        vertices: Range<usize>,
        out: &mut [&mut [T]],
    ) {
        T::run_on(
            isa,
            Skin {
                way,
                data: self.data,
                terms,
                vertices,
                out,
            },
        );
    }
}

impl SkinPoints {
    fn sources<'a, T: Compute>(&'a self, inputs: &'a [Batch<'a, T>]) -> Sources<'a, T> {
        Sources {
            data: self.plan.data(),
            joints: &inputs[0],
            rest: self.with_rest.then(|| &inputs[1]),
            tangents: None,
        }
    }
}

impl Operation for SkinPoints {
    fn name(&self) -> &'static str {
        "skin_points"
    }

    fn inputs(&self) -> &'static [Input] {
        const INPUTS: [Input; 2] = [
            Input {
                name: "skel_state",
                differentiable: true,
            },
            Input {
                name: "rest_vertices",
                differentiable: true,
            },
        ];
        &INPUTS[..1 + usize::from(self.with_rest)]
    }

    fn core_rank(&self, index: usize, shape: &[usize]) -> Result<usize> {
        let (joints, vertices) = (self.plan.n_joints(), self.plan.n_vertices());
        match index {
            0 if shape.ends_with(&[joints, 8]) => Ok(2),
            0 if shape.ends_with(&[joints, 4, 4]) => Ok(3),
            0 => Err(Error::shape(
                "skel_state",
                format!("(..., {joints}, 8) = (..., n_joints, 8) or (..., {joints}, 4, 4)"),
                show_shape(shape),
            )),
            _ if shape.ends_with(&[vertices, 3]) => Ok(2),
            _ => Err(Error::shape(
                "rest_vertices",
                format!("(..., {vertices}, 3) = (..., n_vertices, 3)"),
                show_shape(shape),
            )),
        }
    }

    fn output_core(&self, _cores: &[&[usize]]) -> Shape {
        smallvec![self.plan.n_vertices(), 3]
    }

    fn forward<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        self.sources(inputs).skin(isa(), out, control)
    }

    fn vjp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        _output: Option<&Batch<'_, T>>,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let _ = (inputs, cotangent, gradients);
        control.check()
    }

    fn jvp<T: Compute>(
        &self,
        inputs: &[Batch<'_, T>],
        tangents: &[Option<Batch<'_, T>>],
        out: &mut [T],
        control: &Control<'_>,
    ) -> Result<()> {
        let sources = Sources {
            tangents: Some([
                tangents[0].as_ref(),
                tangents.get(1).and_then(Option::as_ref),
            ]),
            ..self.sources(inputs)
        };
        sources.skin(isa(), out, control)
    }
}

#[cfg(test)]
mod tests;
