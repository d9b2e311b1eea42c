//! Named displacements of a mesh.

use serde::{Deserialize, Serialize};

use super::reals::Reals;
use crate::error::{Error, Result};

/// Named displacements of a mesh: `vertices = base + Σ coefficient · displacement`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlendShape {
    names: Vec<String>,
    base: Reals,
    displacements: Reals,
}

impl BlendShape {
    /// From `(n_vertices, 3)` base positions and `(n_shapes, n_vertices, 3)` displacements.
    ///
    /// # Errors
    /// [`Error::Character`] where the sizes do not belong together.
    pub fn new(names: Vec<String>, base: Reals, displacements: Reals) -> Result<Self> {
        if displacements.len() != names.len() * base.len() || !base.len().is_multiple_of(3) {
            return Err(Error::character(
                "blend shape",
                format!(
                    "{} displacement numbers for {} shapes over {} vertices",
                    displacements.len(),
                    names.len(),
                    base.len() / 3
                ),
            ));
        }
        Ok(Self {
            names,
            base,
            displacements,
        })
    }

    /// The shapes' names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// `(n_vertices, 3)` positions without displacement.
    #[must_use]
    pub fn base(&self) -> &Reals {
        &self.base
    }

    /// `(n_shapes, n_vertices, 3)` displacements.
    #[must_use]
    pub fn displacements(&self) -> &Reals {
        &self.displacements
    }

    /// The same shapes with every length multiplied by `factor`.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        Self {
            names: self.names.clone(),
            base: self.base.scaled(factor),
            displacements: self.displacements.scaled(factor),
        }
    }
}
