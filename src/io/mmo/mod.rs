//! Momentum's binary motion (`.mmo`): the parameters of a character, frame after frame.
//!
//! * `raw`: the bytes
//! * `entry`: onto a character, and back
//!
//! All of it is little-endian, without padding:
//!
//! | what | stored as |
//! |---|---|
//! | how many parameters, joints, frames there are | three `u64` |
//! | the name of each parameter, then of each joint | its length as `u64`, its bytes |
//! | what is added to the seven parameters of each joint | `f32` |
//! | the parameters of each frame | `f32` |
//!
//! Parameters and joints find those of the character by their names, as in Momentum: what has no value is 0,
//! what the character does not have is left out. Lengths are centimetres. The file does not say how many
//! frames a second it has.

mod entry;
mod raw;

pub use entry::{load_motion, save_motion};
