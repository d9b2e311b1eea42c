//! What is done with points and triangles alone: trees over them, closest points, crossings, and parts of
//! meshes. Knows no joints.

mod boxes;
mod crossings;
mod points;
mod prepared;
mod texture;
mod triangle;
mod triangles;

pub use boxes::Stack;
pub use crossings::self_intersections;
pub use points::PointTree;
pub use prepared::{PointSet, TriangleSet};
pub(crate) use prepared::{check_count, check_faces};
pub use texture::{Texture, classify_triangles, split_region};
pub use triangle::{Piece, closest_on_triangle};
pub use triangles::TriangleTree;
pub(crate) use triangles::corners;
