"""The same glTF files, loaded by both; PyMomentum works in centimetres.

It drops the transforms of nodes above the skeleton, so its world differs from the file's by one fixed
transform, which is taken from the rest pose of the root.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from comparison import FLOAT32, assert_close
from peer_oracle import CHARACTER

import kinarray
from kinarray import geometry
from reference import state_matrices

ROOT = Path(__file__).resolve().parents[2]
PLACES = [os.environ.get("KINARRAY_SHARED"), ROOT.parent / "shared", ROOT.parents[1] / "shared"]
SHARED = next((Path(place) for place in PLACES if place and Path(place).is_dir()), None)

NAMED = ["khronos/Fox.glb", "characters/robot.glb", "blender_io/03_skinned_cylinder.gltf"]


def gltf(name):
    if SHARED is None:
        pytest.skip("no ../shared folder (or KINARRAY_SHARED) with the test files")
    return SHARED / "data" / "gltf" / name


def in_metres(matrices):
    matrices = matrices.copy()
    matrices[..., :3, 3] /= 100
    return matrices


def skeleton_of(peer, path):
    """The peer's joint names, parents and rest pose in metres, `(J, 4, 4)`."""
    names, parents, offsets = peer.calls(
        path,
        ("character.skeleton.joint_names",),
        ("character.skeleton.joint_parents",),
        ("character.skeleton.offsets",),
    )
    zero = np.zeros((len(offsets), 7))
    rest = peer.call(path, "geometry.joint_parameters_to_skeleton_state", CHARACTER, zero)
    return [str(n) for n in names], list(parents), in_metres(state_matrices(rest))


def our_rest(character):
    zero = np.zeros((len(character.skeleton.joint_names), 7))
    return state_matrices(geometry.joint_parameters_to_skeleton_state(character, zero))


def match_by_rest_pose(theirs, ours, above):
    """For each of their joints ours with the nearest rest matrix; each of ours at most once."""
    free = list(range(len(ours)))
    matched = []
    for matrix in theirs:
        distances = [np.abs(ours[joint] - above @ matrix).max() for joint in free]
        assert min(distances) < 1e-4, "no joint of ours rests there"
        matched.append(free.pop(int(np.argmin(distances))))
    return matched


def turned(n_joints, seed):
    """Random rotations of every joint in six poses."""
    rng = np.random.default_rng(seed)
    poses = np.zeros((6, n_joints, 7), np.float32)
    poses[..., 3:6] = rng.uniform(-1, 1, (6, n_joints, 3))
    return poses


def pose_both(peer, path, character, matched):
    theirs = turned(len(matched), seed=9)
    ours = np.zeros((6, len(character.skeleton.joint_names), 7), np.float32)
    ours[:, matched] = theirs
    name = "joint_parameters_to_skeleton_state"
    their_states = peer.call(path, f"geometry.{name}", CHARACTER, theirs)
    return their_states, np.asarray(getattr(geometry, name)(character, ours))


@pytest.mark.parametrize("name", NAMED)
def test_named_joints_move_the_same(peer, name):
    path = gltf(name)
    character = kinarray.load_character(str(path))
    names, _, their_rest = skeleton_of(peer, path)
    our_names = list(character.skeleton.joint_names)
    matched = [our_names.index(joint) for joint in names]
    above = our_rest(character)[matched[0]] @ np.linalg.inv(their_rest[0])
    theirs, ours = pose_both(peer, path, character, matched)
    expected = above @ in_metres(state_matrices(theirs))
    assert_close(state_matrices(ours)[:, matched], expected, FLOAT32)


def test_cesium_man_moves_and_deforms_the_same(peer):
    path = gltf("khronos/CesiumMan.glb")
    character = kinarray.load_character(str(path))
    _, _, their_rest = skeleton_of(peer, path)
    # The node above the skeleton turns the file's Z up into Y up.
    above = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]])
    matched = match_by_rest_pose(their_rest, our_rest(character), above)
    theirs, ours = pose_both(peer, path, character, matched)
    expected = above @ in_metres(state_matrices(theirs))
    assert_close(state_matrices(ours)[:, matched], expected, FLOAT32)

    # 210 vertices have weights that sum to less than 1. Theirs pulls them towards the origin; we
    # divide by the sum, as every viewer of glTF does.
    total = peer.call(path, "character.skin_weights.weight").sum(1, keepdims=True)
    assert (np.abs(total - 1) > 1e-5).sum() == 210
    their_points = peer.call(path, "character.skin_points", theirs) / 100
    expected_points = (their_points / total) @ above[:3, :3].T
    assert_close(character.skin_points(ours), expected_points, FLOAT32)


def test_centimetres_on_request(peer):
    path = gltf("khronos/CesiumMan.glb")
    metres = kinarray.load_character(str(path))
    centimetres = kinarray.load_character(str(path), unit="cm")
    theirs = peer.call(path, "character.mesh.vertices")
    assert_close(np.asarray(centimetres.mesh.vertices), theirs, FLOAT32)
    assert_close(np.asarray(metres.mesh.vertices), theirs / 100, FLOAT32)


def test_a_mesh_without_indices_keeps_its_vertices(peer):
    """Theirs drops it, with a warning on stdout."""
    path = gltf("khronos/Fox.glb")
    assert len(peer.call(path, "character.mesh.vertices")) == 0
    assert len(kinarray.load_character(str(path)).mesh.vertices) == 1728


def test_nodes_given_as_matrices_count(peer):
    """Theirs reads translation, rotation and scale only: this bone sits at -4.18, not at 0."""
    path = gltf("khronos/RiggedSimple.gltf")
    assert np.allclose(peer.call(path, "character.skeleton.offsets")[0], 0)
    character = kinarray.load_character(str(path))
    bone = list(character.skeleton.joint_names).index("Bone")
    assert np.isclose(np.linalg.norm(our_rest(character)[bone, :3, 3]), 4.18033, atol=1e-4)


def test_a_first_file_to_try(peer):
    """Theirs refuses the tutorial's own skin, whose nodes carry no names."""
    path = gltf("khronos/SimpleSkin.gltf")
    with pytest.raises(Exception, match="gltf"):
        peer.call(path, "character.skeleton.offsets")
    character = kinarray.load_character(str(path))
    assert len(character.mesh.vertices) == 10
