//! Motion of a loaded scene: exact at any time, and sampled to frames.

use nalgebra::{UnitQuaternion, Vector3};
use rayon::prelude::*;
use std::sync::Arc;

use super::animation::{Curve, Property};
use crate::character::PARAMETERS_PER_JOINT;
use crate::error::{Error, Result};
use crate::io::angles::{euler_xyz, matrix};
use crate::io::nodes::{Frame, Similarity};

/// Numbers in a skeleton state's row: `tx ty tz qx qy qz qw s`.
const STATE: usize = 8;

/// More numbers than one call may be asked for.
const MAX_NUMBERS: f64 = (1_u64 << 31) as f64;

/// How far a key may be from a frame to count as its time, in frames.
const SNAP: f64 = 1e-3;

/// Frames a second for keys that are not evenly spaced.
const DEFAULT_FPS: f64 = 30.0;

/// What stays the same in all clips of a scene.
#[derive(Debug)]
pub(super) struct Rig {
    pub frames: Vec<Frame>,
    pub parents: Vec<Option<usize>>,
    /// Metres to the character's unit.
    pub length_factor: f64,
    /// Morph weights of the rest pose.
    pub weights: Vec<f64>,
}

/// What a curve moves.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// A property of a joint's node.
    Joint(usize, Property),
    /// Morph weights from this one on.
    Shapes(usize, usize),
}

/// One animation of a file, as motion of the character that was loaded with it.
///
/// Times are in seconds on the clip's own axis. Before its first key and after its last one a curve
/// stays what it is there; what has no curve keeps its rest pose.
#[derive(Debug, Clone)]
pub struct Clip {
    pub(super) name: String,
    pub(super) rig: Arc<Rig>,
    pub(super) curves: Vec<(Target, Arc<Curve>)>,
}

impl Clip {
    /// The animation's name; empty where the file gives none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of joints of the character.
    #[must_use]
    pub fn n_joints(&self) -> usize {
        self.rig.frames.len()
    }

    /// The number of morph targets of the character.
    #[must_use]
    pub fn n_shapes(&self) -> usize {
        self.rig.weights.len()
    }

    /// The time of the first key; 0 without any.
    #[must_use]
    pub fn start(&self) -> f64 {
        self.ends().0
    }

    /// The time of the last key; 0 without any.
    #[must_use]
    pub fn end(&self) -> f64 {
        self.ends().1
    }

    fn ends(&self) -> (f64, f64) {
        let times = |(_, curve): &(Target, Arc<Curve>)| {
            Some((*curve.times().first()?, *curve.times().last()?))
        };
        let ends = self
            .curves
            .iter()
            .filter_map(times)
            .reduce(|left, right| (left.0.min(right.0), left.1.max(right.1)));
        ends.map_or((0.0, 0.0), |(start, end)| {
            (f64::from(start), f64::from(end))
        })
    }

    /// The times of all keys of all curves, increasing.
    #[must_use]
    pub fn key_times(&self) -> Vec<f64> {
        let mut times: Vec<f64> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for (_, curve) in &self.curves {
            if seen.insert(curve.times().as_ptr()) {
                times.extend(curve.times().iter().map(|&time| f64::from(time)));
            }
        }
        times.sort_by(f64::total_cmp);
        times.dedup();
        times
    }

    /// The frames a second that the keys stand at: those of the curve with the most keys where they
    /// are evenly spaced, else 30.
    #[must_use]
    pub fn fps(&self) -> f64 {
        let longest = self
            .curves
            .iter()
            .max_by_key(|(_, curve)| curve.times().len());
        let Some(times) = longest.map(|(_, curve)| curve.times()) else {
            return DEFAULT_FPS;
        };
        let n_steps = times.len().saturating_sub(1);
        if n_steps < 2 {
            return DEFAULT_FPS;
        }
        let step = f64::from(times[n_steps] - times[0]) / n_steps as f64;
        let even = times
            .windows(2)
            .all(|pair| (f64::from(pair[1] - pair[0]) - step).abs() <= 0.05 * step);
        let fps = 1.0 / step;
        if !even || !(1.0..=1000.0).contains(&fps) {
            return DEFAULT_FPS;
        }
        // Keys are stored in single precision.
        if (fps - fps.round()).abs() < 1e-3 * fps {
            fps.round()
        } else {
            fps
        }
    }

    /// The times of frames at `fps` from the first key to the last one. A frame within a thousandth of
    /// its length from a key is put on the key: times are stored in single precision, and just before a
    /// key that steps everything is still as it was.
    ///
    /// # Errors
    /// [`Error::Value`] for a rate that is not positive, or more frames than fit into memory.
    pub fn frame_times(&self, fps: f64) -> Result<Vec<f64>> {
        if !(fps > 0.0 && fps.is_finite()) {
            return Err(Error::value(
                "fps",
                format!("expected more than 0, got {fps}"),
            ));
        }
        let (start, end) = self.ends();
        // A frame that rounding has put just behind the last key still counts.
        let count = ((end - start) * fps + SNAP).floor() + 1.0;
        let numbers = count * (STATE * self.n_joints().max(1)) as f64;
        if numbers.is_nan() || numbers > MAX_NUMBERS {
            return Err(Error::value(
                "fps",
                format!("{fps} frames a second make {count} frames from {start} s to {end} s"),
            ));
        }
        let keys = self.key_times();
        let frame = |frame: u64| {
            let time = start + frame as f64 / fps;
            let at = keys.partition_point(|&key| key < time - SNAP / fps);
            match keys.get(at) {
                Some(&key) if key <= time + SNAP / fps => key,
                _ => time,
            }
        };
        Ok((0..count as u64).map(frame).collect())
    }

    /// Joint to parent at each time, `(n_times, n_joints, 8)`, rows `tx ty tz qx qy qz qw s`.
    #[must_use]
    pub fn local_skeleton_states(&self, times: &[f64]) -> Vec<f64> {
        self.frames(times, STATE, |_, local, row| {
            put_state(row, local, self.rig.length_factor);
        })
    }

    /// Joint to world at each time, `(n_times, n_joints, 8)`, rows `tx ty tz qx qy qz qw s`.
    #[must_use]
    pub fn skeleton_states(&self, times: &[f64]) -> Vec<f64> {
        self.world_states(times, |x| x)
    }

    /// The same in single precision.
    #[must_use]
    pub fn skeleton_states_single(&self, times: &[f64]) -> Vec<f32> {
        self.world_states(times, |x| x as f32)
    }

    fn world_states<T: Copy + Default + Send>(
        &self,
        times: &[f64],
        kept: impl Fn(f64) -> T + Sync,
    ) -> Vec<T> {
        let mut states = vec![T::default(); times.len() * self.n_joints() * STATE];
        let size = (self.n_joints() * STATE).max(1);
        let frames = states.par_chunks_exact_mut(size).zip(times);
        frames.for_each(|(states, &time)| {
            let mut worlds = self.locals(time);
            for (joint, row) in states.chunks_exact_mut(STATE).enumerate() {
                if let Some(parent) = self.rig.parents[joint] {
                    worlds[joint] = worlds[parent].with_child(&worlds[joint]);
                }
                let mut state = [0.0; STATE];
                put_state(&mut state, &worlds[joint], self.rig.length_factor);
                for (own, x) in row.iter_mut().zip(state) {
                    *own = kept(x);
                }
            }
        });
        states
    }

    /// Joint parameters at each time, `(n_times, n_joints, 7)`, rows `tx ty tz rx ry rz sc`; posing the
    /// character with them gives [`Self::skeleton_states`]. A scale of zero, which has no logarithm, is
    /// given as the smallest positive one of single precision.
    #[must_use]
    pub fn joint_parameters(&self, times: &[f64]) -> Vec<f64> {
        self.frames(times, PARAMETERS_PER_JOINT, |frame, local, row| {
            let rest = &frame.rest;
            let moved = (local.translation - rest.translation) * self.rig.length_factor;
            let turned = rest.rotation.inverse() * local.rotation;
            row[..3].copy_from_slice(moved.as_slice());
            row[3..6].copy_from_slice(&euler_xyz(&matrix(&turned)));
            row[6] = local.scale.max(f64::from(f32::MIN_POSITIVE)).log2();
        })
    }

    /// `width` numbers of each joint at each time.
    fn frames(
        &self,
        times: &[f64],
        width: usize,
        put: impl Fn(&Frame, &Similarity, &mut [f64]) + Sync,
    ) -> Vec<f64> {
        let mut numbers = vec![0.0; times.len() * self.n_joints() * width];
        let size = (self.n_joints() * width).max(1);
        let frames = numbers.par_chunks_exact_mut(size).zip(times);
        frames.for_each(|(numbers, &time)| {
            let locals = self.locals(time);
            let rows = numbers.chunks_exact_mut(width);
            for ((local, frame), row) in locals.iter().zip(&self.rig.frames).zip(rows) {
                put(frame, local, row);
            }
        });
        numbers
    }

    /// Weights of the character's morph targets at each time, `(n_times, n_shapes)`.
    #[must_use]
    pub fn morph_weights(&self, times: &[f64]) -> Vec<f64> {
        let mut weights = Vec::with_capacity(times.len() * self.n_shapes());
        for &time in times {
            let start = weights.len();
            weights.extend_from_slice(&self.rig.weights);
            for (target, curve) in &self.curves {
                if let &Target::Shapes(first, count) = target {
                    curve.at(time, &mut weights[start + first..][..count]);
                }
            }
        }
        weights
    }

    /// Each joint's transform to its parent, in metres.
    fn locals(&self, time: f64) -> Vec<Similarity> {
        let mut moved = vec![Moved::default(); self.n_joints()];
        let mut known = None;
        for (target, curve) in &self.curves {
            let &Target::Joint(joint, property) = target else {
                continue;
            };
            let span = curve.span_from(time, &mut known);
            let vector = || {
                let mut vector = [0.0; 3];
                curve.at_span(span, &mut vector);
                Vector3::from(vector)
            };
            match property {
                Property::Translation => moved[joint].translation = Some(vector()),
                Property::Rotation => moved[joint].rotation = Some(curve.rotation_at(span)),
                Property::Scale => moved[joint].scale = Some(vector()),
                Property::Weights => {}
            }
        }
        moved
            .into_iter()
            .zip(&self.rig.frames)
            .map(|(node, frame)| frame.follow(node.translation, node.rotation, node.scale))
            .collect()
    }
}

/// What a node's curves say; parts without a curve are as in the rest pose.
#[derive(Clone, Copy, Default)]
struct Moved {
    translation: Option<Vector3<f64>>,
    rotation: Option<UnitQuaternion<f64>>,
    scale: Option<Vector3<f64>>,
}

fn put_state(row: &mut [f64], state: &Similarity, length_factor: f64) {
    for axis in 0..3 {
        row[axis] = state.translation[axis] * length_factor;
    }
    row[3..7].copy_from_slice(state.rotation.coords.as_slice());
    row[7] = state.scale;
}
