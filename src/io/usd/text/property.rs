//! Attributes and relationships in the text form.

use std::sync::Arc;

use super::super::layer::{Layer, Property};
use super::super::types::Shape;
use super::super::value::Value;
use super::metadata::{LIST_EDITS, metadata};
use super::scan::Scanner;
use super::values::value;
use crate::error::{Error, Result};

/// Reads one property of a prim.
pub(super) fn read(scan: &mut Scanner<'_>, layer: &mut Layer, inside: usize) -> Result<()> {
    let mut word = scan.word();
    let custom = word == "custom";
    if custom {
        word = scan.word();
    }
    let edit = LIST_EDITS.contains(&word).then_some(word);
    if edit.is_some() {
        word = scan.word();
    }
    if matches!(word, "uniform" | "varying" | "config") {
        word = scan.word();
    }
    if word.is_empty() {
        return Err(scan.wrong("a property or a prim"));
    }
    if word == "rel" {
        return relationship(scan, layer, inside, edit == Some("delete"));
    }
    let Some(shape) = Shape::of(word) else {
        return Err(Error::format(
            scan.location(),
            "the type of an attribute, or 'rel'",
            format!("'{word}'"),
        ));
    };
    let is_array = scan.eat(b'[');
    if is_array {
        scan.expect(b']')?;
    }
    let type_name: Arc<str> = if is_array {
        format!("{word}[]").into()
    } else {
        word.into()
    };
    attribute(
        scan,
        layer,
        inside,
        edit.is_some(),
        type_name,
        (shape, is_array),
    )
}

fn attribute(
    scan: &mut Scanner<'_>,
    layer: &mut Layer,
    inside: usize,
    is_edit: bool,
    type_name: Arc<str>,
    (shape, is_array): (Shape, bool),
) -> Result<()> {
    let whole = scan.word();
    let (name, suffix) = whole.split_once('.').unwrap_or((whole, ""));
    if name.is_empty() {
        return Err(scan.wrong("the name of an attribute"));
    }
    if is_edit && suffix != "connect" {
        return Err(scan.wrong("'.connect' of an attribute whose list of connections is changed"));
    }
    let mut found = Property {
        type_name,
        ..Property::default()
    };
    if scan.eat(b'=') {
        match suffix {
            "" | "default" => found.default = Some(value(scan, shape, is_array)?),
            "timeSamples" => found.samples = samples(scan, shape, is_array)?,
            "connect" => scan.skip_value()?,
            "spline" => {
                scan.skip_value()?;
                layer.leave_out("splines", inside);
            }
            other => {
                return Err(scan.wrong(format!(
                    "an attribute's value, '.timeSamples' or '.connect', not '.{other}'"
                )));
            }
        }
    }
    found.metadata = metadata(scan)?;
    // An attribute may be spoken of several times: its value, its samples, its connections.
    let own = &mut layer.prims[inside].properties;
    let property = own.entry(Arc::from(name)).or_default();
    property.type_name = found.type_name;
    property.default = found.default.or(property.default.take());
    if !found.samples.is_empty() {
        property.samples = found.samples;
    }
    property.metadata.append(&mut found.metadata);
    Ok(())
}

/// `{ time: value, ... }`, in any order; of two at one time the later one counts.
fn samples(scan: &mut Scanner<'_>, shape: Shape, is_array: bool) -> Result<Vec<(f64, Value)>> {
    let mut samples = Vec::new();
    scan.expect(b'{')?;
    while !scan.eat(b'}') {
        let time = scan.number()?;
        if !time.is_finite() {
            return Err(scan.wrong("a finite time before this"));
        }
        scan.expect(b':')?;
        samples.push((time, value(scan, shape, is_array)?));
        if !scan.eat(b',') {
            scan.expect(b'}')?;
            break;
        }
    }
    samples.sort_by(|left, right| left.0.total_cmp(&right.0));
    samples.reverse();
    samples.dedup_by(|later, earlier| later.0 == earlier.0);
    samples.reverse();
    Ok(samples)
}

fn relationship(
    scan: &mut Scanner<'_>,
    layer: &mut Layer,
    inside: usize,
    is_deleted: bool,
) -> Result<()> {
    let name = scan.word();
    if name.is_empty() {
        return Err(scan.wrong("the name of a relationship"));
    }
    let mut targets = Vec::new();
    if scan.eat(b'=') {
        if scan.peek_word() == "None" {
            scan.word();
        } else if scan.eat(b'[') {
            while !scan.eat(b']') {
                targets.push(scan.path()?);
                if !scan.eat(b',') {
                    scan.expect(b']')?;
                    break;
                }
            }
        } else {
            targets.push(scan.path()?);
        }
    }
    let mut fields = metadata(scan)?;
    let own = &mut layer.prims[inside].properties;
    let property = own.entry(Arc::from(name)).or_default();
    if !is_deleted {
        property.targets.append(&mut targets);
    }
    property.metadata.append(&mut fields);
    Ok(())
}
