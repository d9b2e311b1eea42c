//! From bytes to the motion of a character, and back.

use std::borrow::Cow;
use std::collections::HashMap;

use super::raw::RawMotion;
use crate::character::{Character, PARAMETERS_PER_JOINT, Unit};
use crate::error::{Error, Result};
use crate::io::names::listed;
use crate::io::{Extras, LoadOptions, Loaded, Motion, MotionChoice, Saved, Source, Up};

/// What Momentum takes for the rate where nobody says one.
const CUSTOMARY_FPS: f64 = 120.0;

/// A motion, for `character`.
///
/// # Errors
/// [`Error::Format`] naming the byte, what was expected and what is there; also without a character.
pub fn load_motion(
    source: &Source<'_>,
    _options: &LoadOptions,
    choice: &MotionChoice,
    character: Option<&Character>,
) -> Result<Loaded<Motion>> {
    let clips = vec![source.stem()];
    choice.find(&clips)?;
    let Some(character) = character else {
        let expected = "a character, which the file does not hold: pass character=";
        return Err(Error::format("the skeleton", expected, "none"));
    };
    let raw = RawMotion::read(source.bytes())?;
    let character = character.in_unit(Unit::Centimeter);
    let mut warnings = Vec::new();
    let fps = choice.fps.unwrap_or_else(|| {
        warnings.push(format!(
            "the file does not say how many frames a second it has; taken as {CUSTOMARY_FPS}, pass \
             fps= otherwise"
        ));
        CUSTOMARY_FPS
    });
    let (poses, identity) = onto(&character, &raw, &mut warnings)?;
    if raw.trailing > 0 {
        warnings.push(format!(
            "{} bytes after the motion are left out",
            raw.trailing
        ));
    }
    let mut motion = Motion::new(source.stem(), character, fps, poses, identity, Vec::new())?;
    motion.is_single = true;
    Ok(Loaded {
        value: motion,
        up: Up::Y,
        warnings,
    })
}

/// The poses and the identity of a motion, in the order of a character.
fn onto(
    character: &Character,
    raw: &RawMotion<'_>,
    warnings: &mut Vec<String>,
) -> Result<(Vec<f64>, Vec<f64>)> {
    let transform = &character.parameter_transform;
    let columns = places(&raw.parameters, transform.names(), "parameters", warnings);
    let names = character.skeleton.joints().iter().map(|joint| &joint.name);
    let names: Vec<&String> = names.collect();
    let joints = places(&raw.joints, &names, "joints", warnings);
    let (stored, own) = (raw.parameters.len(), transform.len());
    let count = raw.n_frames.saturating_mul(own);
    let mut poses: Vec<f64> = Error::reserve("model_parameters", count)?;
    poses.resize(count, 0.0);
    let frames = poses.chunks_exact_mut(own.max(1));
    for (pose, stored) in frames.zip(raw.poses.chunks_exact(stored.max(1))) {
        for (x, column) in stored.iter().zip(&columns) {
            if let Some(column) = *column {
                pose[column] = f64::from(*x);
            }
        }
    }
    if raw.offsets.iter().all(|x| *x == 0.0) {
        return Ok((poses, Vec::new()));
    }
    let mut identity = vec![0.0; PARAMETERS_PER_JOINT * names.len()];
    for (joint, stored) in joints
        .iter()
        .zip(raw.offsets.chunks_exact(PARAMETERS_PER_JOINT))
    {
        if let Some(joint) = joint {
            let start = PARAMETERS_PER_JOINT * joint;
            for (x, stored) in identity[start..].iter_mut().zip(stored) {
                *x = f64::from(*stored);
            }
        }
    }
    Ok((poses, identity))
}

/// The place of each stored name among a character's; of several with one name the last counts.
fn places(
    stored: &[Cow<'_, str>],
    own: &[impl AsRef<str>],
    what: &str,
    warnings: &mut Vec<String>,
) -> Vec<Option<usize>> {
    let lookup: HashMap<&str, usize> = own.iter().map(AsRef::as_ref).zip(0..).collect();
    let places: Vec<Option<usize>> = stored
        .iter()
        .map(|name| lookup.get(&**name).copied())
        .collect();
    let foreign = stored
        .iter()
        .zip(&places)
        .filter(|(_, place)| place.is_none());
    let foreign: Vec<&str> = foreign.map(|(name, _)| &**name).collect();
    let mut n_values = vec![0_usize; own.len()];
    places
        .iter()
        .flatten()
        .for_each(|&place| n_values[place] += 1);
    let with = |wanted: fn(usize) -> bool| -> Vec<&str> {
        let names = own.iter().zip(&n_values).filter(|(_, n)| wanted(**n));
        names.map(|(name, _)| name.as_ref()).collect()
    };
    for (names, problem) in [
        (foreign, "are left out, the character has none called"),
        (with(|n| n == 0), "have no values in the file and are 0:"),
        (
            with(|n| n > 1),
            "are in the file more than once, the last counts:",
        ),
    ] {
        if !names.is_empty() {
            let shown = listed(names.into_iter());
            warnings.push(format!("{what} {problem} {shown}"));
        }
    }
    places
}

/// Makes a file of a motion.
///
/// # Errors
/// [`Error::Value`] for numbers that single precision does not hold.
pub fn save_motion(motion: &Motion, extras: &Extras<'_>) -> Result<Saved> {
    let motion = motion.clone().in_unit(Unit::Centimeter);
    let character = &motion.character;
    let transform = &character.parameter_transform;
    let joints = character.skeleton.joints();
    let identity = match motion.identity.is_empty() {
        true => &vec![0.0; PARAMETERS_PER_JOINT * joints.len()],
        false => &motion.identity,
    };
    let mut warnings = vec![format!(
        "the rate, {} frames a second, is left out",
        motion.fps
    )];
    if !motion.timestamps.is_empty() {
        warnings.push("timestamps are left out".into());
    }
    if extras.markers.is_some() {
        warnings.push("markers are left out".into());
    }
    let raw = RawMotion {
        parameters: transform.names().iter().map(Cow::from).collect(),
        joints: joints.iter().map(|joint| Cow::from(&joint.name)).collect(),
        n_frames: motion.n_frames(),
        offsets: single("identity", identity)?,
        poses: single("model_parameters", &motion.model_parameters)?,
        trailing: 0,
    };
    Ok(Saved {
        parts: vec![raw.to_bytes()],
        warnings,
    })
}

fn single(what: &str, numbers: &[f64]) -> Result<Vec<f32>> {
    let single = |(at, number): (usize, &f64)| {
        let single = *number as f32;
        match single.is_finite() {
            true => Ok(single),
            false => Err(Error::value(
                format!("{what}[{at}]"),
                format!("expected a number that single precision holds, got {number}"),
            )),
        }
    };
    numbers.iter().enumerate().map(single).collect()
}
