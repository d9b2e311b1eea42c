//! What a file of locators stores.

use serde_json::Value;

use crate::error::Result;
use crate::io::json::Item;

/// One point, as the file says it.
pub(super) struct RawLocator {
    /// Its place in the file, such as `locators[3]`.
    pub path: String,
    pub name: String,
    pub parent: Parent,
    /// In the frame of its joint.
    pub offset: [Option<f64>; 3],
    /// In the world.
    pub global: [Option<f64>; 3],
    pub locked: [bool; 3],
    pub weight: f64,
    pub limit_weight: [f64; 3],
    pub skin_offset: f64,
    pub attached_to_skin: bool,
}

/// The joint that carries a point.
pub(super) enum Parent {
    Named(String),
    At(usize),
    Missing,
}

/// Reads the list.
pub(super) fn locators(document: &Value) -> Result<Vec<RawLocator>> {
    let root = Item::new(document, "");
    root.need("locators")?
        .items()?
        .iter()
        .map(locator)
        .collect()
}

fn locator(item: &Item<'_>) -> Result<RawLocator> {
    let item = item.clone().object()?;
    let number = |key: &str| item.get(key).map(|item| item.number()).transpose();
    let axes = |keys: [&str; 3]| -> Result<[Option<f64>; 3]> {
        let [x, y, z] = keys;
        Ok([number(x)?, number(y)?, number(z)?])
    };
    let flag = |key: &str| match item.get(key) {
        // Older writers have numbers.
        Some(item) if item.value.is_boolean() => item.bool(),
        Some(item) => Ok(item.number()? != 0.0),
        None => Ok(false),
    };
    let parent = match (item.get("parentName"), item.get("parent")) {
        (Some(name), _) => Parent::Named(name.str()?.to_owned()),
        (None, Some(at)) => Parent::At(at.integer()?),
        (None, None) => Parent::Missing,
    };
    let limits = axes(["limitWeightX", "limitWeightY", "limitWeightZ"])?;
    Ok(RawLocator {
        name: item.need("name")?.str()?.to_owned(),
        parent,
        offset: axes(["offsetX", "offsetY", "offsetZ"])?,
        global: axes(["globalX", "globalY", "globalZ"])?,
        locked: [flag("lockX")?, flag("lockY")?, flag("lockZ")?],
        weight: number("weight")?.unwrap_or(1.0),
        limit_weight: limits.map(|weight| weight.unwrap_or(0.0)),
        skin_offset: number("skinOffset")?.unwrap_or(0.0),
        attached_to_skin: flag("attachedToSkin")?,
        path: item.path.to_string(),
    })
}
