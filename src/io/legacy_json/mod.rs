//! The JSON of PyMomentum's predecessors (`load_legacy_json`): a skeleton, a skinned mesh, solids and points.
//!
//! * `entry`: from bytes to a character, and back
//! * `skeleton`: joints, and what they carry
//! * `mesh`: the mesh and its weights
//! * `numbers`: many numbers without a name for each
//! * `write`: a character as such a file
//!
//! The keys are `Skeleton`, `SkinnedModel`, `Collision` and `Locators`; older ones have other names for them.
//! Lengths are centimetres, +y is up, quaternions are x y z w.
//!
//! What the format does not hold: a character's name, parameters and limits, shapes, skinned locators,
//! masses, colours, and all of a locator but its name, joint and offset. A character without parameters gets
//! seven a joint, as from any file without them; a model definition (`.model`) says better ones. Polygons
//! become triangles around their first corner, as in PyMomentum; weights are kept as stored, the eight
//! largest of a vertex.

mod entry;
mod mesh;
mod numbers;
mod skeleton;
mod write;

pub use entry::{load_character, save_character};
