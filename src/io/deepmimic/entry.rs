//! From bytes to a character, and to its motion.

use super::{motion, skeleton};
use crate::character::Character;
use crate::error::Result;
use crate::io::companion::skeleton_beside;
use crate::io::{LoadOptions, Loaded, Motion, MotionChoice, Source, Up};

/// A skeleton file.
///
/// # Errors
/// [`Error::Format`] naming the place, what was expected and what was found.
pub fn load_character(source: &Source<'_>, options: &LoadOptions) -> Result<Loaded<Character>> {
    let _ = options;
    let mut warnings = Vec::new();
    let value = skeleton::character(&source.text(), source.stem(), &mut warnings)?;
    Ok(Loaded {
        value,
        up: Up::Y,
        warnings,
    })
}

/// A motion file, for `character` or for the skeleton file beside it.
///
/// # Errors
/// [`Error::Format`] naming the place, what was expected and what was found; also where there is no
/// skeleton.
pub fn load_motion(
    source: &Source<'_>,
    options: &LoadOptions,
    choice: &MotionChoice,
    character: Option<&Character>,
) -> Result<Loaded<Motion>> {
    let _ = options;
    let mut warnings = Vec::new();
    let clips = vec![source.stem()];
    choice.find(&clips)?;
    let character = match character {
        Some(character) => character.clone(),
        None => skeleton_beside(source, "txt", |source, name| {
            skeleton::character(&source.text(), name, &mut warnings)
        })?,
    };
    let frames = motion::read(source, &character)?;
    let fps = rate(&frames.durations, &mut warnings);
    choice.check_rate(fps)?;
    let mut now = 0.0;
    let times = frames.durations.iter().map(|duration| {
        let time = now;
        now += duration;
        time
    });
    let motion = Motion {
        name: source.stem(),
        times: times.collect(),
        character,
        fps,
        model_parameters: frames.values,
        identity: Vec::new(),
        is_single: false,
        timestamps: Vec::new(),
        clips,
    };
    Ok(Loaded {
        value: motion,
        up: Up::Y,
        warnings,
    })
}

/// Frames a second: of the mean duration; the last frame's does not count, since nothing follows it.
fn rate(durations: &[f64], warnings: &mut Vec<String>) -> f64 {
    let between = &durations[..durations.len().saturating_sub(1)];
    let mean = between.iter().sum::<f64>() / between.len().max(1) as f64;
    let fps = 1.0 / mean;
    if !fps.is_finite() {
        warnings.push("the durations of frames are 0, as if at 30 frames a second".into());
        return 30.0;
    }
    if between.iter().any(|x| (x - mean).abs() > 0.01 * mean) {
        warnings.push(
            "the durations of frames differ; times tells them, fps is that of their mean".into(),
        );
    }
    let whole = fps.round();
    if (fps - whole).abs() < 5e-4 * fps {
        whole
    } else {
        fps
    }
}
