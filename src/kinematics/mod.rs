//! The verbs: what can be computed from a character.
//!
//! Plans are a character's constant data in one precision, laid out for the kernels; the kernels
//! compute one group of items side by side, over any [`crate::math::Lane`].

pub mod blend_shape;
mod collision;
pub mod contacts;
mod distance_field;
pub mod dual_quaternion;
mod estimate;
mod forward;
mod in_precision;
pub mod inverse;
pub mod inverse_transform;
mod known_scales;
mod limits;
mod mixture;
mod normal_tiles;
mod normals;
mod parameters;
pub mod pose_shape;
mod positions;
mod prepared;
mod same;
pub mod skinning;

pub use blend_shape::{PreparedShapes, ShapePlan, Shapes};
pub use collision::CollisionPlan;
pub use distance_field::DistanceSampler;
pub use dual_quaternion::DualQuaternionPlan;
pub use estimate::CoefficientEstimate;
pub use forward::{ForwardPlan, Load, LoadSource, Motion, StateSink};
pub use in_precision::InPrecision;
pub use inverse::InversePlan;
pub use inverse_transform::PreparedInverse;
pub use known_scales::InverseWithKnownScales;
pub use limits::{LimitsPlan, PreparedLimits};
pub use mixture::{MixturePlan, PreparedMixture};
pub use normals::{NormalsPlan, TileLanes};
pub use parameters::{Direct, Drive, TransformPlan};
pub use pose_shape::PreparedPoseShape;
pub use positions::{PointsPlan, point_velocity, pull_point};
pub use prepared::{Plans, Precision, Prepared, PreparedTransform};
pub use skinning::SkinPlan;
