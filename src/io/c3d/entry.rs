//! From bytes to the markers of each subject.

use std::collections::HashMap;

use super::header;
use super::parameters::Parameters;
use super::points::{self, Point};
use super::recording::Recording;
use crate::character::{MarkerSequence, MarkerSequenceParts};
use crate::error::{Error, Result};
use crate::io::{LoadOptions, Loaded, Markers, Source, Up, unit_word};

/// How many parameters for labels there may be: each has up to 255, and no frame more than 65535 points.
const MOST_LABELS: usize = 258;

/// Reads the points, a sequence for each subject.
///
/// # Errors
/// [`Error::Format`] naming the byte or the parameter, what was expected and what was found.
pub fn load_markers(source: &Source<'_>, options: &LoadOptions) -> Result<Loaded<Markers>> {
    let bytes = source.bytes();
    let mut warnings = Vec::new();
    let header = header::read(bytes)?;
    let parameters = Parameters::read(bytes, &header)?;
    let recording = Recording::new(bytes, &header, &parameters, &mut warnings)?;
    let word = parameters.text("POINT", "UNITS").unwrap_or_default();
    let metres = unit_word::of_file(&word, "POINT:UNITS", options)?;
    let up = up(&parameters, &mut warnings);
    let (unit, factor) = unit_word::nearest(metres);
    let mut subjects = subjects(labels(&parameters, recording.n_points), &recording);
    for subject in &mut subjects {
        let size = recording.n_frames * subject.points.len();
        subject.parts.positions = Error::reserve("positions", size)?;
        subject.parts.occluded = Error::reserve("occluded", size)?;
    }
    let mut frame_points: Vec<Point> = Vec::with_capacity(recording.n_points);
    for (at, frame) in recording.frames().enumerate() {
        source.progress.at(at, recording.n_frames)?;
        points::read(&recording, frame, &mut frame_points);
        for subject in &mut subjects {
            let own = subject.points.iter().filter_map(|&at| frame_points.get(at));
            for point in own {
                subject.parts.positions.push(point.pos.map(|x| x * factor));
                subject.parts.occluded.push(point.occluded);
            }
        }
    }
    left_out(&parameters, &recording, &mut warnings);
    let sequences = subjects.into_iter().map(|subject| {
        let mut parts = subject.parts;
        parts.confidence = vec![1.0; parts.positions.len()];
        MarkerSequence::new(parts)
    });
    Ok(Loaded {
        value: Markers {
            sequences: sequences.collect::<Result<_>>()?,
            unit,
        },
        up,
        warnings,
    })
}

/// The axis that points up on the screen.
fn up(parameters: &Parameters<'_>, warnings: &mut Vec<String>) -> Up {
    let word = parameters.text("POINT", "Y_SCREEN").unwrap_or_default();
    if word.is_empty() {
        return Up::Z;
    }
    let up = Up::parse(word.trim_start_matches(['+', '-']));
    if up.is_err() || word.starts_with('-') {
        let letter = match up {
            Ok(Up::X) => 'x',
            Ok(Up::Y) => 'y',
            _ => 'z',
        };
        warnings.push(format!(
            "POINT:Y_SCREEN is {word:?}: +{letter} is taken to point up"
        ));
    }
    up.unwrap_or(Up::Z)
}

/// The label of each point.
fn labels(parameters: &Parameters<'_>, n_points: usize) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for part in 1..=MOST_LABELS {
        let name = match part {
            1 => "LABELS".to_owned(),
            _ => format!("LABELS{part}"),
        };
        match parameters.get("POINT", &name) {
            Some(parameter) if labels.len() < n_points => {
                labels.extend(parameter.texts().take(n_points - labels.len()));
            }
            _ => break,
        }
    }
    // A point is there even where its name is not.
    labels.resize(n_points, String::new());
    for (at, label) in labels.iter_mut().enumerate() {
        if label.is_empty() {
            *label = format!("unlabeled_{}", at + 1);
        }
    }
    labels
}

/// A subject and which points are its own.
struct Subject {
    points: Vec<usize>,
    parts: MarkerSequenceParts,
}

/// The subjects, in the order of their first points.
fn subjects(labels: Vec<String>, recording: &Recording<'_>) -> Vec<Subject> {
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut subjects: Vec<Subject> = Vec::new();
    for (point, label) in labels.into_iter().enumerate() {
        let (name, label) = match label.split_once(':') {
            Some((name, label)) if !label.is_empty() => (name, label),
            _ => ("", &label[..]),
        };
        let at = match known.get(name) {
            Some(&at) => at,
            None => {
                known.insert(name.to_owned(), subjects.len());
                subjects.push(Subject {
                    points: Vec::new(),
                    parts: MarkerSequenceParts {
                        name: name.to_owned(),
                        fps: recording.rate,
                        start_time: recording.first.saturating_sub(1) as f64 / recording.rate,
                        n_frames: recording.n_frames,
                        ..MarkerSequenceParts::default()
                    },
                });
                subjects.len() - 1
            }
        };
        if let Some(subject) = subjects.get_mut(at) {
            subject.points.push(point);
            subject.parts.marker_names.push(label.to_owned());
        }
    }
    subjects
}

/// Says what else the file holds.
fn left_out(parameters: &Parameters<'_>, recording: &Recording<'_>, warnings: &mut Vec<String>) {
    let used = |group| parameters.count(group, "USED").unwrap_or(0);
    let n_analog = match used("ANALOG") {
        0 => recording.n_analog,
        count => count,
    };
    let mut parts: Vec<String> = [
        (n_analog.min(recording.n_analog), "analog channels"),
        (used("FORCE_PLATFORM"), "force plates"),
        (used("ROTATION"), "rotations"),
        (used("EVENT"), "events"),
    ]
    .iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    if let Some(last) = parts.pop() {
        let first = parts.join(", ");
        let and = if first.is_empty() { "" } else { " and " };
        warnings.push(format!(
            "left out, since only points are read: {first}{and}{last}"
        ));
    }
    let mut n_others = 0;
    for kind in ["ANGLES", "FORCES", "MOMENTS", "POWERS", "SCALARS"] {
        let names = parameters.get("POINT", kind);
        n_others += names.map_or(0, |names| {
            names.texts().filter(|name| !name.is_empty()).count()
        });
    }
    if n_others > 0 {
        warnings.push(format!(
            "{n_others} of the points are angles, forces, moments, powers or scalars by POINT:ANGLES and its like, not places"
        ));
    }
}
