//! Characters that the package builds itself, for demonstrations, tests and benchmarks.
//!
//! * [`create_humanoid`]: an adult with 62 joints, a skinned skin, limits, markers and capsules
//! * [`walk_cycle`]: parameters that make it walk
//! * [`create_character`]: a random but reproducible rig of any size

mod humanoid;
mod synthetic;

pub use humanoid::{create_humanoid, walk_cycle};
pub use synthetic::create_character;
