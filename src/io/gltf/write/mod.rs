//! Writing: skeleton, skin, shapes and motion as any viewer shows them, `FB_momentum` as PyMomentum reads it,
//! and beside it `KA_character` with what both leave out or round (see [`super::own`]).
//!
//! * `document`: the JSON and its buffer
//! * `skeleton`, `mesh`, `material`, `motion`, `curves`, `markers`: what a character is in it
//! * `momentum`, `own`: the two extensions
//! * `builder`: a file piece by piece
//! * `save`: what is asked of every format
//!
//! Files are metres, in single precision where glTF says so; animations are baked once, with linear
//! interpolation, whatever the parameters are.

mod builder;
mod curves;
mod document;
mod markers;
mod material;
mod mesh;
mod momentum;
mod motion;
mod own;
mod save;
mod skeleton;

pub use builder::Builder;
pub use document::Container;
pub use markers::MarkerMesh;
pub use motion::{MotionToWrite, Values};
pub use save::{save_character, save_markers, save_motion, save_skeleton_states};
