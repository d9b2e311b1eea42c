//! The one error type of the crate: what went wrong, where, what was expected and what came instead.

use std::fmt::Display;

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that can go wrong, by kind. The Python layer maps each kind to one exception class.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An array has the wrong rank, size, or batch axes.
    #[error("{what}: expected {expected}, got {got}")]
    Shape {
        /// The argument or field, in the user's words.
        what: String,
        /// The shape that would have been right.
        expected: String,
        /// The shape that came.
        got: String,
    },
    /// An array has an element type that cannot be used here without losing something.
    #[error("{what}: expected {expected}, got {got}")]
    DType {
        /// The argument or field.
        what: String,
        /// The element types accepted.
        expected: String,
        /// The element type that came.
        got: String,
    },
    /// Arrays live on different devices, or on one that is not served.
    #[error("{0}")]
    Device(String),
    /// A gradient would be lost by a plain function.
    #[error("{0}")]
    Gradient(String),
    /// A file or byte stream is not what it claims to be.
    #[error("{file}: {location}: expected {expected}, got {got}")]
    Format {
        /// File name, or `<bytes>`.
        file: String,
        /// Byte offset or path inside the document, such as `accessors[3].byteOffset`.
        location: String,
        /// What the format asks for.
        expected: String,
        /// What was found.
        got: String,
    },
    /// A character, or a part of one, contradicts itself.
    #[error("{part}: {problem}")]
    Character {
        /// The part, such as `joint 'l_wrist'`.
        part: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A value is outside the range that has a meaning.
    #[error("{what}: {problem}")]
    Value {
        /// The argument.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A file could not be read or written.
    #[error("{file}: {problem}")]
    Io {
        /// The path.
        file: String,
        /// What the operating system said.
        problem: String,
        /// Whether the file does not exist.
        not_found: bool,
    },
    /// The system has no memory left for a result, or for a copy that is needed.
    #[error("{what}: no memory for {bytes} bytes")]
    Memory {
        /// The argument or function.
        what: String,
        /// How many bytes were asked for.
        bytes: usize,
    },
    /// The caller asked for the work to stop.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// A [`Error::Shape`] from anything printable.
    pub fn shape(what: impl Display, expected: impl Display, got: impl Display) -> Self {
        Self::Shape {
            what: what.to_string(),
            expected: expected.to_string(),
            got: got.to_string(),
        }
    }

    /// A [`Error::DType`] from anything printable.
    pub fn dtype(what: impl Display, expected: impl Display, got: impl Display) -> Self {
        Self::DType {
            what: what.to_string(),
            expected: expected.to_string(),
            got: got.to_string(),
        }
    }

    /// A [`Error::Format`] from anything printable; the file name is filled in by [`Error::in_file`].
    pub fn format(location: impl Display, expected: impl Display, got: impl Display) -> Self {
        Self::Format {
            file: "<bytes>".into(),
            location: location.to_string(),
            expected: expected.to_string(),
            got: got.to_string(),
        }
    }

    /// A [`Error::Character`] from anything printable.
    pub fn character(part: impl Display, problem: impl Display) -> Self {
        Self::Character {
            part: part.to_string(),
            problem: problem.to_string(),
        }
    }

    /// A [`Error::Value`] from anything printable.
    pub fn value(what: impl Display, problem: impl Display) -> Self {
        Self::Value {
            what: what.to_string(),
            problem: problem.to_string(),
        }
    }

    /// An empty vector with room for `count` elements.
    ///
    /// # Errors
    /// [`Error::Memory`] where there is no memory for so many.
    pub fn reserve<T>(what: impl Display, count: usize) -> Result<Vec<T>> {
        let mut room = Vec::new();
        match room.try_reserve_exact(count) {
            Ok(()) => Ok(room),
            Err(_) => Err(Self::Memory {
                what: what.to_string(),
                bytes: count.saturating_mul(size_of::<T>()),
            }),
        }
    }

    /// What a noun refuses, as a fault of the file that it is made from; other kinds are returned unchanged.
    #[must_use]
    pub fn as_format(self) -> Self {
        match self {
            Self::Character { part, problem } => {
                Self::format(part, "data that fits together", problem)
            }
            other => other,
        }
    }

    /// The same format error, naming the file it happened in; other kinds are returned unchanged.
    #[must_use]
    pub fn in_file(mut self, name: &str) -> Self {
        if let Self::Format { file, .. } = &mut self {
            *file = name.to_owned();
        }
        self
    }
}
