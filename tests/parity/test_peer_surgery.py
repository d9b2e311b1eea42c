"""Surgery on characters: the same as PyMomentum where it is right."""

from __future__ import annotations

import numpy as np
import pytest
from comparison import FLOAT32, assert_close, assert_states_close, model_poses, rig

from kinarray import geometry


def skinned(**options):
    return rig(n_vertices=130, n_influences=4, **options)


def theirs_after(peer, arrays, paths, operation, arguments, poses=None):
    """What the peer's character is after `operation`; see `operated` in `peer_runner.py`."""
    return peer.calls(
        arrays, *[(f"operated:{path}", operation, poses, *arguments) for path in paths]
    )


def check(peer, arrays, operation, arguments, ours):
    """`ours`, and what the peer makes of the same, are the same body."""
    size = ours.parameter_transform.size
    poses = model_poses(arrays, (3,), np.float32)[:, :size]
    paths = ("names", "parents", "parameters", "states", "points", "bind")
    theirs = theirs_after(peer, arrays, paths, operation, arguments, poses)
    names, parents, parameters, states, points, bind = theirs
    assert ours.skeleton.joint_names == list(names)
    assert ours.skeleton.joint_parents == list(parents)
    assert ours.parameter_transform.names == list(parameters)
    state = geometry.model_parameters_to_skeleton_state(ours, poses)
    assert_states_close(state, states, FLOAT32)
    assert_close(ours.skin_points(state), points, FLOAT32)
    assert_close(ours.inverse_bind_pose, bind, FLOAT32)


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_simplify(peer, share):
    arrays = skinned()
    character = arrays.build(geometry)
    mask = np.random.default_rng(1).random(arrays.n_parameters) < share
    mask[0] = True
    check(peer, arrays, "simplify", [mask], character.simplify(mask))


def test_simplify_by_default(peer):
    arrays = skinned()
    check(peer, arrays, "simplify", [], arrays.build(geometry).simplify())


def test_simplify_skeleton(peer):
    arrays = skinned()
    character = arrays.build(geometry)
    kept = [0, 2, 3, 7, 11, 20, 21, 39]
    check(peer, arrays, "simplify_skeleton", [kept], character.simplify_skeleton(kept))


def test_simplify_parameter_transform(peer):
    arrays = skinned()
    mask = np.random.default_rng(2).random(arrays.n_parameters) < 0.5
    ours = arrays.build(geometry).simplify_parameter_transform(mask)
    check(peer, arrays, "simplify_parameter_transform", [mask], ours)


def test_joints_and_parameters(peer):
    arrays = skinned()
    character = arrays.build(geometry)
    mask = np.random.default_rng(3).random(arrays.n_parameters) < 0.2
    joints = character.joints_for_parameters(mask)
    theirs = peer.call(arrays, "character.joints_for_parameters", mask)
    assert joints == list(theirs)
    theirs = peer.call(arrays, "character.parameters_for_joints", [3, 17])
    assert np.array_equal(character.parameters_for_joints([3, 17]), theirs)


def test_strip_joints(peer):
    arrays = skinned()
    names = [arrays.joint_name(joint) for joint in (9, 30)]
    ours = geometry.strip_joints(arrays.build(geometry), names)
    check(peer, arrays, "strip_joints", [names], ours)


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_scaled(peer, scale):
    arrays = skinned()
    check(peer, arrays, "scaled", [scale], arrays.build(geometry).scaled(scale))


def test_transformed(peer):
    arrays = skinned()
    matrix = np.eye(4, dtype=np.float32)
    c, s = np.float32(0.8), np.float32(0.6)
    matrix[:2, :2] = [[c, -s], [s, c]]
    matrix[:3, 3] = [0.1, 0.2, 0.3]
    check(peer, arrays, "transformed", [matrix], arrays.build(geometry).transformed(matrix))


def test_a_rigid_node(peer):
    arrays = skinned()
    ours, joint, parameter = geometry.Character.add_rigid_transform_node(
        arrays.build(geometry), "camera", np.array([1, 2, 3], np.float32)
    )
    paths = ("names", "parents", "parameters", "joint", "parameter")
    names, parents, parameters, where, first = theirs_after(
        peer,
        arrays,
        paths,
        "add_rigid_transform_node",
        ["camera", np.array([1, 2, 3], np.float32)],
    )
    assert ours.skeleton.joint_names == list(names)
    assert ours.skeleton.joint_parents == list(parents)
    assert ours.parameter_transform.names == list(parameters)
    assert (joint, parameter) == (int(where), int(first))
