//! Quaternions, similarity transforms, Euler angles, and their derivatives.

mod angle;
mod dual;
mod elementary;
pub(crate) mod lane;
mod number;
pub mod quaternion;
mod real;
mod transform;
pub mod vector;

pub use angle::atan2;
pub use dual::Dual;
pub use elementary::{exp2, log2, sin_cos};
pub use lane::Lane;
pub use number::Number;
pub use quaternion::Quaternion;
pub use real::Real;
pub use transform::Transform;
pub use vector::Vector;
