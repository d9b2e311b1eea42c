//! Simple solids carried by joints.

use serde::{Deserialize, Serialize};

/// The form of a solid, in its own frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum CollisionShape {
    /// A segment from the origin along +x with a radius that changes linearly.
    TaperedCapsule {
        /// Radius at the origin and at the end.
        radius: [f64; 2],
        /// Length of the segment.
        length: f64,
    },
    /// An ellipsoid around the origin.
    Ellipsoid {
        /// Half axes.
        radii: [f64; 3],
    },
    /// A box around the origin.
    Box {
        /// Half edges.
        half_extents: [f64; 3],
    },
}

/// A solid and where it sits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CollisionGeometry {
    /// The joint that carries it; `None` is the world.
    pub parent: Option<usize>,
    /// Solid to joint; row-major 4x4.
    pub transformation: [f64; 16],
    /// Its form.
    pub shape: CollisionShape,
}
