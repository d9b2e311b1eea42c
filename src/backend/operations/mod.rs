//! The operations: kinematics over batches, each with its derivatives.

mod apply_parameter_transform;
mod compute_pose_shape;
mod compute_shape;
mod estimate_coefficients;
mod gradients;
mod inverse_kinematic_map;
mod inverse_parameter_transform;
mod lanes;
mod linear_shapes;
mod pose_mesh;
mod positions;
mod rest_vertices;
mod skeleton_state;
mod skin_points;
mod skin_shaped_points;
mod vertex_normals;

pub use apply_parameter_transform::ApplyParameterTransform;
pub use compute_pose_shape::ComputePoseShape;
pub use compute_shape::ComputeShape;
pub use estimate_coefficients::EstimateCoefficients;
pub use inverse_kinematic_map::{
    LocalSkeletonStateToJointParameters, SkeletonStateToJointParameters, ToJointParameters,
};
pub use inverse_parameter_transform::ApplyInverseParameterTransform;
pub use pose_mesh::pose_mesh;
pub use positions::{JointParametersToPositions, ModelParametersToPositions, ToPositions};
pub use rest_vertices::RestVertices;
pub use skeleton_state::{
    JointParametersToLocalSkeletonState, JointParametersToSkeletonState,
    ModelParametersToLocalSkeletonState, ModelParametersToSkeletonState, ToSkeletonState,
};
pub use skin_points::SkinPoints;
pub use skin_shaped_points::SkinShapedPoints;
pub use vertex_normals::ComputeVertexNormals;

#[cfg(test)]
mod checks;
#[cfg(test)]
mod testing;
