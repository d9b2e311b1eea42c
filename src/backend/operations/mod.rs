//! The operations: kinematics over batches, each with its derivatives.

mod apply_parameter_transform;
mod closest_points_on_mesh;
mod gradients;
mod inverse_kinematic_map;
mod inverse_parameter_transform;
mod lanes;
mod pose_mesh;
mod positions;
mod skeleton_state;
mod skin_points;
mod vertex_normals;

pub use apply_parameter_transform::ApplyParameterTransform;
pub use closest_points_on_mesh::ClosestPointsOnMesh;
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
pub use vertex_normals::ComputeVertexNormals;

#[cfg(test)]
mod checks;
#[cfg(test)]
pub(crate) mod testing;
