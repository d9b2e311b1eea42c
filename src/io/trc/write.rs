//! Markers as a table.

use std::fmt::Write;

use crate::character::MarkerSequence;
use crate::error::{Error, Result};
use crate::io::{Markers, Progress, Saved};

/// Makes a file of markers. Several subjects go into one table, where each name has its subject's before it.
///
/// # Errors
/// [`Error::Value`] for what a table cannot hold: subjects of several rates, starts or lengths, markers
/// without a name or with one that has a tab or an end of line in it, and those that are seen where no point
/// is.
pub fn save_markers(markers: &Markers, progress: Progress<'_>) -> Result<Saved> {
    let sequences = &markers.sequences[..];
    let Some(first) = sequences.first() else {
        return Err(Error::value("sequences", "there is none to be written"));
    };
    let key = |one: &MarkerSequence| (one.fps(), one.start_time(), one.n_frames());
    if let Some(other) = sequences.iter().find(|other| key(other) != key(first)) {
        return Err(Error::value(
            "sequences",
            format!(
                "TRC is one table, and '{}' and '{}' differ in rate, start or number of frames; save them \
                 apart",
                first.name(),
                other.name()
            ),
        ));
    }
    let (rate, start, n_frames) = key(first);
    let end = start + n_frames as f64 / rate;
    if !(rate > 0.0 && rate.is_finite() && end.is_finite()) {
        let problem = format!("{rate} frames a second from {start} s are not a recording");
        return Err(Error::value("sequences", problem));
    }
    let names = names(sequences)?;
    let n_markers = names.len();
    let unit = markers.unit.symbol();
    let mut text = String::from("PathFileType\t4\t(X/Y/Z)\tmarkers.trc\n");
    text.push_str(
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames\n",
    );
    let mut line =
        format!("{rate}\t{rate}\t{n_frames}\t{n_markers}\t{unit}\t{rate}\t1\t{n_frames}\n");
    text.push_str(&line);
    text.push_str("Frame#\tTime");
    for name in &names {
        put(&mut text, format_args!("\t{name}\t\t"));
    }
    text.push_str("\n\t");
    for at in 1..=n_markers {
        put(&mut text, format_args!("\tX{at}\tY{at}\tZ{at}"));
    }
    text.push_str("\n\n");
    for frame in 0..n_frames {
        progress.at(frame, n_frames)?;
        line.clear();
        put(
            &mut line,
            format_args!("{}\t{:?}", frame + 1, start + frame as f64 / rate),
        );
        for sequence in sequences {
            row(&mut line, sequence, frame)?;
        }
        line.push('\n');
        text.push_str(&line);
    }
    Ok(Saved::new(text.into_bytes(), left_out(sequences)))
}

/// Adds to a text.
fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Strings take everything.
    let _ = text.write_fmt(what);
}

/// Adds the places of a subject's markers in a frame; blank cells where they are hidden.
fn row(line: &mut String, sequence: &MarkerSequence, frame: usize) -> Result<()> {
    let n_markers = sequence.n_markers();
    let cells = frame * n_markers..(frame + 1) * n_markers;
    let positions = &sequence.positions()[cells.clone()];
    let occluded = &sequence.occluded()[cells];
    for (at, (pos, occluded)) in positions.iter().zip(occluded).enumerate() {
        if *occluded {
            line.push_str("\t\t\t");
            continue;
        }
        if pos.iter().any(|x| !x.is_finite()) {
            return Err(Error::value(
                format!("marker '{}'", sequence.marker_names()[at]),
                format!("its position in frame {frame} is not finite, but it is not occluded"),
            ));
        }
        // As many digits as bring the same number back, with an exponent where that is shorter.
        let [x, y, z] = pos;
        put(line, format_args!("\t{x:?}\t{y:?}\t{z:?}"));
    }
    Ok(())
}

fn names(sequences: &[MarkerSequence]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for sequence in sequences {
        for name in sequence.marker_names() {
            let full = match sequences.len() {
                1 => name.clone(),
                _ if sequence.name().is_empty() => name.clone(),
                _ => format!("{}:{name}", sequence.name()),
            };
            if full.trim().is_empty() || full.trim() != full || full.contains(['\t', '\n', '\r']) {
                return Err(Error::value(
                    format!("marker {full:?}"),
                    "a name in a table is not blank and has no tabs, ends of lines or spaces around it",
                ));
            }
            names.push(full);
        }
    }
    if names.is_empty() {
        return Err(Error::value(
            "sequences",
            "there are no markers to be written",
        ));
    }
    Ok(names)
}

fn left_out(sequences: &[MarkerSequence]) -> Vec<String> {
    let mut warnings = Vec::new();
    if let [one] = sequences
        && !one.name().is_empty()
    {
        warnings.push("the name of the subject is left out: TRC has no place for it".to_owned());
    }
    let mut confidence = sequences.iter().flat_map(MarkerSequence::confidence);
    if confidence.any(|&confidence| confidence != 1.0) {
        warnings
            .push("the confidence of the markers is left out: TRC has no place for it".to_owned());
    }
    warnings
}
