//! A JSON value that knows where it sits, so that every complaint names its place.

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};
use std::fmt::{Display, Formatter};
use std::sync::Arc;

use crate::error::{Error, Result};

/// A whole document; a byte order mark is passed over.
pub(in crate::io) fn parse(text: &[u8]) -> Result<Value> {
    parse_in(text, "")
}

/// The same for a part of a file; `place` says which, before the line.
pub(in crate::io) fn parse_in(text: &[u8], place: &str) -> Result<Value> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    serde_json::from_slice(text).map_err(|error| {
        let place = format!("{place}line {}, column {}", error.line(), error.column());
        Error::format(place, "JSON", error)
    })
}

/// A document with one line a value.
pub(in crate::io) fn indented(value: &Value, indent: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let formatter = PrettyFormatter::with_indent(indent.as_bytes());
    value
        .serialize(&mut Serializer::with_formatter(&mut bytes, formatter))
        .map_err(|error| Error::value("JSON", error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// A value and its path, such as `accessors[3].byteOffset`.
#[derive(Debug, Clone)]
pub(in crate::io) struct Item<'a> {
    pub value: &'a Value,
    pub path: Path<'a>,
}

/// Where a value sits. It becomes text where somebody shows it: most values are right.
#[derive(Debug, Clone, Default)]
pub(in crate::io) struct Path<'a>(Option<Arc<(Path<'a>, Step<'a>)>>);

#[derive(Debug)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
    Text(String),
}

impl<'a> Path<'a> {
    fn with(&self, step: Step<'a>) -> Self {
        Self(Some(Arc::new((self.clone(), step))))
    }

    fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl Display for Path<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Some((above, step)) = self.0.as_deref() else {
            return Ok(());
        };
        // As deep as a document, whose depth the parser limits.
        above.fmt(f)?;
        match step {
            Step::Key(key) if above.is_empty() => f.write_str(key),
            Step::Key(key) => write!(f, ".{key}"),
            Step::Index(at) => write!(f, "[{at}]"),
            Step::Text(text) => f.write_str(text),
        }
    }
}

/// The largest integer that every JSON writer can write.
const MAX_INTEGER: f64 = 9_007_199_254_740_992.0;

/// A value as an error message shows it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => {
            let short: String = text.chars().take(40).collect();
            let more = if short.len() < text.len() { "..." } else { "" };
            format!("{:?}", format!("{short}{more}"))
        }
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(_) => "an object".into(),
    }
}

impl<'a> Item<'a> {
    pub fn new(value: &'a Value, path: impl Into<String>) -> Self {
        let path: String = path.into();
        Self {
            value,
            path: match path.is_empty() {
                true => Path::default(),
                false => Path::default().with(Step::Text(path)),
            },
        }
    }

    /// The error "expected this, got what is here".
    pub fn wrong(&self, expected: impl std::fmt::Display) -> Error {
        Error::format(&self.path, expected, shown(self.value))
    }

    /// This item, which has to be an object.
    pub fn object(self) -> Result<Self> {
        if self.value.is_object() {
            Ok(self)
        } else {
            Err(self.wrong("an object"))
        }
    }

    pub fn get(&self, key: &str) -> Option<Self> {
        let (key, value) = self.value.as_object()?.get_key_value(key)?;
        let path = self.path.with(Step::Key(key));
        Some(Self { value, path })
    }

    pub fn need(&self, key: &str) -> Result<Self> {
        self.get(key).ok_or_else(|| {
            let expected = format!("a property '{key}'");
            match self.path.is_empty() {
                true => Error::format("the document", expected, "none"),
                false => Error::format(&self.path, expected, "none"),
            }
        })
    }

    pub fn entries(&self) -> Result<Vec<(&'a str, Self)>> {
        let object = self
            .value
            .as_object()
            .ok_or_else(|| self.wrong("an object"))?;
        Ok(object
            .iter()
            .map(|(key, value)| {
                let path = self.path.with(Step::Key(key));
                (key.as_str(), Self { value, path })
            })
            .collect())
    }

    pub fn items(&self) -> Result<Vec<Self>> {
        let array = self
            .value
            .as_array()
            .ok_or_else(|| self.wrong("an array"))?;
        Ok(array
            .iter()
            .enumerate()
            .map(|(at, value)| Self {
                value,
                path: self.path.with(Step::Index(at)),
            })
            .collect())
    }

    /// The items of an optional array.
    pub fn list(&self, key: &str) -> Result<Vec<Self>> {
        self.get(key).map_or(Ok(Vec::new()), |item| item.items())
    }

    pub fn str(&self) -> Result<&'a str> {
        self.value.as_str().ok_or_else(|| self.wrong("a string"))
    }

    pub fn bool(&self) -> Result<bool> {
        self.value
            .as_bool()
            .ok_or_else(|| self.wrong("true or false"))
    }

    /// A finite number.
    pub fn number(&self) -> Result<f64> {
        self.value
            .as_f64()
            .filter(|x| x.is_finite())
            .ok_or_else(|| self.wrong("a number"))
    }

    /// A non-negative integer, `7` or `7.0`.
    pub fn integer(&self) -> Result<usize> {
        let integer = self.value.as_u64().or_else(|| {
            let real = self.value.as_f64()?;
            ((0.0..=MAX_INTEGER).contains(&real) && real.fract() == 0.0).then_some(real as u64)
        });
        integer
            .and_then(|integer| usize::try_from(integer).ok())
            .ok_or_else(|| self.wrong("a non-negative integer"))
    }

    /// An index into a list of `count` things called `what`.
    pub fn index(&self, what: &str, count: usize) -> Result<usize> {
        let index = self.integer()?;
        if index < count {
            Ok(index)
        } else {
            Err(Error::format(
                &self.path,
                format!("an index into {what}, of which there are {count}"),
                index,
            ))
        }
    }

    pub fn optional_index(&self, key: &str, what: &str, count: usize) -> Result<Option<usize>> {
        self.get(key)
            .map(|item| item.index(what, count))
            .transpose()
    }

    pub fn numbers<const N: usize>(&self) -> Result<[f64; N]> {
        let items = self.items()?;
        if items.len() != N {
            return Err(Error::format(
                &self.path,
                format!("{N} numbers"),
                items.len(),
            ));
        }
        let mut numbers = [0.0; N];
        for (number, item) in numbers.iter_mut().zip(items) {
            *number = item.number()?;
        }
        Ok(numbers)
    }

    pub fn optional_numbers<const N: usize>(&self, key: &str) -> Result<Option<[f64; N]>> {
        self.get(key).map(|item| item.numbers()).transpose()
    }

    pub fn number_list(&self) -> Result<Vec<f64>> {
        self.items()?.iter().map(Self::number).collect()
    }
}
