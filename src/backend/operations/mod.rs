//! The operations: kinematics over batches, each with its derivatives.

mod apply_parameter_transform;
mod collision_overlaps;
mod distance_field;
mod gradients;
mod inverse_kinematic_map;
mod inverse_parameter_transform;
mod lanes;
mod pose_mesh;
mod positions;
mod skeleton_state;
mod skin_points;
mod skin_points_dual_quaternion;
mod vertex_normals;

pub use apply_parameter_transform::ApplyParameterTransform;
pub use collision_overlaps::CollisionOverlaps;
pub use distance_field::{DistanceFieldGradient, ReadDistanceField, SampleDistanceField};
pub use inverse_kinematic_map::{
    LocalSkeletonStateToJointParameters, SkeletonStateToJointParameters, ToJointParameters,
};
pub use inverse_parameter_transform::ApplyInverseParameterTransform;
pub use pose_mesh::pose_mesh;
pub use positions::{JointParametersToPositions, ModelParametersToPositions, ToPositions};
pub use skeleton_state::{
    JointParametersToLocalSkeletonState, JointParametersToSkeletonState,
    ModelParametersToLocalSkeletonState, ModelParametersToSkeletonState, ToSkeletonState,
};
pub use skin_points::SkinPoints;
pub use skin_points_dual_quaternion::SkinPointsDualQuaternion;
pub use vertex_normals::ComputeVertexNormals;

#[cfg(test)]
mod checks;
#[cfg(test)]
mod testing;
