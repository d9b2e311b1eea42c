//! MSH, MuJoCo's own binary meshes: four counts, then positions, normals, texture coordinates and faces.

use super::Triangles;
use crate::error::{Error, Result};

const HEADER: usize = 16;

pub(super) fn read(bytes: &[u8]) -> Result<Triangles> {
    let (words, rest) = bytes.as_chunks::<4>();
    let wrong = |expected: &str, got: &dyn std::fmt::Display| {
        Err(Error::format("the header", expected, got))
    };
    let [vertices, normals, coordinates, faces, data @ ..] = words else {
        return wrong("four counts", &format!("{} bytes", bytes.len()));
    };
    let counts = [vertices, normals, coordinates, faces].map(|word| i32::from_le_bytes(*word));
    let sizes = counts.map(|count| usize::try_from(count).ok());
    let [
        Some(vertices),
        Some(normals),
        Some(coordinates),
        Some(faces),
    ] = sizes
    else {
        return wrong("counts of 0 or more", &format!("{counts:?}"));
    };
    // Each below 2^31, so that sums of a few fit.
    let total =
        3 * vertices as u64 + 3 * normals as u64 + 2 * coordinates as u64 + 3 * faces as u64;
    if total != data.len() as u64 || !rest.is_empty() {
        let expected = format!("{} bytes after it, as the counts say", 4 * total);
        return wrong(&expected, &bytes.len().saturating_sub(HEADER));
    }
    let positions = data.iter().take(3 * vertices);
    let positions: Vec<f64> = positions
        .map(|word| f64::from(f32::from_le_bytes(*word)))
        .collect();
    if positions.iter().any(|x| !x.is_finite()) {
        return Err(Error::format("the positions", "finite numbers", "others"));
    }
    let first_face = 3 * vertices + 3 * normals + 2 * coordinates;
    let corners: Vec<u32> = data[first_face..]
        .iter()
        .map(|word| u32::from_le_bytes(*word))
        .collect();
    if let Some(corner) = corners.iter().find(|&&corner| corner as usize >= vertices) {
        let expected = format!("numbers of the {vertices} vertices");
        return Err(Error::format("the faces", expected, corner));
    }
    Ok(Triangles {
        vertices: positions.as_chunks().0.to_vec(),
        faces: corners.as_chunks().0.to_vec(),
    })
}
