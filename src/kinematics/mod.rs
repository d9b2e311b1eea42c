//! The verbs: what can be computed from a character.
//!
//! Plans are a character's constant data in one precision, laid out for the kernels; the kernels
//! compute one group of items side by side, over any [`crate::math::Lane`].

mod forward;
mod in_precision;
pub mod inverse;
pub mod inverse_transform;
mod normal_tiles;
mod normals;
mod parameters;
mod positions;
mod prepared;
pub mod skinning;

pub use forward::{ForwardPlan, Load, LoadSource, Motion, StateSink};
pub use in_precision::InPrecision;
pub use inverse::InversePlan;
pub use inverse_transform::PreparedInverse;
pub use normals::{NormalsPlan, TileLanes};
pub use parameters::{Direct, Drive, TransformPlan};
pub use positions::{PointsPlan, point_velocity, pull_point};
pub use prepared::{Plans, Precision, Prepared, PreparedTransform};
pub use skinning::SkinPlan;
