//! From a model definition to a character whose parameters it says, and back.

use std::sync::Arc;

use super::raw::Sections;
use super::{convert, convert_limits, write};
use crate::character::{Character, CharacterParts, ParameterTransform, Unit};
use crate::error::{Error, Result};
use crate::io::{Loaded, Saved, Source, Up};

/// The same character with the parameters, sets and limits of a model definition, in its own unit.
///
/// # Errors
/// [`Error::Format`] naming the line, what was expected and what is there; also for names that the
/// character does not have.
pub fn load_model_definition(
    source: &Source<'_>,
    character: &Character,
) -> Result<Loaded<Character>> {
    let text = source.text();
    let mut warnings = Vec::new();
    let value = with_definition(&text, character, &mut warnings).map_err(Error::as_format)?;
    warnings.dedup();
    Ok(Loaded {
        value,
        up: Up::Y,
        warnings,
    })
}

fn with_definition(
    text: &str,
    character: &Character,
    warnings: &mut Vec<String>,
) -> Result<Character> {
    let sections = Sections::read(text, warnings)?;
    let skeleton = &character.skeleton;
    let transform = convert::transform(&sections.transform, skeleton, warnings)?;
    let transform = convert::with_sets(transform, &sections.sets, warnings)?;
    let transform = with_coefficients(transform, character, warnings)?;
    let limits = convert_limits::limits(&sections.limits, skeleton, &transform, warnings)?;
    if let Some(line) = sections.constraints.first() {
        warnings.push(format!("{}: [PoseConstraints] are left out", line.place()));
    }
    let mut parts = CharacterParts::new("", skeleton.as_ref().clone(), transform);
    parts.unit = Unit::Centimeter;
    parts.parameter_limits = Arc::new(limits);
    let read = Character::new(parts)?.in_unit(character.unit);
    Character::new(CharacterParts {
        parameter_transform: read.parameter_transform.clone(),
        parameter_limits: read.parameter_limits.clone(),
        ..character.parts()
    })
}

/// What parameters may be that drive no joint.
const WHAT: [&str; 3] = [
    "coefficients of blend shapes",
    "coefficients of face expressions",
    "places of skinned locators",
];

/// Parameters that were coefficients of shapes, or moved skinned locators, and are named again without
/// driving a joint, are so again.
fn with_coefficients(
    transform: ParameterTransform,
    character: &Character,
    warnings: &mut Vec<String>,
) -> Result<ParameterTransform> {
    let old = &character.parameter_transform;
    let drives = driving(&transform);
    let again = |columns: &[Option<usize>]| -> Vec<Option<usize>> {
        let names = columns
            .iter()
            .map(|column| column.map(|at| &old.names()[at]));
        names
            .map(|name| {
                let name = name?;
                let at = transform.names().iter().position(|own| own == name)?;
                (!drives[at]).then_some(at)
            })
            .collect()
    };
    let lists = [
        old.blend_shape_columns(),
        old.face_expression_columns(),
        old.skinned_locator_columns(),
    ];
    let [blend_shapes, face_expressions, skinned_locators] = lists.map(again);
    let n_moved = |columns: &[Option<usize>]| columns.iter().flatten().count();
    let after = [&blend_shapes, &face_expressions, &skinned_locators].map(|after| n_moved(after));
    let before = lists.map(n_moved);
    for ((what, before), after) in WHAT.iter().zip(before).zip(after) {
        if after < before {
            warnings.push(format!(
                "{} {what} are no parameters any more, the file does not name them",
                before - after
            ));
        }
    }
    transform.with_columns(blend_shapes, face_expressions, skinned_locators)
}

/// Which parameters drive a joint.
fn driving(transform: &ParameterTransform) -> Vec<bool> {
    let joints: Vec<usize> = (0..transform.n_joints()).collect();
    transform.parameters_for_joints(&joints)
}

/// A character's parameters, sets and limits as a model definition.
///
/// # Errors
/// [`Error::Value`] for a name that the text cannot hold.
pub fn save_model_definition(character: &Character) -> Result<Saved> {
    let mut parts = CharacterParts::new(
        "",
        character.skeleton.as_ref().clone(),
        character.parameter_transform.as_ref().clone(),
    );
    parts.unit = character.unit;
    parts.parameter_limits = character.parameter_limits.clone();
    write::definition(&Character::new(parts)?.in_unit(Unit::Centimeter))
}
