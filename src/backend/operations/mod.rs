//! The operations, one file each.

mod skin_points;
#[cfg(test)]
mod testing;

pub use skin_points::SkinPoints;
