//! What is asked of every format, from what this one stores.

use super::scene::Stored;
use super::{character, markers, motion};
use crate::character::Character;
use crate::error::Result;
use crate::io::{LoadOptions, Loaded, Markers, Motion, MotionChoice, Source};

/// Reads the character of a file.
///
/// # Errors
/// [`crate::Error::Format`] naming the place, what the format asks for and what is there.
pub fn load_character(source: &Source<'_>, options: &LoadOptions) -> Result<Loaded<Character>> {
    let mut stored = Stored::open(source, false)?;
    let built = character::build(&mut stored, source, options)?;
    Ok(stored.bring(built.character))
}

/// Reads one animation of a file, in the parameters of the joints and the coefficients of the blend
/// shapes.
///
/// # Errors
/// [`crate::Error::Format`] as for the character, and where there is no such animation.
pub fn load_motion(
    source: &Source<'_>,
    options: &LoadOptions,
    choice: &MotionChoice,
) -> Result<Loaded<Motion>> {
    let mut stored = Stored::open(source, false)?;
    let built = character::build(&mut stored, source, options)?;
    let motion = motion::sample(&mut stored, built, choice, source)?;
    Ok(stored.bring(motion))
}

/// Reads the optical markers of a file, in its first animation.
///
/// # Errors
/// [`crate::Error::Format`] as for the character, and where there are no markers.
pub fn load_markers(source: &Source<'_>, options: &LoadOptions) -> Result<Loaded<Markers>> {
    let mut stored = Stored::open(source, true)?;
    let markers = markers::read(&mut stored, options, source)?;
    Ok(stored.bring(markers))
}

/// The number of animations in a file.
///
/// # Errors
/// [`crate::Error::Format`] where it is no FBX file.
pub fn n_animations(source: &Source<'_>) -> Result<usize> {
    Ok(Stored::open(source, false)?.scene.anim_stacks.len())
}
