//! Bytes to characters and motion, one folder a format.

pub mod blend_shape;
pub mod gltf;
pub mod mppca;
