"""Model parameters to joint parameters, its inverse, and the parameter sets: the same as PyMomentum."""

from dataclasses import replace

import numpy as np
import pytest
from comparison import BATCHES, FLOAT32, assert_close, model_poses, rig, tolerance
from peer_oracle import CHARACTER

from kinarray import geometry


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch", BATCHES, ids=str)
def test_joint_parameters(peer, batch, dtype):
    arrays = rig()
    poses = model_poses(arrays, batch, dtype)
    character = arrays.build(geometry)
    flat, structured, applied = peer.calls(
        arrays,
        ("geometry.apply_parameter_transform", CHARACTER, poses),
        ("geometry.apply_parameter_transform", CHARACTER, poses, False),
        ("character.parameter_transform.apply", poses),
    )
    close = tolerance(dtype, True)
    assert_close(geometry.apply_parameter_transform(character, poses), flat, close)
    ours = geometry.apply_parameter_transform(character, poses, flatten=False)
    assert_close(ours, structured, close)
    assert_close(character.parameter_transform.apply(poses), applied, close)


def test_the_dense_matrix(peer):
    arrays = rig()
    theirs = peer.call(arrays, "character.parameter_transform.transform")
    ours = np.asarray(arrays.build(geometry).parameter_transform.transform)
    assert np.array_equal(ours, theirs) and np.array_equal(ours, arrays.transform)


@pytest.mark.parametrize("batch", BATCHES, ids=str)
def test_the_inverse_is_the_least_squares_solution(peer, batch):
    arrays = rig()
    rng = np.random.default_rng(5)
    joints = rng.normal(size=(*batch, arrays.n_joints, 7)).astype(np.float32)
    theirs = peer.call(arrays, "character.parameter_transform.inverse().apply", joints)
    ours = arrays.build(geometry).parameter_transform.inverse().apply(joints)
    expected, *_ = np.linalg.lstsq(
        arrays.transform.astype(np.float64),
        joints.reshape(-1, 7 * arrays.n_joints).T.astype(np.float64),
        rcond=None,
    )
    assert_close(theirs, expected.T.reshape(theirs.shape), FLOAT32)
    assert_close(ours, theirs, FLOAT32)


NAMES = [
    "root_tx",
    "hips_ry",
    "my_scale_y",
    "left_scale_arm",
    "scale_global",
    "x_scale",
    "scaleglobal",
    "wrist_rx",
    "uprooted",
    "SCALE_upper",
]


@pytest.mark.parametrize("mask", ["scaling", "rigid", "pose"])
def test_parameter_classes_by_name(peer, mask):
    arrays = rig()
    arrays = replace(
        arrays,
        parameter_names=NAMES,
        transform=np.ascontiguousarray(arrays.transform[:, : len(NAMES)]),
    )
    theirs = peer.call(arrays, f"character.parameter_transform.{mask}_parameters")
    ours = getattr(arrays.build(geometry).parameter_transform, f"{mask}_parameters")
    assert np.array_equal(np.asarray(ours, bool), theirs)


def test_parameters_for_joints(peer):
    arrays = rig()
    transform = arrays.build(geometry).parameter_transform
    for joints in ([0], [3, 17], [39], []):
        theirs = peer.call(arrays, "character.parameter_transform.parameters_for_joints", joints)
        assert np.array_equal(np.asarray(transform.parameters_for_joints(joints), bool), theirs)
