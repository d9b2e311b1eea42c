//! Universal scene description (USD) in its text, crate and packed forms: UsdSkel characters and motion.
//!
//! * `layer`, `value`, `types`: what a file stores, whatever its form
//! * `text`: the text form (`.usda`)
//! * `crate_file`: the binary form (`.usdc`), from version 0.4 on
//! * `package`: the packed form (`.usdz`), of which the first entry is read
//! * `compose`: a layer with all that it brings in
//! * `convert`: what it becomes
//! * `entry`: what is asked of every format
//!
//! What is read: Skeleton prims (rest and bind poses), SkelAnimation, Mesh prims with skinning, blend
//! shapes and in-betweens, transforms of prims above them, `metersPerUnit`, `upAxis`, the clock. Choices:
//!
//! * Sublayers, references, payloads, inherited and specialized prims are followed to files in the folder
//!   of the file and below it, or in its package, and to its own prims. What can not be read there is left
//!   out, as are variants; a warning names each, and so does the refusal of a file in which nothing is left.
//! * All skeletons of a file become one character, one after the other; a joint is called by the last part
//!   of its path, or by all of it where two would be called alike.
//! * Bindings count whether or not a prim applies `SkelBindingAPI`; exporters forget it.
//! * The rest pose is the zero pose, in the world, with scale 1 everywhere: scales at rest go into
//!   offsets, the inverse bind pose and the mesh, as for glTF. Transforms of prims above a skeleton are in
//!   its root joints; transforms of skinned meshes themselves have no effect, as UsdSkel says.
//! * Meshes that are not skinned stand still on a joint `stage` behind all others. Points of a subdivided
//!   surface are those of its cage. Texture coordinates are turned to count from the top, as in glTF.
//! * A file that does not say `metersPerUnit` is in centimetres, USD's default, unless
//!   [`crate::io::LoadOptions::file_unit`] says otherwise.
//! * An animation without translations, rotations or scales leaves those at rest.
//!
//! Own readers, because the `openusd` crate (0.6, the last one for this compiler) reserves memory by what
//! headers say, panics on indices out of range and overflows the stack on nested prims.

mod compose;
mod convert;
mod crate_file;
mod entry;
mod layer;
mod package;
mod text;
mod types;
mod value;

pub use convert::{Clip, Scene};
pub use entry::{load_character, load_motion, load_scene, read_layer};
pub use layer::{Fields, Layer, Prim, Property, Specifier};
pub use value::{Numbers, Reach, Value};
