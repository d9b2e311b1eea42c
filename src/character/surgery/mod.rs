//! Changing what a character is made of: joints taken away, put in, moved. Every change makes a new
//! character; the old one stays.

mod frames;
mod joint_map;
mod remap;
mod replace_hierarchy;
mod rigid_node;
mod scale;
mod simplify;
mod strip;
mod transform;

pub use scale::CharacterMassScale;

#[cfg(test)]
mod tests;
