//! Values of attributes in the text form.

use std::sync::Arc;

use super::super::types::Shape;
use super::super::value::Value;
use super::scan::Scanner;
use crate::error::Result;

/// Reads the value of an attribute of this type.
pub(super) fn value(scan: &mut Scanner<'_>, shape: Shape, is_array: bool) -> Result<Value> {
    if scan.peek_word() == "None" {
        scan.word();
        return Ok(Value::Blocked);
    }
    if shape == Shape::Opaque {
        scan.skip_value()?;
        return Ok(Value::Other);
    }
    if shape == Shape::Text {
        let mut texts = Vec::new();
        list(scan, is_array, |scan| {
            let is_asset = scan.peek() == Some(b'@');
            texts.push(if is_asset {
                scan.asset()?
            } else {
                scan.string()?
            });
            Ok(())
        })?;
        return Ok(Value::Texts(Arc::new(texts)));
    }
    let mut values = Vec::new();
    list(scan, is_array, |scan| element(scan, shape, &mut values))?;
    values.shrink_to_fit();
    let width = match shape {
        Shape::Tuple(width) => width,
        Shape::Matrix(rows) => rows * rows,
        _ => 4,
    };
    Ok(Value::numbers(values, width))
}

/// One element, or many in brackets.
fn list(
    scan: &mut Scanner<'_>,
    is_array: bool,
    mut element: impl FnMut(&mut Scanner<'_>) -> Result<()>,
) -> Result<()> {
    if !is_array {
        return element(scan);
    }
    scan.expect(b'[')?;
    while !scan.eat(b']') {
        element(scan)?;
        if !scan.eat(b',') {
            scan.expect(b']')?;
            break;
        }
    }
    Ok(())
}

fn element(scan: &mut Scanner<'_>, shape: Shape, values: &mut Vec<f64>) -> Result<()> {
    match shape {
        Shape::Tuple(1) => values.push(scan.number()?),
        Shape::Tuple(width) => tuple(scan, width, values)?,
        Shape::Matrix(rows) => {
            scan.expect(b'(')?;
            for row in 0..rows {
                tuple(scan, rows, values)?;
                if row + 1 < rows {
                    scan.expect(b',')?;
                }
            }
            scan.eat(b',');
            scan.expect(b')')?;
        }
        _ => {
            // Written with the real part first.
            tuple(scan, 4, values)?;
            if let Some(last) = values.last_chunk_mut::<4>() {
                last.rotate_left(1);
            }
        }
    }
    Ok(())
}

fn tuple(scan: &mut Scanner<'_>, width: usize, values: &mut Vec<f64>) -> Result<()> {
    scan.expect(b'(')?;
    for at in 0..width {
        values.push(scan.number()?);
        if at + 1 < width && !scan.eat(b',') {
            return Err(scan.wrong(format!("{width} numbers in a tuple, separated by ','")));
        }
    }
    scan.eat(b',');
    if scan.eat(b')') {
        return Ok(());
    }
    Err(scan.wrong(format!("{width} numbers in a tuple, then ')'")))
}
