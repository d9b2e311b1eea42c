//! The operations: kinematics over batches, each with its derivatives.

mod apply_parameter_transform;
mod each_parameter;
mod gradients;
mod inverse_kinematic_map;
mod inverse_parameter_transform;
mod inverse_with_known_scales;
mod lanes;
mod pointwise;
mod parameter_limits;
mod pose_mesh;
mod pose_prior;
mod positions;
pub mod quaternion;
mod rows;
mod select_parameters;
mod skeleton_state;
mod skin_points;
mod vertex_normals;

pub use apply_parameter_transform::ApplyParameterTransform;
pub use each_parameter::{ApplyModelParamLimits, UniformRandomToModelParameters};
pub use inverse_kinematic_map::{
    LocalSkeletonStateToJointParameters, SkeletonStateToJointParameters, ToJointParameters,
};
pub use inverse_parameter_transform::ApplyInverseParameterTransform;
pub use pointwise::{PointFunction, Pointwise};
pub use inverse_with_known_scales::ApplyInverseWithKnownScales;
pub use parameter_limits::{ParameterLimitEnergy, ParameterLimitResiduals};
pub use pose_mesh::pose_mesh;
pub use pose_prior::{Prior, PriorColumns, PriorLogProbability, PriorResiduals};
pub use positions::{JointParametersToPositions, ModelParametersToPositions, ToPositions};
pub use select_parameters::SelectParameters;
pub use skeleton_state::{
    JointParametersToLocalSkeletonState, JointParametersToSkeletonState,
    ModelParametersToLocalSkeletonState, ModelParametersToSkeletonState, ToSkeletonState,
};
pub use skin_points::SkinPoints;
pub use vertex_normals::ComputeVertexNormals;

#[cfg(test)]
mod checks;
#[cfg(test)]
mod testing;
