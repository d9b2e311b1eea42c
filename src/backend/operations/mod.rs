//! The operations: kinematics over batches, each with its derivatives.

mod apply_parameter_transform;
mod gradients;
mod lanes;
mod positions;
mod skeleton_state;
mod skin_points;

pub use apply_parameter_transform::ApplyParameterTransform;
pub use positions::{JointParametersToPositions, ModelParametersToPositions, ToPositions};
pub use skeleton_state::{
    JointParametersToLocalSkeletonState, JointParametersToSkeletonState,
    ModelParametersToLocalSkeletonState, ModelParametersToSkeletonState, ToSkeletonState,
};
pub use skin_points::SkinPoints;

#[cfg(test)]
mod checks;
#[cfg(test)]
mod testing;
