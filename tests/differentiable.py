"""Every differentiable function with small arguments: what the tests of both bridges go through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from kinarray import autograd, geometry
from kinarray.geometry import (
    BlendShape,
    BlendShapeBase,
    Character,
    Joint,
    Locator,
    Mesh,
    ParameterLimit,
    ParameterTransform,
    Skeleton,
    SkinnedLocator,
    SkinWeights,
    TaperedCapsule,
)

N_JOINTS, N_VERTICES = 3, 5
NAMES = ["root_tx", "root_ry", "elbow_rx", "elbow_rz", "wrist_ry", "scale_arm"]
FACES = [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
ELLIPSOID = np.array([[0.3, 0.1, 0, 0.05], [0, 0.2, 0, 0.1], [0, 0, 0.4, 0], [0, 0, 0, 1]])


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@cache
def small(seed: int = 0, *, shapes: bool = True) -> Character:
    """Three joints that turn, slide and grow, five vertices, two identities and two expressions."""
    rng = np.random.default_rng(seed)
    turns = unit(rng.normal(size=(N_JOINTS, 4)))
    offsets = rng.normal(size=(N_JOINTS, 3)) * 0.5
    joints = [
        Joint(f"joint_{j}", j - 1, turn, offset)
        for j, (turn, offset) in enumerate(zip(turns, offsets, strict=True))
    ]
    skeleton = Skeleton(joints)
    matrix = np.zeros((7 * N_JOINTS, len(NAMES)))
    for column, row in enumerate([0, 4, 7 + 3, 7 + 5, 14 + 4, 7 + 6]):
        matrix[row, column] = 1
    matrix[14 + 3, 2] = 0.3
    vertices = rng.normal(size=(N_VERTICES, 3))
    index = np.array([[0, 1], [1, 2], [2, 0], [0, 2], [1, 0]], np.uint32)
    weights = rng.uniform(0.2, 0.8, size=(N_VERTICES, 2))
    character = Character(
        f"small_{seed}",
        skeleton,
        ParameterTransform(NAMES, skeleton, matrix),
        locators=[Locator(f"l{j}", j, rng.normal(size=3)) for j in (0, 2)],
    )
    character = character.with_mesh_and_skin_weights(
        Mesh(vertices, FACES), SkinWeights(index, weights)
    )
    character = character.with_skinned_locators(
        [SkinnedLocator(f"s{j}", [j, j + 1], [0.3, 0.7], rng.normal(size=3)) for j in (0, 1)]
    )
    character = character.with_parameter_limits(
        [
            ParameterLimit.create_minmax(1, -0.1, 0.1, 0.25),
            ParameterLimit.create_minmax_joint(1, 3, -0.1, 0.1),
            ParameterLimit.create_linear(2, 3, 2.0, 0.5, 1.0),
            ParameterLimit.create_halfplane(1, 2, [3.0, 4.0], 10.0),
            ParameterLimit.create_ellipsoid(1, 2, [0.1, 0.2, 0.3], ELLIPSOID),
        ]
    )
    capsules = [TaperedCapsule(j, np.eye(4), [0.5, 0.4], 0.8) for j in (0, 2)]
    character = character.with_collision_geometry(capsules)
    if shapes:
        vectors = rng.normal(size=(2, N_VERTICES, 3))
        character = character.with_blend_shape(BlendShape.from_tensors(vertices, vectors))
        character = character.with_face_expression_blend_shape(
            BlendShapeBase.from_tensors(rng.normal(size=(2, N_VERTICES, 3)))
        )
    return character


@dataclass(frozen=True)
class Case:
    """A function of arrays, and what makes arguments for it."""

    name: str
    function: Callable[..., Any]
    make: Callable[[np.random.Generator], tuple[np.ndarray, ...]]

    def arguments(self, lead: tuple[int, ...] = (), seed: int = 1) -> list[np.ndarray]:
        """Arguments with leading batch axes, in double precision."""
        rng = np.random.default_rng(seed)
        count = int(np.prod(lead))
        rows = [self.make(rng) for _ in range(count)]
        if not rows:
            return [np.zeros((*lead, *x.shape)) for x in self.make(rng)]
        columns = [np.stack(column) for column in zip(*rows, strict=True)]
        return [column.reshape((*lead, *column.shape[1:])) for column in columns]


def noise(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator], tuple[np.ndarray, ...]]:
    """Normal numbers of these shapes."""
    return lambda rng: tuple(rng.normal(size=shape) * 0.5 for shape in shapes)


def turns(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator], tuple[np.ndarray, ...]]:
    """Quaternions near unit length; other shapes are plain noise."""

    def make(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        return tuple(
            unit(rng.normal(size=shape)) * 1.1 if shape[-1:] == (4,) else rng.normal(size=shape)
            for shape in shapes
        )

    return make


def one_state(rng: np.random.Generator, *lead: int) -> np.ndarray:
    t, q = rng.normal(size=(*lead, 3)), unit(rng.normal(size=(*lead, 4)))
    return np.concatenate([t, q, np.exp2(rng.normal(size=(*lead, 1)) * 0.3)], -1)


def states(*counts: int, then: tuple[tuple[int, ...], ...] = ()) -> Any:
    """Skeleton states, one for each of ``counts`` (0 is a single one), and noise after them."""

    def make(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        first = [one_state(rng, *([count] if count else [])) for count in counts]
        return (*first, *(rng.normal(size=shape) for shape in then))

    return make


def rotations(*then: tuple[int, ...], count: int = 1) -> Any:
    """Rotation matrices, and noise after them."""

    def make(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        matrices = [np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(count)]
        matrices = [m * np.sign(np.linalg.det(m)) for m in matrices]
        return (*matrices, *(rng.normal(size=shape) for shape in then))

    return make


def trs_parts(count: int = 1, then: tuple[tuple[int, ...], ...] = ()) -> Any:
    """Translations, rotation matrices and scales, and noise after them."""

    def make(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        parts: list[np.ndarray] = []
        for _ in range(count):
            (matrix,) = rotations()(rng)
            parts += [rng.normal(size=3), matrix, np.exp(rng.normal(size=1) * 0.3)]
        return (*parts, *(rng.normal(size=shape) for shape in then))

    return make


def of(character: Character, name: str, *more: Any) -> Callable[..., Any]:
    function = getattr(autograd, name)
    return lambda x, *rest: function(character, x, *more, *rest)


@cache
def cases() -> dict[str, Case]:
    """All cases by name."""
    c, bare = small(), small(shapes=False)
    people = [small(seed, shapes=False) for seed in (0, 1)]
    n, m = c.parameter_transform.size, bare.parameter_transform.size
    parameters, joints = noise((n,)), noise((N_JOINTS, 7))
    blend, face = c.blend_shape, c.face_expression_blend_shape
    inverse = geometry.InverseParameterTransform(bare.parameter_transform)
    q, s, t = autograd.quaternion, autograd.skel_state, autograd.trs
    parents = [0, 2]
    rng = np.random.default_rng(5)
    pose_shape = geometry.PoseShape(
        rng.normal(size=(N_VERTICES, 3)), rng.normal(size=(4, N_VERTICES, 3)), 0, [2]
    )
    axes = rng.normal(size=(2, 1, 3))
    prior = geometry.Mppca([0.4, 0.6], rng.normal(size=(2, 3)), axes, [0.2, 0.3], ["a", "b", "c"])
    field = geometry.SignedDistanceField([[-2] * 3, [2] * 3], rng.normal(size=(4, 4, 4)))
    found = {
        # Parameters and skeleton states.
        "apply_parameter_transform": (of(c, "apply_parameter_transform"), parameters),
        "apply_inverse_parameter_transform": (
            lambda x: autograd.apply_inverse_parameter_transform(inverse, x),
            joints,
        ),
        "model_parameters_to_joint_parameters": (
            of(c, "model_parameters_to_joint_parameters"),
            parameters,
        ),
        "model_parameters_to_skeleton_state": (
            of(c, "model_parameters_to_skeleton_state"),
            parameters,
        ),
        "model_parameters_to_local_skeleton_state": (
            of(c, "model_parameters_to_local_skeleton_state"),
            parameters,
        ),
        "joint_parameters_to_skeleton_state": (
            of(c, "joint_parameters_to_skeleton_state"),
            joints,
        ),
        "joint_parameters_to_local_skeleton_state": (
            of(c, "joint_parameters_to_local_skeleton_state"),
            joints,
        ),
        "skeleton_state_to_joint_parameters": (
            of(c, "skeleton_state_to_joint_parameters"),
            states(N_JOINTS),
        ),
        "local_skeleton_state_to_joint_parameters": (
            of(c, "local_skeleton_state_to_joint_parameters"),
            states(N_JOINTS),
        ),
        "model_parameters_to_positions": (
            of(c, "model_parameters_to_positions", parents),
            noise((n,), (2, 3)),
        ),
        "joint_parameters_to_positions": (
            of(c, "joint_parameters_to_positions", parents),
            noise((N_JOINTS, 7), (2, 3)),
        ),
        "per_character_states": (
            lambda x: autograd.model_parameters_to_skeleton_state(people, x),
            noise((2, m)),
        ),
        "map_model_parameters": (
            lambda x: autograd.map_model_parameters(x, bare, c),
            noise((m,)),
        ),
        "map_joint_parameters": (
            lambda x: autograd.map_joint_parameters(x, c, bare),
            joints,
        ),
        "uniform_random_to_model_parameters": (
            of(c, "uniform_random_to_model_parameters"),
            parameters,
        ),
        "apply_model_param_limits": (of(c, "apply_model_param_limits"), parameters),
        "parameter_limit_residuals": (of(c, "parameter_limit_residuals"), parameters),
        "parameter_limit_energy": (of(c, "parameter_limit_energy"), parameters),
        # Points and meshes.
        "skin_points": (of(c, "skin_points"), states(N_JOINTS)),
        "skin_points_rest": (
            of(c, "skin_points"),
            states(N_JOINTS, then=((N_VERTICES, 3),)),
        ),
        "skin_points_shaped": (
            lambda x, p: autograd.skin_points(c, x, model_parameters=p),
            states(N_JOINTS, then=((n,),)),
        ),
        "skin_points_with_weights": (
            of(c, "skin_points_with_weights"),
            states(N_JOINTS, then=((N_VERTICES, 2),)),
        ),
        "skin_points_with_weights_and_rest": (
            of(c, "skin_points_with_weights"),
            states(N_JOINTS, then=((N_VERTICES, 2), (N_VERTICES, 3))),
        ),
        "skin_points_dual_quaternion": (
            of(c, "skin_points_dual_quaternion"),
            states(N_JOINTS, then=((N_VERTICES, 3),)),
        ),
        "skin_skinned_locators": (
            of(c, "skin_skinned_locators"),
            states(N_JOINTS, then=((2, 3),)),
        ),
        "locator_positions": (
            of(c, "locator_positions"),
            states(N_JOINTS, then=((2, 3),)),
        ),
        "model_parameters_to_skinned_points": (
            of(c, "model_parameters_to_skinned_points"),
            parameters,
        ),
        "model_parameters_to_skinned_points_rest": (
            of(bare, "model_parameters_to_skinned_points"),
            noise((m,), (N_VERTICES, 3)),
        ),
        "model_parameters_to_locator_positions": (
            of(c, "model_parameters_to_locator_positions"),
            noise((n,), (2, 3)),
        ),
        "rest_vertices": (of(c, "rest_vertices"), parameters),
        "compute_blend_shape": (
            lambda x: autograd.compute_blend_shape(blend, x),
            noise((2,)),
        ),
        "compute_blend_shape_face": (
            lambda x: autograd.compute_blend_shape(face, x),
            noise((2,)),
        ),
        "model_parameters_to_blend_shape_coefficients": (
            of(c, "model_parameters_to_blend_shape_coefficients"),
            parameters,
        ),
        "model_parameters_to_face_expression_coefficients": (
            of(c, "model_parameters_to_face_expression_coefficients"),
            parameters,
        ),
        "compute_vertex_normals": (
            lambda x: autograd.compute_vertex_normals(x, FACES),
            noise((N_VERTICES, 3)),
        ),
        "closest_points_on_mesh": (
            lambda x, v: autograd.closest_points_on_mesh(x, v, FACES),
            noise((4, 3), (N_VERTICES, 3)),
        ),
        "collision_overlaps": (of(c, "collision_overlaps"), states(N_JOINTS)),
        "compute_shape": (
            lambda x: autograd.compute_shape(pose_shape, x),
            states(N_JOINTS),
        ),
        "estimate_coefficients": (
            lambda x: autograd.estimate_coefficients(blend, x),
            noise((N_VERTICES, 3)),
        ),
        "joint_parameters_to_model_parameters_with_known_scales": (
            lambda x, scales: autograd.joint_parameters_to_model_parameters_with_known_scales(
                inverse, x, scales
            ),
            noise((N_JOINTS, 7), (1,)),
        ),
        "mppca_log_probability": (lambda x: autograd.mppca_log_probability(prior, x), noise((3,))),
        "mppca_residuals": (lambda x: autograd.mppca_residuals(prior, x), noise((3,))),
        "signed_distance_field_sample": (
            lambda x: autograd.signed_distance_field_sample(field, x),
            noise((4, 3)),
        ),
        "signed_distance_field_gradient": (
            lambda x: autograd.signed_distance_field_gradient(field, x),
            noise((4, 3)),
        ),
        # The algebra.
        "quaternion.multiply": (q.multiply, turns((4,), (4,))),
        "quaternion.multiply_assume_normalized": (
            q.multiply_assume_normalized,
            turns((4,), (4,)),
        ),
        "quaternion.normalize": (q.normalize, turns((4,))),
        "quaternion.conjugate": (q.conjugate, turns((4,))),
        "quaternion.inverse": (q.inverse, turns((4,))),
        "quaternion.rotate_vector": (q.rotate_vector, turns((4,), (3,))),
        "quaternion.rotate_vector_assume_normalized": (
            q.rotate_vector_assume_normalized,
            turns((4,), (3,)),
        ),
        "quaternion.to_rotation_matrix": (q.to_rotation_matrix, turns((4,))),
        "quaternion.to_rotation_matrix_assume_normalized": (
            q.to_rotation_matrix_assume_normalized,
            turns((4,)),
        ),
        "quaternion.from_rotation_matrix": (q.from_rotation_matrix, rotations()),
        "quaternion.to_axis_angle": (q.to_axis_angle, turns((4,))),
        "quaternion.from_axis_angle": (q.from_axis_angle, noise((3,))),
        "quaternion.quaternion_to_xyz_euler": (q.quaternion_to_xyz_euler, turns((4,))),
        "quaternion.euler_xyz_to_quaternion": (q.euler_xyz_to_quaternion, noise((3,))),
        "quaternion.euler_zyx_to_quaternion": (q.euler_zyx_to_quaternion, noise((3,))),
        "quaternion.from_two_vectors": (q.from_two_vectors, noise((3,), (3,))),
        "quaternion.slerp": (q.slerp, turns((4,), (4,), ())),
        "quaternion.blend": (q.blend, turns((3, 4), (3,))),
        "quaternion.angular_distance": (q.angular_distance, turns((4,), (4,))),
        "quaternion.align_z_with": (q.align_z_with, noise((3,))),
        "quaternion.check_and_normalize_weights": (
            lambda x, w: q.check_and_normalize_weights(x, w * w + 0.1),
            turns((3, 4), (3,)),
        ),
        "skel_state.multiply": (s.multiply, states(0, 0)),
        "skel_state.multiply_assume_normalized": (s.multiply_assume_normalized, states(0, 0)),
        "skel_state.inverse": (s.inverse, states(0)),
        "skel_state.to_matrix": (s.to_matrix, states(0)),
        "skel_state.from_matrix": (lambda x: s.from_matrix(s.to_matrix(x)), states(0)),
        "skel_state.transform_points": (s.transform_points, states(0, then=((3,),))),
        "skel_state.slerp": (s.slerp, states(0, 0, then=((),))),
        "skel_state.blend": (lambda x, w: s.blend(x, w * w + 0.1), states(3, then=((3,),))),
        "skel_state.from_translation": (s.from_translation, noise((3,))),
        "skel_state.from_quaternion": (s.from_quaternion, turns((4,))),
        "skel_state.from_scale": (s.from_scale, noise((1,))),
        "skel_state.split": (lambda x: s.split(x)[1], states(0)),
        "trs.multiply": (
            lambda a, b, c, d, e, f: t.multiply((a, b, c), (d, e, f))[0],
            trs_parts(2),
        ),
        "trs.inverse": (lambda a, b, c: t.inverse((a, b, c))[0], trs_parts()),
        "trs.transform_points": (
            lambda a, b, c, d: t.transform_points((a, b, c), d),
            trs_parts(then=((3,),)),
        ),
        "trs.to_skeleton_state": (lambda a, b, c: t.to_skeleton_state((a, b, c)), trs_parts()),
        "trs.from_skeleton_state": (lambda x: t.from_skeleton_state(x)[1], states(0)),
        "trs.slerp": (
            lambda a, b, c, d, e, f, w: t.slerp((a, b, c), (d, e, f), w)[1],
            trs_parts(2, then=((),)),
        ),
        "trs.blend": (
            lambda a, b, c, d, e, f: t.blend([(a, b, c), (d, e, f)])[1],
            trs_parts(2),
        ),
    }
    return {name: Case(name, function, make) for name, (function, make) in found.items()}
