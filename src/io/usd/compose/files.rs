//! The layers that a file may bring in: those beside it, or those of its package.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::entry::{inside, layer_of};
use super::super::layer::Layer;
use super::super::package;
use crate::error::{Error, Result};
use crate::io::{Progress, Source};

/// How many layers one file may bring in.
const MOST_LAYERS: usize = 256;

/// How many bytes all of them may have together.
const MOST_BYTES: usize = 1 << 32;

/// Where other layers are.
pub(in crate::io::usd) enum Files<'a> {
    /// Beside a file.
    Beside(&'a Source<'a>),
    /// In a package.
    Package(&'a [u8]),
}

/// A layer, or why there is none.
type Opened = std::result::Result<Arc<Layer>, String>;

/// Layers by their paths; each is read once.
pub(super) struct Library<'a> {
    files: &'a Files<'a>,
    progress: Progress<'a>,
    known: HashMap<String, Opened>,
    /// The bytes of all files read.
    pub size: usize,
}

impl<'a> Library<'a> {
    pub fn new(files: &'a Files<'a>, size: usize, progress: Progress<'a>) -> Self {
        Self {
            files,
            progress,
            known: HashMap::new(),
            size,
        }
    }

    /// A layer, or why there is none.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn layer(&mut self, path: &str) -> Result<Opened> {
        if let Some(known) = self.known.get(path) {
            return Ok(known.clone());
        }
        if self.known.len() >= MOST_LAYERS {
            return Ok(Err(format!("more than {MOST_LAYERS} layers")));
        }
        let opened = match self.read(path) {
            Ok(layer) => Ok(Arc::new(layer)),
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(Error::Format {
                location,
                expected,
                got,
                ..
            }) => Err(format!("{location}: expected {expected}, got {got}")),
            Err(other) => Err(other.to_string()),
        };
        self.known.insert(path.to_owned(), opened.clone());
        Ok(opened)
    }

    fn read(&mut self, path: &str) -> Result<Layer> {
        let location = format!("@{}@", crate::io::source::shortened(path));
        let left = MOST_BYTES.saturating_sub(self.size);
        let owned;
        let bytes = match self.files {
            Files::Beside(source) => {
                owned = source.neighbour(&location, path, left)?;
                &owned[..]
            }
            Files::Package(archive) => package::entry(archive, path).ok_or_else(|| {
                Error::format(&location, "a file of the package", "none of that name")
            })?,
        };
        self.size = self.size.saturating_add(bytes.len());
        inside(&location, layer_of(bytes, &self.progress))
    }
}
