//! A character, its motion, markers: one file each.

use super::builder::Builder;
use super::markers::MarkerMesh;
use super::motion::{MotionToWrite, Values};
use crate::character::{Character, MarkerSequence};
use crate::error::Result;
use crate::io::{Extras, Markers, Motion, SaveOptions, Saved};

/// Frames a second where nothing moves.
const DEFAULT_FPS: f64 = 120.0;

const NO_TURN: [f64; 4] = [0.0, 0.0, 0.0, 1.0];

/// The first sequence belongs to `animation`, where there is one.
fn add_markers(
    builder: &mut Builder,
    markers: Option<&Markers>,
    animation: Option<&str>,
) -> Result<()> {
    let sequences = markers.into_iter().flat_map(|markers| {
        let unit = markers.unit;
        markers
            .sequences
            .iter()
            .map(move |sequence| (sequence, unit))
    });
    for (at, (sequence, unit)) in sequences.enumerate() {
        let animation = animation.filter(|_| at == 0).unwrap_or(sequence.name());
        builder.add_marker_sequence(sequence, unit, MarkerMesh::NoMesh, animation)?;
    }
    Ok(())
}

/// Makes a file of a character.
///
/// # Errors
/// [`crate::Error::Character`] or [`crate::Error::Value`] for what glTF cannot hold.
pub fn save_character(
    character: &Character,
    options: &SaveOptions,
    extras: &Extras<'_>,
) -> Result<Saved> {
    let fps = extras.markers.and_then(|markers| markers.sequences.first());
    let mut builder = Builder::new(fps.map_or(DEFAULT_FPS, MarkerSequence::fps))?;
    builder.add_character(character, [0.0; 3], NO_TURN, options)?;
    add_markers(&mut builder, extras.markers, None)?;
    builder.finish(options.text, extras.progress)
}

/// Makes a file of a motion and what it moves.
///
/// # Errors
/// As [`save_character`].
pub fn save_motion(motion: &Motion, options: &SaveOptions, extras: &Extras<'_>) -> Result<Saved> {
    let mut builder = Builder::new(motion.fps)?;
    builder.add_character(&motion.character, [0.0; 3], NO_TURN, options)?;
    extras.progress.at(1, 4)?;
    let joints = motion.character.skeleton.joints().iter();
    let joint_names: Vec<String> = match motion.identity.is_empty() {
        true => Vec::new(),
        false => joints.map(|joint| joint.name.clone()).collect(),
    };
    let written = MotionToWrite {
        names: motion.character.parameter_transform.names(),
        values: Values::Double(&motion.model_parameters),
        is_single: motion.is_single,
        joint_names: &joint_names,
        offsets: Values::Double(&motion.identity),
        times: &motion.times,
        timestamps: &motion.timestamps,
    };
    let character = &motion.character;
    builder.add_motion(
        character,
        motion.fps,
        &written,
        options.extensions,
        &motion.name,
    )?;
    add_markers(&mut builder, extras.markers, Some(&motion.name))?;
    builder.finish(options.text, extras.progress)
}

/// Makes a file of a character and the states of its joints: `(n_frames, n_joints, 8)`, world from joint.
///
/// # Errors
/// As [`save_character`]; [`crate::Error::Shape`] for states of another size.
pub fn save_skeleton_states(
    character: &Character,
    fps: f64,
    states: Values<'_>,
    options: &SaveOptions,
    extras: &Extras<'_>,
) -> Result<Saved> {
    let mut builder = Builder::new(fps)?;
    builder.add_character(character, [0.0; 3], NO_TURN, options)?;
    builder.add_skeleton_states(character, fps, states, "default")?;
    add_markers(&mut builder, extras.markers, Some("default"))?;
    builder.finish(options.text, extras.progress)
}

/// Makes a file of markers.
///
/// # Errors
/// [`crate::Error::Value`] for a marker that is seen where no point is.
pub fn save_markers(markers: &Markers, text: bool, extras: &Extras<'_>) -> Result<Saved> {
    let first = markers.sequences.first();
    let mut builder = Builder::new(first.map_or(DEFAULT_FPS, MarkerSequence::fps))?;
    add_markers(&mut builder, Some(markers), None)?;
    builder.finish(text, extras.progress)
}
