"""The humanoid that the package builds, rebuilt in PyMomentum from our arrays."""

import numpy as np
import pytest
from comparison import FLOAT32, FLOAT64_ROUNDED_CONSTANTS, assert_close, assert_states_close
from peer_oracle import CHARACTER

from character_arrays import CharacterArrays, random_model_parameters
from kinarray import geometry
from kinarray.testing import create_humanoid


@pytest.fixture(scope="module")
def humanoid():
    return create_humanoid(n_vertices=2000)


@pytest.fixture(scope="module")
def arrays(humanoid):
    """Our character's parts as the arrays from which theirs is built."""
    skeleton, transform = humanoid.skeleton, humanoid.parameter_transform
    return CharacterArrays(
        parents=np.array([int(p) for p in skeleton.joint_parents], np.int64),
        pre_rotations=np.asarray(skeleton.pre_rotations, np.float32),
        offsets=np.asarray(skeleton.offsets, np.float32),
        parameter_names=list(transform.names),
        transform=np.asarray(transform.transform, np.float32),
        vertices=np.asarray(humanoid.mesh.vertices, np.float32),
        faces=np.asarray(humanoid.mesh.faces, np.int32),
        index=np.asarray(humanoid.skin_weights.index, np.uint32),
        weight=np.asarray(humanoid.skin_weights.weight, np.float32),
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_states_and_points(peer, humanoid, arrays, dtype):
    # Our constants may be float64; theirs were rounded to float32 on the way in.
    close = FLOAT32 if dtype == np.float32 else FLOAT64_ROUNDED_CONSTANTS
    poses = random_model_parameters(arrays, (20,), dtype)
    theirs = peer.call(arrays, "geometry.model_parameters_to_skeleton_state", CHARACTER, poses)
    ours = geometry.model_parameters_to_skeleton_state(humanoid, poses)
    assert_states_close(ours, theirs, close)
    assert_close(
        humanoid.skin_points(ours), peer.call(arrays, "character.skin_points", theirs), close
    )


@pytest.mark.parametrize("mask", ["scaling", "rigid", "pose"])
def test_its_parameter_classes(peer, humanoid, arrays, mask):
    theirs = peer.call(arrays, f"character.parameter_transform.{mask}_parameters")
    ours = getattr(humanoid.parameter_transform, f"{mask}_parameters")
    assert np.array_equal(np.asarray(ours, bool), theirs)
