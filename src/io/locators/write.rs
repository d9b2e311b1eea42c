//! A character's locators as a file.

use nalgebra::Point3;
use serde_json::{Map, Value, json};

use super::LocatorSpace;
use crate::character::{Character, Unit};
use crate::error::{Error, Result};
use crate::io::{Saved, json};

/// Makes a file of a character's locators.
///
/// # Errors
/// [`Error::Value`] for two locators of one name, which could not be read again, and for numbers that are
/// not finite.
pub fn save_locators(character: &Character, space: LocatorSpace) -> Result<Saved> {
    let rest = character.skeleton.rest_places();
    let joints = character.skeleton.joints();
    let factor = Unit::Centimeter.per_meter() / character.unit.per_meter();
    let mut warnings = Vec::new();
    let mut list = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for locator in character.locators.iter() {
        let what = format!("locator '{}'", locator.name);
        if !seen.insert(locator.name.as_str()) {
            return Err(Error::value(what, "another locator has the same name"));
        }
        let (keys, place) = match space {
            LocatorSpace::Global => (
                ["globalX", "globalY", "globalZ"],
                rest[locator.parent] * Point3::from(locator.offset),
            ),
            LocatorSpace::Local => (
                ["offsetX", "offsetY", "offsetZ"],
                Point3::from(locator.offset),
            ),
        };
        let mut entry = Map::new();
        let mut put = |key: &str, number: f64| match number.is_finite() {
            true => {
                entry.insert(key.to_owned(), json!(number));
                Ok(())
            }
            false => Err(Error::value(&what, format!("{key} would be {number}"))),
        };
        for (key, x) in keys.iter().zip(place.iter()) {
            put(key, x * factor)?;
        }
        put("weight", locator.weight)?;
        let weights = ["limitWeightX", "limitWeightY", "limitWeightZ"];
        for (key, weight) in weights.iter().zip(locator.limit_weight) {
            if weight != 0.0 {
                put(key, weight)?;
            }
        }
        if locator.skin_offset != 0.0 {
            put("skinOffset", locator.skin_offset * factor)?;
        }
        for (key, locked) in ["lockX", "lockY", "lockZ"].iter().zip(locator.locked) {
            entry.insert((*key).to_owned(), json!(u8::from(locked)));
        }
        if locator.attached_to_skin {
            entry.insert("attachedToSkin".into(), json!(1));
        }
        entry.insert("name".into(), json!(locator.name));
        entry.insert("parentName".into(), json!(joints[locator.parent].name));
        list.push(Value::Object(entry));
    }
    let moved = |own: &&crate::character::Locator| own.limit_origin != own.offset;
    if character.locators.iter().any(|own| moved(&own)) {
        warnings.push(
            "the limit origins of locators are left out: they become where the locators are".into(),
        );
    }
    if !character.skinned_locators.is_empty() {
        warnings.push("skinned locators are left out".into());
    }
    Ok(Saved {
        parts: vec![json::indented(&json!({ "locators": list }), "\t")?],
        warnings,
    })
}
