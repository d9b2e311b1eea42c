//! The nouns: what a character is made of. Checked when built, constant afterwards.

mod blend_shape;
// The folder is named after the subject, the file after the noun.
#[allow(clippy::module_inception)]
mod character;
mod collision;
mod joint;
mod locator;
mod mesh;
mod parameter_limit;
mod parameter_transform;
mod reals;
mod selection;
mod skeleton;
mod skin_weights;
mod unit;

pub use blend_shape::BlendShape;
pub use character::{Character, CharacterParts};
pub use collision::{CollisionGeometry, CollisionShape};
pub use joint::Joint;
pub use locator::Locator;
pub use mesh::{Mesh, MeshParts};
pub use parameter_limit::{LimitKind, ParameterLimit};
pub use parameter_transform::{PARAMETERS_PER_JOINT, ParameterTransform};
pub use reals::Reals;
pub use selection::Selection;
pub use skeleton::Skeleton;
pub use skin_weights::SkinWeights;
pub use unit::Unit;
