"""Robots stand where Pinocchio says: every link, in configurations that nobody chose."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import kinarray as ka
from shared_files.compared import matrices
from shared_files.folder import data_folder

pinocchio = pytest.importorskip("pinocchio", reason="install the group `robots` for it")
DATA = data_folder()
FILES = sorted((DATA / "urdf").glob("*.urdf")) if DATA else []
N_CONFIGURATIONS = 100


def named_values(character, joint: str, rng) -> dict[str, float]:
    """Values of all parameters that a joint of the file has."""
    names = character.parameter_transform.names
    suffixes = ["", "_x", "_y", "_yaw", "_tx", "_ty", "_tz", "_rx", "_ry", "_rz"]
    own = [joint + suffix for suffix in suffixes if joint + suffix in names]
    return {name: rng.uniform(-1.5, 1.5) for name in own}


def configuration(model, joint: int, values: dict[str, float]) -> np.ndarray:
    """What Pinocchio calls these values."""
    kind, numbers = model.joints[joint].shortname(), list(values.values())
    if model.joints[joint].nq == 1:
        return np.array(numbers)
    if "FreeFlyer" in kind:
        turn = Rotation.from_euler("xyz", numbers[3:])
        return np.concatenate([numbers[:3], turn.as_quat()])
    angle = numbers[-1]
    return np.array([*numbers[:-1], np.cos(angle), np.sin(angle)])


@pytest.mark.skipif(not FILES, reason="no shared test data (set KINARRAY_SHARED)")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_links_stand_where_pinocchio_puts_them(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        character = ka.load_character(path)
    model = pinocchio.buildModelFromUrdf(str(path), mimic=True)
    data = model.createData()
    names = list(character.parameter_transform.names)
    rng = np.random.default_rng(11)
    poses = np.zeros((N_CONFIGURATIONS, len(names)))
    links = [
        (at, frame.name)
        for at, frame in enumerate(model.frames)
        if frame.type == pinocchio.FrameType.BODY and frame.name != "universe"
    ]
    assert {name for _, name in links} <= set(character.skeleton.joint_names)
    wanted = np.zeros((N_CONFIGURATIONS, len(links), 3, 4))
    moved = set()
    for pose, placements in zip(poses, wanted, strict=True):
        q = pinocchio.neutral(model)
        for joint in range(1, model.njoints):
            values = named_values(character, model.names[joint], rng)
            size, start = model.joints[joint].nq, model.joints[joint].idx_q
            if size and values:
                q[start : start + size] = configuration(model, joint, values)
                moved |= set(values)
            for name, value in values.items():
                pose[names.index(name)] = value
        pinocchio.framesForwardKinematics(model, data, q)
        for row, (at, _) in zip(placements, links, strict=True):
            row[:] = data.oMf[at].homogeneous[:3]
    # Nothing stands still because it was not found.
    assert moved == set(names)
    states = ka.geometry.model_parameters_to_skeleton_state(character, poses)
    joints = [character.skeleton.joint_names.index(name) for _, name in links]
    assert np.abs(matrices(states[:, joints]) - wanted).max() < 1e-6
