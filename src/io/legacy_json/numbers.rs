//! Many numbers without a name for each: only the one that is wrong gets its place.

use serde_json::Value;

use crate::error::Result;
use crate::io::json::Item;

/// `N` single-precision numbers in each item of a list, one after the other.
pub(super) fn rows<const N: usize>(list: &Item<'_>) -> Result<Vec<f32>> {
    let rows = list
        .value
        .as_array()
        .ok_or_else(|| list.wrong("an array"))?;
    let mut all = Vec::with_capacity(N * rows.len());
    for (at, row) in rows.iter().enumerate() {
        match row.as_array() {
            Some(numbers) if numbers.len() == N => {
                for number in numbers {
                    all.push(single(number).ok_or_else(|| wrong_row::<N>(list, at, row))?);
                }
            }
            _ => return Err(wrong_row::<N>(list, at, row)),
        }
    }
    Ok(all)
}

/// A number as single precision holds it.
pub(super) fn single(number: &Value) -> Option<f32> {
    let number = number.as_f64()? as f32;
    number.is_finite().then_some(number)
}

fn wrong_row<const N: usize>(list: &Item<'_>, at: usize, row: &Value) -> crate::Error {
    let item = Item::new(row, format!("{}[{at}]", list.path));
    match item.numbers::<N>() {
        Err(error) => error,
        Ok(_) => item.wrong(format!("{N} numbers that single precision holds")),
    }
}

/// A list of indices below `count`, of things called `what`.
pub(super) fn indices(list: &Item<'_>, what: &str, count: usize) -> Result<Vec<u32>> {
    let items = list
        .value
        .as_array()
        .ok_or_else(|| list.wrong("an array"))?;
    let index = |(at, value): (usize, &Value)| {
        let quick = value.as_u64().and_then(|index| u32::try_from(index).ok());
        match quick {
            Some(index) if (index as usize) < count => Ok(index),
            _ => {
                let item = Item::new(value, format!("{}[{at}]", list.path));
                item.index(what, count).map(|index| index as u32)
            }
        }
    };
    items.iter().enumerate().map(index).collect()
}

/// Where each part of a list of `length` items called `what` begins, and where the last one ends: from 0, and
/// never back.
pub(super) fn offsets(list: &Item<'_>, what: &str, length: usize) -> Result<Vec<usize>> {
    let items = list
        .value
        .as_array()
        .ok_or_else(|| list.wrong("an array"))?;
    let mut offsets = Vec::with_capacity(items.len());
    let mut last = 0;
    for (at, value) in items.iter().enumerate() {
        let item = |value| Item::new(value, format!("{}[{at}]", list.path));
        let offset = match value
            .as_u64()
            .and_then(|offset| usize::try_from(offset).ok())
        {
            Some(offset) => offset,
            None => item(value).integer()?,
        };
        if offset < last || offset > length || (at == 0 && offset != 0) {
            let expected = match at {
                0 => "0".to_owned(),
                _ => format!("a place from {last} to {length} in the {what}"),
            };
            return Err(item(value).wrong(expected));
        }
        last = offset;
        offsets.push(offset);
    }
    Ok(offsets)
}
