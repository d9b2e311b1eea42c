//! Momentum's locators (`.locators`): JSON with a list of named points on a skeleton's joints.
//!
//! * `raw`: what the file stores
//! * `convert`: points on the joints of a character
//! * `write`: a character's locators as such a file
//!
//! A point is on the joint `parentName` (or the joint number `parent`). Its place is `offsetX`, `offsetY`,
//! `offsetZ` in the joint's frame, or `globalX`, `globalY`, `globalZ` in the world of the rest pose, in
//! centimetres. `lockX` ..., `weight`, `limitWeightX` ..., `skinOffset` (centimetres) and `attachedToSkin`
//! may follow; calibration pulls a point back to where the file puts it.
//!
//! As in PyMomentum the points of a file are put behind those that a character has, a point without a joint
//! that the character has is left out with a warning, two points of one name in a file are refused, and
//! skinned locators are not stored.

mod convert;
mod raw;
mod write;

pub use convert::load_locators;
pub use write::save_locators;

/// The frame in which places are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LocatorSpace {
    /// The joint's.
    Local,
    /// The world, in the rest pose; independent of how the skeleton is built.
    #[default]
    Global,
}
