//! What writers are given, and any format by one call.

use super::{Format, Markers, Motion, Progress, bvh, fbx, gltf, legacy_json, mmo, trc, urdf};
use crate::character::Character;
use crate::error::{Error, Result};

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
    /// Whether glTF becomes a JSON text (`.gltf`) rather than a GLB.
    pub text: bool,
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
            text: false,
            namespace: String::new(),
        }
    }
}

/// What a writer makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The file, piece by piece: large ones are not copied once more.
    pub parts: Vec<Vec<u8>>,
    /// What was left out or changed, one sentence each.
    pub warnings: Vec<String>,
}

impl Saved {
    /// A file in one piece.
    #[must_use]
    pub fn new(bytes: Vec<u8>, warnings: Vec<String>) -> Self {
        Self {
            parts: vec![bytes],
            warnings,
        }
    }

    /// The whole file.
    #[must_use]
    pub fn into_bytes(mut self) -> Vec<u8> {
        match self.parts.len() {
            1 => self.parts.remove(0),
            _ => self.parts.concat(),
        }
    }
}

/// Markers that go into a file beside a character, and whom to tell how far writing is.
#[derive(Clone, Copy, Default)]
pub struct Extras<'a> {
    /// Recorded points.
    pub markers: Option<&'a Markers>,
    /// Told how far writing is.
    pub progress: Progress<'a>,
}

/// Makes a file of a character.
///
/// # Errors
/// [`Error::Value`] for a format that holds no characters or is not written.
pub fn save_character(
    character: &Character,
    format: Format,
    options: &SaveOptions,
    extras: &Extras<'_>,
) -> Result<Saved> {
    match format {
        Format::Gltf => gltf::save_character(character, options, extras),
        Format::Fbx => fbx::save_character(character, options, fbx::Axes::default(), extras),
        Format::Urdf => urdf::save_character(character, options),
        Format::LegacyJson => legacy_json::save_character(character, options),
        other => Err(unavailable(other, "characters")),
    }
}

/// Makes a file of a motion and what it moves.
///
/// # Errors
/// [`Error::Value`] for a format that holds no motion or is not written.
pub fn save_motion(
    motion: &Motion,
    format: Format,
    options: &SaveOptions,
    extras: &Extras<'_>,
) -> Result<Saved> {
    match format {
        Format::Gltf => gltf::save_motion(motion, options, extras),
        Format::Fbx => fbx::save_motion(motion, options, fbx::Axes::default(), extras),
        Format::Bvh => bvh::save_motion(motion, &bvh::WriteOptions::default(), extras.progress),
        Format::Mmo => mmo::save_motion(motion, extras),
        other => Err(unavailable(other, "motion")),
    }
}

/// Makes a file of markers.
///
/// # Errors
/// [`Error::Value`] for a format that holds no markers or is not written.
pub fn save_markers(markers: &Markers, format: Format, extras: &Extras<'_>) -> Result<Saved> {
    match format {
        Format::Gltf => gltf::save_markers(markers, false, extras),
        Format::Trc => trc::save_markers(markers, extras.progress),
        other => Err(unavailable(other, "markers")),
    }
}

fn unavailable(format: Format, what: &str) -> Error {
    Error::value(
        "format",
        format!("'{}' files of {what} are not written", format.name()),
    )
}
