//! Foreign memory in and out: DLPack, Arrow, buffers, and the frameworks' own quick doors.
//!
//! The way of an array through here is short: [`AnyArray`] in, a [`View`](crate::array::View) to compute
//! on, [`Output`] out.
//!
//! * [`any_array`]: the one door in
//! * [`output`]: the one door out, and the caller's `out=`
//! * [`convert`]: an array of one kind as one of another
//! * [`routes`]: how the arrays of a class are read, remembered
//! * [`exceptions`]: errors as Python exceptions
//! * [`foreign`]: memory that someone else owns, validated once and then seen as a view
//! * [`memory`]: memory that we own and hand over
//! * [`dlpack`], [`pybuffer`], [`array_interface`]: the protocols
//! * [`namespace`]: libraries that speak DLPack, and results as arrays of theirs
//! * [`numpy`], [`torch`], [`jax`]: the frameworks that have a quicker door than their protocol
//! * [`arrow`][]: columns
//! * [`xla_ffi`]: operations called by programs that XLA has compiled
//! * [`buffer`], [`exchange`]: our own array object, and its C functions
//! * [`storage`]: what keeps memory that outlives a call
//! * [`list`]: numbers and nested lists
//! * [`copies`]: how many copies all of this made

pub mod any_array;
pub mod array_interface;
pub mod arrow;
pub mod buffer;
pub mod convert;
pub mod copies;
pub mod differentiating;
pub mod dlpack;
pub mod exceptions;
pub mod exchange;
pub mod foreign;
pub mod jax;
pub mod list;
pub mod memory;
pub mod namespace;
pub mod numpy;
pub mod output;
pub mod pybuffer;
pub mod routes;
pub mod storage;
pub mod torch;
pub mod xla_ffi;

pub use any_array::{AnyArray, Kind, RealsIn, check_unmoved, leading, promote};
pub use output::{Output, Precision};
