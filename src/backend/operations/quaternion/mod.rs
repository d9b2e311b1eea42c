//! The algebra of quaternions `x y z w`.

mod product;

pub use product::{Multiply, MultiplyAssumeNormalized};
