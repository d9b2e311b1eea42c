//! Foreign memory in and out: DLPack, Arrow, buffers, and the frameworks' own quick doors.
//!
//! * [`foreign`]: memory that someone else owns, validated once and then seen as a view
//! * [`memory`]: memory that we own and hand over
//! * [`dlpack`], [`pybuffer`], [`array_interface`]: the protocols
//! * [`namespace`]: libraries that speak DLPack, and results as arrays of theirs
//! * [`numpy`], [`torch`], [`jax`]: the frameworks that have a quicker door than their protocol
//! * [`arrow`], [`buffer`]: columns; our own array object
//! * [`list`]: numbers and nested lists
//! * [`copies`]: how many copies all of this made

pub mod array_interface;
pub mod arrow;
pub mod buffer;
pub mod copies;
pub mod dlpack;
pub mod foreign;
pub mod jax;
pub mod list;
pub mod memory;
pub mod namespace;
pub mod numpy;
pub mod pybuffer;
pub mod torch;
