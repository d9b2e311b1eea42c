//! The rows: where each marker was in each frame.

use super::header::{self, Header, Lines, Separator};
use crate::character::{MarkerSequence, MarkerSequenceParts};
use crate::error::{Error, Result};
use crate::io::text::Word;
use crate::io::{LoadOptions, Loaded, Markers, Source, Up, unit_word};

/// How far the times of the rows may be from the rate of the header, of themselves, before it is announced.
const SAME_RATE: f64 = 0.02;

/// Reads the table, as one sequence.
///
/// # Errors
/// [`Error::Format`] naming the line, what was expected and what was found.
pub fn load_markers(source: &Source<'_>, options: &LoadOptions) -> Result<Loaded<Markers>> {
    let text = source.text();
    let mut lines = Lines::new(&text);
    let mut warnings = Vec::new();
    let header = header::read(&mut lines, &mut warnings)?;
    let metres = unit_word::of_file(&header.unit, "Units", options)?;
    let (unit, factor) = unit_word::nearest(metres);
    let mut table = Table {
        header: &header,
        factor,
        parts: MarkerSequenceParts {
            fps: header.rate,
            ..MarkerSequenceParts::default()
        },
        last_time: 0.0,
        may_add: text.len(),
    };
    let is_cut = !text.ends_with(['\n', '\r']);
    let (mut behind, total) = (0, text.len());
    let mut rows = lines.peekable();
    while let Some(row) = rows.next() {
        source.progress.at(behind, total)?;
        behind += row.text.len();
        table.add(row, is_cut && rows.peek().is_none())?;
    }
    table.compare_times(&mut warnings);
    let mut parts = table.parts;
    if let Some(announced) = header.n_frames.filter(|&count| count != parts.n_frames) {
        let there = parts.n_frames;
        warnings.push(format!(
            "the header announces {announced} frames; the {there} that are there are read"
        ));
    }
    parts.confidence = vec![1.0; parts.positions.len()];
    parts.marker_names = header.marker_names;
    Ok(Loaded {
        value: Markers {
            sequences: vec![MarkerSequence::new(parts)?],
            unit,
        },
        up: Up::Y,
        warnings,
    })
}

struct Table<'h> {
    header: &'h Header,
    factor: f64,
    parts: MarkerSequenceParts,
    last_time: f64,
    /// How many markers may still be added that the file has no cells for.
    may_add: usize,
}

impl Table<'_> {
    /// Adds a frame. Where the last markers have no cells at all they are hidden, but not in a row that the
    /// end of the file may have `cut`.
    fn add(&mut self, row: Word<'_>, cut: bool) -> Result<()> {
        let n_markers = self.header.marker_names.len();
        let line = row.line;
        let mut cells = Separator::of(row.text).cells(row.text);
        let mut number = |expected: &str| {
            let text = cells.next().unwrap_or_default();
            Word { text, line }.number(expected)
        };
        number("the number of a frame")?;
        let time = number("the time of a frame")?;
        let mut n_there = 0;
        for at in 0..n_markers {
            let Some(x) = cells.next() else {
                break;
            };
            let (Some(y), Some(z)) = (cells.next(), cells.next()) else {
                return Err(short(line, n_markers, 3 * at + 1));
            };
            let name = &self.header.marker_names[at];
            let mut pos = [0.0; 3];
            let mut is_seen = true;
            for (x, text) in pos.iter_mut().zip([x, y, z]) {
                match coordinate(Word { text, line }, name)? {
                    Some(number) => *x = number * self.factor,
                    None => is_seen = false,
                }
            }
            self.push(if is_seen { pos } else { [0.0; 3] }, !is_seen);
            n_there += 1;
        }
        let absent = n_markers - n_there;
        if absent > 0 {
            let left = self.may_add.checked_sub(absent).filter(|_| !cut);
            self.may_add = left.ok_or_else(|| short(line, n_markers, 3 * n_there))?;
            (0..absent).for_each(|_| self.push([0.0; 3], true));
        }
        if let Some(text) = cells.find(|cell| !cell.is_empty()) {
            let expected = format!("the end of the row after {n_markers} markers");
            return Err(Word { text, line }.wrong(expected));
        }
        if self.parts.n_frames == 0 {
            self.parts.start_time = time;
        }
        self.last_time = time;
        self.parts.n_frames += 1;
        Ok(())
    }

    fn push(&mut self, pos: [f64; 3], occluded: bool) {
        self.parts.positions.push(pos);
        self.parts.occluded.push(occluded);
    }

    /// Announces a rate that is not that of the rows.
    fn compare_times(&self, warnings: &mut Vec<String>) {
        let steps = self.parts.n_frames.saturating_sub(1) as f64;
        let seconds = self.last_time - self.parts.start_time;
        let rate = self.header.rate;
        if (seconds * rate - steps).abs() > SAME_RATE * steps.max(10.0) {
            warnings.push(format!(
                "the header says {rate} frames a second, which is believed; by the times of the rows, {steps} \
                 frames take {seconds} s"
            ));
        }
    }
}

fn short(line: usize, n_markers: usize, got: usize) -> Error {
    Error::format(
        format!("line {line}"),
        format!("{} coordinates of {n_markers} markers", 3 * n_markers),
        got,
    )
}

/// A coordinate; nothing where there is none.
fn coordinate(word: Word<'_>, marker: &str) -> Result<Option<f64>> {
    // C libraries of old wrote 1.#QNAN and -nan(ind).
    let bare = word.text.trim_start_matches(['+', '-']);
    let is_nan = bare
        .get(..3)
        .is_some_and(|head| head.eq_ignore_ascii_case("nan"));
    if bare.is_empty() && bare.len() == word.text.len() || is_nan || bare.starts_with("1.#") {
        return Ok(None);
    }
    match word.text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Some(number)),
        _ => Err(word.wrong(format!("a coordinate of '{marker}'"))),
    }
}
