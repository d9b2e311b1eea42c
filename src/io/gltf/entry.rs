//! What is asked of every format, from what this one stores.

use super::load::{Curves, load_with};
use super::{LoadedScene, StoredMotion, load_scene};
use crate::character::{Character, PARAMETERS_PER_JOINT};
use crate::error::{Error, Result};
use crate::io::{LoadOptions, Loaded, Motion, MotionChoice, Source, Up};

/// Reads the character of a file, in the unit that is asked for.
///
/// # Errors
/// [`Error::Format`] naming the place, what the format asks for and what is there.
pub fn load_character(source: &Source<'_>, options: &LoadOptions) -> Result<Loaded<Character>> {
    let scene = load_with(source, options, Curves::None)?;
    Ok(Loaded {
        value: scene.character,
        up: Up::Y,
        warnings: scene.warnings,
    })
}

/// Reads the motion that a file has as model parameters, and nothing of its animations.
///
/// # Errors
/// [`Error::Format`] as for the character.
pub fn load_stored_motion(
    source: &Source<'_>,
    options: &LoadOptions,
) -> Result<Loaded<Option<StoredMotion>>> {
    let scene = load_with(source, options, Curves::None)?;
    Ok(Loaded {
        value: scene.motion,
        up: Up::Y,
        warnings: scene.warnings,
    })
}

/// Reads one animation of a file. Motion that Momentum stored in its own parameters comes first where no
/// animation is chosen; any other is given in the parameters of the joints.
///
/// # Errors
/// [`Error::Format`] as for the character, and where there is no such animation.
pub fn load_motion(
    source: &Source<'_>,
    options: &LoadOptions,
    choice: &MotionChoice,
) -> Result<Loaded<Motion>> {
    let curves = match (&choice.clip, choice.fps) {
        (None, None) => Curves::UnlessStored,
        _ => Curves::All,
    };
    let mut scene = load_with(source, options, curves)?;
    if curves == Curves::UnlessStored && scene.motion.is_none() {
        scene = load_scene(source, options)?;
    }
    let warnings = std::mem::take(&mut scene.warnings);
    Ok(Loaded {
        value: motion(scene, choice)?,
        up: Up::Y,
        warnings,
    })
}

fn motion(mut scene: LoadedScene, choice: &MotionChoice) -> Result<Motion> {
    let clips: Vec<String> = scene
        .clips
        .iter()
        .map(|clip| clip.name().to_owned())
        .collect();
    let character = scene.character;
    let transform = &character.parameter_transform;
    let stored = scene.motion.take();
    if let (Some(mut stored), None, None) = (stored, &choice.clip, choice.fps) {
        let n_frames = stored.n_frames();
        if !(stored.fps > 0.0 && stored.fps.is_finite()) {
            return Err(Error::format(
                "extensions.FB_momentum.fps",
                "a positive number",
                stored.fps,
            ));
        }
        let even = || {
            (0..n_frames)
                .map(|frame| frame as f64 / stored.fps)
                .collect()
        };
        let timestamps = match stored.timestamps.len() == n_frames {
            true => stored.timestamps.clone(),
            false => Vec::new(),
        };
        let identity = match stored.offsets.is_empty() {
            true => Vec::new(),
            false => stored.identity(&character.skeleton),
        };
        let model_parameters = match transform.names() == stored.parameter_names {
            true => std::mem::take(&mut stored.poses),
            false => stored.model_parameters(transform.names()),
        };
        return Ok(Motion {
            name: clips.first().cloned().unwrap_or_default(),
            fps: stored.fps,
            times: if stored.times.is_empty() {
                even()
            } else {
                stored.times
            },
            model_parameters,
            identity,
            is_single: stored.is_single,
            timestamps,
            clips,
            character,
        });
    }
    let clip = &scene.clips[choice.find(&clips)?];
    let n_joints = character.skeleton.len();
    let n_rows = PARAMETERS_PER_JOINT * n_joints;
    let columns = transform.blend_shape_columns();
    // Those of the joints and those of the morph targets, as they are made for files without any.
    let expected = (0..clip.n_shapes()).map(|shape| Some(n_rows + shape));
    let has_shapes = columns.iter().copied().eq(expected) && !columns.is_empty();
    let count = n_rows + if has_shapes { columns.len() } else { 0 };
    let is_identity =
        transform.len() == count && (0..n_rows).all(|row| transform.row(row).eq([(row, 1.0)]));
    if !is_identity {
        return Err(Error::format(
            "animations",
            format!(
                "motion in the character's own {} model parameters",
                transform.len()
            ),
            "node animation only; load its skeleton states",
        ));
    }
    let fps = choice.fps.unwrap_or_else(|| clip.fps());
    let times = clip.frame_times(fps)?;
    let joint_parameters = clip.joint_parameters(&times);
    let model_parameters = if has_shapes {
        let weights = clip.morph_weights(&times);
        let rows = joint_parameters.chunks_exact(n_rows.max(1));
        let rows = rows.zip(weights.chunks_exact(columns.len()));
        rows.flat_map(|(joints, weights)| joints.iter().chain(weights).copied())
            .collect()
    } else {
        joint_parameters
    };
    Ok(Motion {
        name: clip.name().to_owned(),
        fps,
        model_parameters,
        identity: Vec::new(),
        is_single: true,
        timestamps: Vec::new(),
        clips,
        times,
        character,
    })
}
