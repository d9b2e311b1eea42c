//! The section of parameters: groups of named arrays.

use super::header::{BLOCK, Header};
use super::numbers::Processor;
use crate::error::{Error, Result};

/// All parameters; they lie where the file has them.
pub(super) struct Parameters<'a> {
    processor: Processor,
    /// The name of each group, by its number.
    groups: [Option<&'a [u8]>; 128],
    all: Vec<Parameter<'a>>,
}

/// A named array.
pub(super) struct Parameter<'a> {
    processor: Processor,
    group: usize,
    name: &'a [u8],
    kind: Kind,
    sizes: &'a [u8],
    data: &'a [u8],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Byte,
    Integer,
    Real,
}

impl<'a> Parameters<'a> {
    /// Reads the section. How many blocks it says to have is not looked at: programs disagree.
    pub fn read(bytes: &'a [u8], header: &Header) -> Result<Self> {
        let mut parameters = Self {
            processor: header.processor,
            groups: [None; 128],
            all: Vec::new(),
        };
        // Where the samples begin, in files that do not mark the end.
        let samples = usize::from(header.data_block).saturating_sub(1) * BLOCK;
        let mut at = header.parameters + 4;
        while samples <= header.parameters || at < samples {
            match parameters.record(bytes, at)? {
                Some(next) => at = next,
                None => break,
            }
        }
        Ok(parameters)
    }

    /// Reads a group or a parameter; answers where the next is.
    fn record(&mut self, bytes: &'a [u8], start: usize) -> Result<Option<usize>> {
        let cut = || {
            Error::format(
                format!("byte {start}"),
                "a group, a parameter or the end of the parameters",
                "the end of the file",
            )
        };
        let [length, number] = *bytes.get(start..start + 2).ok_or_else(cut)? else {
            return Err(cut());
        };
        // Negative for what programs should not change.
        let length = usize::from(length.cast_signed().unsigned_abs());
        if length == 0 {
            return Ok(None);
        }
        let number = number.cast_signed();
        let rest = &bytes[start + 2..];
        let (name, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
        let (step, rest) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
        let step = usize::from(self.processor.count(*step));
        if number < 0 {
            let group = usize::from(number.unsigned_abs());
            if let Some(own) = self.groups.get_mut(group) {
                *own = Some(name);
            }
        } else if number > 0 {
            let room = rest.get(..step.saturating_sub(2));
            let rest = room.filter(|_| step > 0).unwrap_or(rest);
            self.all
                .push(self.parameter(start, number.into(), name, rest)?);
        }
        match step {
            0 => Ok(None),
            1 => Err(Error::format(
                format!("byte {}", start + 2 + length),
                "how far it is to the next parameter",
                1,
            )),
            _ => Ok(Some(start + 2 + length + step)),
        }
    }

    fn parameter(
        &self,
        start: usize,
        group: i16,
        name: &'a [u8],
        rest: &'a [u8],
    ) -> Result<Parameter<'a>> {
        let wrong = |expected: &str, got: String| {
            let place = format!("byte {start}, parameter '{}'", text(name));
            Error::format(place, expected, got)
        };
        let cut = || wrong("a type, sizes and values", "the next parameter".into());
        let [kind, n_sizes, rest @ ..] = rest else {
            return Err(cut());
        };
        let (kind, width) = match kind.cast_signed() {
            -1 => (Kind::Text, 1),
            1 => (Kind::Byte, 1),
            2 => (Kind::Integer, 2),
            4 => (Kind::Real, 4),
            other => return Err(wrong("the type -1, 1, 2 or 4", other.to_string())),
        };
        let (sizes, rest) = rest
            .split_at_checked(usize::from(*n_sizes))
            .ok_or_else(cut)?;
        let size = sizes
            .iter()
            .fold(width, |all: usize, &size| all.saturating_mul(size.into()));
        let data = rest.get(..size).ok_or_else(|| {
            let got = format!("only {} bytes", rest.len());
            wrong(&format!("{size} bytes of values"), got)
        })?;
        Ok(Parameter {
            processor: self.processor,
            group: group.unsigned_abs().into(),
            name,
            kind,
            sizes,
            data,
        })
    }

    /// A parameter by its group and name.
    pub fn get(&self, group: &str, name: &str) -> Option<&Parameter<'a>> {
        self.all.iter().find(|one| {
            let own = self.groups.get(one.group).copied().flatten();
            one.name.eq_ignore_ascii_case(name.as_bytes())
                && own.is_some_and(|own| own.eq_ignore_ascii_case(group.as_bytes()))
        })
    }

    /// The first number of a parameter, where there is such a one.
    pub fn number(&self, group: &str, name: &str) -> Option<f64> {
        self.get(group, name)?.numbers().next()
    }

    /// The first number of a parameter as a count.
    pub fn count(&self, group: &str, name: &str) -> Option<usize> {
        self.get(group, name)?.counts().next()
    }

    /// The first text of a parameter.
    pub fn text(&self, group: &str, name: &str) -> Option<String> {
        self.get(group, name)?.texts().next()
    }
}

impl<'a> Parameter<'a> {
    fn numbers(&self) -> impl Iterator<Item = f64> {
        let (processor, kind) = (self.processor, self.kind);
        self.items().map(move |item| match (kind, item) {
            (Kind::Real, &[a, b, c, d]) => processor.real([a, b, c, d]),
            (Kind::Integer, &[a, b]) => processor.integer([a, b]).into(),
            (_, &[a, ..]) => f64::from(a),
            _ => f64::NAN,
        })
    }

    /// The numbers as counts: integers without a sign. Fractions and other nonsense are left out.
    pub fn counts(&self) -> impl Iterator<Item = usize> {
        let is_integer = self.kind == Kind::Integer;
        self.numbers().filter_map(move |x| match x {
            _ if is_integer && x < 0.0 => Some((x + 65536.0) as usize),
            _ if (0.0..1e9).contains(&x) && x.fract() == 0.0 => Some(x as usize),
            _ => None,
        })
    }

    fn items(&self) -> std::slice::ChunksExact<'a, u8> {
        let width = match self.kind {
            Kind::Text | Kind::Byte => 1,
            Kind::Integer => 2,
            Kind::Real => 4,
        };
        self.data.chunks_exact(width)
    }

    /// The texts, without the spaces that fill them up; none where it holds numbers.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        let width = self.sizes.first().map_or(1, |&size| usize::from(size));
        let data = match self.kind {
            Kind::Text => self.data,
            _ => &[],
        };
        data.chunks_exact(width.max(1)).map(text)
    }

    /// Whether its numbers are floats.
    pub fn is_real(&self) -> bool {
        self.kind == Kind::Real
    }
}

/// UTF-8, or else Latin-1, without what fills it up.
fn text(bytes: &[u8]) -> String {
    let owned;
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => {
            owned = bytes
                .iter()
                .map(|&byte| char::from(byte))
                .collect::<String>();
            &owned
        }
    };
    text.trim_matches(|c: char| c.is_whitespace() || c == '\0')
        .to_owned()
}
