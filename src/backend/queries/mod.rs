//! The queries: searches over batches.

mod closest_points;
mod closest_points_on_mesh;
mod forest;

pub use closest_points::{ClosestPoints, FindClosestPoints};
pub use closest_points_on_mesh::{ClosestPointsOfMesh, FindClosestPointsOnMesh};
