//! Motion as a file gives it: a character and its parameters, frame after frame.

use crate::character::{Character, PARAMETERS_PER_JOINT, Unit};
use crate::error::{Error, Result};

/// One animation of a file.
#[derive(Debug, Clone)]
pub struct Motion {
    /// The animation's name; may be empty.
    pub name: String,
    /// What moves.
    pub character: Character,
    /// Frames a second.
    pub fps: f64,
    /// Seconds of each frame, from the start of the file's clock.
    pub times: Vec<f64>,
    /// `(n_frames, n_parameters)` of the character's parameter transform, in its unit.
    pub model_parameters: Vec<f64>,
    /// `(7 · n_joints)` joint parameters that are added in every frame (a body's own measures); empty
    /// where there are none.
    pub identity: Vec<f64>,
    /// Whether the file stores single precision, so that nothing is lost by holding it so.
    pub is_single: bool,
    /// Microseconds of each frame by the clock of the recording; empty where the file does not say.
    pub timestamps: Vec<i64>,
    /// The names of all animations in the file, this one among them.
    pub clips: Vec<String>,
}

impl Motion {
    /// Frames at an even rate from time 0.
    ///
    /// # Errors
    /// [`Error::Value`] for a rate that is not positive; [`Error::Shape`] where numbers do not fit the
    /// character.
    pub fn new(
        name: impl Into<String>,
        character: Character,
        fps: f64,
        model_parameters: Vec<f64>,
        identity: Vec<f64>,
        timestamps: Vec<i64>,
    ) -> Result<Self> {
        if !(fps > 0.0 && fps.is_finite()) {
            return Err(Error::value(
                "fps",
                format!("expected more than 0, got {fps}"),
            ));
        }
        let (parameters, joints) = (
            character.parameter_transform.len(),
            PARAMETERS_PER_JOINT * character.skeleton.len(),
        );
        if !model_parameters.len().is_multiple_of(parameters.max(1)) {
            return Err(Error::shape(
                "model_parameters",
                format!("(n_frames, {parameters})"),
                format!("{} numbers", model_parameters.len()),
            ));
        }
        let n_frames = model_parameters.len() / parameters.max(1);
        if !identity.is_empty() && identity.len() != joints {
            return Err(Error::shape("identity", joints, identity.len()));
        }
        if !timestamps.is_empty() && timestamps.len() != n_frames {
            return Err(Error::shape("timestamps", n_frames, timestamps.len()));
        }
        let name = name.into();
        Ok(Self {
            clips: vec![name.clone()],
            name,
            character,
            fps,
            times: (0..n_frames).map(|frame| frame as f64 / fps).collect(),
            model_parameters,
            identity,
            is_single: false,
            timestamps,
        })
    }

    /// The same in another unit of length.
    #[must_use]
    pub fn in_unit(mut self, unit: Unit) -> Self {
        let own = self.character.unit;
        if own == unit {
            return self;
        }
        let factor = unit.per_meter() / own.per_meter();
        let lengths = self.character.parameter_transform.length_parameters();
        for pose in self.model_parameters.chunks_exact_mut(lengths.len().max(1)) {
            for (value, is_length) in pose.iter_mut().zip(&lengths) {
                if *is_length {
                    *value *= factor;
                }
            }
        }
        for joint in self.identity.chunks_exact_mut(PARAMETERS_PER_JOINT) {
            joint[..3].iter_mut().for_each(|x| *x *= factor);
        }
        self.character = self.character.in_unit(unit);
        self
    }

    /// The number of frames.
    #[must_use]
    pub fn n_frames(&self) -> usize {
        self.times.len()
    }

    /// `(n_frames, 7 · n_joints)` joint parameters, the identity added.
    #[must_use]
    pub fn joint_parameters(&self) -> Vec<f64> {
        let transform = &self.character.parameter_transform;
        let rows = self.character.skeleton.len() * PARAMETERS_PER_JOINT;
        let mut result = Vec::with_capacity(self.n_frames() * rows);
        for frame in 0..self.n_frames() {
            let pose = &self.model_parameters[frame * transform.len()..];
            for row in 0..rows {
                let constant = self.identity.get(row).copied().unwrap_or(0.0);
                let sum: f64 = transform
                    .row(row)
                    .map(|(at, factor)| factor * pose[at])
                    .sum();
                result.push(constant + sum);
            }
        }
        result
    }
}
