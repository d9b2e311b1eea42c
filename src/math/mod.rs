//! Quaternions, similarity transforms, Euler angles, and their derivatives.

mod real;

pub use real::Real;
