//! The operations, one file each.

mod skin_points;
#[cfg(test)]
mod checks;

pub use skin_points::SkinPoints;
