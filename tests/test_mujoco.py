"""MuJoCo itself as the judge of how MJCF is read: every body, in many configurations."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import kinarray as ka
from shared_files.compared import matrices, quietly
from shared_files.folder import data_folder

mujoco = pytest.importorskip("mujoco", reason="install the group `robots` for it")

DATA = data_folder()
N_CONFIGURATIONS = 100
NEAR = 1e-6


def models() -> list[Path]:
    """The shared models, without the parts that they include."""
    found = sorted((DATA / "mjcf").rglob("*.xml")) if DATA else []
    return [path for path in found if path.parent.name != "common"]


def handmade() -> dict[str, str]:
    """Small models, each for one thing that MJCF has."""
    path = Path(__file__).parent / "data" / "mjcf_by_mujoco.json"
    return {name: case["xml"] for name, case in json.loads(path.read_text())["cases"].items()}


def without_meshes(text: str) -> str:
    """The same model where the files of its meshes are not there; they move nothing."""
    root = ElementTree.fromstring(text)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == "mesh" or (child.tag == "geom" and "mesh" in child.attrib):
                parent.remove(child)
    return ElementTree.tostring(root, encoding="unicode")


def compiled(path: Path) -> mujoco.MjModel:
    try:
        return mujoco.MjModel.from_xml_path(str(path))
    except ValueError as problem:
        if "opening file" not in str(problem):
            raise
        return mujoco.MjModel.from_xml_string(without_meshes(path.read_text()))


def angles(quats_wxyz: np.ndarray) -> np.ndarray:
    """`rx ry rz` with `R = Rz Ry Rx`."""
    w, x, y, z = np.moveaxis(quats_wxyz, -1, 0)
    rx = np.arctan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    ry = np.arcsin(np.clip(2 * (w * y - z * x), -1, 1))
    rz = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    return np.stack([rx, ry, rz], -1)


def parameters(character: ka.geometry.Character, model, configurations: np.ndarray) -> np.ndarray:
    """Model parameters for rows of `qpos`."""
    names = list(character.parameter_transform.names)
    rows = np.full((len(configurations), len(names)), np.nan)
    for at in range(model.njnt):
        # A joint without a name has that of its body.
        on = int(model.jnt_bodyid[at])
        name = model.joint(at).name or model.body(on).name or f"body_{on}"
        kind, start = mujoco.mjtJoint(int(model.jnt_type[at])), int(model.jnt_qposadr[at])
        if kind in (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE):
            rows[:, names.index(name)] = configurations[:, start]
            continue
        if kind == mujoco.mjtJoint.mjJNT_FREE:
            own = [names.index(f"{name}_{part}") for part in ("tx", "ty", "tz")]
            rows[:, own] = configurations[:, start : start + 3]
            start += 3
        own = [names.index(f"{name}_{part}") for part in ("rx", "ry", "rz")]
        rows[:, own] = angles(configurations[:, start : start + 4])
    assert not np.isnan(rows).any(), "a parameter that is no joint of MuJoCo"
    return rows


def compare(path: Path) -> int:
    """How many placements were the same."""
    model = compiled(path)
    data = mujoco.MjData(model)
    character = quietly(ka.load_character, path)
    rng = np.random.default_rng(len(path.name))
    configurations = rng.uniform(-3, 3, (N_CONFIGURATIONS, model.nq))
    configurations[0] = model.qpos0
    wanted = np.empty((N_CONFIGURATIONS, model.nbody, 3, 4))
    for row, out in zip(configurations, wanted):
        data.qpos[:] = row
        mujoco.mj_normalizeQuat(model, data.qpos)
        row[:] = data.qpos
        mujoco.mj_kinematics(model, data)
        out[..., :3] = data.xmat.reshape(-1, 3, 3)
        out[..., 3] = data.xpos
    joints = list(character.skeleton.joint_names)
    bodies = range(1, model.nbody)
    places = [joints.index(model.body(at).name or f"body_{at}") for at in bodies]
    rows = parameters(character, model, configurations)
    states = ka.geometry.model_parameters_to_skeleton_state(character, rows)
    got = matrices(states)[:, places]
    np.testing.assert_allclose(got, wanted[:, 1:], rtol=0, atol=NEAR)
    return got.shape[0] * got.shape[1]


@pytest.mark.skipif(DATA is None, reason="no shared test data (set KINARRAY_SHARED)")
@pytest.mark.parametrize("path", models(), ids=lambda path: path.stem)
def test_bodies_are_where_mujoco_puts_them(path):
    assert compare(path) >= 8 * N_CONFIGURATIONS


@pytest.mark.parametrize("name", handmade(), ids=str)
def test_small_models_move_as_in_mujoco(name, tmp_path):
    path = tmp_path / "model.xml"
    path.write_text(handmade()[name])
    assert compare(path) >= N_CONFIGURATIONS


def test_up_and_unit_turn_and_convert_a_model(tmp_path):
    path = tmp_path / "model.xml"
    path.write_text(handmade()["hinges away from the origin, oblique, with ref"])
    character = quietly(ka.load_character, path)
    turned = quietly(ka.load_character, path, unit="cm", up="y")
    rows = np.random.default_rng(0).uniform(-3, 3, (5, character.parameter_transform.size))
    plain, other = (
        np.asarray(ka.geometry.model_parameters_to_skeleton_state(one, rows))[..., :3]
        for one in (character, turned)
    )
    # z becomes y, and y becomes -z.
    wanted = 100 * np.stack([plain[..., 0], plain[..., 2], -plain[..., 1]], -1)
    np.testing.assert_allclose(other, wanted, rtol=0, atol=1e-9)
