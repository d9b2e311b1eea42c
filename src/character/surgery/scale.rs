//! A larger or smaller body.

use std::sync::Arc;

use crate::character::Character;
use crate::error::{Error, Result};

/// What becomes of a body's mass when its lengths change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CharacterMassScale {
    /// It stays.
    #[default]
    PreserveMass,
    /// It grows with the volume.
    PreserveDensity,
}

impl CharacterMassScale {
    /// What masses are multiplied by where lengths are multiplied by `scale`; moments of inertia are
    /// multiplied by `scale²` besides.
    #[must_use]
    pub fn factor(self, scale: f64) -> f64 {
        match self {
            Self::PreserveMass => 1.0,
            Self::PreserveDensity => scale.powi(3),
        }
    }
}

impl Character {
    /// The same character with every length multiplied by `scale`; its unit stays. Parameters that are
    /// lengths must be multiplied too for the same pose.
    ///
    /// # Errors
    /// [`Error::Value`] where the scale is not positive.
    pub fn scaled(&self, scale: f64, mass_scale: CharacterMassScale) -> Result<Self> {
        if !(scale > 0.0 && scale.is_finite()) {
            return Err(Error::value(
                "scale",
                format!("expected a positive number, got {scale}"),
            ));
        }
        let mut parts = self.scaled_parts(scale);
        let heavier = mass_scale.factor(scale);
        for body in Arc::make_mut(&mut parts.physical_properties) {
            *body = body.heavier(heavier);
        }
        Self::new(parts)
    }
}
