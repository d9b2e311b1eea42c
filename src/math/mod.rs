//! Quaternions, similarity transforms, Euler angles, and their derivatives.

mod angle;
mod elementary;
mod lane;
pub mod quaternion;
mod real;
mod transform;
pub mod vector;

pub use angle::atan2;
pub use elementary::{exp2, sin_cos};
pub use lane::Lane;
pub use quaternion::Quaternion;
pub use real::Real;
pub use transform::Transform;
pub use vector::Vector;
