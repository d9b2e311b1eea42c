//! BVH: a hierarchy of joints and a table of their channels, frame after frame.
//!
//! There is no specification; this reader takes what the common programs write.
//!
//! * **Channels** are the degrees of freedom: each is one model parameter, `<joint>_tx` ... `<joint>_rz`.
//!   Rotations apply in the order of the channels, the first outermost. The orders that are parts of
//!   `Zrotation Yrotation Xrotation` are our joint parameters as they stand, so their angles are kept, whole
//!   turns too; any other order is turned into `rx ry rz` without jumps from frame to frame.
//! * **Position channels** beside an `OFFSET` that is not zero: added to it, or in its place, as
//!   [`LoadOptions::position_channels`](crate::io::LoadOptions) says; files differ.
//! * **Unit**: a file does not say; centimetres unless `file_unit` says otherwise, as motion capture
//!   programs and game engines write them. +y is up.
//! * **End Sites** move nothing: they are locators `<joint>_end` (a second one `<joint>_end_2`).
//! * **Names** go to the end of their line, spaces and colons included. Joints of one name are told apart
//!   by a number.
//! * **Frame rate**: a whole number of frames a second where the frame time is one up to rounding
//!   (`.0083333` is 120).
//! * Fewer rows than `Frames:` says are refused, since the file is cut; surplus ones are left out.
//!
//! [`Hierarchy`] and [`MotionTable`] are what the file stores; `convert` makes characters and motion of
//! them; `write` the way back.

mod convert;
mod entry;
mod hierarchy;
mod scaled;
mod table;
mod write;

pub use entry::{load_character, load_motion};
pub use hierarchy::{Channel, EndSite, Hierarchy, HierarchyJoint};
pub use table::MotionTable;
pub use write::{WriteOptions, save_motion};
