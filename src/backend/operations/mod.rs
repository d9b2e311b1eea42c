//! The operations: kinematics over batches, each with its derivatives.

mod apply_parameter_transform;
pub mod blend;
mod closest_points_on_mesh;
mod collision_overlaps;
mod compute_pose_shape;
mod compute_shape;
mod distance_field;
mod each_parameter;
mod estimate_coefficients;
mod gradients;
mod inverse_kinematic_map;
mod inverse_parameter_transform;
mod inverse_with_known_scales;
mod lanes;
mod linear_shapes;
mod nearest_points_on_mesh;
mod parameter_limits;
mod per_character;
mod pointwise;
mod pose_mesh;
mod pose_prior;
mod posed_points;
mod positions;
pub mod quaternion;
mod rest_vertices;
mod rows;
mod select_parameters;
pub mod skel_state;
mod skeleton_state;
mod skin_points;
mod skin_points_dual_quaternion;
mod skin_points_with_weights;
mod skin_shaped_points;
pub mod trs;
mod vertex_normals;

pub use apply_parameter_transform::ApplyParameterTransform;
pub use blend::{Blend, Blended, NormalizeWeights};
pub use closest_points_on_mesh::ClosestPointsOnMesh;
pub use collision_overlaps::CollisionOverlaps;
pub use compute_pose_shape::ComputePoseShape;
pub use compute_shape::ComputeShape;
pub use distance_field::{DistanceFieldGradient, ReadDistanceField, SampleDistanceField};
pub use each_parameter::{ApplyModelParamLimits, UniformRandomToModelParameters};
pub use estimate_coefficients::EstimateCoefficients;
pub use inverse_kinematic_map::{
    LocalSkeletonStateToJointParameters, SkeletonStateToJointParameters, ToJointParameters,
};
pub use inverse_parameter_transform::ApplyInverseParameterTransform;
pub use inverse_with_known_scales::ApplyInverseWithKnownScales;
pub use nearest_points_on_mesh::NearestPointsOnMesh;
pub use parameter_limits::{ParameterLimitEnergy, ParameterLimitResiduals};
pub use per_character::PerCharacter;
pub use pointwise::{PointFunction, Pointwise};
pub use pose_mesh::pose_mesh;
pub use pose_prior::{Prior, PriorColumns, PriorLogProbability, PriorResiduals};
pub use posed_points::PosedPoints;
pub use positions::{JointParametersToPositions, ModelParametersToPositions, ToPositions};
pub use rest_vertices::RestVertices;
pub use select_parameters::SelectParameters;
pub use skeleton_state::{
    JointParametersToLocalSkeletonState, JointParametersToSkeletonState,
    ModelParametersToLocalSkeletonState, ModelParametersToSkeletonState, ToSkeletonState,
};
pub use skin_points::SkinPoints;
pub use skin_points_dual_quaternion::SkinPointsDualQuaternion;
pub use skin_points_with_weights::SkinPointsWithWeights;
pub use skin_shaped_points::SkinShapedPoints;
pub use vertex_normals::ComputeVertexNormals;

#[cfg(test)]
mod checks;
#[cfg(test)]
pub(crate) mod testing;
