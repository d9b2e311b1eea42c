//! How far reading or writing is, and whether to go on.

use crate::error::{Error, Result};

/// Whom to tell. Nobody, by default.
#[derive(Clone, Copy, Default)]
pub struct Progress<'a> {
    /// Told the fraction that is done; `false` stops the work.
    listener: Option<&'a dyn Fn(f64) -> bool>,
}

impl<'a> Progress<'a> {
    /// Tells `listener` the fraction that is done, 0 to 1; work stops where it answers `false`.
    #[must_use]
    pub fn new(listener: &'a dyn Fn(f64) -> bool) -> Self {
        Self {
            listener: Some(listener),
        }
    }

    /// Says that `done` of `total` is done; cheap enough for every frame, not for every number.
    ///
    /// # Errors
    /// [`Error::Interrupted`] where the caller wants the work to stop.
    pub fn at(&self, done: usize, total: usize) -> Result<()> {
        match self.listener {
            Some(go_on) if !go_on(done as f64 / total.max(1) as f64) => Err(Error::Interrupted),
            _ => Ok(()),
        }
    }
}
