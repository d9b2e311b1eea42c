//! Motion of joints as what any viewer plays: translation, rotation and scale of nodes in every frame.

use nalgebra::{Quaternion, UnitQuaternion, Vector3};
use rayon::prelude::*;

use super::motion::{MotionToWrite, Values, columns};
use crate::character::{Character, PARAMETERS_PER_JOINT};

/// A node's curves: three, four and three numbers a frame; empty where it stays at rest. They are made for
/// runs of frames, one run after the other.
#[derive(Default)]
pub(super) struct Curves {
    pub translation: Vec<Vec<f32>>,
    pub rotation: Vec<Vec<f32>>,
    pub scale: Vec<Vec<f32>>,
}

/// Frames of a run: few enough for what is read and written to stay in the cache.
const RUN: usize = 256;

/// What all joints do in one run of frames.
struct Run {
    translation: Vec<f32>,
    rotation: Vec<f32>,
    scale: Vec<f32>,
}

impl Curves {
    /// Curves of each joint from runs of frames, `make(frames, joint)` each.
    fn of_runs(
        n_frames: usize,
        n_joints: usize,
        make: impl Fn(std::ops::Range<usize>, usize) -> Run + Sync,
    ) -> Vec<Self> {
        let starts: Vec<usize> = (0..n_frames).step_by(RUN).collect();
        let runs: Vec<Vec<Run>> = starts
            .par_iter()
            .map(|&start| {
                let frames = start..n_frames.min(start + RUN);
                (0..n_joints)
                    .map(|joint| make(frames.clone(), joint))
                    .collect()
            })
            .collect();
        let mut all: Vec<Self> = (0..n_joints).map(|_| Self::default()).collect();
        for run in runs {
            for (curves, run) in all.iter_mut().zip(run) {
                for (list, piece) in [
                    (&mut curves.translation, run.translation),
                    (&mut curves.rotation, run.rotation),
                    (&mut curves.scale, run.scale),
                ] {
                    if !piece.is_empty() {
                        list.push(piece);
                    }
                }
            }
        }
        all
    }

    /// How many numbers there are.
    pub fn len(&self) -> usize {
        let lists = [&self.translation, &self.rotation, &self.scale];
        lists.into_iter().flatten().map(Vec::len).sum()
    }
}

/// The rows that one joint's parameters are made of, and what is constant in them.
struct Rows {
    entries: [Vec<(usize, f64)>; PARAMETERS_PER_JOINT],
    constants: [f64; PARAMETERS_PER_JOINT],
}

impl Rows {
    fn moves(&self, which: std::ops::Range<usize>) -> bool {
        which
            .into_iter()
            .any(|at| !self.entries[at].is_empty() || self.constants[at] != 0.0)
    }

    #[inline]
    fn value<T: Copy + Into<f64>>(&self, which: usize, pose: &[T]) -> f64 {
        let entries = self.entries[which].iter();
        let sum: f64 = entries.map(|&(at, factor)| factor * pose[at].into()).sum();
        self.constants[which] + sum
    }
}

/// The same motion as transforms of joints.
pub(super) fn bake(character: &Character, motion: &MotionToWrite<'_>) -> Vec<Curves> {
    match motion.values {
        Values::Single(values) => bake_values(character, motion, values),
        Values::Double(values) => bake_values(character, motion, values),
    }
}

fn bake_values<T: Copy + Into<f64> + Sync>(
    character: &Character,
    motion: &MotionToWrite<'_>,
    values: &[T],
) -> Vec<Curves> {
    let transform = &character.parameter_transform;
    let count = motion.names.len();
    let mut place = vec![None; transform.len()];
    for (at, column) in columns(character, motion.names).into_iter().enumerate() {
        if let Some(column) = column {
            place[column] = Some(at);
        }
    }
    let joints = character.skeleton.joints();
    let mut rows: Vec<Rows> = (0..joints.len())
        .map(|joint| Rows {
            entries: std::array::from_fn(|which| {
                let entries = transform.row(joint * PARAMETERS_PER_JOINT + which);
                let entries = entries.filter_map(|(column, factor)| Some((place[column]?, factor)));
                entries.collect()
            }),
            constants: [0.0; PARAMETERS_PER_JOINT],
        })
        .collect();
    for (at, name) in motion.joint_names.iter().enumerate() {
        if let Some(joint) = character.skeleton.joint_index(name) {
            let first = at * PARAMETERS_PER_JOINT;
            rows[joint].constants = std::array::from_fn(|which| motion.offsets.get(first + which));
        }
    }
    let metres = 1.0 / character.unit.per_meter();
    Curves::of_runs(motion.n_frames(), joints.len(), |frames, joint| {
        let (noun, rows) = (&joints[joint], &rows[joint]);
        let poses = || {
            frames
                .clone()
                .map(|frame| &values[frame * count..][..count])
        };
        let mut run = Run {
            translation: Vec::new(),
            rotation: Vec::new(),
            scale: Vec::new(),
        };
        if rows.moves(0..3) {
            run.translation.reserve_exact(3 * frames.len());
            let rest = noun.translation_offset;
            for pose in poses() {
                let place = [0, 1, 2].map(|axis| rest[axis] + rows.value(axis, pose));
                run.translation.extend(place.map(|x| (x * metres) as f32));
            }
        }
        if rows.moves(3..6) {
            let [x, y, z, w] = noun.pre_rotation;
            let pre = UnitQuaternion::new_unchecked(Quaternion::new(w, x, y, z));
            run.rotation.reserve_exact(4 * frames.len());
            for pose in poses() {
                let [rx, ry, rz] = [3, 4, 5].map(|which| rows.value(which, pose));
                let turn = pre * UnitQuaternion::from_euler_angles(rx, ry, rz);
                run.rotation.extend(unit(&turn));
            }
        }
        if rows.moves(6..7) {
            run.scale.reserve_exact(3 * frames.len());
            for pose in poses() {
                run.scale.extend([rows.value(6, pose).exp2() as f32; 3]);
            }
        }
        run
    })
}

/// A unit quaternion in single precision.
fn unit(turn: &UnitQuaternion<f64>) -> [f32; 4] {
    let norm = turn.coords.norm();
    [0, 1, 2, 3].map(|at| (turn.coords[at] / norm) as f32)
}

/// World states `(n_frames, n_joints, 8)` as transforms of joints to their parents.
pub(super) fn bake_states(
    character: &Character,
    states: Values<'_>,
    n_frames: usize,
) -> Vec<Curves> {
    match states {
        Values::Single(states) => bake_rows(character, states, n_frames),
        Values::Double(states) => bake_rows(character, states, n_frames),
    }
}

fn bake_rows<T: Copy + Into<f64> + Sync>(
    character: &Character,
    states: &[T],
    n_frames: usize,
) -> Vec<Curves> {
    let metres = 1.0 / character.unit.per_meter();
    let joints = character.skeleton.joints();
    let state = |frame: usize, joint: usize| {
        let row = &states[(frame * joints.len() + joint) * 8..][..8];
        let [tx, ty, tz, x, y, z, w, scale] = std::array::from_fn(|at| row[at].into());
        let turn = UnitQuaternion::new_normalize(Quaternion::new(w, x, y, z));
        (Vector3::new(tx, ty, tz), turn, scale)
    };
    let mut all = Curves::of_runs(n_frames, joints.len(), |frames, joint| {
        let mut run = Run {
            translation: Vec::with_capacity(3 * frames.len()),
            rotation: Vec::with_capacity(4 * frames.len()),
            scale: Vec::with_capacity(3 * frames.len()),
        };
        for frame in frames {
            let (mut place, mut turn, mut scale) = state(frame, joint);
            if let Some(parent) = joints[joint].parent {
                let (origin, parent_turn, parent_scale) = state(frame, parent);
                let back = parent_turn.inverse();
                place = back * (place - origin) / parent_scale;
                turn = back * turn;
                scale /= parent_scale;
            }
            run.translation
                .extend(<[f64; 3]>::from(place).map(|x| (x * metres) as f32));
            run.rotation.extend(unit(&turn));
            run.scale.extend([scale as f32; 3]);
        }
        run
    });
    for curves in &mut all {
        // What stays at 1 does not have to be said.
        if curves
            .scale
            .iter()
            .flatten()
            .all(|&x| (x - 1.0).abs() < 1e-6)
        {
            curves.scale.clear();
        }
    }
    all
}
