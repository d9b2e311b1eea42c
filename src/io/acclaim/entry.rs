//! From bytes to a character, and to its motion.

use super::recipe::Recipe;
use super::{convert, motion, skeleton};
use crate::character::Character;
use crate::error::{Error, Result};
use crate::io::angles::{Turned, turn};
use crate::io::companion::skeleton_beside;
use crate::io::{LoadOptions, Loaded, Motion, MotionChoice, Source, Up};

/// Frames a second where nobody says.
const RATE: f64 = 120.0;

/// The skeleton of an ASF file.
///
/// # Errors
/// [`Error::Format`] naming the line, what was expected and what was found.
pub fn load_character(source: &Source<'_>, options: &LoadOptions) -> Result<Loaded<Character>> {
    let mut warnings = Vec::new();
    let (value, _) = read_skeleton(source, options, &mut warnings)?;
    Ok(Loaded {
        value,
        up: Up::Y,
        warnings,
    })
}

fn read_skeleton(
    source: &Source<'_>,
    options: &LoadOptions,
    warnings: &mut Vec<String>,
) -> Result<(Character, Recipe)> {
    let skeleton = skeleton::read(&source.text())?;
    convert::character(&skeleton, options, warnings).map_err(Error::as_format)
}

/// The motion of an AMC file, for `character` or for the skeleton file beside it.
///
/// # Errors
/// [`Error::Format`] naming the line, what was expected and what was found; also where there is no
/// skeleton.
pub fn load_motion(
    source: &Source<'_>,
    options: &LoadOptions,
    choice: &MotionChoice,
    character: Option<&Character>,
) -> Result<Loaded<Motion>> {
    let mut warnings = Vec::new();
    let clips = vec![source.stem()];
    choice.find(&clips)?;
    let fps = match choice.fps {
        None => {
            warnings.push(format!(
                "AMC does not say its rate; {RATE} frames a second are assumed (pass fps=)"
            ));
            RATE
        }
        Some(fps) if fps > 0.0 && fps.is_finite() => fps,
        Some(fps) => {
            return Err(Error::value(
                "fps",
                format!("expected more than 0, got {fps}"),
            ));
        }
    };
    let (character, recipe) = match character {
        Some(character) => {
            let own = options.file_unit.unwrap_or(character.unit);
            let recipe = Recipe::of(character)
                .unwrap_or_else(|| Recipe::by_names(character, 1.0 / own.per_meter()));
            (character.clone(), recipe)
        }
        None => skeleton_beside(source, "asf", |source, _| {
            read_skeleton(source, options, &mut warnings)
        })?,
    };
    let n_parameters = character.parameter_transform.len();
    let length = recipe.meters * character.unit.per_meter();
    let frames = motion::read(&source.text(), &recipe, n_parameters, length, source)?;
    let mut model_parameters = frames.values;
    let turned = recipe.rows.iter().filter_map(|row| row.turned.clone());
    let turned = turned.map(|(axes, first_column)| Turned { axes, first_column });
    turn(
        &mut model_parameters,
        n_parameters,
        &turned.collect::<Vec<_>>(),
    );
    let motion = Motion {
        name: source.stem(),
        character,
        fps,
        times: (0..frames.n_frames)
            .map(|frame| frame as f64 / fps)
            .collect(),
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
