"""One program for both libraries: only the import differs. Needs NumPy only.

    python tests/parity/shared_program.py OUT.npz pymomentum      # in the peer's interpreter
    python tests/parity/shared_program.py OUT.npz kinarray        # in ours

Each recipe is named after the public name that it shows; what it returns is stored under that name, for
float32 and float64. Where a library raises, the exception is stored instead.
"""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from character_arrays import random_joint_parameters, random_model_parameters, synthetic

RECIPES = {}


def recipe(name):
    def add(function):
        RECIPES[name] = function
        return function

    return add


class World:
    """What the recipes work with: a library, a precision, a character and inputs for it."""

    def __init__(self, library, dtype):
        self.geometry, self.quaternion, self.skel_state = library
        self.dtype = dtype
        self.rng = np.random.default_rng(11)
        self.arrays = synthetic(20, 40, 60, 4, exact=True)
        self.character = self.arrays.build(self.geometry)
        self.poses = random_model_parameters(self.arrays, (2, 3), dtype)
        self.joints = random_joint_parameters(self.arrays, (2, 3), dtype)
        # Inside the branch that angles are taken from.
        self.joints[..., 4] *= 0.9

    def numbers(self, *shape, scale=1.0):
        return (self.rng.normal(size=shape) * scale).astype(self.dtype)

    def units(self, *shape):
        q = self.rng.normal(size=(*shape, 4))
        return (q / np.linalg.norm(q, axis=-1, keepdims=True)).astype(self.dtype)

    def states(self, *shape):
        parts = [self.numbers(*shape, 3), self.units(*shape)]
        scale = self.rng.uniform(0.5, 2, (*shape, 1)).astype(self.dtype)
        return np.concatenate([*parts, scale], -1)

    def state(self):
        g = self.geometry
        return g.joint_parameters_to_skeleton_state(self.character, self.joints)

    def shaped(self):
        """The character with three blend shapes, and two of the face after them."""
        g, v = self.geometry, self.arrays.vertices
        rng = np.random.default_rng(12)
        shapes = rng.normal(size=(3, *v.shape)).astype(np.float32)
        blend = g.BlendShape.from_tensors(v, shapes, ["a", "b", "c"])
        face = g.BlendShapeBase.from_tensors(shapes[:2], ["x", "y"])
        character = self.character.with_blend_shape(blend, 3)
        return character.with_face_expression_blend_shape(face, 2)

    def limited(self):
        limits = [
            self.geometry.ParameterLimit.create_minmax(p, -0.25, 0.25 + p / 64) for p in (0, 7, 9)
        ]
        return self.character.with_parameter_limits(limits)

    def located(self):
        g = self.geometry
        parents = np.array([1, 3, 4], np.uint32)
        weights = np.array([0.5, 0.3, 0.2], np.float32)
        locators = [g.SkinnedLocator(f"s{k}", parents, weights, [k, 0.5, 1]) for k in range(4)]
        return self.character.with_skinned_locators(locators)


def states_as_matrices(state):
    """The sign of a quaternion means nothing: states are compared as matrices."""
    state = np.asarray(state)
    x, y, z, w = np.moveaxis(state[..., 3:7], -1, 0)
    s = state[..., 7]
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    turned = np.stack([np.stack(row, -1) for row in rows], -2) * s[..., None, None]
    return np.concatenate([turned, state[..., :3, None]], -1)


def up_to_sign(q):
    q = np.asarray(q)
    return q[..., :, None] * q[..., None, :]


# --- geometry: maps -----------------------------------------------------------------------------------


@recipe("geometry.apply_parameter_transform")
def _(w):
    g = w.geometry
    return g.apply_parameter_transform(w.character, w.poses), g.apply_parameter_transform(
        w.character, w.poses, False
    )


@recipe("geometry.ParameterTransform.apply")
def _(w):
    return w.character.parameter_transform.apply(w.poses)


@recipe("geometry.InverseParameterTransform.apply")
def _(w):
    return w.character.parameter_transform.inverse().apply(w.joints)


for _name in ("model_parameters_to_skeleton_state", "model_parameters_to_local_skeleton_state"):

    @recipe(f"geometry.{_name}")
    def _(w, name=_name):
        return states_as_matrices(getattr(w.geometry, name)(w.character, w.poses))


for _name in ("joint_parameters_to_skeleton_state", "joint_parameters_to_local_skeleton_state"):

    @recipe(f"geometry.{_name}")
    def _(w, name=_name):
        return states_as_matrices(getattr(w.geometry, name)(w.character, w.joints))


@recipe("geometry.skeleton_state_to_joint_parameters")
def _(w):
    return w.geometry.skeleton_state_to_joint_parameters(w.character, w.state())


@recipe("geometry.local_skeleton_state_to_joint_parameters")
def _(w):
    local = w.geometry.joint_parameters_to_local_skeleton_state(w.character, w.joints)
    return w.geometry.local_skeleton_state_to_joint_parameters(w.character, local)


@recipe("geometry.model_parameters_to_positions")
def _(w):
    parents = np.array([0, 5, 19], np.int32)
    return w.geometry.model_parameters_to_positions(w.character, w.poses, parents, w.numbers(3, 3))


@recipe("geometry.joint_parameters_to_positions")
def _(w):
    parents = np.array([0, 5, 19], np.int32)
    return w.geometry.joint_parameters_to_positions(w.character, w.joints, parents, w.numbers(3, 3))


@recipe("geometry.model_parameters_to_blend_shape_coefficients")
def _(w):
    poses = w.numbers(4, 45)
    return w.geometry.model_parameters_to_blend_shape_coefficients(w.shaped(), poses)


@recipe("geometry.model_parameters_to_face_expression_coefficients")
def _(w):
    poses = w.numbers(4, 45)
    return w.geometry.model_parameters_to_face_expression_coefficients(w.shaped(), poses)


@recipe("geometry.uniform_random_to_model_parameters")
def _(w):
    # The peer's ranges for translations are centimetres.
    units = w.rng.uniform(size=(5, 40)).astype(w.dtype)
    moved = w.geometry.uniform_random_to_model_parameters(w.character, units)
    return np.asarray(moved)[..., 6:]


@recipe("geometry.map_model_parameters")
def _(w):
    keep = np.arange(40) % 3 != 0
    target = w.geometry.reduce_to_selected_model_parameters(w.character, keep)
    return w.geometry.map_model_parameters(w.poses, w.character, target, False)


@recipe("geometry.map_joint_parameters")
def _(w):
    target = w.character.simplify_skeleton([0, 1, 2, 5, 6])
    return w.geometry.map_joint_parameters(w.joints, w.character, target)


@recipe("geometry.compute_vertex_normals")
def _(w):
    vertices = w.arrays.vertices + w.numbers(2, 60, 3, scale=0.05)
    return w.geometry.compute_vertex_normals(vertices.astype(w.dtype), w.arrays.faces)


@recipe("geometry.find_closest_points")
def _(w):
    source, target = w.numbers(50, 3), w.numbers(70, 3)
    found = w.geometry.find_closest_points(source, target)
    near = w.geometry.find_closest_points(source, target, 0.3)
    normals = [w.numbers(n, 3) for n in (50, 70)]
    normals = [n / np.linalg.norm(n, axis=-1, keepdims=True) for n in normals]
    facing = w.geometry.find_closest_points(source, normals[0], target, normals[1], 2.0, 0.2)
    return *found, *near[1:], *facing[2:]


@recipe("geometry.find_closest_points_on_mesh")
def _(w):
    vertices = w.arrays.vertices.astype(w.dtype)
    found = w.geometry.find_closest_points_on_mesh(w.numbers(50, 3), vertices, w.arrays.faces)
    return found[0], found[1]


# --- geometry: characters -----------------------------------------------------------------------------


@recipe("geometry.Character.skin_points")
def _(w):
    rest = w.arrays.vertices.astype(w.dtype) + w.numbers(60, 3)
    return w.character.skin_points(w.state()), w.character.skin_points(w.state(), rest)


@recipe("geometry.Character.pose_mesh")
def _(w):
    mesh = w.character.pose_mesh(w.joints[0, 0].reshape(-1))
    return mesh.vertices, mesh.normals


@recipe("geometry.Character.skin_skinned_locators")
def _(w):
    return w.located().skin_skinned_locators(w.state())


@recipe("geometry.Character.apply_model_param_limits")
def _(w):
    return w.limited().apply_model_param_limits(w.poses)


@recipe("geometry.Character.model_parameter_limits")
def _(w):
    return [np.clip(limit, -1e30, 1e30) for limit in w.limited().model_parameter_limits]


@recipe("geometry.Character.joint_parameter_limits")
def _(w):
    limit = w.geometry.ParameterLimit.create_minmax_joint(3, 4, -0.5, 0.25)
    limited = w.character.with_parameter_limits([limit])
    return [np.clip(limit, -1e30, 1e30) for limit in limited.joint_parameter_limits]


@recipe("geometry.Character.joints_for_parameters")
def _(w):
    return np.asarray(w.character.joints_for_parameters(np.arange(40) % 2 == 0))


@recipe("geometry.Character.parameters_for_joints")
def _(w):
    return w.character.parameters_for_joints([2, 7])


def _rest(character):
    posed = character.pose_mesh(np.zeros(7 * len(character.skeleton.joint_names), np.float32))
    return np.asarray(character.skeleton.offsets), posed.vertices


@recipe("geometry.Character.simplify")
def _(w):
    return _rest(w.character.simplify(np.arange(40) < 15))


@recipe("geometry.Character.simplify_skeleton")
def _(w):
    return _rest(w.character.simplify_skeleton([0, 2, 3, 7, 11, 12]))


@recipe("geometry.Character.simplify_parameter_transform")
def _(w):
    kept = w.character.simplify_parameter_transform(np.arange(40) % 3 == 0)
    return kept.parameter_transform.transform


@recipe("geometry.reduce_to_selected_model_parameters")
def _(w):
    kept = w.geometry.reduce_to_selected_model_parameters(w.character, np.arange(40) % 3 == 0)
    return kept.parameter_transform.transform


@recipe("geometry.Character.scaled")
def _(w):
    return _rest(w.character.scaled(2.5))


@recipe("geometry.Character.transformed")
def _(w):
    turn = np.array([[0, 0, 1, 0.5], [1, 0, 0, -1], [0, 1, 0, 2], [0, 0, 0, 1]], np.float32)
    moved = w.character.transformed(turn)
    return _rest(moved)[1], moved.bind_pose


@recipe("geometry.Character.bind_pose")
def _(w):
    return w.character.bind_pose


@recipe("geometry.Character.inverse_bind_pose")
def _(w):
    return w.character.inverse_bind_pose


@recipe("geometry.Character.rebind_skin")
def _(w):
    return w.character.rebind_skin().inverse_bind_pose


@recipe("geometry.Character.bake_blend_shape")
def _(w):
    baked = w.shaped().bake_blend_shape(np.array([0.2, -0.1, 0.4], np.float32))
    return baked.mesh.vertices, np.asarray(len(baked.parameter_transform.names))


@recipe("geometry.Character.with_blend_shape")
def _(w):
    transform = w.shaped().parameter_transform
    masks = (transform.blend_shape_parameters, transform.face_expression_parameters)
    return (*masks, transform.pose_parameters, transform.scaling_parameters)


@recipe("geometry.Character.find_locators")
def _(w):
    locator = w.geometry.Locator("tip", 3, [0.1, 0.2, 0.3])
    return w.character.with_locators([locator]).find_locators(["tip", "joint_005"])


@recipe("geometry.Character.add_rigid_transform_node")
def _(w):
    added, bone, parameter = w.geometry.Character.add_rigid_transform_node(
        w.character, "camera", [1, 2, 3]
    )
    offsets, transform = added.skeleton.offsets, added.parameter_transform.transform
    return offsets, transform, np.array([bone, parameter])


@recipe("geometry.BlendShape.compute_shape")
def _(w):
    v = w.arrays.vertices
    shapes = np.random.default_rng(3).normal(size=(3, *v.shape)).astype(np.float32)
    return w.geometry.BlendShape.from_tensors(v, shapes).compute_shape(w.numbers(4, 3))


@recipe("geometry.BlendShapeBase.compute_shape")
def _(w):
    v = w.arrays.vertices
    shapes = np.random.default_rng(3).normal(size=(3, *v.shape)).astype(np.float32)
    return w.geometry.BlendShapeBase.from_tensors(shapes).compute_shape(w.numbers(4, 3))


@recipe("geometry.SkinWeights.from_dense")
def _(w):
    dense = np.random.default_rng(5).uniform(size=(9, 20)).astype(np.float32)
    weights = w.geometry.SkinWeights.from_dense(dense)
    return weights.index, weights.weight, weights.to_dense(20)


@recipe("geometry.SkinWeights.normalize_weights")
def _(w):
    weights = w.geometry.SkinWeights(w.arrays.index, w.arrays.weight * 0.7)
    normalised = weights.normalize_weights()
    return (normalised or weights).to_dense(20)


@recipe("geometry.replace_rest_mesh")
def _(w):
    moved = w.geometry.replace_rest_mesh(w.character, w.arrays.vertices * 2)
    return moved.mesh.vertices


@recipe("geometry.reduce_mesh_by_vertices")
def _(w):
    kept = w.geometry.reduce_mesh_by_vertices(w.character, np.arange(60) % 7 != 0)
    return kept.mesh.vertices, kept.mesh.faces, kept.skin_weights.to_dense(20)


@recipe("geometry.reduce_mesh_by_faces")
def _(w):
    active = np.arange(len(w.arrays.faces)) % 3 == 0
    kept = w.geometry.reduce_mesh_by_faces(w.character, active)
    return kept.mesh.vertices, kept.mesh.faces, kept.skin_weights.to_dense(20)


@recipe("geometry.strip_joints")
def _(w):
    kept = w.geometry.strip_joints(w.character, ["joint_012"])
    return kept.skeleton.offsets, np.asarray(kept.skeleton.joint_parents)


@recipe("geometry.replace_skeleton_hierarchy")
def _(w):
    names = [f"other_{name}" for name in w.arrays.parameter_names]
    other = replace(w.arrays, offsets=w.arrays.offsets * 2, parameter_names=names)
    other = other.build(w.geometry)
    mixed = w.geometry.replace_skeleton_hierarchy(other, w.character, "joint_012", "joint_012")
    return mixed.skeleton.offsets, np.asarray(mixed.skeleton.joint_parents)


@recipe("geometry.Joint.pre_rotation_matrix")
def _(w):
    return [joint.pre_rotation_matrix for joint in w.character.skeleton.joints]


@recipe("geometry.Mppca.to_arrays")
def _(w):
    rng = np.random.default_rng(6)
    names = list(w.arrays.parameter_names[6:11])
    given = [rng.uniform(0.2, 1, 2), rng.normal(size=(2, 5)), rng.normal(size=(2, 3, 5))]
    given = [x.astype(np.float32) for x in (*given, rng.uniform(0.1, 0.5, 2))]
    prior = w.geometry.Mppca(*given, names)
    shares, means, axes, spreads, places = prior.to_arrays(w.character.parameter_transform)
    # Axes may be any that span the same covariance.
    return shares, means, np.einsum("nqd,nqe->nde", axes, axes), spreads, places


# --- quaternion and skel_state ------------------------------------------------------------------------


def _algebra(module, name, prepare, show=np.asarray):
    @recipe(f"{module}.{name}")
    def _(w):
        result = getattr(getattr(w, module), name)(*prepare(w))
        return [show(part) for part in result] if isinstance(result, tuple) else show(result)


def _q(w):
    return w.numbers(30, 4)


def _u(w):
    return w.units(30)


for _name in ("multiply", "multiply_assume_normalized"):
    _algebra("quaternion", _name, lambda w: (_q(w), _q(w)))
for _name in ("normalize", "conjugate", "inverse", "to_rotation_matrix", "split"):
    _algebra("quaternion", _name, lambda w: (_q(w),))
_algebra("quaternion", "to_rotation_matrix_assume_normalized", lambda w: (_u(w),))
_algebra("quaternion", "quaternion_to_xyz_euler", lambda w: (_u(w),))
_algebra("quaternion", "rotate_vector", lambda w: (_q(w), w.numbers(30, 3)))
_algebra("quaternion", "rotate_vector_assume_normalized", lambda w: (_u(w), w.numbers(30, 3)))
_algebra("quaternion", "angular_distance", lambda w: (_u(w), _u(w)))
_algebra("quaternion", "align_z_with", lambda w: (w.numbers(3),))
_algebra("quaternion", "from_axis_angle", lambda w: (w.numbers(30, 3),))
_algebra("quaternion", "euler_xyz_to_quaternion", lambda w: (w.numbers(30, 3),))
_algebra("quaternion", "euler_zyx_to_quaternion", lambda w: (w.numbers(30, 3),))
_algebra(
    "quaternion",
    "from_rotation_matrix",
    lambda w: (w.quaternion.to_rotation_matrix(_u(w)),),
    up_to_sign,
)
_algebra("quaternion", "slerp", lambda w: (_u(w), _u(w), abs(w.numbers(30, 1)) % 1))
_algebra("quaternion", "from_two_vectors", lambda w: (w.numbers(30, 3), w.numbers(30, 3)))
_algebra("quaternion", "blend", lambda w: (w.units(6, 5), abs(w.numbers(6, 5))), up_to_sign)
_algebra(
    "quaternion",
    "check_and_normalize_weights",
    lambda w: (w.units(6, 5), abs(w.numbers(6, 5))),
)
_algebra("quaternion", "identity", lambda w: ((2, 3),))
_algebra("quaternion", "check", lambda w: (_q(w),), lambda none: np.zeros(0))

for _name in ("multiply", "multiply_assume_normalized"):
    _algebra("skel_state", _name, lambda w: (w.states(30), w.states(30)))
for _name in ("transform_points", "transform_points_assume_normalized"):
    _algebra("skel_state", _name, lambda w: (w.states(30), w.numbers(30, 3)))
for _name in ("inverse", "to_matrix", "split"):
    _algebra("skel_state", _name, lambda w: (w.states(30),))
_algebra("skel_state", "from_translation", lambda w: (w.numbers(30, 3),))
_algebra("skel_state", "from_quaternion", lambda w: (_u(w),))
_algebra("skel_state", "from_scale", lambda w: (w.numbers(30, 1),))
_algebra(
    "skel_state",
    "from_matrix",
    lambda w: (w.skel_state.to_matrix(w.states(30)),),
    states_as_matrices,
)
_algebra("skel_state", "slerp", lambda w: (w.states(30), w.states(30), abs(w.numbers(30, 1)) % 1))
_algebra(
    "skel_state",
    "blend",
    lambda w: (w.states(6, 5), abs(w.numbers(6, 5))),
    states_as_matrices,
)
_algebra("skel_state", "identity", lambda w: ((2, 3),))
_algebra("skel_state", "check", lambda w: (w.states(3),), lambda none: np.zeros(0))


def results(library):
    """`{"name float32 0": array}`, and what was raised, `{"name float32": "Error: text"}`."""
    arrays, raised = {}, {}
    for dtype in (np.float32, np.float64):
        for name, function in RECIPES.items():
            key = f"{name} {np.dtype(dtype).name}"
            try:
                shown = function(World(library, dtype))
            except Exception as error:
                raised[key] = f"{type(error).__name__}: {str(error)[:200]}"
                continue
            parts = shown if isinstance(shown, (tuple, list)) else [shown]
            for number, part in enumerate(parts):
                arrays[f"{key} {number}"] = np.asarray(part)
    return arrays, raised


def library(name):
    suffix = "_np" if name == "pymomentum" else ""
    modules = ("geometry", f"quaternion{suffix}", f"skel_state{suffix}")
    return tuple(importlib.import_module(f"{name}.{module}") for module in modules)


if __name__ == "__main__":
    found, errors = results(library(sys.argv[2]))
    np.savez(sys.argv[1], errors=np.asarray(json.dumps(errors)), **found)
