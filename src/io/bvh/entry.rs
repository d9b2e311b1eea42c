//! From bytes to a character and its motion.

use super::convert::{Rig, rig};
use super::hierarchy;
use super::table::{MotionTable, numbers};
use crate::character::{Character, Unit};
use crate::error::{Error, Result};
use crate::io::angles::turn;
use crate::io::text::Words;
use crate::io::{LoadOptions, Loaded, Motion, MotionChoice, Source, Up};

/// How far a rate may be from a whole number and still be one, of itself: less than between 30 and the
/// 29.97 of television.
const WHOLE: f64 = 5e-4;

/// A frame longer than this, in seconds, is announced: some programs write milliseconds.
const LONG: f64 = 2.0;

/// The hierarchy as a character. Motion is not looked at.
///
/// # Errors
/// [`Error::Format`] naming the line, what was expected and what was found.
pub fn load_character(source: &Source<'_>, options: &LoadOptions) -> Result<Loaded<Character>> {
    let text = source.text();
    let mut words = Words::new(&text);
    let mut warnings = Vec::new();
    let (rig, _) = read(&mut words, source, options, &mut warnings)?;
    Ok(Loaded {
        value: rig.character,
        up: Up::Y,
        warnings,
    })
}

/// The motion and its character; the animation is called as the file is.
///
/// # Errors
/// [`Error::Format`] naming the line, what was expected and what was found.
pub fn load_motion(
    source: &Source<'_>,
    options: &LoadOptions,
    choice: &MotionChoice,
) -> Result<Loaded<Motion>> {
    let text = source.text();
    let mut words = Words::new(&text);
    let mut warnings = Vec::new();
    let (rig, has_motion) = read(&mut words, source, options, &mut warnings)?;
    if !has_motion {
        let place = format!("line {}", words.line());
        return Err(Error::format(place, "MOTION", "the end of the file"));
    }
    let clips = vec![source.stem()];
    choice.find(&clips)?;
    let table = MotionTable::read(&mut words)?;
    let fps = rate(&table, &mut warnings)?;
    choice.check_rate(fps)?;
    if rig.destinations.is_empty() && table.n_frames > 0 {
        let problem = "a hierarchy without any";
        return Err(Error::format(
            "CHANNELS",
            "channels for the rows of numbers",
            problem,
        ));
    }
    let (lines, surplus) = table.lines()?;
    if surplus > 0 {
        let wanted = table.n_frames;
        warnings.push(format!(
            "{surplus} rows of numbers after the {wanted} that the file announces are left out"
        ));
    }
    let n_columns = rig.character.parameter_transform.len();
    let mut model_parameters = numbers(&table, &lines, &rig.destinations, n_columns, source)?;
    turn(&mut model_parameters, n_columns, &rig.turned);
    let motion = Motion {
        name: source.stem(),
        character: rig.character,
        fps,
        times: (0..lines.len()).map(|frame| frame as f64 / fps).collect(),
        model_parameters,
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

fn read(
    words: &mut Words<'_>,
    source: &Source<'_>,
    options: &LoadOptions,
    warnings: &mut Vec<String>,
) -> Result<(Rig, bool)> {
    let (hierarchy, has_motion) = hierarchy::read(words, source)?;
    let unit = options.file_unit.unwrap_or(Unit::Centimeter);
    let positions = options.position_channels;
    let rig = rig(&hierarchy, source.stem(), unit, positions, warnings)?;
    Ok((rig, has_motion))
}

/// Frames a second.
fn rate(table: &MotionTable<'_>, warnings: &mut Vec<String>) -> Result<f64> {
    let seconds = table.frame_time;
    let fps = 1.0 / seconds;
    if !(seconds > 0.0 && seconds.is_finite() && fps.is_finite()) {
        if table.n_frames <= 1 && seconds == 0.0 {
            warnings.push("the frame time is 0, as if at 30 frames a second".into());
            return Ok(30.0);
        }
        let expected = "a number of seconds greater than 0";
        return Err(Error::format("Frame Time", expected, seconds));
    }
    if seconds > LONG {
        warnings.push(format!(
            "the frame time of {seconds} is taken for seconds, as the format has it"
        ));
    }
    let whole = fps.round();
    Ok(if (fps - whole).abs() < WHOLE * fps {
        whole
    } else {
        fps
    })
}
