//! How we see numbers that someone else owns: element type, device, layout, strided view, batch.
//!
//! Nothing here owns memory or knows what the numbers mean, and nothing here is unsafe: a [`View`] is
//! a slice that covers all its elements, with a shape and signed strides laid over it.

mod axes;
mod batch;
mod device;
mod dtype;
mod layout;
mod view;

pub use axes::Axes;
pub use batch::{Batch, broadcast_batches};
pub use device::{Device, DeviceKind};
pub use dtype::{DType, Element};
pub use layout::{Shape, Strides, broadcast_shapes, contiguous_strides, element_count, show_shape};
pub use view::View;
#[cfg(feature = "interop")]
pub(crate) use view::reach;
