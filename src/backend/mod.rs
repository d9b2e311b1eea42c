//! The device seam: batched operations as a narrow set, and the devices that run them.

pub mod cpu;
pub mod operations;
pub mod queries;
pub mod verbs;

mod any_operation;
mod control;
mod operation;
mod query;
pub mod registry;

pub use any_operation::{AnyOperation, Caller, Derivatives, Values};
pub use control::Control;
pub use operation::{Gradient, Input, Operation};
pub use query::{Column, Holds, Query, Results};
