//! The sections of a model definition, and what the lines of the first three store.

use super::HEADER;
use crate::error::{Error, Result};
use crate::io::source::shortened;

/// A line without its comment and the white space around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub text: &'a str,
    /// Counted from 1.
    pub number: usize,
}

impl Line<'_> {
    pub fn place(&self) -> String {
        format!("line {}", self.number)
    }

    /// The error "expected this, got what is here".
    pub fn wrong(&self, expected: impl std::fmt::Display, got: &str) -> Error {
        Error::format(self.place(), expected, format!("{:?}", shortened(got)))
    }
}

/// The lines of each section; a section may come in several pieces.
#[derive(Debug, Default)]
pub(super) struct Sections<'a> {
    pub transform: Vec<Line<'a>>,
    pub sets: Vec<Line<'a>>,
    pub constraints: Vec<Line<'a>>,
    pub limits: Vec<Line<'a>>,
}

impl<'a> Sections<'a> {
    /// Sorts the lines of a text.
    pub fn read(text: &'a str, warnings: &mut Vec<String>) -> Result<Self> {
        let mut lines = text
            .lines()
            .enumerate()
            .map(|(at, line)| Line {
                text: line.split('#').next().unwrap_or("").trim(),
                number: at + 1,
            })
            .filter(|line| !line.text.is_empty());
        match lines.next() {
            Some(line) if line.text == HEADER => {}
            Some(line) => return Err(line.wrong(format!("'{HEADER}'"), line.text)),
            None => {
                return Err(Error::format(
                    "line 1",
                    format!("'{HEADER}'"),
                    "the end of the file",
                ));
            }
        }
        let mut sections = Self::default();
        let mut others = Vec::new();
        let mut outside = Vec::new();
        let mut current = &mut outside;
        for line in lines {
            let Some(name) = section_name(line.text) else {
                current.push(line);
                continue;
            };
            current = match name {
                "ParameterTransform" => &mut sections.transform,
                "ParameterSets" => &mut sections.sets,
                "PoseConstraints" => &mut sections.constraints,
                "Limits" => &mut sections.limits,
                _ => {
                    warnings.push(format!(
                        "line {}: section [{name}] is left out",
                        line.number
                    ));
                    &mut others
                }
            };
        }
        if let Some(line) = outside.first() {
            warnings.push(format!(
                "line {}: left out, it is in no section",
                line.number
            ));
        }
        Ok(sections)
    }
}

/// `Name` of `[Name]`.
fn section_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix('[')?.strip_suffix(']')?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!name.is_empty() && name.chars().all(is_word)).then_some(name)
}

/// `joint.channel = expression`.
#[derive(Debug)]
pub(super) struct Assignment<'a> {
    pub joint: &'a str,
    pub channel: &'a str,
    pub terms: Vec<Term<'a>>,
}

/// One part of a sum.
#[derive(Debug, PartialEq)]
pub(super) enum Term<'a> {
    /// A factor, and the parameter or channel that it is for.
    Scaled(f64, &'a str),
    /// A number by itself.
    Constant(f64),
}

impl<'a> Assignment<'a> {
    /// `None` for a line that assigns nothing.
    pub fn read(line: Line<'a>) -> Result<Option<Self>> {
        let Some((target, sum)) = line.text.split_once('=') else {
            return Ok(None);
        };
        let (target, sum) = (target.trim(), sum.trim());
        if target.is_empty() || sum.is_empty() || sum.contains('=') {
            return Ok(None);
        }
        let Some((joint, channel)) = target.rsplit_once('.') else {
            return Err(line.wrong("joint.channel before '='", target));
        };
        let terms = sum.split('+').map(|term| Term::read(line, term.trim()));
        Ok(Some(Self {
            joint: joint.trim(),
            channel: channel.trim(),
            terms: terms.collect::<Result<_>>()?,
        }))
    }
}

impl<'a> Term<'a> {
    fn read(line: Line<'a>, text: &'a str) -> Result<Self> {
        let wrong = || line.wrong("'factor * parameter' in each term of a sum", text);
        let number = |text: &str| {
            let number = text.trim().parse::<f64>().ok();
            number.filter(|x| x.is_finite()).ok_or_else(wrong)
        };
        let Some((factor, name)) = text.split_once('*') else {
            return Ok(Self::Constant(number(text)?));
        };
        let (factor, name) = (number(factor)?, name.trim());
        if name.is_empty() || name.contains('*') {
            return Err(wrong());
        }
        Ok(Self::Scaled(factor, name))
    }
}

/// `parameterset name parameter ...`
#[derive(Debug)]
pub(super) struct Set<'a> {
    pub name: &'a str,
    pub members: Vec<&'a str>,
}

impl<'a> Set<'a> {
    /// `None` for a line that begins with something else.
    pub fn read(line: Line<'a>) -> Result<Option<Self>> {
        if !line.text.starts_with("parameterset") {
            return Ok(None);
        }
        let mut words = line.text.split_ascii_whitespace().skip(1);
        let Some(name) = words.next() else {
            return Err(line.wrong("the name of a set, then its parameters", line.text));
        };
        Ok(Some(Self {
            name,
            members: words.collect(),
        }))
    }
}
