//! Pictures of posed meshes: a small z-buffer rasteriser, for demonstrations, notebooks and bug reports.
//!
//! * [`figures_png`]: posed copies of one mesh side by side, framed by itself
//! * [`draw`]: any meshes through any [`Camera`]

mod camera;
mod figures;
mod image;
mod raster;

pub use camera::Camera;
pub use figures::figures_png;
pub use image::Image;
pub use raster::{MeshInstance, draw};
