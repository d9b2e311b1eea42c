//! Named points that move with a joint.

use serde::{Deserialize, Serialize};

/// A named point in a joint's frame, as markers and attachment points are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Locator {
    /// Unique in its character.
    pub name: String,
    /// The joint that carries it.
    pub parent: usize,
    /// Position in the joint's frame, in the character's unit.
    pub offset: [f64; 3],
    /// Axes along which calibration may not move it.
    pub locked: [bool; 3],
    /// How much it counts in fits.
    pub weight: f64,
    /// Where calibration pulls it back to.
    pub limit_origin: [f64; 3],
    /// How strongly, per axis.
    pub limit_weight: [f64; 3],
    /// Whether it sits on the skin.
    pub attached_to_skin: bool,
    /// Its distance from the skin, in the character's unit.
    pub skin_offset: f64,
}

impl Locator {
    /// A locator with nothing but a place.
    #[must_use]
    pub fn new(name: impl Into<String>, parent: usize, offset: [f64; 3]) -> Self {
        Self {
            name: name.into(),
            parent,
            offset,
            locked: [false; 3],
            weight: 1.0,
            limit_origin: offset,
            limit_weight: [0.0; 3],
            attached_to_skin: false,
            skin_offset: 0.0,
        }
    }
}
