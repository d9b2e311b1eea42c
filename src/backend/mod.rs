//! The device seam: batched operations as a narrow set, and the devices that run them.

pub mod cpu;
pub mod operations;

mod control;
mod operation;

pub use control::Control;
pub use operation::{Gradient, Input, Operation};
