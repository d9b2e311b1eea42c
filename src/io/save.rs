//! What writers are given.

use super::{Markers, Progress};

/// What goes into a file beside the skeleton; what a format cannot hold is left out with a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveOptions {
    /// The mesh, with skin and shapes.
    pub mesh: bool,
    /// Named points.
    pub locators: bool,
    /// Solids.
    pub collisions: bool,
    /// Shapes of the mesh.
    pub blend_shapes: bool,
    /// What only Momentum and kinarray read: glTF's `FB_momentum`, and ours beside it.
    pub extensions: bool,
    /// Put before the names of nodes, with a colon; FBX.
    pub namespace: String,
}

impl Default for SaveOptions {
    fn default() -> Self {
        Self {
            mesh: true,
            locators: true,
            collisions: true,
            blend_shapes: true,
            extensions: true,
            namespace: String::new(),
        }
    }
}

/// What a writer makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The file.
    pub bytes: Vec<u8>,
    /// What was left out or changed, one sentence each.
    pub warnings: Vec<String>,
}

/// Markers that go into a file beside a character, and whom to tell how far writing is.
#[derive(Clone, Copy, Default)]
pub struct Extras<'a> {
    /// Recorded points.
    pub markers: Option<&'a Markers>,
    /// Told how far writing is.
    pub progress: Progress<'a>,
}
