//! From a file of locators to points on the joints of a character.

use nalgebra::{Isometry3, Point3};
use std::collections::HashSet;
use std::sync::Arc;

use super::raw::{self, Parent, RawLocator};
use crate::character::{Character, CharacterParts, Locator, Skeleton, Unit};
use crate::error::{Error, Result};
use crate::io::json;
use crate::io::names::unknown;
use crate::io::{Loaded, Source, Up};

/// The same character with the locators of a file behind those it has, in its own unit.
///
/// # Errors
/// [`Error::Format`] naming the place, what was expected and what is there.
pub fn load_locators(source: &Source<'_>, character: &Character) -> Result<Loaded<Character>> {
    let document = json::parse(source.bytes())?;
    let raw = raw::locators(&document)?;
    let mut warnings = Vec::new();
    let placing = Placing {
        skeleton: &character.skeleton,
        rest: character.skeleton.rest_places(),
        factor: character.unit.per_meter() / Unit::Centimeter.per_meter(),
    };
    let mut seen = HashSet::new();
    let there: HashSet<&str> = character
        .locators
        .iter()
        .map(|own| own.name.as_str())
        .collect();
    let mut added = Vec::new();
    for one in &raw {
        let Some(locator) = placing.locator(one, &mut warnings)? else {
            continue;
        };
        if !seen.insert(one.name.as_str()) {
            return Err(Error::format(
                format!("{}.name", one.path),
                "a name that no other locator has",
                format!("{:?}", one.name),
            ));
        }
        if there.contains(one.name.as_str()) {
            warnings.push(format!("there are two locators '{}' now", one.name));
        }
        added.push(locator);
    }
    let mut locators = character.locators.as_ref().clone();
    locators.extend(added);
    let value = Character::new(CharacterParts {
        locators: Arc::new(locators),
        ..character.parts()
    })?;
    Ok(Loaded {
        value,
        up: Up::Y,
        warnings,
    })
}

/// Puts points on joints.
struct Placing<'a> {
    skeleton: &'a Skeleton,
    rest: Vec<Isometry3<f64>>,
    /// Centimetres to the character's unit.
    factor: f64,
}

impl Placing<'_> {
    /// `None` for a point whose joint the character does not have.
    fn locator(&self, raw: &RawLocator, warnings: &mut Vec<String>) -> Result<Option<Locator>> {
        let Some(parent) = self.parent(raw, warnings)? else {
            return Ok(None);
        };
        let name = &raw.name;
        for (what, place) in [("global", &raw.global), ("offset", &raw.offset)] {
            let given = place.iter().flatten().count();
            if given == 1 || given == 2 {
                warnings.push(format!(
                    "locator '{name}': {what}X, {what}Y and {what}Z are not all there, the others are 0"
                ));
            }
        }
        let is_global = raw.global.iter().any(Option::is_some);
        if is_global && raw.offset.iter().any(Option::is_some) {
            warnings.push(format!(
                "locator '{name}' has a place in the world and one in its joint's frame; the former counts"
            ));
        }
        let scaled = |place: [Option<f64>; 3]| place.map(|x| x.unwrap_or(0.0) * self.factor);
        let offset = match is_global {
            true => {
                let point = Point3::from(scaled(raw.global));
                self.rest[parent].inverse_transform_point(&point).into()
            }
            false => scaled(raw.offset),
        };
        Ok(Some(Locator {
            locked: raw.locked,
            weight: raw.weight,
            limit_weight: raw.limit_weight,
            attached_to_skin: raw.attached_to_skin,
            skin_offset: raw.skin_offset * self.factor,
            ..Locator::new(name, parent, offset)
        }))
    }

    fn parent(&self, raw: &RawLocator, warnings: &mut Vec<String>) -> Result<Option<usize>> {
        let count = self.skeleton.len();
        match &raw.parent {
            Parent::Named(name) => {
                let found = self.skeleton.joint_index(name);
                if found.is_none() {
                    let names = self
                        .skeleton
                        .joints()
                        .iter()
                        .map(|joint| joint.name.as_str());
                    warnings.push(format!(
                        "locator '{}' is left out: there is no joint {}",
                        raw.name,
                        unknown(name, names)
                    ));
                }
                Ok(found)
            }
            Parent::At(at) if *at < count => Ok(Some(*at)),
            Parent::At(at) => Err(Error::format(
                format!("{}.parent", raw.path),
                format!("the number of a joint, of which there are {count}"),
                at,
            )),
            Parent::Missing => {
                warnings.push(format!(
                    "locator '{}' is left out: it has neither parentName nor parent",
                    raw.name
                ));
                Ok(None)
            }
        }
    }
}
