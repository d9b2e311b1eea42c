"""Surgery on characters keeps its word: what should stay the same does, what is wrong is refused."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import kinarray as ka
from kinarray import geometry
from kinarray.geometry import Character, CharacterMassScale, ParameterLimit

rng = np.random.default_rng


@pytest.fixture(scope="module")
def humanoid():
    return ka.testing.create_humanoid(n_vertices=600)


def poses(character, count=4, seed=0):
    return rng(seed).normal(size=(count, character.parameter_transform.size)) * 0.3


def state_of(character, pose):
    return geometry.model_parameters_to_skeleton_state(character, pose)


def points_of(character, pose):
    return geometry.skin_points(character, state_of(character, pose))


def locators_of(character, pose):
    parents, offsets = character.find_locators([each.name for each in character.locators])
    return geometry.model_parameters_to_positions(character, pose, parents, offsets)


def moved(matrix, points):
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def root_translations(character):
    """Mask of the parameters that move roots along the axes of the world."""
    rows = [
        j * 7 + k for j, p in enumerate(character.skeleton.joint_parents) if p < 0 for k in range(3)
    ]
    return np.abs(character.parameter_transform.transform[rows]).sum(0) > 0


def motion(angle=0.7, shift=(0.1, -0.2, 0.3), scale=1.0):
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, c, -s], [0, s, c]]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = turn * scale
    matrix[:3, 3] = shift
    return matrix


def arms(character):
    """Joints and parameters of a part of the body."""
    names = character.skeleton.joint_names
    joints = [
        names.index("l_wrist"),
        *character.skeleton.get_child_joints(names.index("l_wrist"), True),
    ]
    return joints


def test_simplify_then_pose_is_pose(humanoid):
    """Poses in which the dropped joints are at rest give the same body."""
    dropped = arms(humanoid)
    kept = [j for j in range(len(humanoid.skeleton)) if j not in dropped]
    simple = humanoid.simplify_skeleton(kept)
    assert len(simple.skeleton) == len(kept)
    assert simple.parameter_transform.names == humanoid.parameter_transform.names
    pose = poses(humanoid)
    pose[:, humanoid.parameters_for_joints(dropped)] = 0
    np.testing.assert_allclose(points_of(simple, pose), points_of(humanoid, pose), atol=1e-6)
    np.testing.assert_allclose(locators_of(simple, pose), locators_of(humanoid, pose), atol=1e-12)
    np.testing.assert_allclose(
        state_of(simple, pose), state_of(humanoid, pose)[:, kept], atol=1e-12
    )


def test_simplify_in_the_middle_of_a_chain(humanoid):
    """A joint between two that stay: offsets and pre-rotations are put together."""
    middle = humanoid.skeleton.joint_names.index("spine2")
    kept = [j for j in range(len(humanoid.skeleton)) if j != middle]
    simple = humanoid.simplify_skeleton(kept)
    pose = poses(humanoid)
    pose[:, humanoid.parameters_for_joints([middle])] = 0
    np.testing.assert_allclose(points_of(simple, pose), points_of(humanoid, pose), atol=1e-6)


def test_the_rest_pose_never_changes(humanoid):
    rest = np.zeros(humanoid.parameter_transform.size)
    for seed in range(5):
        mask = rng(seed).random(humanoid.parameter_transform.size) < 0.2
        simple = humanoid.simplify(mask)
        np.testing.assert_allclose(points_of(simple, rest), points_of(humanoid, rest), atol=1e-6)
        np.testing.assert_allclose(
            locators_of(simple, rest), locators_of(humanoid, rest), atol=1e-12
        )
        solids = zip(humanoid.collision_geometry, simple.collision_geometry, strict=True)
        worlds = [geometry_world(c) for c in (humanoid, simple)]
        for old, new in solids:
            np.testing.assert_allclose(
                worlds[1][new.parent] @ new.transformation,
                worlds[0][old.parent] @ old.transformation,
                atol=1e-12,
            )


def geometry_world(character):
    state = state_of(character, np.zeros(character.parameter_transform.size))
    x, y, z, w = np.moveaxis(state[:, 3:7], -1, 0)
    world = np.zeros((len(state), 4, 4))
    world[:, 0, :3] = np.stack(
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)], -1
    )
    world[:, 1, :3] = np.stack(
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)], -1
    )
    world[:, 2, :3] = np.stack(
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], -1
    )
    world[:, :3, 3] = state[:, :3]
    world[:, 3, 3] = 1
    return world


def test_simplify_by_default_drops_what_nothing_drives(humanoid):
    simple = humanoid.simplify()
    pose = poses(humanoid)
    np.testing.assert_allclose(points_of(simple, pose), points_of(humanoid, pose), atol=1e-6)
    driven = humanoid.joints_for_parameters(humanoid.parameter_transform.all_parameters)
    assert set(simple.skeleton.joint_names) >= {humanoid.skeleton.joint_names[j] for j in driven}


def test_joints_and_parameters_find_each_other(humanoid):
    matrix = humanoid.parameter_transform.transform.reshape(len(humanoid.skeleton), 7, -1)
    drives = np.abs(matrix).sum(1) > 0
    for seed in range(5):
        mask = rng(seed).random(drives.shape[1]) < 0.1
        assert (
            humanoid.joints_for_parameters(mask) == np.flatnonzero(drives[:, mask].any(1)).tolist()
        )
        joints = np.flatnonzero(rng(seed).random(len(drives)) < 0.1)
        np.testing.assert_array_equal(humanoid.parameters_for_joints(joints), drives[joints].any(0))


def test_simplified_parameters_pose_the_same(humanoid):
    mask = rng(1).random(humanoid.parameter_transform.size) < 0.5
    fewer = humanoid.simplify_parameter_transform(mask)
    assert fewer.parameter_transform.size == mask.sum()
    assert len(fewer.skeleton) == len(humanoid.skeleton)
    pose = poses(humanoid) * mask
    np.testing.assert_allclose(state_of(fewer, pose[:, mask]), state_of(humanoid, pose), atol=1e-12)
    low, high = humanoid.model_parameter_limits
    np.testing.assert_array_equal(fewer.model_parameter_limits, (low[mask], high[mask]))


def test_strip_keeps_the_states_of_the_joints_that_stay(humanoid):
    stripped = geometry.strip_joints(humanoid, ["l_wrist", "r_ankle"])
    gone = {
        humanoid.skeleton.joint_names[j]
        for root in ("l_wrist", "r_ankle")
        for j in below(humanoid, root)
    }
    assert set(stripped.skeleton.joint_names) == set(humanoid.skeleton.joint_names) - gone
    names = humanoid.parameter_transform.names
    kept = [names.index(name) for name in stripped.parameter_transform.names]
    joints = [humanoid.skeleton.joint_index(name) for name in stripped.skeleton.joint_names]
    pose = poses(humanoid)
    got = state_of(stripped, pose[:, kept])
    np.testing.assert_allclose(got, state_of(humanoid, pose)[:, joints], atol=1e-12)
    assert stripped.mesh == humanoid.mesh
    total = stripped.skin_weights.to_dense(len(stripped.skeleton)).sum(1)
    np.testing.assert_allclose(total, 1, atol=1e-6)
    assert not gone & {
        humanoid.skeleton.joint_names[each.parent]
        for each in humanoid.locators
        if each.name in {mine.name for mine in stripped.locators}
    }


def below(character, name):
    joint = character.skeleton.joint_index(name)
    return [joint, *character.skeleton.get_child_joints(joint, True)]


def test_a_limb_of_oneself_changes_nothing(humanoid):
    same = geometry.replace_skeleton_hierarchy(humanoid, humanoid, "l_wrist", "l_wrist")
    assert same.skeleton == humanoid.skeleton
    names = same.parameter_transform.names
    assert set(names) == set(humanoid.parameter_transform.names)
    order = [humanoid.parameter_transform.names.index(name) for name in names]
    pose = poses(humanoid)
    np.testing.assert_allclose(state_of(same, pose[:, order]), state_of(humanoid, pose), atol=1e-12)


def test_a_limb_of_another_size(humanoid):
    child = humanoid.scaled(0.5)
    mixed = geometry.replace_skeleton_hierarchy(child, humanoid, "l_wrist", "l_wrist")
    hand = below(humanoid, "l_wrist")[1:]
    np.testing.assert_allclose(mixed.skeleton.offsets[hand], humanoid.skeleton.offsets[hand] / 2)
    rest = np.setdiff1d(np.arange(len(humanoid.skeleton)), hand)
    np.testing.assert_array_equal(mixed.skeleton.offsets[rest], humanoid.skeleton.offsets[rest])


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_scaling_commutes_with_posing(humanoid, scale):
    scaled = humanoid.scaled(scale)
    assert scaled.unit == humanoid.unit
    pose = poses(humanoid)
    lengths = root_translations(humanoid)
    larger = np.where(lengths, pose * scale, pose)
    np.testing.assert_allclose(
        points_of(scaled, larger), points_of(humanoid, pose) * scale, rtol=1e-5, atol=1e-5
    )
    np.testing.assert_allclose(
        locators_of(scaled, larger), locators_of(humanoid, pose) * scale, atol=1e-12
    )
    for old, new in zip(humanoid.collision_geometry, scaled.collision_geometry, strict=True):
        np.testing.assert_allclose(new.transformation[:3, 3], old.transformation[:3, 3] * scale)


def test_scaling_is_a_change_of_unit_without_the_unit(humanoid):
    assert humanoid.in_unit("cm").skeleton == humanoid.scaled(100).skeleton
    assert humanoid.scaled(1) == humanoid


@pytest.mark.parametrize("scale", [1.0, 2.5])
@pytest.mark.parametrize("angle", [0.0, 0.7, np.pi])
def test_moving_commutes_with_posing(humanoid, angle, scale):
    matrix = motion(angle, scale=scale)
    there = humanoid.transformed(matrix)
    pose = poses(humanoid)
    roots = root_translations(humanoid)
    pose[:, roots] = 0
    want = moved(matrix, points_of(humanoid, pose))
    np.testing.assert_allclose(points_of(there, pose), want, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(
        locators_of(there, pose), moved(matrix, locators_of(humanoid, pose)), atol=1e-11
    )
    turn = matrix[:3, :3] / scale
    np.testing.assert_allclose(there.mesh.normals, humanoid.mesh.normals @ turn.T, atol=1e-6)
    # Root translations are along the world's axes: turned and scaled too, they move the body the same.
    shift = rng(3).normal(size=(len(pose), 3))
    columns = [humanoid.parameter_transform.parameter_index(f"root_t{axis}") for axis in "xyz"]
    pose[:, columns] = shift
    want = moved(matrix, points_of(humanoid, pose))
    pose[:, columns] = shift @ matrix[:3, :3].T
    np.testing.assert_allclose(points_of(there, pose), want, rtol=1e-5, atol=1e-5)


def test_there_and_back_again(humanoid):
    matrix = motion()
    back = humanoid.transformed(matrix).transformed(np.linalg.inv(matrix))
    np.testing.assert_allclose(back.mesh.vertices, humanoid.mesh.vertices, atol=1e-6)
    np.testing.assert_allclose(back.skeleton.offsets, humanoid.skeleton.offsets, atol=1e-12)
    np.testing.assert_allclose(back.inverse_bind_pose, humanoid.inverse_bind_pose, atol=1e-12)


def test_a_node_moves_freely_and_changes_nothing_else(humanoid):
    more, joint, first = Character.add_rigid_transform_node(
        humanoid, "camera", [1, 2, 3], [0, 0.6, 0, 0.8]
    )
    assert (joint, first) == (len(humanoid.skeleton), humanoid.parameter_transform.size)
    pose = np.concatenate([poses(humanoid), rng(4).normal(size=(4, 6))], 1)
    state = state_of(more, pose)
    np.testing.assert_array_equal(state[:, :-1], state_of(humanoid, pose[:, :first]))
    np.testing.assert_allclose(state[:, -1, :3], pose[:, first : first + 3] + [1, 2, 3], atol=1e-12)
    np.testing.assert_allclose(
        points_of(more, pose), points_of(humanoid, pose[:, :first]), atol=1e-12
    )
    rest = state_of(more, np.zeros(first + 6))
    np.testing.assert_allclose(rest[-1, 3:7], [0, 0.6, 0, 0.8], atol=1e-12)


def test_a_clone_is_equal(humanoid):
    clone = humanoid.clone()
    assert clone == humanoid
    assert clone is not humanoid
    assert hash(clone) == hash(humanoid)


def test_results_survive_pickle_and_deepcopy(humanoid):
    for noun in (
        humanoid.simplify(humanoid.parameter_transform.rigid_parameters),
        geometry.strip_joints(humanoid, ["l_wrist"]),
        humanoid.transformed(motion()),
        Character.add_rigid_transform_node(humanoid, "camera")[0],
        CharacterMassScale.PreserveDensity,
    ):
        assert pickle.loads(pickle.dumps(noun)) == copy.deepcopy(noun) == copy.copy(noun) == noun


def test_the_old_character_stays(humanoid):
    before = pickle.dumps(humanoid)
    humanoid.simplify(humanoid.parameter_transform.rigid_parameters)
    humanoid.scaled(2)
    humanoid.transformed(motion())
    geometry.strip_joints(humanoid, ["l_wrist"])
    assert pickle.dumps(humanoid) == before


def test_what_is_no_mass_scale_is_refused(humanoid):
    assert [each.value for each in CharacterMassScale] == [0, 1]
    with pytest.raises(TypeError, match="expected a CharacterMassScale, got 1"):
        humanoid.scaled(2, 1)


def test_wrong_joints_are_refused(humanoid):
    with pytest.raises(ka.CharacterError, match="no joints are enabled"):
        humanoid.simplify_skeleton([])
    with pytest.raises(ka.CharacterError, match="root"):
        humanoid.simplify_skeleton([3])
    with pytest.raises(ka.InvalidValueError, match="joint index 999"):
        humanoid.simplify_skeleton([0, 999])
    with pytest.raises(ka.InvalidValueError, match="-1 is not an index"):
        humanoid.simplify_skeleton([-1])
    with pytest.raises(ka.DTypeError):
        humanoid.simplify_skeleton([0.5])
    with pytest.raises(ka.InvalidValueError, match="joint index 999"):
        humanoid.parameters_for_joints([999])
    with pytest.raises(KeyError, match="did you mean 'l_wrist'"):
        geometry.strip_joints(humanoid, ["l_wrsit"])
    with pytest.raises(ka.CharacterError, match="no joint would be left"):
        geometry.strip_joints(humanoid, [humanoid.skeleton[0].name])
    with pytest.raises(KeyError, match="did you mean 'l_wrist'"):
        geometry.replace_skeleton_hierarchy(humanoid, humanoid, "l_wrsit", "l_wrist")
    with pytest.raises(ka.CharacterError, match="same name"):
        geometry.replace_skeleton_hierarchy(humanoid, humanoid, "r_wrist", "l_ankle")
    with pytest.raises(ka.CharacterError, match="in_unit"):
        geometry.replace_skeleton_hierarchy(humanoid.in_unit("cm"), humanoid, "l_wrist", "l_wrist")


def test_wrong_masks_are_refused(humanoid):
    size = humanoid.parameter_transform.size
    for function in (
        humanoid.simplify,
        humanoid.simplify_parameter_transform,
        humanoid.joints_for_parameters,
    ):
        with pytest.raises(ka.ShapeError, match=f"\\({size},\\)"):
            function(np.zeros(size - 1, bool))
        with pytest.raises((ka.DTypeError, TypeError)):
            function(np.zeros(size))
        with pytest.raises((ka.DTypeError, TypeError)):
            function(7)


def test_wrong_scales_and_matrices_are_refused(humanoid):
    for scale in (0, -2, np.nan, np.inf):
        with pytest.raises(ka.InvalidValueError, match="positive"):
            humanoid.scaled(scale)
    with pytest.raises(TypeError):
        humanoid.scaled("2")
    with pytest.raises(TypeError):
        humanoid.scaled(2, "PreserveMass")
    for matrix, words in (
        (np.diag([-1.0, 1, 1, 1]), "mirrors"),
        (np.diag([1.0, 2, 1, 1]), "unevenly"),
        (np.eye(4) + np.eye(4, k=1) * 0.1, "shears"),
        (np.zeros((4, 4)), "last row"),
        (np.full((4, 4), np.nan), "finite"),
    ):
        with pytest.raises(ka.InvalidValueError, match=words):
            humanoid.transformed(matrix)
    with pytest.raises(ka.ShapeError, match=r"\(4, 4\)"):
        humanoid.transformed(np.eye(3))


def test_wrong_nodes_are_refused(humanoid):
    with pytest.raises(ka.CharacterError, match="same name"):
        Character.add_rigid_transform_node(humanoid, humanoid.skeleton[0].name)
    with pytest.raises(ka.CharacterError, match="unit quaternion"):
        Character.add_rigid_transform_node(humanoid, "camera", None, [0, 0, 0, 2])
    with pytest.raises(ka.ShapeError, match="translation_offset"):
        Character.add_rigid_transform_node(humanoid, "camera", [0, 0])
    with pytest.raises(TypeError):
        Character.add_rigid_transform_node("humanoid", "camera")


def test_limits_follow(humanoid):
    index = humanoid.parameter_transform.parameter_index("root_tx")
    limited = humanoid.with_parameter_limits([ParameterLimit.create_minmax(index, -0.5, 1.5)])
    assert limited.scaled(2).model_parameter_limits[1][index] == 3
    assert (
        limited.simplify_parameter_transform(
            limited.parameter_transform.no_parameters
        ).parameter_limits
        == []
    )
