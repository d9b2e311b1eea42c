//! Wavefront OBJ: positions and polygons, which are cut into fans.

use super::Triangles;
use crate::error::{Error, Result};
use crate::io::text::Words;

pub(super) fn read(text: &str) -> Result<Triangles> {
    let mut triangles = Triangles::default();
    for (at, line) in text.lines().enumerate() {
        let mut words = Words::new(line);
        let number = at + 1;
        match words.next().map(|word| word.text) {
            Some("v") => {
                let mut vertex = [0.0; 3];
                for x in &mut vertex {
                    *x = words
                        .number("a coordinate")
                        .map_err(|error| on_line(error, number))?;
                }
                triangles.vertices.push(vertex);
            }
            Some("f") => {
                let mut corners = Vec::new();
                for word in words {
                    corners.push(vertex(word.text, triangles.vertices.len()).ok_or_else(|| {
                        let count = triangles.vertices.len();
                        let expected = format!("one of the {count} vertices so far");
                        on_line(word.wrong(expected), number)
                    })?);
                }
                for at in 1..corners.len().saturating_sub(1) {
                    triangles
                        .faces
                        .push([corners[0], corners[at], corners[at + 1]]);
                }
            }
            _ => {}
        }
    }
    Ok(triangles)
}

/// The vertex of a corner such as `7`, `7/1`, `7//3`, or `-1` for the last one.
fn vertex(corner: &str, count: usize) -> Option<u32> {
    let index: i64 = corner.split('/').next()?.parse().ok()?;
    let place = if index < 0 {
        (count as i64).checked_add(index)?
    } else {
        index - 1
    };
    u32::try_from(place)
        .ok()
        .filter(|&at| (at as usize) < count)
}

/// The words of one line count from 1.
fn on_line(error: Error, line: usize) -> Error {
    match error {
        Error::Format { expected, got, .. } => Error::format(format!("line {line}"), expected, got),
        other => other,
    }
}
