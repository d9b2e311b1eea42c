//! The lines above the rows.

use crate::error::{Error, Result};
use crate::io::text::Word;

/// What parts the cells of a line.
#[derive(Clone, Copy)]
pub(super) enum Separator {
    Character(char),
    Space,
}

impl Separator {
    pub fn of(line: &str) -> Self {
        let found = ['\t', ','].into_iter().find(|&one| line.contains(one));
        found.map_or(Self::Space, Self::Character)
    }

    /// The cells, without the spaces around them.
    pub fn cells(self, line: &str) -> impl Iterator<Item = &str> {
        let (parted, spaced) = match self {
            Self::Character(one) => (Some(line.split(one).map(str::trim)), None),
            Self::Space => (None, Some(line.split_whitespace())),
        };
        parted
            .into_iter()
            .flatten()
            .chain(spaced.into_iter().flatten())
    }
}

/// The lines of a text, which are counted.
#[derive(Clone)]
pub(super) struct Lines<'a> {
    lines: std::str::Split<'a, char>,
    count: usize,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            // Old programs end lines by a carriage return alone.
            lines: text.split(if text.contains('\n') { '\n' } else { '\r' }),
            count: 0,
        }
    }

    fn need(&mut self, expected: &str) -> Result<Word<'a>> {
        let end = Error::format(
            format!("line {}", self.count + 1),
            expected,
            "the end of the file",
        );
        self.next().ok_or(end)
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Word<'a>;

    /// The next line that is not blank.
    fn next(&mut self) -> Option<Word<'a>> {
        loop {
            let text = self.lines.next()?;
            self.count += 1;
            let is_blank = text.chars().all(|c| c == ',' || c.is_whitespace());
            if !is_blank {
                let text = text.strip_suffix('\r').unwrap_or(text);
                return Some(Word {
                    text,
                    line: self.count,
                });
            }
        }
    }
}

/// What the lines above the rows say.
pub(super) struct Header {
    /// Frames a second.
    pub rate: f64,
    /// The word for the unit of lengths; empty where there is none.
    pub unit: String,
    /// How many frames are announced.
    pub n_frames: Option<usize>,
    pub marker_names: Vec<String>,
}

/// Reads them, and leaves `lines` at the first row.
pub(super) fn read(lines: &mut Lines<'_>, warnings: &mut Vec<String>) -> Result<Header> {
    let first = lines.need("PathFileType")?;
    let mark = first.text.trim_start();
    let mark = mark
        .get(..12)
        .is_some_and(|mark| mark.eq_ignore_ascii_case("PathFileType"));
    if !mark {
        return Err(first.wrong("PathFileType"));
    }
    let keys = lines.need("the line DataRate, CameraRate, ...")?;
    let values = lines.need("the values of DataRate, CameraRate, ...")?;
    let value = |wanted: &str| {
        let mut keys = Separator::of(keys.text).cells(keys.text);
        let at = keys.position(|key| key.eq_ignore_ascii_case(wanted))?;
        let text = Separator::of(values.text).cells(values.text).nth(at)?;
        let line = values.line;
        (!text.is_empty()).then_some(Word { text, line })
    };
    let count = |wanted: &str| -> Result<Option<usize>> {
        let Some(word) = value(wanted) else {
            return Ok(None);
        };
        let number = word.number(&format!("{wanted}, a number"))?;
        if !(0.0..1e15).contains(&number) || number.fract() != 0.0 {
            return Err(word.wrong(format!("{wanted}, a count")));
        }
        Ok(Some(number as usize))
    };
    let mut rates = ["DataRate", "CameraRate"].into_iter().filter_map(|wanted| {
        let rate = value(wanted)?.number("").ok()?;
        (rate > 0.0).then_some(rate)
    });
    let rate = rates
        .next()
        .ok_or_else(|| values.wrong("DataRate, a positive number of frames a second"))?;
    let titles = lines.need("the line Frame#, Time and the names of the markers")?;
    let marker_names = names(titles, count("NumMarkers")?, warnings)?;
    if let Some(next) = lines.clone().next() {
        let mut cells = Separator::of(next.text).cells(next.text);
        let cell = cells.find(|cell| !cell.is_empty());
        if cell.is_some_and(|cell| cell.starts_with(['X', 'x'])) {
            lines.next();
        }
    }
    Ok(Header {
        rate,
        unit: value("Units").map_or_else(String::new, |word| word.text.to_owned()),
        n_frames: count("NumFrames")?,
        marker_names,
    })
}

/// The names of the markers: those that are there, or, where too few are, what stands in every third cell.
fn names(
    titles: Word<'_>,
    announced: Option<usize>,
    warnings: &mut Vec<String>,
) -> Result<Vec<String>> {
    let mut cells = Separator::of(titles.text).cells(titles.text);
    for (wanted, expected) in [("frame", "Frame#"), ("time", "Time")] {
        let cell = cells.next().unwrap_or_default();
        if !cell.to_lowercase().starts_with(wanted) {
            return Err(titles.wrong(format!("{expected}, before the names of the markers")));
        }
    }
    let cells: Vec<&str> = cells.collect();
    let named = cells.iter().filter(|name| !name.is_empty());
    let n_named = named.clone().count();
    let count = announced.unwrap_or(n_named);
    if count == 0 {
        return Err(titles.wrong("the name of a marker"));
    }
    if count == n_named {
        return Ok(named.map(|&name| name.to_owned()).collect());
    }
    let every_third: Vec<&str> = cells.iter().copied().step_by(3).take(count).collect();
    let n_third = every_third.iter().filter(|name| !name.is_empty()).count();
    if n_named > count || every_third.len() < count || n_third < n_named {
        return Err(Error::format(
            format!("line {}", titles.line),
            format!("{count} names of markers, as NumMarkers says"),
            n_named,
        ));
    }
    warnings.push(format!("{} of the markers have no name", count - n_named));
    let name = |(at, name): (usize, &&str)| match name.is_empty() {
        true => format!("unlabeled_{}", at + 1),
        false => (*name).to_owned(),
    };
    Ok(every_third.iter().enumerate().map(name).collect())
}
