//! The smallest parts of the text form: words, strings, paths, numbers, and what is passed over.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::io::source::shortened;

/// Where reading is in a text.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }

    /// How many bytes are behind, and how many there are in all.
    pub fn position(&self) -> (usize, usize) {
        (self.at, self.text.len())
    }

    /// The line, for messages; it is counted anew, so only where there is something to say.
    pub fn location(&self) -> String {
        self.location_of(self.at)
    }

    /// The line of a byte.
    pub fn location_of(&self, at: usize) -> String {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        format!("line {line}")
    }

    /// What stands here is not what has to.
    pub fn wrong(&self, expected: impl std::fmt::Display) -> Error {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let word = rest.lines().next().unwrap_or_default().trim();
        let got = match (rest.is_empty(), word.is_empty()) {
            (true, _) => "the end of the file".to_owned(),
            (_, true) => "the end of the line".to_owned(),
            _ => format!("{:?}", shortened(word)),
        };
        Error::format(self.location(), expected, got)
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn starts_with(&self, prefix: &str) -> bool {
        self.text.as_bytes()[self.at..].starts_with(prefix.as_bytes())
    }

    /// Passes over white space, comments and semicolons, which end statements as lines do.
    fn skip_space(&mut self) {
        while let Some(byte) = self.byte() {
            match byte {
                b'#' => self.skip_line(),
                b'/' if self.starts_with("//") => self.skip_line(),
                b'/' if self.starts_with("/*") => {
                    let rest = self.text.get(self.at + 2..).unwrap_or_default();
                    let end = rest
                        .find("*/")
                        .map_or(self.text.len(), |end| self.at + 4 + end);
                    self.at = end;
                }
                b';' => self.at += 1,
                byte if byte.is_ascii_whitespace() => self.at += 1,
                _ => break,
            }
        }
    }

    fn skip_line(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\n');
        self.at = length.map_or(self.text.len(), |length| self.at + length);
    }

    /// The next byte that means something, left where it is.
    pub fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.byte()
    }

    /// Takes this mark if it is next.
    pub fn eat(&mut self, mark: u8) -> bool {
        let is_next = self.peek() == Some(mark);
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes this mark, which has to be next.
    pub fn expect(&mut self, mark: u8) -> Result<()> {
        if self.eat(mark) {
            return Ok(());
        }
        Err(self.wrong(format!("'{}'", char::from(mark))))
    }

    /// The next word: letters, digits, `_`, `:` and `.`; empty where something else is next.
    pub fn word(&mut self) -> &'a str {
        self.skip_space();
        let rest = &self.text.as_bytes()[self.at..];
        let is_part =
            |byte: u8| byte.is_ascii_alphanumeric() || b"_:.".contains(&byte) || byte >= 0x80;
        let length = rest
            .iter()
            .position(|&byte| !is_part(byte))
            .unwrap_or(rest.len());
        let word = self.text.get(self.at..self.at + length).unwrap_or_default();
        self.at += length;
        word
    }

    /// The next word, left where it is.
    pub fn peek_word(&mut self) -> &'a str {
        let at = self.at;
        let word = self.word();
        self.at = at;
        word
    }

    /// Whether a string is next.
    pub fn is_string(&mut self) -> bool {
        matches!(self.peek(), Some(b'"' | b'\''))
    }

    /// A string in single, double or threefold quotes.
    pub fn string(&mut self) -> Result<Arc<str>> {
        if !self.is_string() {
            return Err(self.wrong("a string in quotes"));
        }
        let start = self.at;
        let quote = if self.starts_with("'") { "'" } else { "\"" };
        let triple = quote.repeat(3);
        let is_long = self.starts_with(&triple);
        let end = if is_long { triple.as_str() } else { quote };
        self.at += end.len();
        let mut text = String::new();
        while let Some(next) = self
            .text
            .get(self.at..)
            .and_then(|rest| rest.chars().next())
        {
            if self.starts_with(end) {
                self.at += end.len();
                return Ok(text.into());
            }
            if next == '\n' && !is_long {
                break;
            }
            self.at += next.len_utf8();
            if next != '\\' {
                text.push(next);
                continue;
            }
            let escaped = self
                .text
                .get(self.at..)
                .and_then(|rest| rest.chars().next());
            let Some(escaped) = escaped else { break };
            self.at += escaped.len_utf8();
            text.push(match escaped {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                other => other,
            });
        }
        self.at = start;
        Err(self.wrong("a string that ends (on its line, unless in threefold quotes)"))
    }

    /// Text between two marks.
    fn between(&mut self, open: &str, close: &str) -> Result<&'a str> {
        let rest = self.text.get(self.at + open.len()..).unwrap_or_default();
        let Some(length) = rest.find(close) else {
            return Err(self.wrong(format!("a closing {close}")));
        };
        self.at += open.len() + length + close.len();
        Ok(&rest[..length])
    }

    /// A path such as `</Root/Mesh>`; may be empty.
    pub fn path(&mut self) -> Result<Arc<str>> {
        if self.peek() != Some(b'<') {
            return Err(self.wrong("a path such as </Root/Mesh>"));
        }
        let start = self.at;
        let path = self.between("<", ">")?;
        // From the root there is no way up, and from a prim none but at the beginning.
        let climbs = path.trim_start_matches("../");
        let is_odd = path.contains(['\n', '<', ' ', '"'])
            || (climbs.contains("..") && climbs != "..")
            || (path.starts_with('/') && path.contains(".."));
        if is_odd {
            self.at = start;
            return Err(self.wrong("a path such as </Root/Mesh>"));
        }
        Ok(path.into())
    }

    /// An asset such as `@file.usd@`.
    pub fn asset(&mut self) -> Result<Arc<str>> {
        if self.peek() != Some(b'@') {
            return Err(self.wrong("an asset such as @file.usd@"));
        }
        let mark = if self.starts_with("@@@") { "@@@" } else { "@" };
        Ok(self.between(mark, mark)?.into())
    }

    /// A number; `inf` and `nan` are numbers here, and truth values are 0 and 1.
    pub fn number(&mut self) -> Result<f64> {
        self.skip_space();
        let rest = &self.text.as_bytes()[self.at..];
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let length = rest
            .iter()
            .position(|&byte| !is_part(byte))
            .unwrap_or(rest.len());
        let word = self.text.get(self.at..self.at + length).unwrap_or_default();
        let number = match word {
            "true" | "True" => Some(1.0),
            "false" | "False" => Some(0.0),
            word => word.parse().ok(),
        };
        let number = number.ok_or_else(|| self.wrong("a number"))?;
        self.at += length;
        Ok(number)
    }

    /// Passes over everything up to the mark that closes the one that is next. Strings and comments
    /// inside may hold such marks.
    pub fn skip_group(&mut self) -> Result<()> {
        let mut open = Vec::new();
        let start = self.at;
        loop {
            match self.peek() {
                Some(mark @ (b'{' | b'(' | b'[')) => {
                    open.push(if mark == b'(' { b')' } else { mark + 2 });
                    self.at += 1;
                }
                Some(mark @ (b'}' | b')' | b']')) => {
                    if open.pop() != Some(mark) {
                        return Err(self.wrong("brackets that match"));
                    }
                    self.at += 1;
                }
                Some(b'"' | b'\'') => drop(self.string()?),
                Some(b'@') => drop(self.asset()?),
                Some(_) => self.at += 1,
                None => {
                    self.at = start;
                    return Err(self.wrong("brackets that are closed before the end of the file"));
                }
            }
            if open.is_empty() {
                return Ok(());
            }
        }
    }

    /// Passes over a value of any kind: a group, a string, a path, an asset with a path and an offset,
    /// or a word.
    pub fn skip_value(&mut self) -> Result<()> {
        match self.peek() {
            Some(b'{' | b'[' | b'(') => return self.skip_group(),
            Some(b'"' | b'\'') => drop(self.string()?),
            Some(b'<') => drop(self.path()?),
            Some(b'@') => {
                self.asset()?;
                if self.peek() == Some(b'<') {
                    self.path()?;
                }
                if self.peek() == Some(b'(') {
                    self.skip_group()?;
                }
            }
            Some(b'+' | b'-' | b'.' | b'0'..=b'9') => drop(self.number()?),
            _ if self.peek_word().is_empty() => return Err(self.wrong("a value")),
            _ => drop(self.word()),
        }
        Ok(())
    }
}
