//! Any format, turned and converted as asked.

use nalgebra::{Rotation3, Vector3};
use std::sync::Arc;

use super::{
    Format, LoadOptions, Loaded, Markers, Motion, MotionChoice, Source, Up, acclaim, bvh, c3d,
    deepmimic, fbx, gltf, legacy_json, mjcf, mmo, trc, urdf, usd,
};
use crate::character::{Character, Joint, PARAMETERS_PER_JOINT, Unit};
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
        Format::Fbx => fbx::load_character(source, options),
        Format::Urdf => urdf::load_character(source, options),
        Format::Mjcf => mjcf::load_character(source, options),
        Format::Usd => usd::load_character(source, options),
        Format::Bvh => bvh::load_character(source, options),
        Format::Asf => acclaim::load_character(source, options),
        Format::DeepMimic => deepmimic::load_character(source, options),
        Format::LegacyJson => legacy_json::load_character(source, options),
        other => Err(unavailable(other, "a character")),
    };
    let loaded = loaded.map_err(|error| in_source(error, source))?;
    let up = loaded.up;
    let mut loaded = loaded.and_then(|character| {
        let character = character.in_unit(options.unit);
        Ok(match turned(&character, up, options.up)? {
            Some(turned) => turned.character,
            None => character,
        })
    })?;
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
    let loaded = match format {
        Format::Gltf => gltf::load_motion(source, options, choice),
        Format::Fbx => fbx::load_motion(source, options, choice),
        Format::Usd => usd::load_motion(source, options, choice),
        Format::Bvh => bvh::load_motion(source, options, choice),
        Format::Amc => acclaim::load_motion(source, options, choice, character),
        Format::DeepMimic => deepmimic::load_motion(source, options, choice, character),
        Format::Mmo => mmo::load_motion(source, options, choice, character),
        other => Err(unavailable(other, "motion")),
    };
    let loaded = loaded.map_err(|error| in_source(error, source))?;
    let up = loaded.up;
    let mut loaded =
        loaded.and_then(|motion| turned_motion(motion.in_unit(options.unit), up, options.up))?;
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
    let loaded: Result<Loaded<Markers>> = match format {
        Format::Fbx => fbx::load_markers(source, options),
        Format::Gltf => gltf::load_markers(source, options),
        Format::C3d => c3d::load_markers(source, options),
        Format::Trc => trc::load_markers(source, options),
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

/// A character along other axes, and the parameters that its roots' translations are, where each is a
/// parameter of its own. Translations of roots are along the axes of the world: such parameters have to be
/// turned in every pose; any other keeps its value, and the map from parameters to joints is turned.
struct Turned {
    character: Character,
    turn: Rotation3<f64>,
    values: Vec<[usize; 3]>,
}

fn turned(character: &Character, up: Up, wanted: Option<Up>) -> Result<Option<Turned>> {
    let Some(wanted) = wanted.filter(|&wanted| wanted != up) else {
        return Ok(None);
    };
    let turn = up.turn_to(wanted);
    let mut parts = character.transformed(&up.matrix_to(wanted))?.parts();
    let transform = &parts.parameter_transform;
    let mut n_uses = vec![0_usize; transform.len()];
    for row in 0..PARAMETERS_PER_JOINT * transform.n_joints() {
        transform
            .row(row)
            .for_each(|(column, _)| n_uses[column] += 1);
    }
    let own = |row: usize| {
        let mut entries = transform.row(row);
        match (entries.next(), entries.next()) {
            (Some((column, 1.0)), None) if n_uses[column] == 1 => Some(column),
            _ => None,
        }
    };
    let (mut values, mut mixed) = (Vec::new(), Vec::new());
    for (joint, _) in roots(character) {
        let row = joint * PARAMETERS_PER_JOINT;
        match [own(row), own(row + 1), own(row + 2)] {
            [Some(x), Some(y), Some(z)] => values.push([x, y, z]),
            _ => mixed.push(joint),
        }
    }
    let matrix = turn.matrix();
    let rows: [f64; 9] = std::array::from_fn(|at| matrix[(at / 3, at % 3)]);
    parts.parameter_transform = Arc::new(transform.with_turned_translations(&mixed, &rows)?);
    Ok(Some(Turned {
        character: Character::new(parts)?,
        turn,
        values,
    }))
}

fn roots(character: &Character) -> impl Iterator<Item = (usize, &Joint)> {
    let joints = character.skeleton.joints().iter().enumerate();
    joints.filter(|(_, joint)| joint.parent.is_none())
}

/// Turns what a motion moves, and the parameters that are translations along the axes of the world.
fn turned_motion(mut motion: Motion, up: Up, wanted: Option<Up>) -> Result<Motion> {
    let Some(Turned {
        character,
        turn,
        values,
    }) = turned(&motion.character, up, wanted)?
    else {
        return Ok(motion);
    };
    let count = character.parameter_transform.len().max(1);
    for pose in motion.model_parameters.chunks_exact_mut(count) {
        for at in &values {
            let moved = turn * Vector3::new(pose[at[0]], pose[at[1]], pose[at[2]]);
            for (column, x) in at.iter().zip(moved.iter()) {
                pose[*column] = *x;
            }
        }
    }
    for (joint, _) in roots(&character) {
        let at = joint * PARAMETERS_PER_JOINT;
        if let Some(shift) = motion.identity.get_mut(at..at + 3) {
            let moved = turn * Vector3::new(shift[0], shift[1], shift[2]);
            shift.copy_from_slice(moved.as_slice());
        }
    }
    motion.character = character;
    Ok(motion)
}

fn turned_markers(mut markers: Markers, up: Up, wanted: Up, unit: Unit) -> Markers {
    let factor = unit.per_meter() / markers.unit.per_meter();
    let turn = up.turn_to(wanted);
    if factor != 1.0 || up != wanted {
        let moved = |pos| (turn * Vector3::from(pos) * factor).into();
        let sequences = markers.sequences.into_iter();
        markers.sequences = sequences.map(|s| s.map_positions(moved)).collect();
    }
    markers.unit = unit;
    markers
}
