//! Binary FBX 7.4: characters, solid bodies, motion and markers.
//!
//! * `record`: the records of a file
//! * `scene`: objects, how they are connected, and the file around them
//! * `axes`: which way up, ahead and aside are
//! * `skeleton`, `mesh`, `material`, `skin`, `shapes`, `motion`, `markers`: what a scene is made of
//! * `builder`: one thing after another into a file
//!
//! A joint is a limb node: its offset is the local translation, its pre-rotation the pre-rotation, and its
//! parameters are the local translation, rotation and scaling in the order `XYZ`, which turns about x first as
//! joints do. Children inherit scale (`RSrs`). Motion is written as keys in every frame; keys are of single
//! precision. Lengths are centimetres, as everybody expects.

mod axes;
mod builder;
mod markers;
mod material;
mod mesh;
mod motion;
mod record;
mod scene;
mod shapes;
mod skeleton;
mod skin;

pub use axes::{Axes, FrontVector, Handedness};
pub use builder::{BodyPlace, FbxBuilder, save_character, save_motion};
