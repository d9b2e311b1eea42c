//! Linear blend skinning of a mesh.

use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;

use super::gradients::{Target, for_each_gradient_by};
use crate::array::{Batch, Shape, show_shape};
use crate::backend::cpu::{
    Compute, Isa, Items, LaneKernel, Places, for_each_group, isa, num_threads, rows_of,
};
use crate::backend::{Control, Gradient, Input, Operation};
use crate::error::{Error, Result};
use crate::kinematics::skinning::{self, JointForm, Points, Pull, Term};
use crate::kinematics::{Prepared, SkinPlan};
use crate::math::Lane;

/// Poses as many as this part of a register are skinned one by one.
const SINGLES_PART: usize = 4;
/// Sums over the batch are taken in at most this many pieces.
const SUMS: usize = 32;
/// The widest lanes there are.
const MAX_WIDTH: usize = 16;
/// A group needs this long for one influence.
const INFLUENCE_NS: f64 = 4.0;

/// What skinning moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Mesh,
    SkinnedLocators,
    Locators,
    Influences,
}

/// `points (..., n_vertices, 3)` from joint states `(..., n_joints, 8)` or matrices
/// `(..., n_joints, 4, 4)`, and optionally rest points `(..., n_vertices, 3)`.
///
/// Which form the joints have follows from the last two axes alone: `(n_joints, 8)` is a state, and a
/// matrix ends in `(4, 4)`, so no shape can be read both ways. Of matrices the last row is not read,
/// and its cotangent is zero. A state's quaternion may have any length but zero. Weights are used as
/// the character has them, without normalisation; a vertex without any goes to the origin.
#[derive(Debug, Clone, PartialEq)]
pub struct SkinPoints {
    prepared: Arc<Prepared>,
    subject: Subject,
    with_rest: bool,
}

impl SkinPoints {
    /// Skinning of a character's mesh; with `with_rest` the rest points are the second input, without
    /// they are the mesh's vertices.
    ///
    /// # Errors
    /// [`Error::Character`] where the character has no mesh or no skin weights.
    pub fn new(prepared: &Arc<Prepared>, with_rest: bool) -> Result<Self> {
        skinning::skin_of(prepared.character())?;
        Ok(Self {
            prepared: prepared.clone(),
            subject: Subject::Mesh,
            with_rest,
        })
    }

    /// The same for a character's skinned locators; their positions are the rest points.
    #[must_use]
    pub fn of_skinned_locators(prepared: &Arc<Prepared>, with_rest: bool) -> Self {
        Self {
            prepared: prepared.clone(),
            subject: Subject::SkinnedLocators,
            with_rest,
        }
    }

    /// The same for a character's locators; their offsets are the rest points.
    #[must_use]
    pub fn of_locators(prepared: &Arc<Prepared>, with_rest: bool) -> Self {
        Self {
            prepared: prepared.clone(),
            subject: Subject::Locators,
            with_rest,
        }
    }

    /// Each influence of each vertex by itself, at rest points that are the second input.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(super) fn of_influences(prepared: &Arc<Prepared>) -> Result<Self> {
        skinning::skin_of(prepared.character())?;
        Ok(Self {
            prepared: prepared.clone(),
            subject: Subject::Influences,
            with_rest: true,
        })
    }

    fn n_points(&self) -> usize {
        let character = self.prepared.character();
        match self.subject {
            Subject::Mesh => character.mesh.as_ref().map_or(0, |mesh| mesh.n_vertices()),
            Subject::SkinnedLocators => character.skinned_locators.len(),
            Subject::Locators => character.locators.len(),
            Subject::Influences => {
                let weights = character.skin_weights.as_ref();
                weights.map_or(0, |weights| weights.index().len())
            }
        }
    }

    fn plan<T: Compute>(&self) -> &SkinPlan<T> {
        match self.subject {
            Subject::Mesh => self.prepared.skin_plan(),
            Subject::SkinnedLocators => self.prepared.skinned_locator_plan(),
            Subject::Locators => self.prepared.locator_plan(),
            Subject::Influences => self.prepared.influence_plan(),
        }
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

/// A derivative takes as many poses as this one by one rather than in a register.
const FEW: usize = 2;

/// How one group is computed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Lanes are poses.
    Together,
    /// One pose, one lane.
    Alone,
    /// Pose after pose; lanes are numbers of a matrix.
    Single,
}

/// Computes the skinning matrices of a group.
struct Prepare<'a, T> {
    way: Way,
    plan: &'a SkinPlan<T>,
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
                self.plan,
                self.form,
                self.joints,
                self.tangents,
                self.out,
            ),
            Way::Alone => skinning::group_matrices::<T>(
                self.plan,
                self.form,
                self.joints,
                self.tangents,
                self.out,
            ),
            Way::Single => {
                let length = self.plan.n_joints() * 16;
                for (lane, out) in self.out.chunks_exact_mut(length.max(1)).enumerate() {
                    let tangents = self.tangents.map(|tangents| tangents[lane]);
                    skinning::pose_matrices(self.plan, self.form, self.joints[lane], tangents, out);
                }
            }
        }
    }
}

/// Skins some vertices of a group.
struct Skin<'a, 'r, T> {
    way: Way,
    plan: &'a SkinPlan<T>,
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
                skinning::skin_group::<L>(self.plan, self.terms, self.vertices, self.out);
            }
            Way::Alone => {
                skinning::skin_group::<T>(self.plan, self.terms, self.vertices, self.out);
            }
            Way::Single => {
                let length = self.plan.n_joints() * 16;
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
                    skinning::skin_pose::<L>(self.plan, &terms, self.vertices.clone(), out);
                }
            }
        }
    }
}

/// What skinning (or its derivative in a direction) reads.
struct Sources<'a, T> {
    plan: &'a SkinPlan<T>,
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
            Way::Together | Way::Alone => 12 * width,
            Way::Single => 16 * count,
        } * self.plan.n_joints();
        let mut scratch: [Vec<T>; 4] = Default::default();
        let [s0, s1, s2, s3] = &mut scratch;
        let joints = rows_of(self.joints, start, count, lanes, s0);
        let rest_rows;
        let rest = match self.rest {
            None => Points::Shared(self.plan.rest()),
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
                    plan: self.plan,
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
        let (items, vertices) = (self.joints.len(), self.plan.n_vertices());
        if items == 0 || vertices == 0 {
            return Ok(());
        }
        let width = T::width(isa);
        let length = vertices * 3;
        let cost = self.plan.n_influences() as f64 * INFLUENCE_NS;
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
                    Way::Together | Way::Alone => cost,
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
                plan: self.plan,
                terms,
                vertices,
                out,
            },
        );
    }
}

/// Pulls the cotangents of a group back.
struct PullGroup<'a, 't, T> {
    way: Way,
    plan: &'a SkinPlan<T>,
    form: JointForm,
    joints: &'a [&'a [T]],
    pull: Pull<'a, T>,
    /// 12 lanes for each joint.
    matrix_sums: &'a mut [T],
    /// The place of the group's first item in the targets, and how many items there are.
    item: usize,
    count: usize,
    targets: &'a mut [Target<'t, T>; 2],
}

impl<T: Compute> LaneKernel<T> for PullGroup<'_, '_, T> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lane<Scalar = T>>(self) {
        match self.way {
            Way::Together => self.in_lanes::<L>(),
            Way::Alone | Way::Single => self.in_lanes::<T>(),
        }
    }
}

impl<T: Compute> PullGroup<'_, '_, T> {
    #[inline(always)]
    fn in_lanes<L: Lane<Scalar = T>>(self) {
        let [of_joints, of_rest] = self.targets;
        let (item, count) = (self.item, self.count);
        let wanted = !of_joints.is_skip();
        self.matrix_sums.fill(T::ZERO);
        let rest = (!of_rest.is_skip()).then_some(|first: usize, vertices: usize, rows: &[T]| {
            let rows = rows.chunks_exact(skinning::TILE_NUMBERS).take(count);
            for (lane, row) in rows.enumerate() {
                let row = &row[..vertices * 3];
                match of_rest {
                    Target::Skip => {}
                    Target::Rows(out, length) => {
                        let start = (item + lane) * *length + first * 3;
                        out[start..start + row.len()].copy_from_slice(row);
                    }
                    Target::Sum(sums) => {
                        let sums = sums[first * 3..].iter_mut().zip(row);
                        sums.for_each(|(sum, &x)| *sum += x);
                    }
                }
            }
        });
        let sums = wanted.then_some(&mut *self.matrix_sums);
        skinning::pull_group::<L>(self.plan, &self.pull, sums, rest);
        if !wanted {
            return;
        }
        for joint in 0..self.plan.n_joints() {
            let values = skinning::pull_joint::<L>(
                self.plan,
                self.form,
                self.joints,
                joint,
                self.matrix_sums,
            );
            let size = self.form.size();
            of_joints.put(&values[..size], joint * size, item, count);
        }
    }
}

impl<T: Compute> Sources<'_, T> {
    fn pull(
        &self,
        isa: Isa,
        cotangent: &Batch<'_, T>,
        gradients: &mut [Gradient<'_, T>],
        control: &Control<'_>,
    ) -> Result<()> {
        let (items, width) = (self.joints.len(), T::width(isa));
        let numbers = 12 * width * self.plan.n_joints();
        let lengths = [self.joints.core_len(), self.rest.map_or(0, Batch::core_len)];
        let mut skip = Gradient::Skip;
        let (of_joints, of_rest) = gradients.split_at_mut(1);
        let of_rest = of_rest.first_mut().unwrap_or(&mut skip);
        let gradients = &mut [
            std::mem::replace(&mut of_joints[0], Gradient::Skip),
            std::mem::replace(of_rest, Gradient::Skip),
        ];
        let cost = self.plan.n_influences() as f64 * 2.0 * INFLUENCE_NS / width as f64;
        // Pieces that depend on the batch alone, so that sums do not depend on the threads.
        let piece = items.div_ceil(SUMS).max(1).next_multiple_of(MAX_WIDTH);
        for_each_gradient_by(
            piece,
            items,
            width,
            cost,
            lengths,
            gradients,
            control,
            |range, mut targets| {
                let mut scratch: [Vec<T>; 3] = Default::default();
                let [s0, s1, s2] = &mut scratch;
                let (mut matrices, mut sums) = (Aligned::new(numbers), Aligned::new(numbers));
                let mut next = range.start;
                while next < range.end {
                    let (start, left) = (next, range.end - next);
                    let (way, lanes) = if left <= FEW {
                        (Way::Alone, 1)
                    } else {
                        (Way::Together, width)
                    };
                    let (count, numbers) = (left.min(lanes), 12 * lanes * self.plan.n_joints());
                    next += count;
                    let joints = rows_of(self.joints, start, count, lanes, s0);
                    let cotangent = rows_of(cotangent, start, count, lanes, s1);
                    let rows;
                    let points = match self.rest {
                        None => Points::Shared(self.plan.rest()),
                        Some(rest) => {
                            rows = rows_of(rest, start, count, lanes, s2);
                            Points::Rows(&rows)
                        }
                    };
                    if !targets[1].is_skip() {
                        T::run_on(
                            isa,
                            Prepare {
                                way,
                                plan: self.plan,
                                form: self.form(),
                                joints: &joints,
                                tangents: None,
                                out: &mut matrices.get_mut()[..numbers],
                            },
                        );
                    }
                    T::run_on(
                        isa,
                        PullGroup {
                            way,
                            plan: self.plan,
                            form: self.form(),
                            joints: &joints,
                            pull: Pull {
                                matrices: &matrices.get()[..numbers],
                                points,
                                cotangent: &cotangent,
                            },
                            matrix_sums: &mut sums.get_mut()[..numbers],
                            item: start - range.start,
                            count,
                            targets: &mut targets,
                        },
                    );
                }
            },
        )
    }
}

impl SkinPoints {
    fn sources<'a, T: Compute>(&'a self, inputs: &'a [Batch<'a, T>]) -> Sources<'a, T> {
        Sources {
            plan: self.plan(),
            joints: &inputs[0],
            rest: self.with_rest.then(|| &inputs[1]),
            tangents: None,
        }
    }
}

impl Operation for SkinPoints {
    fn name(&self) -> &'static str {
        match self.subject {
            Subject::Mesh | Subject::Influences => "skin_points",
            Subject::SkinnedLocators => "skin_skinned_locators",
            Subject::Locators => "locator_positions",
        }
    }

    fn inputs(&self) -> &'static [Input] {
        const fn inputs(rest: &'static str) -> [Input; 2] {
            [
                Input {
                    name: "skel_state",
                    differentiable: true,
                },
                Input {
                    name: rest,
                    differentiable: true,
                },
            ]
        }
        const VERTICES: [Input; 2] = inputs("rest_vertices");
        const POSITIONS: [Input; 2] = inputs("rest_positions");
        const OFFSETS: [Input; 2] = inputs("offsets");
        let inputs = match self.subject {
            Subject::Mesh | Subject::Influences => &VERTICES,
            Subject::SkinnedLocators => &POSITIONS,
            Subject::Locators => &OFFSETS,
        };
        &inputs[..1 + usize::from(self.with_rest)]
    }

    fn core_rank(&self, index: usize, shape: &[usize]) -> Result<usize> {
        let (joints, points) = (self.prepared.character().skeleton.len(), self.n_points());
        match index {
            0 if shape.ends_with(&[joints, 8]) => Ok(2),
            0 if shape.ends_with(&[joints, 4, 4]) => Ok(3),
            0 => Err(Error::shape(
                "skel_state",
                format!("(..., {joints}, 8) = (..., n_joints, 8) or (..., {joints}, 4, 4)"),
                show_shape(shape),
            )),
            _ if shape.ends_with(&[points, 3]) => Ok(2),
            _ => {
                let axis = match self.subject {
                    Subject::Mesh | Subject::Influences => "n_vertices",
                    Subject::SkinnedLocators | Subject::Locators => "n_locators",
                };
                Err(Error::shape(
                    self.inputs()[1].name,
                    format!("(..., {points}, 3) = (..., {axis}, 3)"),
                    show_shape(shape),
                ))
            }
        }
    }

    fn output_core(&self, _cores: &[&[usize]]) -> Shape {
        Shape::from([self.n_points(), 3])
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
        self.sources(inputs)
            .pull(isa(), cotangent, gradients, control)
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
