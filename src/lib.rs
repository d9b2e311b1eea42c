//! Character kinematics on whatever array you already have.
//!
//! * [`character`]: the nouns, checked when built and constant afterwards
//! * [`kinematics`]: the verbs, each with its forward, vjp and jvp
//! * [`backend`]: what a batched operation is, and the devices that run it
//! * [`array`]: how we see numbers that someone else owns
//! * [`io`]: bytes to characters and motion
//! * [`mesh`]: trees over points and triangles, closest points, parts of meshes
//! * [`math`]: quaternions, transforms, Euler angles
//! * [`testing`]: characters that the package builds itself
//! * [`render`]: pictures of them
//! * `interop`, with the feature of that name: arrays from Python in and out, for any extension module

pub mod array;
pub mod backend;
pub mod character;
pub mod error;
pub mod io;
pub mod kinematics;
pub mod math;
pub mod mesh;
pub mod render;
pub mod testing;

#[cfg(feature = "interop")]
pub mod interop;
#[cfg(feature = "python")]
mod python;

pub use error::{Error, Result};
