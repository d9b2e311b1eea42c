//! Words of a text that know their line, so that every complaint names it.

use super::source::shortened;
use crate::error::{Error, Result};

/// The words of a text, one after the other.
#[derive(Clone)]
pub struct Words<'a> {
    rest: &'a str,
    line: usize,
    length: usize,
}

/// A word and its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    /// The word.
    pub text: &'a str,
    /// Counted from 1.
    pub line: usize,
}

impl<'a> Words<'a> {
    /// The words of `text`.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            line: 1,
            length: text.len(),
        }
    }

    /// How many bytes are behind, and how many there are in all; for [`super::Progress::at`].
    #[must_use]
    pub fn position(&self) -> (usize, usize) {
        (self.length - self.rest.len(), self.length)
    }

    /// The line that the next byte is on.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// Everything that is left, and its line.
    #[must_use]
    pub fn remaining(&self) -> (&'a str, usize) {
        (self.rest, self.line)
    }

    /// Goes on to the next word.
    pub fn skip_space(&mut self) {
        let bytes = self.rest.as_bytes();
        let mut at = 0;
        while at < bytes.len() && bytes[at].is_ascii_whitespace() {
            self.line += usize::from(bytes[at] == b'\n');
            at += 1;
        }
        self.rest = &self.rest[at..];
    }

    /// The next word, left where it is.
    #[must_use]
    pub fn peek(&self) -> Option<Word<'a>> {
        self.clone().next()
    }

    /// The next word.
    ///
    /// # Errors
    /// [`Error::Format`] at the end of the text.
    pub fn need(&mut self, expected: &str) -> Result<Word<'a>> {
        let line = self.line;
        self.next()
            .ok_or_else(|| Error::format(format!("line {line}"), expected, "the end of the file"))
    }

    /// The next word, which has to be this one, in any case.
    ///
    /// # Errors
    /// [`Error::Format`] for another one.
    pub fn expect(&mut self, expected: &str) -> Result<Word<'a>> {
        let word = self.need(expected)?;
        if word.text.eq_ignore_ascii_case(expected) {
            return Ok(word);
        }
        Err(word.wrong(format!("'{expected}'")))
    }

    /// The next word as a finite number.
    ///
    /// # Errors
    /// [`Error::Format`] for anything else.
    pub fn number(&mut self, expected: &str) -> Result<f64> {
        self.need(expected)?.number(expected)
    }

    /// What is left of the line, without white space around it.
    pub fn rest_of_line(&mut self) -> &'a str {
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest;
        line.trim()
    }

    /// The same, or what stands before `stop` where that comes first.
    pub fn rest_of_line_before(&mut self, stop: char) -> &'a str {
        let end = self.rest.find(['\n', stop]).unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest;
        line.trim()
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        self.skip_space();
        if self.rest.is_empty() {
            return None;
        }
        let end = self
            .rest
            .bytes()
            .position(|byte| byte.is_ascii_whitespace())
            .unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(Word {
            text,
            line: self.line,
        })
    }
}

impl Word<'_> {
    /// The error "expected this, got what is here".
    #[must_use]
    pub fn wrong(&self, expected: impl std::fmt::Display) -> Error {
        Error::format(
            format!("line {}", self.line),
            expected,
            format!("{:?}", shortened(self.text)),
        )
    }

    /// The word as a finite number.
    ///
    /// # Errors
    /// [`Error::Format`] for anything else.
    pub fn number(&self, expected: &str) -> Result<f64> {
        let number = self.text.parse::<f64>().ok().filter(|x| x.is_finite());
        number.ok_or_else(|| self.wrong(expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_know_their_line() {
        let mut words = Words::new("a  b\r\n\tc 1e3 rest of it \nnan");
        assert_eq!(words.next().unwrap(), Word { text: "a", line: 1 });
        assert_eq!(words.peek().unwrap().text, "b");
        words.expect("B").unwrap();
        assert!(
            words
                .clone()
                .expect("x")
                .unwrap_err()
                .to_string()
                .contains("line 2")
        );
        words.next();
        assert_eq!(words.number("a number").unwrap(), 1000.0);
        assert_eq!(words.rest_of_line(), "rest of it");
        assert!(
            words
                .number("a number")
                .unwrap_err()
                .to_string()
                .contains("line 3")
        );
        assert!(
            words
                .need("more")
                .unwrap_err()
                .to_string()
                .contains("the end of the file")
        );
    }
}
