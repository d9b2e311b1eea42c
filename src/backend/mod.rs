//! The device seam: batched operations as a narrow set, and the devices that run them.

pub mod cpu;
pub mod operations;
pub mod queries;

mod control;
mod operation;
mod query;

pub use control::Control;
pub use operation::{Gradient, Input, Operation};
pub use query::{Column, Holds, Query, Results};
