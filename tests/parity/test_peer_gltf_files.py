"""GLB files of one library, read by the other: the same character, the same motion to the last bit."""

import json
from pathlib import Path

import numpy as np
import pytest
from comparison import assert_close

import kinarray
from kinarray import geometry
from reference import state_matrices

HERO = Path(__file__).resolve().parents[1] / "data" / "momentum_hero.glb"
N_FRAMES = 5

NUMBERS = [
    "motion",
    "identity",
    "baked",
    "states",
    "offsets",
    "pre_rotations",
    "transform",
    "inverse_bind_pose",
    "vertices",
    "normals",
    "faces",
    "texcoords",
    "texcoord_faces",
    "index",
    "weight",
    "shape_vectors",
]


def described(peer, path):
    items = peer.call(None, "parts.described", str(path))
    numbers = {name: items[f"item{at + 1}"] for at, name in enumerate(NUMBERS)}
    return json.loads(str(items["item0"])), numbers


@pytest.fixture(scope="module")
def theirs(peer, tmp_path_factory):
    """A file that the peer wrote."""
    path = tmp_path_factory.mktemp("peer") / "theirs.glb"
    rng = np.random.default_rng(5)
    poses = rng.normal(size=(N_FRAMES, 7)).astype(np.float32)
    offsets = rng.normal(size=28).astype(np.float32)
    stamps = np.arange(N_FRAMES) + (1 << 40)
    peer.call(None, "parts.save_moving", str(HERO), str(path), poses, offsets, stamps)
    return path


def resave(source, target, unit):
    """Loads a file and saves everything that was in it."""
    Character = geometry.Character
    character, motion, identity, fps = Character.load_gltf_with_motion(source, unit)
    (sequence,) = kinarray.load_markers(source, unit)
    Character.save_gltf(
        target,
        character,
        fps,
        (character.parameter_transform.names, motion),
        (character.skeleton.joint_names, identity),
        sequence.frames,
        timestamps=Character.load_motion_timestamps(source),
    )
    return character


def test_their_file_is_read_as_they_read_it(peer, theirs):
    texts, numbers = described(peer, theirs)
    character, motion, identity, fps = geometry.Character.load_gltf_with_motion(theirs, "cm")
    assert motion.tobytes() == numbers["motion"].tobytes()
    assert identity.tobytes() == numbers["identity"].tobytes()
    assert fps == texts["fps"]
    assert character.name == texts["name"]
    assert character.metadata == texts["metadata"]
    assert list(character.skeleton.joint_names) == texts["joints"]
    assert list(character.parameter_transform.names) == texts["parameters"]
    assert geometry.Character.load_motion_timestamps(theirs) == texts["timestamps"]
    states = geometry.model_parameters_to_skeleton_state(character, motion)
    assert_close(state_matrices(states), state_matrices(numbers["states"]), 1e-5)
    names, stored = geometry.load_motion(theirs, "cm")[1::2]
    assert (names, stored) == (texts["parameters"], texts["joints"])
    (sequence,) = kinarray.load_markers(theirs, "cm")
    # Ours have every marker in every frame, hidden where theirs have none.
    seen = [[m for m in frame if not m.occluded] for frame in sequence.frames]
    found = [[[m.name, *m.pos, m.confidence] for m in frame] for frame in seen]
    assert [[m[0] for m in frame] for frame in found] == [
        [m[0] for m in frame] for frame in texts["markers"]
    ]
    for ours, wanted in zip(found, texts["markers"], strict=True):
        for marker, other in zip(ours, wanted, strict=True):
            np.testing.assert_allclose(marker[1:], other[1:], rtol=1e-6)


@pytest.mark.parametrize("unit", ["cm", "m"])
def test_they_read_our_file_as_their_own(peer, theirs, tmp_path, unit):
    path = tmp_path / "ours.glb"
    resave(theirs, path, unit)
    texts, numbers = described(peer, theirs)
    ours, found = described(peer, path)
    for frame, other in zip(ours.pop("markers"), texts.pop("markers"), strict=True):
        assert [m[0] for m in frame] == [m[0] for m in other]
        for marker, wanted in zip(frame, other, strict=True):
            np.testing.assert_allclose(marker[1:], wanted[1:], rtol=1e-6)
    assert ours == texts
    # Joints of the animation as any viewer plays it.
    assert_close(state_matrices(found.pop("baked")), state_matrices(numbers["baked"]), 1e-5)
    for name, values in found.items():
        if unit == "cm" and name in ("motion", "faces", "index", "weight", "texcoord_faces"):
            assert values.tobytes() == numbers[name].tobytes(), name
        elif values.size:
            np.testing.assert_allclose(values, numbers[name], rtol=1e-6, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("unit", ["cm", "m"])
def test_what_they_drop_comes_back_to_us(theirs, tmp_path, unit):
    path = tmp_path / "ours.glb"
    character = resave(theirs, path, unit)
    locators = [geometry.SkinnedLocator("nose", [0, 1], [0.25, 0.75], [0.1, 0.2, 0.3])]
    with_nose = character.with_skinned_locators(locators)
    geometry.Character.save_gltf(path, with_nose)
    assert geometry.Character.load_gltf(path, unit) == with_nose


def test_scales_of_a_body_as_model_parameters(peer, theirs):
    loader = "load_gltf_with_motion_model_parameter_scales"
    their = peer.call(None, f"geometry.Character.{loader}", str(theirs))
    ours = getattr(geometry.Character, loader)(theirs, "cm")
    np.testing.assert_allclose(ours[1], their["item1"], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(ours[2], their["item2"], rtol=1e-5, atol=1e-6)
