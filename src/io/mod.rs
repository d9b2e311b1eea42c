//! Bytes to characters and motion, one folder a format.

pub mod gltf;
pub mod mppca;
