"""Characters, their parts, and what can be computed from them.

Every function takes whatever array you have and gives the same kind back; names, argument order and
meaning are PyMomentum's ``geometry``. Leading axes are a batch, any number of them.
"""

from ._core import (
    BlendShape,
    Box,
    Character,
    Ellipsoid,
    InverseParameterTransform,
    Joint,
    Locator,
    Mesh,
    MeshTree,
    ParameterLimit,
    ParameterTransform,
    PointTree,
    Skeleton,
    SkinWeights,
    TaperedCapsule,
    apply_parameter_transform,
    compute_vertex_normals,
    find_closest_points,
    find_closest_points_on_mesh,
    joint_parameters_to_local_skeleton_state,
    joint_parameters_to_positions,
    joint_parameters_to_skeleton_state,
    local_skeleton_state_to_joint_parameters,
    model_parameters_to_joint_parameters,
    model_parameters_to_local_skeleton_state,
    model_parameters_to_positions,
    model_parameters_to_skeleton_state,
    skeleton_state_to_joint_parameters,
)

PARAMETERS_PER_JOINT = 7
"""``tx ty tz rx ry rz sc`` of each joint, in this order; ``sc`` is log2 of the uniform scale."""

__all__ = [
    "PARAMETERS_PER_JOINT",
    "BlendShape",
    "Box",
    "Character",
    "Ellipsoid",
    "InverseParameterTransform",
    "Joint",
    "Locator",
    "Mesh",
    "MeshTree",
    "ParameterLimit",
    "ParameterTransform",
    "PointTree",
    "Skeleton",
    "SkinWeights",
    "TaperedCapsule",
    "apply_parameter_transform",
    "compute_vertex_normals",
    "find_closest_points",
    "find_closest_points_on_mesh",
    "joint_parameters_to_local_skeleton_state",
    "joint_parameters_to_positions",
    "joint_parameters_to_skeleton_state",
    "local_skeleton_state_to_joint_parameters",
    "model_parameters_to_joint_parameters",
    "model_parameters_to_local_skeleton_state",
    "model_parameters_to_positions",
    "model_parameters_to_skeleton_state",
    "skeleton_state_to_joint_parameters",
]
