//! Quaternions, similarity transforms, Euler angles, and their derivatives.

mod angle;
mod dual;
pub mod eigen;
mod elementary;
pub mod euler;
pub(crate) mod lane;
pub mod matrix;
mod moving;
mod number;
pub mod polar;
pub mod quaternion;
mod real;
pub mod rotation;
mod transform;
pub mod vector;

pub use angle::atan2;
pub use dual::Dual;
pub use elementary::{exp2, log2, sin_cos};
pub use euler::EulerOrder;
pub use lane::Lane;
pub use matrix::Matrix;
pub use moving::Moving;
pub use number::Number;
pub use quaternion::Quaternion;
pub use real::Real;
pub use transform::Transform;
pub use vector::Vector;
