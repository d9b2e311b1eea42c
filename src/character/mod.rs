//! The nouns: what a character is made of. Checked when built, constant afterwards.

mod blend_shape;
// The folder is named after the subject, the file after the noun.
#[allow(clippy::module_inception)]
mod character;
mod collision;
mod joint;
mod locator;
mod marker;
mod material;
mod mesh;
mod mppca;
mod parameter_columns;
mod parameter_limit;
mod parameter_transform;
mod physical_properties;
mod pose_shape;
mod reals;
mod same_sizes;
mod selection;
mod shapes;
mod signed_distance_field;
mod skeleton;
mod skin_weights;
mod skinned_locator;
pub mod surgery;
mod unit;

pub use blend_shape::{BlendShape, BlendShapeBase};
pub use character::{Character, CharacterParts};
pub use collision::{CollisionGeometry, CollisionShape};
pub use joint::Joint;
pub use locator::Locator;
pub use marker::{Marker, MarkerSequence, MarkerSequenceParts};
pub use material::{Material, Picture};
pub use mesh::{Mesh, MeshParts};
pub use mppca::{Mppca, MppcaParts};
pub use parameter_limit::{LimitKind, ParameterLimit, inverse_ellipsoid};
pub use parameter_transform::{PARAMETERS_PER_JOINT, ParameterTransform};
pub use physical_properties::JointPhysicalProperties;
pub use pose_shape::PoseShape;
pub use reals::Reals;
pub use same_sizes::SameSizes;
pub use selection::Selection;
pub use signed_distance_field::{SdfCollider, SignedDistanceField};
pub use skeleton::Skeleton;
pub use skin_weights::SkinWeights;
pub use skinned_locator::SkinnedLocator;
pub use unit::Unit;
