//! PyMomentum's binary file of blend shapes, little-endian:
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | numbers in a shape, `3 · n_vertices`, as a 64-bit integer |
//! | 8 | the number of shapes, likewise |
//! | 4 each | the base shape, float32; only where shapes have one |
//! | 4 each | the displacements, float32, shape after shape |
//!
//! It has no names. We put them behind the numbers, where PyMomentum does not look: [`NAMES`], then a
//! JSON list.

use crate::character::{BlendShape, BlendShapeBase, Reals};
use crate::error::{Error, Result};

/// Says that names follow.
const NAMES: &[u8; 8] = b"KA:names";
/// Both sizes.
const HEADER: usize = 16;

/// How much of the shapes to keep; `None` is all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Keep {
    /// At most this many shapes, the first ones.
    pub shapes: Option<usize>,
    /// At most this many vertices, the first ones.
    pub vertices: Option<usize>,
}

/// Names for shapes that have none.
#[must_use]
pub fn generated_names(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("shape_{index}")).collect()
}

/// The bytes of displacements by themselves; numbers in double precision are rounded to single.
#[must_use]
pub fn write_offsets(shape: &BlendShapeBase) -> Vec<u8> {
    write(None, shape)
}

/// The bytes of displacements on a base; numbers in double precision are rounded to single.
#[must_use]
pub fn write_whole(shape: &BlendShape) -> Vec<u8> {
    write(Some(shape.base()), shape.offsets())
}

fn write(base: Option<&Reals>, offsets: &BlendShapeBase) -> Vec<u8> {
    let sizes = [3 * offsets.n_vertices(), offsets.n_shapes()];
    let mut bytes: Vec<u8> = sizes
        .iter()
        .flat_map(|&size| (size as u64).to_le_bytes())
        .collect();
    for numbers in base.into_iter().chain([offsets.displacements()]) {
        bytes.extend(numbers.iter().flat_map(|x| (x as f32).to_le_bytes()));
    }
    if offsets.names() != generated_names(offsets.n_shapes()) {
        bytes.extend(NAMES);
        bytes.extend(serde_json::json!(offsets.names()).to_string().into_bytes());
    }
    bytes
}

/// Reads displacements by themselves.
///
/// # Errors
/// [`Error::Format`] where the bytes are something else, also displacements on a base.
pub fn read_offsets(bytes: &[u8], keep: Keep) -> Result<BlendShapeBase> {
    let (_, names, n_vertices, displacements) = read(bytes, false, keep)?;
    BlendShapeBase::new(names, n_vertices, displacements.into())
}

/// Reads displacements on a base.
///
/// # Errors
/// [`Error::Format`] where the bytes are something else, also displacements without a base.
pub fn read_whole(bytes: &[u8], keep: Keep) -> Result<BlendShape> {
    let (base, names, _, displacements) = read(bytes, true, keep)?;
    BlendShape::new(names, base.into(), displacements.into())
}

type Read = (Vec<f32>, Vec<String>, usize, Vec<f32>);

fn read(bytes: &[u8], with_base: bool, keep: Keep) -> Result<Read> {
    let got = |what: &str| format!("{} bytes{what}", bytes.len());
    let (header, rest) = bytes
        .split_at_checked(HEADER)
        .ok_or_else(|| Error::format("byte 0", "two 64-bit sizes", got("")))?;
    let size = |at: usize| {
        let size = header[at..at + 8].try_into().map(u64::from_le_bytes);
        size.ok().and_then(|size| usize::try_from(size).ok())
    };
    let rows = usize::from(with_base);
    let counted = size(0).zip(size(8)).and_then(|(length, n_shapes)| {
        let whole = n_shapes.checked_add(rows)?.checked_mul(length)?;
        Some((length, n_shapes, whole.checked_mul(4)?))
    });
    let expected = || match counted {
        Some((length, n_shapes, whole)) => format!(
            "{whole} bytes of {n_shapes} shapes of {length} numbers {} a base",
            if with_base { "with" } else { "without" }
        ),
        None => "sizes that a file can have".into(),
    };
    let wrong = || Error::format("byte 16", expected(), got(" in all"));
    let (length, n_shapes, whole) = counted.ok_or_else(wrong)?;
    let (numbers, names) = rest.split_at_checked(whole).ok_or_else(wrong)?;
    if !length.is_multiple_of(3) {
        return Err(Error::format("byte 0", "a multiple of 3", length));
    }
    // Shapes of no numbers take no bytes: any count could be claimed.
    if length == 0 && n_shapes > bytes.len() {
        return Err(wrong());
    }
    let names = match names.strip_prefix(NAMES) {
        Some(text) => serde_json::from_slice::<Vec<String>>(text)
            .ok()
            .filter(|names| names.len() == n_shapes)
            .ok_or_else(|| {
                let at = format!("byte {}", HEADER + whole);
                Error::format(at, format!("a JSON list of {n_shapes} names"), "another")
            })?,
        None if names.is_empty() => generated_names(n_shapes),
        None => return Err(wrong()),
    };
    let n_vertices = length / 3;
    let kept_shapes = keep.shapes.map_or(n_shapes, |keep| keep.min(n_shapes));
    let kept_vertices = keep
        .vertices
        .map_or(n_vertices, |keep| keep.min(n_vertices));
    let (numbers, _) = numbers.as_chunks::<4>();
    let row = |index: usize| {
        let row = &numbers[index * length..][..3 * kept_vertices];
        row.iter().map(|&bytes| f32::from_le_bytes(bytes))
    };
    let base = if with_base {
        row(0).collect()
    } else {
        Vec::new()
    };
    let displacements = (rows..rows + kept_shapes).flat_map(row).collect();
    let names = names.into_iter().take(kept_shapes).collect();
    Ok((base, names, kept_vertices, displacements))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(names: &[&str]) -> BlendShape {
        let names: Vec<String> = names.iter().map(|&name| name.into()).collect();
        let rows: Vec<f32> = (0..6 * names.len()).map(|at| at as f32).collect();
        let base = (0..6).map(|at| -at as f32).collect::<Vec<f32>>();
        BlendShape::new(names, base.into(), rows.into()).unwrap()
    }

    #[test]
    fn shapes_come_back_with_their_names() {
        let shape = shape(&["smile", "frown", "\"日本\""]);
        let all = Keep::default();
        assert_eq!(read_whole(&write_whole(&shape), all).unwrap(), shape);
        let offsets = shape.offsets();
        assert_eq!(
            &read_offsets(&write_offsets(offsets), all).unwrap(),
            &**offsets
        );
    }

    #[test]
    fn generated_names_need_no_room() {
        let bytes = write_whole(&shape(&["shape_0", "shape_1"]));
        assert_eq!(bytes.len(), 16 + 4 * 6 * 3);
        assert_eq!(
            bytes[..16],
            [6, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]
        );
    }

    #[test]
    fn the_first_shapes_and_vertices_are_kept() {
        let keep = Keep {
            shapes: Some(1),
            vertices: Some(1),
        };
        let read = read_whole(&write_whole(&shape(&["a", "b"])), keep).unwrap();
        assert_eq!(read.names(), ["a"]);
        assert_eq!(read.base().as_f32(), [0.0, -1.0, -2.0]);
        assert_eq!(read.displacements().as_f32(), [0.0, 1.0, 2.0]);
    }

    #[test]
    fn other_bytes_are_refused() {
        let good = write_whole(&shape(&["a", "b"]));
        for end in 0..good.len() {
            assert!(read_whole(&good[..end], Keep::default()).is_err() || end == 16 + 72);
        }
        let error = read_offsets(&good, Keep::default()).unwrap_err();
        assert!(error.to_string().contains("without a base"), "{error}");
        assert!(read_whole(&[0xff; 40], Keep::default()).is_err());
        let endless = [[0; 8], [0xff; 8]].concat();
        assert!(read_whole(&endless, Keep::default()).is_err());
        let mut odd = vec![0; 16];
        odd[0] = 1;
        let error = read_offsets(&odd, Keep::default()).unwrap_err();
        assert!(error.to_string().contains("multiple of 3"), "{error}");
    }
}
