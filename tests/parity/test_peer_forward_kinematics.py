"""Poses to states, positions and back: the same as PyMomentum."""

import numpy as np
import pytest
from comparison import (
    BATCHES,
    FLOAT32,
    FLOAT64,
    assert_close,
    assert_states_close,
    chain,
    joint_poses,
    model_poses,
    rig,
    tolerance,
)
from peer_oracle import CHARACTER

from kinarray import geometry
from reference import state_matrices, world_matrices

DTYPES = [np.float32, np.float64]


@pytest.mark.parametrize("exact", [True, False], ids=["exact", "random"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", BATCHES, ids=str)
@pytest.mark.parametrize("verb", ["skeleton_state", "local_skeleton_state"])
def test_states_from_joint_parameters(peer, verb, batch, dtype, exact):
    arrays = chain(exact)
    poses = joint_poses(arrays, batch, dtype)
    name = f"joint_parameters_to_{verb}"
    theirs = peer.call(arrays, f"geometry.{name}", CHARACTER, poses)
    ours = getattr(geometry, name)(arrays.build(geometry), poses)
    assert ours.dtype == theirs.dtype == dtype
    assert_states_close(ours, theirs, tolerance(dtype, exact))


@pytest.mark.parametrize("dtype", DTYPES)
def test_flat_and_structured_joint_parameters_mean_the_same(peer, dtype):
    arrays = chain(exact=True)
    poses = joint_poses(arrays, (4,), dtype)
    flat = poses.reshape(4, -1)
    name = "joint_parameters_to_skeleton_state"
    theirs = peer.call(arrays, f"geometry.{name}", CHARACTER, flat)
    ours = getattr(geometry, name)(arrays.build(geometry), flat)
    assert_states_close(ours, theirs, tolerance(dtype, True))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("verb", ["skeleton_state", "local_skeleton_state"])
def test_states_from_model_parameters(peer, verb, dtype):
    arrays = rig()
    poses = model_poses(arrays, (5,), dtype)
    name = f"model_parameters_to_{verb}"
    theirs = peer.call(arrays, f"geometry.{name}", CHARACTER, poses)
    ours = getattr(geometry, name)(arrays.build(geometry), poses)
    assert ours.dtype == theirs.dtype == dtype
    assert_states_close(ours, theirs, tolerance(dtype, True))


def test_a_scaled_joint_scales_its_descendants_offsets_and_translations(peer):
    arrays = chain(exact=True)
    poses = np.zeros((arrays.n_joints, 7))
    middle = int(np.flatnonzero(arrays.parents == arrays.parents.max())[0]) - 1
    poses[middle, 6] = 1.0
    poses[:, 0] = 0.25
    name = "joint_parameters_to_skeleton_state"
    theirs = peer.call(arrays, f"geometry.{name}", CHARACTER, poses)
    ours = getattr(geometry, name)(arrays.build(geometry), poses)
    assert (theirs[:, 7] == 2.0).sum() > 1, "the case must have descendants to scale"
    assert_states_close(ours, theirs, FLOAT64)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("source", ["model", "joint"])
def test_positions_of_points_on_joints(peer, source, dtype):
    arrays = rig()
    rng = np.random.default_rng(4)
    parents = rng.integers(0, arrays.n_joints, 9).astype(np.int32)
    offsets = rng.uniform(-1, 1, (9, 3)).astype(dtype)
    poses = (model_poses if source == "model" else joint_poses)(arrays, (2, 3), dtype)
    name = f"{source}_parameters_to_positions"
    theirs = peer.call(arrays, f"geometry.{name}", CHARACTER, poses, parents, offsets)
    ours = getattr(geometry, name)(arrays.build(geometry), poses, parents, offsets)
    assert_close(ours, theirs, tolerance(dtype, True))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["", "local_"])
def test_joint_parameters_from_states(peer, kind, dtype):
    """Angles within (-pi, pi] and |ry| < pi/2, where the answer is unique."""
    arrays = chain(exact=True)
    poses = joint_poses(arrays, (6,), dtype)
    poses[..., 4] *= 0.8
    character = arrays.build(geometry)
    states = getattr(geometry, f"joint_parameters_to_{kind}skeleton_state")(character, poses)
    name = f"{kind}skeleton_state_to_joint_parameters"
    theirs = peer.call(arrays, f"geometry.{name}", CHARACTER, np.asarray(states))
    ours = getattr(geometry, name)(character, states)
    assert ours.shape == theirs.shape == poses.shape
    # Angles amplify rounding near |ry| = pi/2: 1 / cos(1.2) and the chain's depth.
    loose = FLOAT32 * 3 if dtype == np.float32 else FLOAT64 * 10
    assert_close(ours, theirs, loose)
    assert_close(ours, poses, loose)


def test_past_a_right_angle_both_return_the_other_branch(peer):
    arrays = chain(exact=True)
    poses = np.zeros((arrays.n_joints, 7))
    poses[3, 3:6] = 0.3, 2.0, 0.4
    character = arrays.build(geometry)
    states = geometry.joint_parameters_to_skeleton_state(character, poses)
    name = "skeleton_state_to_joint_parameters"
    theirs = peer.call(arrays, f"geometry.{name}", CHARACTER, np.asarray(states))
    ours = geometry.skeleton_state_to_joint_parameters(character, states)
    expected = [0.3 - np.pi, np.pi - 2.0, 0.4 - np.pi]
    np.testing.assert_allclose(theirs[3, 3:6], expected, atol=1e-12)
    np.testing.assert_allclose(ours[3, 3:6], expected, atol=1e-12)


def test_states_agree_with_the_float64_reference_too(peer):
    """Guards the comparison itself: the peer, we and plain NumPy are three separate computations."""
    arrays = rig()
    poses = joint_poses(arrays, (5,), np.float64)
    theirs = peer.call(arrays, "geometry.joint_parameters_to_skeleton_state", CHARACTER, poses)
    ours = geometry.joint_parameters_to_skeleton_state(arrays.build(geometry), poses)
    expected = world_matrices(arrays, poses)
    assert_close(state_matrices(theirs), expected, FLOAT64)
    assert_close(state_matrices(ours), expected, FLOAT64)
