//! What stands in parentheses behind a layer's first line, a prim and a property.

use std::sync::Arc;

use super::super::layer::Fields;
use super::super::value::{Reach, Value};
use super::scan::Scanner;
use crate::error::Result;

/// Words that say how a list is changed.
pub(super) const LIST_EDITS: [&str; 5] = ["add", "append", "delete", "prepend", "reorder"];

/// Metadata that readers look at, as numbers or texts; of all other only the name is kept.
const NUMBERS: [&str; 9] = [
    "active",
    "elementSize",
    "endTimeCode",
    "framesPerSecond",
    "instanceable",
    "metersPerUnit",
    "startTimeCode",
    "timeCodesPerSecond",
    "weight",
];
const TEXTS: [&str; 4] = ["defaultPrim", "interpolation", "kind", "upAxis"];

/// Metadata that brings in layers and prims.
const REACHES: [&str; 5] = [
    "inherits",
    "payload",
    "references",
    "specializes",
    "subLayers",
];

/// Reads metadata where there is any.
pub(super) fn metadata(scan: &mut Scanner<'_>) -> Result<Fields> {
    let mut fields = Fields::new();
    if !scan.eat(b'(') {
        return Ok(fields);
    }
    while !scan.eat(b')') {
        // A comment that is kept.
        if scan.is_string() {
            scan.string()?;
            continue;
        }
        let mut key = scan.word();
        let edit = LIST_EDITS.contains(&key).then_some(key);
        if edit.is_some() {
            key = scan.word();
        }
        if key.is_empty() {
            return Err(scan.wrong("the name of a piece of metadata"));
        }
        scan.expect(b'=')?;
        let value = if NUMBERS.contains(&key) {
            Value::numbers(vec![scan.number()?], 1)
        } else if TEXTS.contains(&key) {
            Value::text(scan.string()?)
        } else if REACHES.contains(&key) {
            let mut found = reaches(scan)?;
            if matches!(edit, Some("delete" | "reorder")) {
                continue;
            }
            // Several edits of one list make one list.
            if let Some(Value::Reaches(known)) = fields.get(key) {
                let at = if edit == Some("prepend") {
                    found.len()
                } else {
                    0
                };
                found.splice(at..at, known.iter().cloned());
            }
            Value::Reaches(Arc::new(found))
        } else {
            scan.skip_value()?;
            Value::Other
        };
        fields.insert(Arc::from(key), value);
    }
    Ok(fields)
}

/// One reach, or many in brackets.
fn reaches(scan: &mut Scanner<'_>) -> Result<Vec<Reach>> {
    let mut found = Vec::new();
    if scan.peek_word() == "None" {
        scan.word();
        return Ok(found);
    }
    if !scan.eat(b'[') {
        found.push(reach(scan)?);
        return Ok(found);
    }
    while !scan.eat(b']') {
        found.push(reach(scan)?);
        if !scan.eat(b',') {
            scan.expect(b']')?;
            break;
        }
    }
    Ok(found)
}

/// `@file@`, `</path>` or both, then perhaps the clock in parentheses.
fn reach(scan: &mut Scanner<'_>) -> Result<Reach> {
    let mut found = Reach {
        asset: Arc::default(),
        prim: Arc::default(),
        clock: [0.0, 1.0],
    };
    let has_asset = scan.peek() == Some(b'@');
    if has_asset {
        found.asset = scan.asset()?;
    }
    if !has_asset || scan.peek() == Some(b'<') {
        found.prim = scan.path()?;
    }
    if scan.eat(b'(') {
        while !scan.eat(b')') {
            let key = scan.word();
            let place = ["offset", "scale"].iter().position(|own| *own == key);
            if place.is_none() && key != "customData" {
                return Err(scan.wrong("'offset', 'scale' or 'customData'"));
            }
            scan.expect(b'=')?;
            match place {
                Some(place) => found.clock[place] = scan.number()?,
                None => scan.skip_value()?,
            }
            scan.eat(b';');
        }
    }
    Ok(found)
}
