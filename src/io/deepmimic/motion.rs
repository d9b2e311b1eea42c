//! The motion file, into the parameters of a character.

use nalgebra::{Quaternion, UnitQuaternion};
use serde::Deserialize;

use super::skeleton::json_error;
use crate::character::{Character, PARAMETERS_PER_JOINT};
use crate::error::{Error, Result};
use crate::io::Source;
use crate::io::angles::{euler_near, matrix};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MotionFile {
    frames: Vec<Vec<f64>>,
}

/// No frame lasts longer, in seconds; the sum of many stays a number.
const LONGEST: f64 = 1e9;

/// What a joint's numbers are, and the columns they go to.
enum Part {
    Position([usize; 3]),
    Quaternion([usize; 3]),
    Angle(usize),
}

pub(super) struct Frames {
    pub values: Vec<f64>,
    pub durations: Vec<f64>,
}

/// Reads all frames.
pub(super) fn read(source: &Source<'_>, character: &Character) -> Result<Frames> {
    let text = source.text();
    let file: MotionFile = serde_json::from_str(&text).map_err(|error| json_error(&error))?;
    let parts = parts(character)?;
    let count = |part: &Part| match part {
        Part::Position(_) => 3,
        Part::Quaternion(_) => 4,
        Part::Angle(_) => 1,
    };
    let n_numbers: usize = 1 + parts.iter().map(count).sum::<usize>();
    let n_columns = character.parameter_transform.len();
    let length = character.unit.per_meter();
    let (mut values, mut durations) = (Vec::new(), Vec::new());
    let mut previous = vec![[0.0; 3]; parts.len()];
    for (at, frame) in file.frames.iter().enumerate() {
        source.progress.at(at, file.frames.len())?;
        let place = format!("Frames[{at}]");
        if frame.len() != n_numbers {
            let expected = format!("{n_numbers} numbers, for the joints of the skeleton");
            return Err(Error::format(place, expected, frame.len()));
        }
        let mut numbers = frame.iter().copied();
        let mut next = || numbers.next().unwrap_or_default();
        let duration = next();
        if !(0.0..=LONGEST).contains(&duration) {
            return Err(Error::format(
                format!("{place}[0]"),
                "a duration in seconds",
                duration,
            ));
        }
        durations.push(duration);
        let start = values.len();
        values.resize(start + n_columns, 0.0);
        let row = &mut values[start..];
        for (part, previous) in parts.iter().zip(&mut previous) {
            match *part {
                Part::Position(columns) => columns.iter().for_each(|&at| row[at] = next() * length),
                Part::Angle(column) => row[column] = next(),
                Part::Quaternion(columns) => {
                    let q = Quaternion::new(next(), next(), next(), next());
                    let unit = UnitQuaternion::try_new(q, 1e-6).ok_or_else(|| {
                        Error::format(&place, "quaternions of unit length", "one of length 0")
                    })?;
                    *previous = euler_near(&matrix(&unit), *previous);
                    columns
                        .iter()
                        .zip(*previous)
                        .for_each(|(&at, angle)| row[at] = angle);
                }
            }
        }
    }
    Ok(Frames { values, durations })
}

fn parts(character: &Character) -> Result<Vec<Part>> {
    let transform = &character.parameter_transform;
    let mut parts = Vec::new();
    for (at, joint) in character.skeleton.joints().iter().enumerate() {
        let column = |parameter: usize| {
            let mut entries = transform.row(at * PARAMETERS_PER_JOINT + parameter);
            match (entries.next(), entries.next()) {
                (Some((column, 1.0)), None) => Some(column),
                _ => None,
            }
        };
        let columns: [Option<usize>; 6] = std::array::from_fn(column);
        match (at, columns) {
            (0, [Some(x), Some(y), Some(z), Some(rx), Some(ry), Some(rz)]) => {
                parts.push(Part::Position([x, y, z]));
                parts.push(Part::Quaternion([rx, ry, rz]));
            }
            (1.., [None, None, None, Some(rx), Some(ry), Some(rz)]) => {
                parts.push(Part::Quaternion([rx, ry, rz]));
            }
            (1.., [None, None, None, None, None, Some(rz)]) => parts.push(Part::Angle(rz)),
            (1.., [None, None, None, None, None, None]) => {}
            _ => {
                let place = format!("character: joint '{}'", joint.name);
                let expected = "parameters of its own for six degrees of freedom of the root, and rx ry \
                                rz, rz or none of each other joint";
                return Err(Error::format(place, expected, "others"));
            }
        }
    }
    Ok(parts)
}
