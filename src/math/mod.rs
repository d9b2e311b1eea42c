//! Quaternions, similarity transforms, Euler angles, and their derivatives.

mod elementary;
mod lane;
mod real;

pub use elementary::{exp2, sin_cos};
pub use lane::Lane;
pub use real::Real;
