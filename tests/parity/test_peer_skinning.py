"""Linear blend skinning and posed meshes: the same as PyMomentum."""

from dataclasses import replace

import numpy as np
import pytest
from comparison import FLOAT32, assert_close, chain, joint_poses, tolerance
from peer_oracle import CHARACTER

from kinarray import geometry
from reference import skin_points, world_matrices

DTYPES = [np.float32, np.float64]


def skinned(exact=True, n_influences=8):
    """Eight influences a vertex whose weights sum to 0.7."""
    arrays = chain(exact, n_vertices=130, n_influences=n_influences)
    weight = arrays.weight * (np.float32(0.7) / arrays.weight.sum(1, keepdims=True))
    return replace(arrays, weight=weight.astype(np.float32))


@pytest.mark.parametrize("exact", [True, False], ids=["exact", "random"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)], ids=str)
def test_weights_are_used_as_given(peer, batch, dtype, exact):
    arrays = skinned(exact)
    character = arrays.build(geometry)
    states = np.asarray(
        geometry.joint_parameters_to_skeleton_state(character, joint_poses(arrays, batch, dtype))
    )
    theirs = peer.call(arrays, "character.skin_points", states)
    ours = character.skin_points(states)
    assert ours.dtype == theirs.dtype == dtype
    assert_close(ours, theirs, tolerance(dtype, exact))


@pytest.mark.parametrize("n_influences", [1, 2, 3, 5])
def test_fewer_influences(peer, n_influences):
    arrays = skinned(n_influences=n_influences)
    character = arrays.build(geometry)
    world = world_matrices(arrays, joint_poses(arrays, (2,), np.float64))
    theirs = peer.call(arrays, "character.skin_points", world)
    assert_close(character.skin_points(world), theirs, tolerance(np.float64, True))


@pytest.mark.parametrize("dtype", DTYPES)
def test_matrices_as_input(peer, dtype):
    arrays = skinned()
    world = world_matrices(arrays, joint_poses(arrays, (4,), np.float64))
    theirs = peer.call(arrays, "character.skin_points", world.astype(dtype))
    ours = arrays.build(geometry).skin_points(world.astype(dtype))
    assert_close(ours, theirs, tolerance(dtype, True))
    assert_close(ours, skin_points(arrays, world), tolerance(dtype, True))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rest_batch", [(), (4,)], ids=str)
def test_other_rest_points(peer, rest_batch, dtype):
    arrays = skinned()
    rng = np.random.default_rng(6)
    rest = rng.normal(size=(*rest_batch, arrays.n_vertices, 3)).astype(dtype)
    world = world_matrices(arrays, joint_poses(arrays, (4,), np.float64)).astype(dtype)
    theirs = peer.call(arrays, "character.skin_points", world, rest)
    ours = arrays.build(geometry).skin_points(world, rest)
    assert_close(ours, theirs, tolerance(dtype, True))


def test_posed_mesh(peer):
    arrays = skinned()
    pose = joint_poses(arrays, (), np.float32)
    theirs = peer.call(arrays, "character.pose_mesh", pose.reshape(-1))
    ours = arrays.build(geometry).pose_mesh(pose.reshape(-1))
    assert_close(np.asarray(ours.vertices), theirs["vertices"], FLOAT32)
    # Normals of thin triangles: a difference of two near points, then divided by its length.
    assert_close(np.asarray(ours.normals), theirs["normals"], 1e-3)
    assert np.array_equal(np.asarray(ours.faces), theirs["faces"])


def test_inverse_bind_pose(peer):
    arrays = skinned()
    theirs = peer.call(arrays, "character.inverse_bind_pose")
    assert_close(np.asarray(arrays.build(geometry).inverse_bind_pose), theirs, FLOAT32)


def test_model_parameters_to_points(peer):
    """The main job end to end: model parameters to skinned points."""
    arrays = skinned()
    poses = joint_poses(arrays, (3,), np.float32).reshape(3, -1)
    character = arrays.build(geometry)
    theirs = peer.call(
        arrays,
        "character.skin_points",
        peer.call(arrays, "geometry.model_parameters_to_skeleton_state", CHARACTER, poses),
    )
    ours = character.skin_points(geometry.model_parameters_to_skeleton_state(character, poses))
    assert_close(ours, theirs, FLOAT32)
