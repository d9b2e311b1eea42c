//! Readers and writers of files, each format against files and figures that others made.

mod acclaim;
mod angles;
mod bvh;
mod bvh_handmade;
mod c3d;
mod c3d_handmade;
mod common;
mod deepmimic;
mod fbx_expected;
mod fbx_invalid;
mod fbx_written;
mod gltf_expected;
mod gltf_handmade;
mod gltf_invalid;
mod gltf_materials;
mod gltf_momentum;
mod gltf_write;
mod mjcf;
mod mjcf_files;
mod mjcf_invalid;
mod trc;
mod up_and_unit;
mod urdf;
mod usd;
