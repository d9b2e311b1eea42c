"""Differentiable twins of the plain functions, for torch and JAX.

The functions have the names, arguments and results of :mod:`kinarray.geometry`, and methods of
``Character`` are functions that take the character first; those of other classes have their name in front, as
in ``mppca_residuals(prior, parameters)``. Given a torch tensor that requires grad, or an
array that a transformation of torch or JAX follows, a twin records derivatives: first and second order,
backward and forward. Given anything else it is the plain function, NumPy arrays included. Importing this
imports no framework.

>>> import numpy as np, kinarray as ka
>>> from kinarray import autograd as ka_grad
>>> character = ka.testing.create_humanoid(n_vertices=1000)
>>> pose = np.zeros(character.parameter_transform.size)
>>> ka_grad.model_parameters_to_skeleton_state(character, pose).shape[-1]
8
"""

from typing import Any

from .. import geometry as _geometry
from . import quaternion, skel_state, trs
from ._twins import twin as _twin

__all__ = [
    "apply_inverse_parameter_transform",
    "apply_model_param_limits",
    "apply_parameter_transform",
    "closest_points_on_mesh",
    "collision_overlaps",
    "compute_blend_shape",
    "compute_shape",
    "compute_vertex_normals",
    "estimate_coefficients",
    "find_closest_points",
    "find_closest_points_on_mesh",
    "joint_parameters_to_local_skeleton_state",
    "joint_parameters_to_model_parameters_with_known_scales",
    "joint_parameters_to_positions",
    "joint_parameters_to_skeleton_state",
    "local_skeleton_state_to_joint_parameters",
    "locator_positions",
    "map_joint_parameters",
    "map_model_parameters",
    "model_parameters_to_blend_shape_coefficients",
    "model_parameters_to_face_expression_coefficients",
    "model_parameters_to_joint_parameters",
    "model_parameters_to_local_skeleton_state",
    "model_parameters_to_locator_positions",
    "model_parameters_to_positions",
    "model_parameters_to_skeleton_state",
    "model_parameters_to_skinned_points",
    "mppca_log_probability",
    "mppca_residuals",
    "parameter_limit_energy",
    "parameter_limit_residuals",
    "quaternion",
    "reduce_to_selected_model_parameters",
    "rest_vertices",
    "signed_distance_field_gradient",
    "signed_distance_field_sample",
    "skel_state",
    "skeleton_state_to_joint_parameters",
    "skin_points",
    "skin_points_dual_quaternion",
    "skin_points_with_weights",
    "skin_skinned_locators",
    "trs",
    "uniform_random_to_model_parameters",
]

apply_inverse_parameter_transform = _twin(_geometry.apply_inverse_parameter_transform, __name__)
apply_model_param_limits = _twin(_geometry.apply_model_param_limits, __name__)
apply_parameter_transform = _twin(_geometry.apply_parameter_transform, __name__)
closest_points_on_mesh = _twin(_geometry.closest_points_on_mesh, __name__)
collision_overlaps = _twin(_geometry.collision_overlaps, __name__)
compute_blend_shape = _twin(_geometry.compute_blend_shape, __name__)
compute_vertex_normals = _twin(_geometry.compute_vertex_normals, __name__)
find_closest_points = _twin(_geometry.find_closest_points, __name__)
find_closest_points_on_mesh = _twin(_geometry.find_closest_points_on_mesh, __name__)
joint_parameters_to_local_skeleton_state = _twin(
    _geometry.joint_parameters_to_local_skeleton_state, __name__
)
joint_parameters_to_positions = _twin(_geometry.joint_parameters_to_positions, __name__)
joint_parameters_to_skeleton_state = _twin(_geometry.joint_parameters_to_skeleton_state, __name__)
local_skeleton_state_to_joint_parameters = _twin(
    _geometry.local_skeleton_state_to_joint_parameters, __name__
)
map_joint_parameters = _twin(_geometry.map_joint_parameters, __name__)
map_model_parameters = _twin(_geometry.map_model_parameters, __name__)
model_parameters_to_blend_shape_coefficients = _twin(
    _geometry.model_parameters_to_blend_shape_coefficients, __name__
)
model_parameters_to_face_expression_coefficients = _twin(
    _geometry.model_parameters_to_face_expression_coefficients, __name__
)
model_parameters_to_joint_parameters = _twin(
    _geometry.model_parameters_to_joint_parameters, __name__
)
model_parameters_to_local_skeleton_state = _twin(
    _geometry.model_parameters_to_local_skeleton_state, __name__
)
model_parameters_to_locator_positions = _twin(
    _geometry.model_parameters_to_locator_positions, __name__
)
model_parameters_to_positions = _twin(_geometry.model_parameters_to_positions, __name__)
model_parameters_to_skeleton_state = _twin(_geometry.model_parameters_to_skeleton_state, __name__)
model_parameters_to_skinned_points = _twin(_geometry.model_parameters_to_skinned_points, __name__)
parameter_limit_energy = _twin(_geometry.parameter_limit_energy, __name__)
parameter_limit_residuals = _twin(_geometry.parameter_limit_residuals, __name__)
skeleton_state_to_joint_parameters = _twin(_geometry.skeleton_state_to_joint_parameters, __name__)
skin_points = _twin(_geometry.skin_points, __name__)
skin_points_with_weights = _twin(_geometry.skin_points_with_weights, __name__)
skin_skinned_locators = _twin(_geometry.skin_skinned_locators, __name__)
uniform_random_to_model_parameters = _twin(_geometry.uniform_random_to_model_parameters, __name__)
locator_positions = _twin(_geometry.Character.locator_positions, __name__)
rest_vertices = _twin(_geometry.Character.rest_vertices, __name__)
skin_points_dual_quaternion = _twin(_geometry.Character.skin_points_dual_quaternion, __name__)
reduce_to_selected_model_parameters = _geometry.reduce_to_selected_model_parameters


def _compute_shape(shape: Any, argument: Any, *, out: Any = None) -> Any:
    """The vertices of a blend shape for coefficients, or of a pose shape for skeleton states."""
    return shape.compute_shape(argument, out=out)


compute_shape = _twin(_compute_shape, __name__)
estimate_coefficients = _twin(_geometry.BlendShape.estimate_coefficients, __name__)
joint_parameters_to_model_parameters_with_known_scales = _twin(
    _geometry.InverseParameterTransform.joint_parameters_to_model_parameters_with_known_scales,
    __name__,
)
mppca_log_probability = _twin(_geometry.Mppca.log_probability, __name__)
mppca_residuals = _twin(_geometry.Mppca.residuals, __name__)
signed_distance_field_gradient = _twin(_geometry.SignedDistanceField.gradient, __name__)
signed_distance_field_sample = _twin(_geometry.SignedDistanceField.sample, __name__)
