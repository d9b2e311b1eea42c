//! Any format, turned and converted as asked.

use super::{Format, LoadOptions, Loaded, Markers, Motion, MotionChoice, Source, Up, gltf};
use crate::character::{Character, PARAMETERS_PER_JOINT, ParameterTransform, Unit};
use crate::error::{Error, Result};

/// Reads a character.
///
/// # Errors
/// [`Error::Format`] naming the file, the place inside it, what was expected and what was found.
pub fn load_character(
    source: &Source<'_>,
    format: Format,
    options: &LoadOptions,
) -> Result<Loaded<Character>> {
    let loaded = match format {
        Format::Gltf => gltf::load_character(source, options),
        other => Err(unavailable(other, "a character")),
    };
    let loaded = loaded.map_err(|error| in_source(error, source))?;
    let up = loaded.up;
    let mut loaded =
        loaded.and_then(|character| turned(&character.in_unit(options.unit), up, options.up))?;
    loaded.up = options.up.unwrap_or(up);
    Ok(loaded)
}

/// Reads one animation and what it moves. A format whose files hold no skeleton takes that of
/// `character`.
///
/// # Errors
/// [`Error::Format`] naming the file, the place inside it, what was expected and what was found.
pub fn load_motion(
    source: &Source<'_>,
    format: Format,
    options: &LoadOptions,
    choice: &MotionChoice,
    character: Option<&Character>,
) -> Result<Loaded<Motion>> {
    let _ = character;
    let loaded = match format {
        Format::Gltf => gltf::load_motion(source, options, choice),
        other => Err(unavailable(other, "motion")),
    };
    let loaded = loaded.map_err(|error| in_source(error, source))?;
    let up = loaded.up;
    let mut loaded =
        loaded.and_then(|motion| turned_motion(in_unit(motion, options.unit), up, options.up))?;
    loaded.up = options.up.unwrap_or(up);
    Ok(loaded)
}

/// Reads the markers of a recording.
///
/// # Errors
/// [`Error::Format`] naming the file, the place inside it, what was expected and what was found.
pub fn load_markers(
    source: &Source<'_>,
    format: Format,
    options: &LoadOptions,
) -> Result<Loaded<Markers>> {
    let _ = options;
    let loaded: Result<Loaded<Markers>> = match format {
        other => Err(unavailable(other, "markers")),
    };
    let loaded = loaded.map_err(|error| in_source(error, source))?;
    let up = loaded.up;
    let wanted = options.up.unwrap_or(up);
    let mut loaded = loaded.map(|markers| turned_markers(markers, up, wanted, options.unit));
    loaded.up = wanted;
    Ok(loaded)
}

fn unavailable(format: Format, what: &str) -> Error {
    Error::format(
        "the format",
        format!("one that holds {what}"),
        format!("'{}', which does not", format.name()),
    )
}

/// The error as one about this file.
fn in_source(error: Error, source: &Source<'_>) -> Error {
    error.as_format().in_file(&source.name())
}

fn turned(character: &Character, up: Up, wanted: Option<Up>) -> Result<Character> {
    match wanted {
        Some(wanted) if wanted != up => character.transformed(&up.matrix_to(wanted)),
        _ => Ok(character.clone()),
    }
}

/// Motion in another unit of length.
fn in_unit(mut motion: Motion, unit: Unit) -> Motion {
    let own = motion.character.unit;
    if own == unit {
        return motion;
    }
    let factor = unit.per_meter() / own.per_meter();
    let lengths = motion.character.parameter_transform.length_parameters();
    for pose in motion
        .model_parameters
        .chunks_exact_mut(lengths.len().max(1))
    {
        for (value, is_length) in pose.iter_mut().zip(&lengths) {
            if *is_length {
                *value *= factor;
            }
        }
    }
    for joint in motion.identity.chunks_exact_mut(PARAMETERS_PER_JOINT) {
        joint[..3].iter_mut().for_each(|x| *x *= factor);
    }
    motion.character = motion.character.in_unit(unit);
    motion
}

/// Turns what a motion moves. Translations of roots are along the axes of the world, so they turn too:
/// the values, where each is a parameter of its own; else the map that makes them.
fn turned_motion(mut motion: Motion, up: Up, wanted: Option<Up>) -> Result<Motion> {
    let Some(wanted) = wanted.filter(|&wanted| wanted != up) else {
        return Ok(motion);
    };
    let turn = up.turn_to(wanted);
    let turned = motion.character.transformed(&up.matrix_to(wanted))?;
    let roots: Vec<usize> = (0..turned.skeleton.len())
        .filter(|&joint| turned.skeleton.joints()[joint].parent.is_none())
        .collect();
    let transform = &turned.parameter_transform;
    let own = |row: usize| {
        let mut entries = transform.row(row);
        match (entries.next(), entries.next()) {
            (Some((column, 1.0)), None) => Some(column),
            _ => None,
        }
    };
    let columns: Option<Vec<[usize; 3]>> = roots
        .iter()
        .map(|root| {
            let row = root * PARAMETERS_PER_JOINT;
            Some([own(row)?, own(row + 1)?, own(row + 2)?])
        })
        .collect();
    motion.character = match columns {
        Some(columns) => {
            for pose in motion.model_parameters.chunks_exact_mut(transform.len()) {
                for at in &columns {
                    let moved =
                        turn * nalgebra::Vector3::new(pose[at[0]], pose[at[1]], pose[at[2]]);
                    for (column, x) in at.iter().zip(moved.iter()) {
                        pose[*column] = *x;
                    }
                }
            }
            turned
        }
        None => {
            let mut parts = turned.parts();
            parts.parameter_transform = turned_roots(transform, &roots, &turn)?.into();
            Character::new(parts)?
        }
    };
    for &root in &roots {
        let at = root * PARAMETERS_PER_JOINT;
        if let Some(shift) = motion.identity.get_mut(at..at + 3) {
            let moved = turn * nalgebra::Vector3::new(shift[0], shift[1], shift[2]);
            shift.copy_from_slice(moved.as_slice());
        }
    }
    Ok(motion)
}

/// The same map with the translations of the roots turned.
fn turned_roots(
    transform: &ParameterTransform,
    roots: &[usize],
    turn: &nalgebra::Rotation3<f64>,
) -> Result<ParameterTransform> {
    let mut entries = Vec::new();
    for joint in 0..transform.n_joints() {
        let first = joint * PARAMETERS_PER_JOINT;
        for channel in 0..PARAMETERS_PER_JOINT {
            let row = first + channel;
            for (column, factor) in transform.row(row) {
                if channel < 3 && roots.contains(&joint) {
                    for axis in 0..3 {
                        let part = turn.matrix()[(axis, channel)] * factor;
                        if part != 0.0 {
                            entries.push((first + axis, column, part));
                        }
                    }
                } else {
                    entries.push((row, column, factor));
                }
            }
        }
    }
    let names = transform.names().to_vec();
    let mut result = ParameterTransform::new(names, transform.n_joints(), entries)?;
    for (name, mask) in transform.parameter_sets() {
        result = result.with_parameter_set(name, mask.clone())?;
    }
    Ok(result)
}

fn turned_markers(mut markers: Markers, up: Up, wanted: Up, unit: Unit) -> Markers {
    let factor = unit.per_meter() / markers.unit.per_meter();
    let turn = up.turn_to(wanted);
    if factor != 1.0 || up != wanted {
        let moved = |pos| (turn * nalgebra::Vector3::from(pos) * factor).into();
        let sequences = markers.sequences.into_iter();
        markers.sequences = sequences.map(|s| s.map_positions(moved)).collect();
    }
    markers.unit = unit;
    markers
}
