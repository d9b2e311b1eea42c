//! Readers and writers of files, each format against files and figures that others made.

mod acclaim;
mod angles;
mod bvh;
mod bvh_handmade;
mod common;
mod deepmimic;
mod gltf_expected;
mod gltf_handmade;
mod gltf_invalid;
mod gltf_momentum;
