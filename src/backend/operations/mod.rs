//! The operations: kinematics over batches, each with its derivatives.

mod apply_parameter_transform;
mod gradients;
mod lanes;
mod skeleton_state;

pub use apply_parameter_transform::ApplyParameterTransform;
pub use skeleton_state::{
    JointParametersToLocalSkeletonState, JointParametersToSkeletonState,
    ModelParametersToLocalSkeletonState, ModelParametersToSkeletonState, ToSkeletonState,
};
