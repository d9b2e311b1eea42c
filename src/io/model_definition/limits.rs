//! The lines of `[Limits]`: `limit`, what is limited, how, numbers, and a weight.

use super::UNBOUNDED;
use super::raw::Line;
use crate::error::Result;

/// What one line stores; names are as written.
#[derive(Debug)]
pub(super) struct Limit<'a> {
    pub line: Line<'a>,
    /// The parameter or channel, or the joint of an ellipsoid's point.
    pub subject: &'a str,
    pub form: Form<'a>,
    pub weight: f64,
}

/// How it is limited.
#[derive(Debug)]
pub(super) enum Form<'a> {
    MinMax([f64; 2]),
    MinMaxPassive([f64; 2]),
    /// `subject = scale · target − offset`, piece by piece.
    Linear(&'a str, Vec<Piece>),
    HalfPlane {
        other: &'a str,
        normal: [f64; 2],
        offset: f64,
    },
    Ellipsoid {
        point: [f64; 3],
        carrier: &'a str,
        center: [f64; 3],
        /// Degrees about z, then y, then x.
        turns: [f64; 3],
        radii: [f64; 3],
    },
}

/// One piece of a piecewise linear function, and where it applies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub scale: f64,
    pub offset: f64,
    pub range: [f64; 2],
}

impl Piece {
    pub fn at(&self, x: f64) -> f64 {
        self.scale * x - self.offset
    }
}

/// How far two pieces may be apart where they meet, in the file's units.
pub(super) const GAP: f64 = 1e-3;

impl<'a> Limit<'a> {
    /// `None` for a line that begins with something else.
    pub fn read(line: Line<'a>, warnings: &mut Vec<String>) -> Result<Option<Self>> {
        if !line.text.starts_with("limit") {
            return Ok(None);
        }
        let mut words = Words {
            line,
            rest: line.text,
        };
        words.next();
        let subject = words.name("the parameter, joint.channel or joint that is limited")?;
        let kind = words.name("minmax, minmax_passive, linear, halfplane or ellipsoid")?;
        let form = match kind {
            "minmax" => Form::MinMax(words.vector()?),
            "minmax_passive" => Form::MinMaxPassive(words.vector()?),
            "linear" => {
                let target = words.name("the parameter or joint.channel that it depends on")?;
                Form::Linear(target, words.pieces()?)
            }
            "halfplane" => Form::HalfPlane {
                other: words.name("another parameter")?,
                normal: words.vector()?,
                offset: words.number()?,
            },
            "ellipsoid" | "elipsoid" => Form::Ellipsoid {
                point: words.vector()?,
                carrier: words.name("the joint that carries the ellipsoid")?,
                center: words.vector()?,
                turns: words.vector()?,
                radii: words.vector()?,
            },
            other => {
                return Err(line.wrong(
                    "minmax, minmax_passive, linear, halfplane or ellipsoid",
                    other,
                ));
            }
        };
        if kind == "elipsoid" {
            warnings.push("'elipsoid' is read as 'ellipsoid'".into());
        }
        let weight = match words.peek() {
            None => 1.0,
            Some(_) => words.number()?,
        };
        match words.next() {
            None => Ok(Some(Self {
                line,
                subject,
                form,
                weight,
            })),
            Some(more) => Err(line.wrong("the end of the line after the weight", more)),
        }
    }
}

/// Brackets, commas, and what stands between them.
#[derive(Clone)]
struct Words<'a> {
    line: Line<'a>,
    rest: &'a str,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.rest = self.rest.trim_start();
        let first = self.rest.chars().next()?;
        let is_sign = |c: char| matches!(c, '[' | ']' | ',');
        let end = match is_sign(first) {
            true => 1,
            false => self
                .rest
                .find(|c: char| is_sign(c) || c.is_whitespace())
                .unwrap_or(self.rest.len()),
        };
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(word)
    }
}

impl<'a> Words<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.clone().next()
    }

    fn wrong(&self, expected: &str, got: Option<&str>) -> crate::Error {
        self.line
            .wrong(expected, got.unwrap_or("the end of the line"))
    }

    fn name(&mut self, expected: &str) -> Result<&'a str> {
        let word = self.next();
        word.filter(|word| !matches!(*word, "[" | "]" | ","))
            .ok_or_else(|| self.wrong(expected, word))
    }

    fn sign(&mut self, sign: &str) -> Result<()> {
        let word = self.next();
        match word == Some(sign) {
            true => Ok(()),
            false => Err(self.wrong(&format!("'{sign}'"), word)),
        }
    }

    fn number(&mut self) -> Result<f64> {
        let word = self.next();
        let number = word.and_then(|word| word.parse::<f64>().ok());
        number
            .filter(|x| !x.is_nan())
            .ok_or_else(|| self.wrong("a number", word))
    }

    /// `[a, b, ...]`.
    fn list(&mut self) -> Result<Vec<f64>> {
        self.sign("[")?;
        let mut numbers = vec![self.number()?];
        while self.peek() == Some(",") {
            self.next();
            numbers.push(self.number()?);
        }
        self.sign("]")?;
        Ok(numbers)
    }

    fn vector<const N: usize>(&mut self) -> Result<[f64; N]> {
        let list = self.list()?;
        let count = list.len();
        list.try_into().map_err(|_| {
            let got = format!("{count} of them");
            self.wrong(&format!("{N} numbers in brackets"), Some(&got))
        })
    }

    /// `[scale, offset, end] ... [scale, offset]`.
    fn pieces(&mut self) -> Result<Vec<Piece>> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut start = -UNBOUNDED;
        while pieces.is_empty() || self.peek() == Some("[") {
            let (scale, offset, end) = match self.list()?.as_slice() {
                &[scale, offset] => (scale, offset, UNBOUNDED),
                &[scale, offset, end] => (scale, offset, end),
                other => {
                    let got = format!("{} numbers", other.len());
                    return Err(self.wrong("[scale, offset] or [scale, offset, end]", Some(&got)));
                }
            };
            let piece = Piece {
                scale,
                offset,
                range: [start, end],
            };
            if let Some(last) = pieces.last() {
                if start >= UNBOUNDED {
                    return Err(
                        self.wrong("an end in each piece but the last", Some("[scale, offset]"))
                    );
                }
                let (before, after) = (last.at(start), piece.at(start));
                // No piece meets what is not a number.
                let do_meet = (before - after).abs() <= GAP;
                if !do_meet {
                    let got = format!("{before} and {after} at {start}");
                    return Err(self.wrong("pieces that meet", Some(&got)));
                }
            }
            pieces.push(piece);
            start = end;
        }
        Ok(pieces)
    }
}
