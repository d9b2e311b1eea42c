//! Bodies that do not bend, on joints: what readers of robots share.
//!
//! * `rig`: joints and parameters as they are added
//! * `shapes`: solids, and what is seen, each on one joint

mod rig;
mod shapes;

pub(in crate::io) use rig::{Rig, channel_along, frame_along, plane};
pub(in crate::io) use shapes::{Form, Placed, mesh, solids};

/// As large as the file of one mesh may be.
pub(in crate::io) const MAX_MESH_BYTES: usize = 256 << 20;
