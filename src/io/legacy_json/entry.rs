//! From bytes to a character, and back.

use serde_json::Value;
use std::sync::Arc;

use super::{mesh, skeleton, write};
use crate::character::{Character, CharacterParts, ParameterTransform, Unit};
use crate::error::{Error, Result};
use crate::io::json::{self, Item};
use crate::io::{LoadOptions, Loaded, SaveOptions, Saved, Source, Up};

/// A character: its skeleton, mesh, solids and points.
///
/// # Errors
/// [`Error::Format`] naming the place, what was expected and what is there.
pub fn load_character(source: &Source<'_>, _options: &LoadOptions) -> Result<Loaded<Character>> {
    let document = json::parse(source.bytes())?;
    let mut warnings = Vec::new();
    let value = character(&document, source.stem(), &mut warnings).map_err(Error::as_format)?;
    Ok(Loaded {
        value,
        up: Up::Y,
        warnings,
    })
}

fn character(document: &Value, name: String, warnings: &mut Vec<String>) -> Result<Character> {
    let root = Item::new(document, "").object()?;
    let part = |names: &[&str]| {
        let mut found = names.iter().filter_map(|name| root.get(name));
        found.find(|item| !item.value.is_null())
    };
    let Some(item) = part(&["Skeleton", "BodySkeleton", "skeleton"]) else {
        return Err(Error::format(
            "the document",
            "a property 'Skeleton'",
            "none",
        ));
    };
    let skeleton = skeleton::skeleton(&item)?;
    let n_joints = skeleton.len();
    let transform = ParameterTransform::identity(&skeleton);
    let mut parts = CharacterParts::new(name, skeleton, transform);
    parts.unit = Unit::Centimeter;
    if let Some(item) = part(&["SkinnedModel", "BodySkinnedModel", "skinnedmodel"])
        && let Some((mesh, weights)) = mesh::mesh(&item, n_joints, warnings)?
    {
        parts.mesh = Some(Arc::new(mesh));
        parts.skin_weights = Some(Arc::new(weights));
    }
    if let Some(item) = part(&["Collision", "collision"]) {
        parts.collision_geometry = Arc::new(skeleton::solids(&item, n_joints)?);
    }
    if let Some(item) = part(&["Locators", "locators"]) {
        parts.locators = Arc::new(skeleton::locators(&item, n_joints, warnings)?);
    }
    Character::new(parts)
}

/// Makes a file of a character.
///
/// # Errors
/// [`Error::Value`] for numbers that are not finite.
pub fn save_character(character: &Character, options: &SaveOptions) -> Result<Saved> {
    write::document(&character.in_unit(Unit::Centimeter), options)
}
