//! What is asked of every format, from what this one stores.

use super::{LoadedScene, load_scene};
use crate::character::{Character, PARAMETERS_PER_JOINT};
use crate::error::{Error, Result};
use crate::io::{LoadOptions, Loaded, Motion, MotionChoice, Source, Up};

/// Reads the character of a file, in the unit that is asked for.
///
/// # Errors
/// [`Error::Format`] naming the place, what the format asks for and what is there.
pub fn load_character(source: &Source<'_>, options: &LoadOptions) -> Result<Loaded<Character>> {
    let scene = load_scene(source, options)?;
    Ok(Loaded {
        value: scene.character,
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
    let mut scene = load_scene(source, options)?;
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
    if let (Some(stored), None, None) = (stored, &choice.clip, choice.fps) {
        let n_frames = stored.n_frames();
        return Ok(Motion {
            name: clips.first().cloned().unwrap_or_default(),
            fps: stored.fps,
            times: (0..n_frames)
                .map(|frame| frame as f64 / stored.fps)
                .collect(),
            model_parameters: stored.model_parameters(transform.names()),
            identity: stored.identity(&character.skeleton),
            is_single: true,
            timestamps: Vec::new(),
            clips,
            character,
        });
    }
    let clip = &scene.clips[choice.find(&clips)?];
    let n_joints = character.skeleton.len();
    if transform.len() != PARAMETERS_PER_JOINT * n_joints {
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
    Ok(Motion {
        name: clip.name().to_owned(),
        fps,
        model_parameters: clip.joint_parameters(&times),
        identity: Vec::new(),
        is_single: true,
        timestamps: Vec::new(),
        clips,
        times,
        character,
    })
}
