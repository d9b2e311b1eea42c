//! From a file's nodes, which scale in any way, skins and meshes to one skeleton and one mesh: what
//! formats with a scene of nodes share.
//!
//! * `polar`: a linear map as rotation and stretch
//! * `frames`: how a joint stands for a node
//! * `names`: names of their own
//! * `primitive`: pieces of meshes and what binds them
//! * `assembly`: joints and vertices gathered

mod assembly;
mod frames;
mod names;
pub(in crate::io) mod polar;
mod primitive;

pub(in crate::io) use assembly::{Assembly, Paints};
pub(in crate::io) use frames::{Frame, Local, Similarity};
pub(in crate::io) use names::Names;
pub(in crate::io) use primitive::{Polygons, Primitive, Skin};
