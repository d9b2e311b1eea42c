//! The text form (`.usda`): metadata, prims inside prims, and their properties.
//!
//! What no character needs (dictionaries, splines, the contents of variants) is passed over with its
//! brackets matched. Prims are read with a list of those that are open instead of by recursion.

mod metadata;
mod property;
mod scan;
mod values;

use super::layer::{Layer, Prim, Specifier};
use crate::error::{Error, Result};
use crate::io::{Progress, source::shortened};
use metadata::metadata;
use scan::Scanner;

/// What the first line begins with.
const MAGIC: &str = "#usda 1.";

/// Reads a layer.
///
/// # Errors
/// [`Error::Format`] with the line, what the format asks for and what is there.
pub(super) fn read(text: &str, progress: &Progress<'_>) -> Result<Layer> {
    if !text.starts_with(MAGIC) {
        let first = text.lines().next().unwrap_or_default();
        return Err(Error::format(
            "line 1",
            format!("'{MAGIC}0'"),
            format!("{:?}", shortened(first)),
        ));
    }
    let start = text.find('\n').unwrap_or(text.len());
    let mut scan = Scanner::new(text, start);
    let mut layer = Layer::default();
    layer.metadata = metadata(&mut scan)?;
    // The prims whose braces are open.
    let mut open = vec![0];
    while let Some(&inside) = open.last() {
        let is_root = open.len() == 1;
        match scan.peek() {
            None if is_root => break,
            Some(b'}') if !is_root => {
                scan.eat(b'}');
                open.pop();
                continue;
            }
            _ => {}
        }
        match scan.peek_word() {
            "def" | "over" | "class" => {
                let (done, total) = scan.position();
                progress.at(done, total)?;
                open.push(prim(&mut scan, &mut layer, inside)?);
            }
            "reorder" => reorder(&mut scan)?,
            "variantSet" if !is_root => variant_set(&mut scan, &mut layer, inside)?,
            _ if is_root => return Err(scan.wrong("a prim: def, over or class")),
            _ => property::read(&mut scan, &mut layer, inside)?,
        }
    }
    Ok(layer)
}

/// The head of a prim, up to its opening brace.
fn prim(scan: &mut Scanner<'_>, layer: &mut Layer, parent: usize) -> Result<usize> {
    let specifier = match scan.word() {
        "def" => Specifier::Def,
        "class" => Specifier::Class,
        _ => Specifier::Over,
    };
    let type_name = scan.word();
    let (at, _) = scan.position();
    let name = scan.string()?;
    let starts_well = name
        .chars()
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_');
    if !starts_well || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Err(Error::format(
            scan.location_of(at),
            "a prim's name of letters, digits and '_'",
            format!("{:?}", shortened(&name)),
        ));
    }
    let metadata = metadata(scan)?;
    scan.expect(b'{')?;
    let prim = Prim {
        name,
        specifier,
        type_name: type_name.into(),
        metadata,
        ..Prim::default()
    };
    layer.add(parent, prim, || scan.location_of(at))
}

/// The order of children or properties, which changes nothing here.
fn reorder(scan: &mut Scanner<'_>) -> Result<()> {
    scan.word();
    let what = scan.word();
    if !matches!(what, "nameChildren" | "properties" | "rootPrims" | "rel") {
        return Err(scan.wrong("'nameChildren' or 'properties' behind 'reorder'"));
    }
    if what == "rel" {
        scan.word();
    }
    scan.expect(b'=')?;
    scan.skip_value()
}

fn variant_set(scan: &mut Scanner<'_>, layer: &mut Layer, inside: usize) -> Result<()> {
    scan.word();
    scan.string()?;
    scan.expect(b'=')?;
    if scan.peek() != Some(b'{') {
        return Err(scan.wrong("the variants in braces"));
    }
    scan.skip_group()?;
    layer.leave_out("variants", inside);
    Ok(())
}
