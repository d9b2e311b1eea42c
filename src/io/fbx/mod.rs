//! Autodesk FBX, binary and ASCII: skeleton, skin, blend shapes and motion; and binary FBX written.
//!
//! * `entry`: what is asked of every format
//! * `scene`: what the file stores, by the C library ufbx within limits, and its axes and unit
//! * `joints`: which nodes become joints, and how joints follow them
//! * `shapes`, `geometry`, `material`: blend channels, meshes, what they look like
//! * `character`, `motion`, `markers`: what it becomes
//! * `write`: characters and motion as a file
//!
//! Every node becomes a joint, except the nameless root of the file and nodes that hold nothing but a
//! skinned mesh, a camera or a light, and locators that kinarray wrote. The rest pose is the pose of the file without an animation; zero
//! parameters give it. Pivots, pre- and post-rotation, rotation orders and inherit modes are in it, and in
//! every frame of a motion. Scales that nodes have at rest go into offsets, the inverse bind pose and the
//! mesh, as in glTF.
//!
//! Animations are sampled at the file's frame rate. A channel with in-between shapes becomes one shape for
//! each, whose coefficients follow the channel's weight as the file says. Joints blend linearly: a skin that
//! asks for dual quaternions keeps its weights, and a warning says so.

mod character;
mod entry;
mod geometry;
mod joints;
mod markers;
mod material;
mod motion;
mod scene;
mod shapes;
mod write;

/// The property that says that a node is a locator of ours, not a joint.
const LOCATOR: &str = "kinarray_locator";

pub use entry::{load_character, load_markers, load_motion, n_animations};
pub use write::{
    Axes, BodyPlace, FbxBuilder, FrontVector, Handedness, save_character, save_motion,
};
