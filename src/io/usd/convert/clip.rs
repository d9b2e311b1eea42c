//! Motion of a loaded scene, at any time code.

use nalgebra::{Matrix4, Vector3};

use super::animation::Animation;
use super::attribute::Track;
use super::skeleton::{Rig, local};
use super::stage::{Transform, rotation};
use crate::character::PARAMETERS_PER_JOINT;
use crate::error::{Error, Result};
use crate::io::angles::{euler_near, matrix};
use crate::io::nodes::Similarity;

/// How many numbers frames may have, whatever the size of the file.
const FRAME_NUMBERS: usize = 1 << 22;

/// How many times more numbers than the file's samples frames may have.
const FRAME_FACTOR: usize = 16;

/// The motion of everything in the scene.
pub struct Clip {
    pub(super) rigs: Vec<Moving>,
    /// For each blend shape, the skeleton that moves it.
    pub(super) shapes: Vec<Weighted>,
    /// The column of each blend shape among the model parameters.
    pub(super) columns: Vec<usize>,
    pub(super) n_parameters: usize,
    pub(super) range: Option<(f64, f64)>,
    pub(super) codes_per_second: f64,
    pub(super) fps: f64,
}

/// A skeleton and what moves it.
pub(super) struct Moving {
    pub rig: Rig,
    /// The transforms from the world down to it, where one of them moves.
    pub chain: Vec<Transform>,
    pub animation: Option<Animation>,
    pub animation_prim: Option<usize>,
}

/// How the weights of an animation make that of a shape.
pub(super) struct Weighted {
    /// The skeleton and the place among its animation's weights.
    pub source: Option<(usize, usize)>,
    /// The shape's own weight, and those of its in-betweens with 0 and 1, sorted.
    pub at: f64,
    pub knots: std::sync::Arc<Vec<f64>>,
}

impl Weighted {
    /// The weight of this shape where the animation's is `weight`: linear between neighbours, and the
    /// line of the last two outside.
    fn of(&self, weight: f64) -> f64 {
        let above = self.knots.partition_point(|&knot| knot <= weight);
        let above = above.clamp(1, self.knots.len().saturating_sub(1).max(1));
        let (Some(&low), Some(&high)) = (self.knots.get(above - 1), self.knots.get(above)) else {
            return weight;
        };
        let u = (weight - low) / (high - low);
        if self.at == high {
            u
        } else if self.at == low {
            1.0 - u
        } else {
            0.0
        }
    }
}

impl Moving {
    fn tracks(&self) -> impl Iterator<Item = &Track> {
        let chain = self.chain.iter().flat_map(Transform::tracks);
        chain.chain(self.animation.iter().flat_map(Animation::tracks))
    }

    /// How many joints a sample scales in a way that is not uniform.
    pub fn n_uneven(&self) -> usize {
        let Some((own, scales)) = self
            .animation
            .as_ref()
            .and_then(|x| Some((x, x.scales.as_ref()?)))
        else {
            return 0;
        };
        let mut uneven = vec![false; self.rig.joints.len()];
        for value in scales.values() {
            for (joint, name) in self.rig.joints.iter().enumerate() {
                let start = own.joints.get(name).map(|at| 3 * at);
                if let Some(scale) = start.and_then(|start| value.get(start..start + 3)) {
                    let scale = Vector3::new(scale[0], scale[1], scale[2]);
                    uneven[joint] |= !self.rig.frames[joint].relative_scale(&scale).1;
                }
            }
        }
        uneven.iter().filter(|&&is| is).count()
    }

    /// Where the skeleton is in the world.
    fn base(&self, time: f64) -> Similarity {
        if self.chain.is_empty() {
            return self.rig.base.rest;
        }
        let product = |product: Matrix4<f64>, transform: &Transform| product * transform.at(time);
        let world = self.chain.iter().fold(Matrix4::identity(), product);
        let own = local(&world);
        let scale = own.stretch.diagonal();
        self.rig
            .base
            .follow(Some(own.translation), Some(own.rotation), Some(scale))
    }
}

impl Clip {
    /// The name of the first animation of a skeleton; empty without.
    #[must_use]
    pub fn name(&self) -> String {
        let named = self
            .rigs
            .iter()
            .find_map(|moving| moving.animation.as_ref());
        named.map_or_else(String::new, |animation| animation.name.to_string())
    }

    fn tracks(&self) -> impl Iterator<Item = &Track> {
        self.rigs.iter().flat_map(Moving::tracks)
    }

    /// Whether anything says how the scene moves or is posed.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.tracks().next().is_some()
    }

    /// First and last time code: those that the file says, else those of the samples.
    #[must_use]
    pub fn range(&self) -> (f64, f64) {
        let ends = |track: &Track| Some((*track.times().first()?, *track.times().last()?));
        let samples = self
            .tracks()
            .filter_map(ends)
            .reduce(|left, right| (left.0.min(right.0), left.1.max(right.1)));
        match (samples, self.range) {
            (None, _) => (0.0, 0.0),
            (Some(samples), range) => range.unwrap_or(samples),
        }
    }

    /// Frames a second, as the file says.
    #[must_use]
    pub fn fps(&self) -> f64 {
        self.fps
    }

    /// Time codes a second.
    #[must_use]
    pub fn codes_per_second(&self) -> f64 {
        self.codes_per_second
    }

    /// The time codes of frames at a rate, from the first to the last one.
    ///
    /// # Errors
    /// [`Error::Value`] for a rate that is not positive; [`Error::Format`] for many more frames than the
    /// file has samples.
    pub fn frames(&self, fps: f64) -> Result<Vec<f64>> {
        if !(fps > 0.0 && fps.is_finite()) {
            return Err(Error::value(
                "fps",
                format!("expected more than 0, got {fps}"),
            ));
        }
        let (start, end) = self.range();
        let step = self.codes_per_second / fps;
        let count = ((end - start) / step + 1e-6).floor() + 1.0;
        let n_moving: usize = self.rigs.iter().map(|moving| moving.chain.len()).sum();
        let per_frame = self.n_parameters + 16 * n_moving + 1;
        let size: usize = self.tracks().map(Track::size).sum();
        let limit = FRAME_NUMBERS.max(size.saturating_mul(FRAME_FACTOR)) / per_frame;
        if count.is_nan() || count > limit as f64 {
            return Err(Error::format(
                "the time codes",
                format!("at most {limit} frames for the samples that the file has"),
                format!("{count} frames from {start} to {end}; ask for fewer fps"),
            ));
        }
        Ok((0..count as u64)
            .map(|frame| start + frame as f64 * step)
            .collect())
    }

    /// Model parameters at a time code: seven a joint, and the weights of blend shapes. Of all angles
    /// those nearest to the ones of `previous`, the frame before, so that curves have no jumps.
    #[must_use]
    pub fn parameters(&self, time: f64, previous: &[f64]) -> Vec<f64> {
        let mut all = vec![0.0; self.n_parameters];
        let mut weights = Vec::with_capacity(self.rigs.len());
        for moving in &self.rigs {
            let at = |track: &Option<Track>| track.as_ref().map(|track| track.at(time));
            let base = moving.base(time);
            let animation = moving.animation.as_ref();
            let [translations, rotations, scales, own_weights] = animation.map_or_else(
                || [None, None, None, None],
                |own| {
                    [
                        at(&own.translations),
                        at(&own.rotations),
                        at(&own.scales),
                        at(&own.weights),
                    ]
                },
            );
            weights.push(own_weights.unwrap_or_default());
            for (joint, frame) in moving.rig.frames.iter().enumerate() {
                let place = animation.and_then(|own| own.joints.get(&moving.rig.joints[joint]));
                let own = match place {
                    None => frame.rest,
                    Some(&at) => {
                        let three = |values: &Option<Vec<f64>>| {
                            let own = values.as_ref()?.get(3 * at..3 * at + 3)?;
                            Some(Vector3::new(own[0], own[1], own[2]))
                        };
                        let turn = rotations
                            .as_ref()
                            .and_then(|all| all.get(4 * at..4 * at + 4));
                        frame.follow(three(&translations), turn.map(rotation), three(&scales))
                    }
                };
                let now = moving.rig.below(joint, &base, &own);
                let rest = moving.rig.rest(joint);
                let start = PARAMETERS_PER_JOINT * (moving.rig.first + joint);
                let Some(row) = all.get_mut(start..start + PARAMETERS_PER_JOINT) else {
                    continue;
                };
                let shift = now.translation - rest.translation;
                row[..3].copy_from_slice(shift.as_slice());
                let before = previous.get(start + 3..start + 6).unwrap_or(&[0.0; 3]);
                let turn = matrix(&(rest.rotation.inverse() * now.rotation));
                row[3..6].copy_from_slice(&euler_near(&turn, [before[0], before[1], before[2]]));
                // A scale of zero has no logarithm.
                row[6] = now.scale.max(f64::from(f32::MIN_POSITIVE)).log2();
            }
        }
        for (shape, &column) in self.shapes.iter().zip(&self.columns) {
            let weight = shape
                .source
                .and_then(|(rig, at)| weights.get(rig)?.get(at))
                .map_or(0.0, |&weight| shape.of(weight));
            if let Some(to) = all.get_mut(column) {
                *to = weight;
            }
        }
        all
    }
}
