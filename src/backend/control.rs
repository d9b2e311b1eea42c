//! How a caller steers long work: stop it.

use crate::error::{Error, Result};

/// What the caller may say while work is going on.
#[derive(Clone, Copy, Default)]
pub struct Control<'a> {
    /// Asked on the calling thread, about every 50 ms of work; `true` stops the work.
    interrupted: Option<&'a dyn Fn() -> bool>,
}

impl<'a> Control<'a> {
    /// Work that asks `interrupted` now and then whether to stop.
    #[must_use]
    pub fn interruptible(interrupted: &'a dyn Fn() -> bool) -> Self {
        Self {
            interrupted: Some(interrupted),
        }
    }

    /// Asks the caller; to be called from the thread that entered the library.
    ///
    /// # Errors
    /// [`Error::Interrupted`] where the caller wants the work to stop.
    pub fn check(&self) -> Result<()> {
        match self.interrupted {
            Some(interrupted) if interrupted() => Err(Error::Interrupted),
            _ => Ok(()),
        }
    }
}
