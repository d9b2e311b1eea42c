//! Points that a motion capture system saw.

use serde::{Deserialize, Serialize};

/// One marker in one frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Marker {
    /// Its name.
    pub name: String,
    /// Where it was seen.
    pub pos: [f64; 3],
    /// Whether it was hidden, so that its position means nothing.
    pub occluded: bool,
    /// How much the observation is to be trusted, 0 to 1.
    pub confidence: f64,
}

/// The markers of one subject, frame after frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MarkerSequence {
    /// The subject's name.
    pub name: String,
    /// The markers of each frame.
    pub frames: Vec<Vec<Marker>>,
    /// Frames per second.
    pub fps: f64,
}
