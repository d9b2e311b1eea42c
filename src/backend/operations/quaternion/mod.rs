//! The algebra of quaternions `x y z w`.

mod angle;
mod euler;
mod matrix;
mod product;
mod rotate;
mod unit;
mod way;

pub use angle::{AlignZWith, AngularDistance, FromAxisAngle, FromTwoVectors, ToAxisAngle};
pub use euler::{FromEuler, ToEuler};
pub use matrix::{FromRotationMatrix, ToRotationMatrix, ToRotationMatrixAssumeNormalized};
pub use product::{Multiply, MultiplyAssumeNormalized};
pub use rotate::{RotateVector, RotateVectorAssumeNormalized};
pub use unit::{Conjugate, Inverse, Normalize};
pub use way::Slerp;

#[cfg(test)]
mod tests;
