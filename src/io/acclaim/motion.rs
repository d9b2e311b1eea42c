//! What an AMC file stores: frames, and in each a row of numbers a bone.

use std::collections::HashMap;

use super::recipe::{Recipe, Slot};
use crate::error::{Error, Result};
use crate::io::Source;
use crate::io::source::shortened;

/// `(n_frames, n_parameters)` of a file; angles in radians, lengths times `length`.
pub(super) struct Frames {
    pub values: Vec<f64>,
    pub n_frames: usize,
}

/// Reads all frames. Each has to give every bone of the recipe once.
pub(super) fn read(
    text: &str,
    recipe: &Recipe,
    n_parameters: usize,
    length: f64,
    source: &Source<'_>,
) -> Result<Frames> {
    let rows = recipe.rows.iter().enumerate();
    let by_name: HashMap<&str, usize> = rows.map(|(at, row)| (row.bone.as_str(), at)).collect();
    let mut in_degrees = recipe.in_degrees;
    let (mut values, mut n_frames) = (Vec::new(), 0);
    // The frame in which a bone came last; how many came in this one.
    let mut seen = vec![0; recipe.rows.len()];
    let mut n_seen = 0;
    let complete = |seen: &[usize], n_frames: usize, n_seen: usize, line: usize| {
        if n_frames == 0 || n_seen == seen.len() {
            return Ok(());
        }
        let missing = recipe
            .rows
            .iter()
            .zip(seen)
            .find(|(_, last)| **last != n_frames);
        let missing = missing.map_or("", |(row, _)| &row.bone);
        let place = format!("line {line}, frame {n_frames}");
        let expected = format!(
            "a row of each bone that moves, '{}' too",
            shortened(missing)
        );
        Err(Error::format(
            place,
            expected,
            format!("{n_seen} of {}", seen.len()),
        ))
    };
    let mut done = 0;
    let mut last_line = 0;
    for (number, line) in (1..).zip(text.lines()) {
        done += line.len() + 1;
        last_line = number;
        let mut words = line.split_ascii_whitespace();
        let Some(first) = words.next().filter(|word| !word.starts_with('#')) else {
            continue;
        };
        if let Some(keyword) = first.strip_prefix(':') {
            match keyword.to_ascii_uppercase().as_str() {
                "DEGREES" => in_degrees = true,
                "RADIANS" => in_degrees = false,
                _ => {}
            }
            continue;
        }
        let wrong = |expected: String, got: &str| {
            let got = format!("{:?}", shortened(got));
            Err(Error::format(format!("line {number}"), expected, got))
        };
        if first.bytes().all(|byte| byte.is_ascii_digit()) && !by_name.contains_key(first) {
            complete(&seen, n_frames, n_seen, number)?;
            if by_name.is_empty() {
                return wrong("a skeleton with degrees of freedom".into(), line.trim());
            }
            source.progress.at(done, text.len())?;
            n_frames += 1;
            n_seen = 0;
            values.resize(n_frames * n_parameters, 0.0);
            continue;
        }
        let Some(&at) = by_name.get(first) else {
            return wrong(
                "a frame's number, or a bone of the skeleton that moves".into(),
                first,
            );
        };
        if n_frames == 0 {
            return wrong("the number of the first frame".into(), first);
        }
        if std::mem::replace(&mut seen[at], n_frames) == n_frames {
            return wrong(format!("each bone once in frame {n_frames}"), first);
        }
        n_seen += 1;
        let slots = &recipe.rows[at].slots;
        let angle = if in_degrees {
            std::f64::consts::PI / 180.0
        } else {
            1.0
        };
        let frame = &mut values[(n_frames - 1) * n_parameters..];
        for slot in slots {
            let word = words.next().unwrap_or_default();
            let parsed = fast_float2::parse::<f64, _>(word);
            let Some(value) = parsed.ok().filter(|value| value.is_finite()) else {
                return wrong(
                    format!("{} finite numbers after {first}", slots.len()),
                    line.trim(),
                );
            };
            match *slot {
                Slot::Length(column, rest) => frame[column] = (value - rest) * length,
                Slot::Angle(column) => frame[column] = value * angle,
                Slot::Nothing => {}
            }
        }
        if words.next().is_some() {
            return wrong(
                format!("{} numbers after {first}", slots.len()),
                line.trim(),
            );
        }
    }
    complete(&seen, n_frames, n_seen, last_line)?;
    Ok(Frames { values, n_frames })
}
