//! The algebra of skeleton states `tx ty tz qx qy qz qw s`.

mod matrix;
mod parts;
mod points;
mod product;
mod way;

pub use matrix::{FromMatrix, ToMatrix};
pub(super) use matrix::{ScaledRotation, linear};
pub use parts::{FromQuaternion, FromScale, FromTranslation, Part};
pub use points::{TransformPoints, TransformPointsAssumeNormalized};
pub use product::{Inverse, Multiply, MultiplyAssumeNormalized};
pub use way::Slerp;

#[cfg(test)]
mod tests;
