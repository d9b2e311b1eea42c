"""Characters, their parts, and what can be computed from them.

Every function takes whatever array you have and gives the same kind back; names, argument order and
meaning are PyMomentum's ``geometry``. Leading axes are a batch, any number of them.

Where a function takes a ``character``, it takes a list or tuple of characters of equal sizes too: the list
is a batch axis, the last one, and broadcasts with the others. ``poses`` of shape ``(100, 5, n_parameters)``
beside five characters are a hundred poses of each, and one pose ``(n_parameters,)`` is a pose of all five.
"""

from ._core import (
    BlendShape,
    Box,
    Character,
    CharacterMassScale,
    Ellipsoid,
    InverseParameterTransform,
    Joint,
    Locator,
    Mesh,
    ParameterLimit,
    ParameterTransform,
    Skeleton,
    SkinWeights,
    TaperedCapsule,
    apply_parameter_transform,
    compute_vertex_normals,
    joint_parameters_to_local_skeleton_state,
    joint_parameters_to_positions,
    joint_parameters_to_skeleton_state,
    local_skeleton_state_to_joint_parameters,
    model_parameters_to_joint_parameters,
    model_parameters_to_local_skeleton_state,
    model_parameters_to_positions,
    model_parameters_to_skeleton_state,
    replace_skeleton_hierarchy,
    skeleton_state_to_joint_parameters,
    skin_points,
    strip_joints,
)

PARAMETERS_PER_JOINT = 7
"""``tx ty tz rx ry rz sc`` of each joint, in this order; ``sc`` is log2 of the uniform scale."""

__all__ = [
    "PARAMETERS_PER_JOINT",
    "BlendShape",
    "Box",
    "Character",
    "CharacterMassScale",
    "Ellipsoid",
    "InverseParameterTransform",
    "Joint",
    "Locator",
    "Mesh",
    "ParameterLimit",
    "ParameterTransform",
    "Skeleton",
    "SkinWeights",
    "TaperedCapsule",
    "apply_parameter_transform",
    "compute_vertex_normals",
    "joint_parameters_to_local_skeleton_state",
    "joint_parameters_to_positions",
    "joint_parameters_to_skeleton_state",
    "local_skeleton_state_to_joint_parameters",
    "model_parameters_to_joint_parameters",
    "model_parameters_to_local_skeleton_state",
    "model_parameters_to_positions",
    "model_parameters_to_skeleton_state",
    "replace_skeleton_hierarchy",
    "skeleton_state_to_joint_parameters",
    "skin_points",
    "strip_joints",
]
