"""FBX files that we write, read by the peer."""

import json

import numpy as np
import pytest
from comparison import assert_close

import kinarray as ka
from kinarray import geometry
from reference import state_matrices


def described(peer, path):
    items = peer.call(None, "parts.described_fbx", str(path))
    return json.loads(str(items["item0"])), [items[f"item{at}"] for at in (1, 2, 3)]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("unit", ["cm", "m"])
def test_they_see_our_joints_and_our_skin(peer, tmp_path, unit):
    character = ka.testing.create_humanoid(n_vertices=1000)
    path = tmp_path / "ours.fbx"
    if unit == "cm":
        ka.save_character(tmp_path / "humanoid.glb", character)
        character = ka.load_character(tmp_path / "humanoid.glb", unit="cm")
    rng = np.random.default_rng(3)
    size = len(character.parameter_transform.names)
    poses = rng.normal(scale=0.2, size=(5, size))
    geometry.Character.save_fbx(path, character, 30.0, poses)
    texts, (states, vertices, points) = described(peer, path)
    assert texts["joints"] == list(character.skeleton.joint_names)
    assert texts["parents"] == [int(p) for p in character.skeleton.joint_parents]
    assert texts["locators"] == sorted(locator.name for locator in character.locators)
    assert texts["fps"] == 30.0
    centimetres = 100.0 if unit == "m" else 1.0
    ours = geometry.model_parameters_to_skeleton_state(character, poses)
    ours[..., :3] *= centimetres
    assert_close(state_matrices(ours), state_matrices(states), 1e-5)
    assert_close(character.mesh.vertices * centimetres, vertices, 1e-5)
    ours[..., :3] /= centimetres
    assert_close(character.skin_points(ours) * centimetres, points, 1e-5)
