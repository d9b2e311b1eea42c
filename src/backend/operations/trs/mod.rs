//! The algebra of transforms as translation, rotation matrix and scale.

mod choice;
mod convert;
mod matrix;
mod product;
mod way;

pub use choice::Where;
pub use convert::{
    FromMatrixRotation, FromMatrixScale, FromMatrixTranslation, FromSkeletonStateRotation,
    ToMatrix, ToSkeletonState,
};
pub use matrix::{FromEulerXyz, MatrixInverse, MatrixMultiply, MatrixRotateVector};
pub use product::{
    InverseScale, InverseTranslation, MultiplyScale, MultiplyTranslation, TransformPoints,
};
pub use way::{SlerpLine, SlerpRotation};

#[cfg(test)]
mod tests;
