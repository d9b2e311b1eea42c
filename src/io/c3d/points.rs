//! What the samples of a point say.

use super::recording::Recording;

/// A point in one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub pos: [f64; 3],
    pub occluded: bool,
}

impl Point {
    /// From three coordinates and the number that is negative where the point was not seen.
    fn new(mut pos: [f64; 3], seen: f64) -> Self {
        let is_place = pos.iter().all(|x| x.is_finite());
        if !is_place {
            pos = [0.0; 3];
        }
        // Some programs leave what was not seen at zero.
        let is_stored = seen != 0.0 || pos != [0.0; 3];
        // A number that is none has not been seen either.
        let occluded = !(is_place && is_stored && seen >= 0.0);
        Self { pos, occluded }
    }
}

/// Reads the points of a frame into `points`.
pub(super) fn read(recording: &Recording<'_>, frame: &[u8], points: &mut Vec<Point>) {
    let processor = recording.processor;
    points.clear();
    match recording.scale {
        Some(scale) => points.extend(frame.as_chunks::<8>().0.iter().map(
            |&[a, b, c, d, e, f, mask, residual]| {
                let place = [[a, b], [c, d], [e, f]].map(|word| f64::from(processor.integer(word)));
                let seen = processor.integer([mask, residual]);
                Point::new(place.map(|x| x * scale), seen.into())
            },
        )),
        None => points.extend(frame.as_chunks::<16>().0.iter().map(|bytes| {
            let [x, y, z, seen] = std::array::from_fn(|at| {
                let at = 4 * at;
                processor.real([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
            });
            Point::new([x, y, z], seen)
        })),
    }
}
