//! The second part of a file: rows of numbers, straight into columns of model parameters.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::io::Source;
use crate::io::source::shortened;
use crate::io::text::Words;

/// Rows that one task reads.
const BLOCK: usize = 128;

/// Where the numbers of a channel go: `column = number · factor + shift`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Destination {
    pub column: usize,
    pub factor: f64,
    pub shift: f64,
}

/// What stands between `MOTION` and the numbers, and the numbers as text.
#[derive(Debug, Clone)]
pub struct MotionTable<'a> {
    /// Rows that the file says it has.
    pub n_frames: u64,
    /// Seconds; not checked.
    pub frame_time: f64,
    /// The rest of the file.
    pub rows: &'a str,
    /// The line that the rows begin on, counted from 1.
    pub first_line: usize,
}

impl<'a> MotionTable<'a> {
    /// Reads `Frames:` and `Frame Time:`.
    pub(super) fn read(words: &mut Words<'a>) -> Result<Self> {
        const FRAMES: &str = "'Frames:' and a number that is not negative";
        let n_frames = value(words, "Frames", FRAMES)?;
        let n_frames = n_frames
            .parse()
            .map_err(|_| wrong(words, FRAMES, n_frames))?;
        const TIME: &str = "'Frame Time:' and a number of seconds";
        let time = value(words, "Frame Time", TIME)?;
        let frame_time = time.parse().map_err(|_| wrong(words, TIME, time))?;
        let (rows, first_line) = words.remaining();
        Ok(Self {
            n_frames,
            frame_time,
            rows,
            first_line,
        })
    }

    /// The lines that hold rows, as many as the file says, and how many there are beyond.
    pub(super) fn lines(&self) -> Result<(Vec<&'a str>, usize)> {
        let all = self.rows.lines();
        let all = all.filter(|line| !line.trim_ascii().is_empty());
        let count = all.clone().count();
        let wanted = usize::try_from(self.n_frames).unwrap_or(usize::MAX);
        if count < wanted {
            return Err(Error::format(
                "Frames",
                format!("{wanted} rows of numbers, as the file says"),
                format!("{count} rows"),
            ));
        }
        let mut lines = Error::reserve("rows", wanted)?;
        lines.extend(all.take(wanted));
        Ok((lines, count - wanted))
    }

    /// The line that a row stands on; only for complaints, since it counts them.
    fn number(&self, row: &str) -> usize {
        let before = row
            .as_ptr()
            .addr()
            .saturating_sub(self.rows.as_ptr().addr());
        let before = self.rows.as_bytes().get(..before).unwrap_or_default();
        self.first_line + before.iter().filter(|&&byte| byte == b'\n').count()
    }
}

/// `(n_lines, n_columns)` of the numbers; columns that no channel goes to are zero.
pub(super) fn numbers(
    table: &MotionTable<'_>,
    lines: &[&str],
    destinations: &[Destination],
    n_columns: usize,
    source: &Source<'_>,
) -> Result<Vec<f64>> {
    let mut values = Error::reserve("motion", lines.len().saturating_mul(n_columns))?;
    values.resize(lines.len() * n_columns, 0.0);
    if n_columns == 0 {
        return Ok(values);
    }
    // Blocks of blocks, so that the listener is asked from the caller's own thread.
    let stride = BLOCK * 64;
    let n_lines = lines.len();
    let parts = lines
        .chunks(stride)
        .zip(values.chunks_mut(stride * n_columns));
    for (part, (lines, values)) in parts.enumerate() {
        source.progress.at(part * stride, n_lines)?;
        lines
            .par_chunks(BLOCK)
            .zip(values.par_chunks_mut(BLOCK * n_columns))
            .try_for_each(|(lines, rows)| {
                let mut rows = rows.chunks_exact_mut(n_columns);
                lines
                    .iter()
                    .zip(&mut rows)
                    .try_for_each(|(line, row)| read_row(table, line, destinations, row))
            })?;
    }
    Ok(values)
}

fn read_row(
    table: &MotionTable<'_>,
    text: &str,
    destinations: &[Destination],
    row: &mut [f64],
) -> Result<()> {
    let mut bytes = text.as_bytes().trim_ascii_start();
    for (at, destination) in destinations.iter().enumerate() {
        let parsed = fast_float2::parse_partial::<f64, _>(bytes);
        let (number, length) = match parsed {
            Ok((number, length)) if number.is_finite() && ends_at(bytes, length) => {
                (number, length)
            }
            _ => {
                return Err(wrong_number(
                    table.number(text),
                    bytes,
                    at,
                    destinations.len(),
                ));
            }
        };
        bytes = bytes.get(length..).unwrap_or_default().trim_ascii_start();
        if let Some(value) = row.get_mut(destination.column) {
            *value = number * destination.factor + destination.shift;
        }
    }
    if bytes.is_empty() {
        return Ok(());
    }
    let count = text.split_ascii_whitespace().count();
    Err(wrong_count(table.number(text), destinations.len(), count))
}

fn ends_at(bytes: &[u8], length: usize) -> bool {
    bytes.get(length).is_none_or(u8::is_ascii_whitespace)
}

fn wrong_count(line: usize, wanted: usize, count: usize) -> Error {
    Error::format(
        format!("line {line}"),
        format!("{wanted} numbers, one a channel"),
        format!("{count}"),
    )
}

fn wrong_number(line: usize, rest: &[u8], at: usize, wanted: usize) -> Error {
    let text = String::from_utf8_lossy(rest);
    match text.split_ascii_whitespace().next() {
        None => wrong_count(line, wanted, at),
        Some(word) => Error::format(
            format!("line {line}, number {}", at + 1),
            "a finite number",
            format!("{:?}", shortened(word)),
        ),
    }
}

fn wrong(words: &Words<'_>, expected: &str, got: &str) -> Error {
    let got = format!("{:?}", shortened(got));
    Error::format(format!("line {}", words.line()), expected, got)
}

/// What follows `key:` on the next line that is not empty.
fn value<'a>(words: &mut Words<'a>, key: &str, expected: &str) -> Result<&'a str> {
    words.clone().need(expected)?;
    words.skip_space();
    let line = words.rest_of_line();
    let split = line.split_once(':').filter(|(own, _)| {
        let own = own.split_ascii_whitespace();
        own.map(str::to_ascii_lowercase)
            .eq(key.split(' ').map(str::to_ascii_lowercase))
    });
    let (_, value) = split.ok_or_else(|| wrong(words, expected, line))?;
    Ok(value.trim())
}
