"""What the parity tests of parameters ask of PyMomentum that is more than one call; run by its interpreter."""

import json

import numpy as np
import pymomentum.geometry as geometry
import pymomentum.solver2 as solver


def _limits(described):
    """From JSON: `[[function, [arguments]], ...]`."""
    limits = []
    for function, arguments in json.loads(described):
        given = [np.asarray(a, np.float32) if isinstance(a, list) else a for a in arguments]
        limits.append(getattr(geometry.ParameterLimit, function)(*given))
    return limits


def limit_errors(character, limits, poses, enabled=None):
    """Energy, gradient and `2 Jᵀ r` of the limits at each pose."""
    limited = character.with_parameter_limits(_limits(limits))
    function = solver.LimitErrorFunction(limited)
    if enabled is not None:
        # The solver hands the choice on to the function.
        solved = solver.SkeletonSolverFunction(limited, [function])
        solver.GaussNewtonSolver(solved).set_enabled_parameters(enabled)
    energies, gradients, residuals = [], [], []
    for pose in poses:
        energies.append(function.get_error(pose))
        gradients.append(function.get_gradient(pose))
        residual, jacobian = function.get_jacobian(pose)
        residuals.append(2 * jacobian.T @ residual)
    return np.asarray(energies), np.stack(gradients), np.stack(residuals)


def target_of(data):
    """What the data of another type says about a MinMax limit."""
    limit = geometry.ParameterLimit.create_minmax(3, -1.0, 1.0)
    return float(getattr(limit.data, data).target_model_parameter_index)


def added_set(character, mask):
    """What `add_parameter_set` returns, and whether the transform has changed."""
    transform = character.parameter_transform
    returned = transform.add_parameter_set("mine", mask)
    return np.asarray([returned is None, "mine" in transform.parameter_sets])


def clamped(character, limits, poses):
    """Poses clamped to their limits, and the tables of limits."""
    limited = character.with_parameter_limits(_limits(limits))
    return (
        limited.apply_model_param_limits(poses),
        *limited.model_parameter_limits,
        *limited.joint_parameter_limits,
    )


def reduced(character, limits, mask):
    """Names, matrix, and the MinMax parameters after dropping parameters."""
    limited = character.with_parameter_limits(_limits(limits))
    limited.parameter_transform.add_parameter_set("mine", mask)
    few = geometry.reduce_to_selected_model_parameters(limited, mask)
    low, high = few.model_parameter_limits
    return np.asarray(few.parameter_transform.names), few.parameter_transform.transform, low, high


def with_shapes(character, n_shapes, n_expressions, poses, mask):
    """Masks, names and coefficients of a character with shapes, and the names of a subset."""
    points = np.asarray(character.mesh.vertices, np.float32)
    deltas = np.zeros((8, *points.shape), np.float32)
    shaped = character.with_blend_shape(geometry.BlendShape.from_tensors(points, deltas), n_shapes)
    shaped = shaped.with_face_expression_blend_shape(
        geometry.BlendShapeBase.from_tensors(deltas), n_expressions
    )
    transform = shaped.parameter_transform
    few = geometry.reduce_to_selected_model_parameters(shaped, mask)
    return (
        np.asarray(transform.names),
        transform.blend_shape_parameters,
        transform.face_expression_parameters,
        transform.pose_parameters,
        geometry.model_parameters_to_blend_shape_coefficients(shaped, poses),
        geometry.model_parameters_to_face_expression_coefficients(shaped, poses),
        geometry.model_parameters_to_blend_shape_coefficients(few, poses[..., mask]),
    )


def mapped(character, poses, joints, names):
    """Parameters taken from another character by name."""
    other = geometry.Character(
        "other",
        geometry.Skeleton(
            [
                geometry.Joint(name, index - 1, np.array([0, 0, 0, 1], np.float32), np.zeros(3))
                for index, name in enumerate(names)
            ]
        ),
        geometry.ParameterTransform(
            list(names),
            geometry.Skeleton(
                [
                    geometry.Joint(name, index - 1, np.array([0, 0, 0, 1], np.float32), np.zeros(3))
                    for index, name in enumerate(names)
                ]
            ),
            np.zeros((7 * len(names), len(names)), np.float32),
        ),
    )
    return (
        geometry.map_model_parameters(poses, character, other, False),
        geometry.map_joint_parameters(joints, character, other),
    )


def _prior(pi, mu, axes, sigma, names):
    return geometry.Mppca(pi, mu, axes, sigma, json.loads(names))


def prior(character, pi, mu, axes, sigma, names, poses):
    """Everything a pose prior says, and its file."""
    mixture = _prior(pi, mu, axes, sigma, names)
    function = solver.PosePriorErrorFunction(character, mixture)
    columns = [np.asarray(array) for array in mixture.to_arrays(character.parameter_transform)]
    rows = [function.get_jacobian(pose) for pose in poses]
    return (
        *columns,
        np.asarray([function.log_probability(pose) for pose in poses]),
        np.asarray([function.get_error(pose) for pose in poses]),
        np.stack([function.get_gradient(pose) for pose in poses]),
        np.stack([residual for residual, _ in rows]),
        np.asarray([mixture.get_mixture(i)[3] for i in range(mixture.n_mixtures)]),
    )


def save_prior(pi, mu, axes, sigma, names, path):
    geometry.Mppca.save(_prior(pi, mu, axes, sigma, names), path)
    return 0


def load_prior(path):
    mixture = geometry.Mppca.load(path)
    pi, mu, axes, sigma, _ = mixture.to_arrays()
    return np.asarray(mixture.names), pi, mu, axes, sigma
