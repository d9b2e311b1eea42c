//! STL, binary and ASCII. Corners at one place are one vertex.

use std::collections::HashMap;

use super::Triangles;
use crate::error::{Error, Result};
use crate::io::Source;
use crate::io::text::Words;

const HEADER: usize = 84;
const RECORD: usize = 50;

pub(super) fn read(bytes: &[u8]) -> Result<Triangles> {
    let count = bytes
        .get(80..HEADER)
        .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize);
    let is_binary = count.is_some_and(|count| {
        count
            .checked_mul(RECORD)
            .and_then(|size| size.checked_add(HEADER))
            == Some(bytes.len())
    });
    if is_binary || !bytes.trim_ascii_start().starts_with(b"solid") {
        return binary(bytes, count.unwrap_or_default());
    }
    ascii(&Source::from_bytes(bytes).text())
}

/// Corners, put together where they are the same.
#[derive(Default)]
struct Corners {
    triangles: Triangles,
    places: HashMap<[u32; 3], u32>,
}

impl Corners {
    fn add(&mut self, corners: [[f32; 3]; 3], place: impl Fn() -> String) -> Result<()> {
        let mut face = [0; 3];
        for (vertex, corner) in face.iter_mut().zip(corners) {
            if corner.iter().any(|x| !x.is_finite()) {
                return Err(Error::format(
                    place(),
                    "finite numbers",
                    format!("{corner:?}"),
                ));
            }
            // Zero and minus zero are one place.
            let key = corner.map(|x| (x + 0.0).to_bits());
            let vertices = &mut self.triangles.vertices;
            *vertex = *self.places.entry(key).or_insert_with(|| {
                vertices.push(corner.map(f64::from));
                vertices.len() as u32 - 1
            });
        }
        self.triangles.faces.push(face);
        Ok(())
    }
}

fn binary(bytes: &[u8], count: usize) -> Result<Triangles> {
    let there = bytes.len().saturating_sub(HEADER) / RECORD;
    if bytes.len() < HEADER || there < count {
        return Err(Error::format(
            "offset 80",
            format!("at most the {there} triangles that are there"),
            count,
        ));
    }
    let mut corners = Corners::default();
    for (at, record) in bytes[HEADER..].chunks_exact(RECORD).take(count).enumerate() {
        let number = |at: usize| {
            let b = &record[at..at + 4];
            f32::from_le_bytes([b[0], b[1], b[2], b[3]])
        };
        let corner = |c: usize| std::array::from_fn(|axis| number(12 + 12 * c + 4 * axis));
        let place = || format!("offset {}", HEADER + RECORD * at);
        corners.add([corner(0), corner(1), corner(2)], place)?;
    }
    Ok(corners.triangles)
}

fn ascii(text: &str) -> Result<Triangles> {
    let mut words = Words::new(text);
    words.expect("solid")?;
    words.rest_of_line();
    let mut corners = Corners::default();
    while let Some(word) = words.peek() {
        if word.text.eq_ignore_ascii_case("endsolid") {
            words.next();
            words.rest_of_line();
            continue;
        }
        if word.text.eq_ignore_ascii_case("solid") {
            words.next();
            words.rest_of_line();
            continue;
        }
        words.expect("facet")?;
        words.expect("normal")?;
        for _ in 0..3 {
            words.need("a number")?;
        }
        words.expect("outer")?;
        words.expect("loop")?;
        let mut face = [[0.0; 3]; 3];
        for corner in &mut face {
            words.expect("vertex")?;
            for x in corner {
                *x = words.number("a number")? as f32;
            }
        }
        words.expect("endloop")?;
        words.expect("endfacet")?;
        corners.add(face, || format!("line {}", word.line))?;
    }
    Ok(corners.triangles)
}
