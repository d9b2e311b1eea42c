//! What stands in parentheses behind a layer's first line, a prim and a property.

use std::sync::Arc;

use super::super::layer::Fields;
use super::super::value::Value;
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
        if LIST_EDITS.contains(&key) {
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
        } else {
            scan.skip_value()?;
            Value::Other
        };
        fields.insert(Arc::from(key), value);
    }
    Ok(fields)
}
