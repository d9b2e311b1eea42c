//! An adult of 1.75 m who stands in an A-pose, faces +z and has +y up; its left is +x.
//!
//! * `bones`: where the joints are and how their axes lie
//! * `surface`: the body as one implicit surface
//! * `cage`: coarse quadrilaterals around it
//! * `cut`: the cage, cut as finely as asked
//! * `skin`: the mesh on the surface, and its weights
//! * `controls`: parameters and their limits
//! * `attachments`: markers and capsules
//! * `walk`: a walk

mod attachments;
mod bones;
mod cage;
mod controls;
mod cut;
mod skin;
mod surface;
mod walk;

use std::sync::Arc;

use crate::character::{Character, CharacterParts, Unit};
use crate::error::{Error, Result};

pub use walk::walk_cycle;

/// The coarsest skin that still has all fingers.
const FEWEST_VERTICES: usize = 500;

/// A humanoid of 62 joints and 67 parameters, with a closed skin of about `n_vertices` vertices (the
/// count is matched to a few per cent), up to 8 influences a vertex, limits, markers and capsules.
///
/// Positive rotations bend a joint the way it bends, and mirror each other left and right. The result
/// depends on the arguments only, and lengths are in `unit`.
///
/// # Errors
/// [`Error::Value`] for fewer than 500 vertices.
pub fn create_humanoid(n_vertices: usize, unit: Unit) -> Result<Character> {
    if !(FEWEST_VERTICES..=1_000_000).contains(&n_vertices) {
        return Err(Error::value(
            "n_vertices",
            format!("expected {FEWEST_VERTICES} to 1000000, got {n_vertices}"),
        ));
    }
    let bones = bones::Bones::new()?;
    let transform = controls::parameter_transform(&bones)?;
    let (mesh, weights) = skin::skin(&bones, n_vertices)?;
    let mut parts = CharacterParts::new("humanoid", bones.skeleton.clone(), transform);
    parts.parameter_limits = Arc::new(controls::limits(&bones, &parts.parameter_transform));
    parts.locators = Arc::new(attachments::markers(&bones));
    parts.collision_geometry = Arc::new(attachments::capsules(&bones));
    parts.mesh = Some(Arc::new(mesh));
    parts.skin_weights = Some(Arc::new(weights));
    Ok(Character::new(parts)?.in_unit(unit))
}

#[cfg(test)]
mod tests;
