//! One joint of a skeleton.

use serde::{Deserialize, Serialize};

/// A joint: a name, a parent, and the constant part of its transform from the parent.
///
/// With parameters `tx ty tz rx ry rz sc` the transform from joint to parent is
/// `T(translation_offset + t) · R(pre_rotation) · Rz(rz) · Ry(ry) · Rx(rx) · 2^sc`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Joint {
    /// Unique in its skeleton.
    pub name: String,
    /// Index of the parent; `None` for a root. Parents come before their children.
    pub parent: Option<usize>,
    /// Unit quaternion `x y z w`.
    pub pre_rotation: [f64; 4],
    /// Position in the parent's frame, in the character's unit.
    pub translation_offset: [f64; 3],
}

impl Joint {
    /// A joint without rotation of its own.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        parent: Option<usize>,
        translation_offset: [f64; 3],
    ) -> Self {
        Self {
            name: name.into(),
            parent,
            pre_rotation: [0.0, 0.0, 0.0, 1.0],
            translation_offset,
        }
    }
}
