"""The built-in characters, as Python sees them."""

from __future__ import annotations

import copy
import pickle

import pytest

np = pytest.importorskip("numpy")

import kinarray as ka


@pytest.fixture(scope="module")
def humanoid():
    return ka.testing.create_humanoid(n_vertices=2_000)


def pose(character, **parameters):
    """Skeleton states in float64 with these parameters set."""
    names = character.parameter_transform.names
    values = np.zeros(len(names))
    for name, value in parameters.items():
        values[names.index(name)] = value
    return ka.geometry.model_parameters_to_skeleton_state(character, values)


def joint(character, state, name):
    return state[character.skeleton.joint_names.index(name)]


def test_the_rest_pose_skins_to_the_rest_mesh(humanoid):
    points = humanoid.skin_points(pose(humanoid))
    np.testing.assert_allclose(points, humanoid.mesh.vertices, atol=1e-6)


@pytest.mark.parametrize("unit", ["m", "cm", "mm"])
def test_it_is_as_tall_as_an_adult_in_every_unit(unit):
    character = ka.testing.create_humanoid(n_vertices=1_000, unit=unit)
    height = (
        np.ptp(np.asarray(character.mesh.vertices)[:, 1]) / {"m": 1, "cm": 100, "mm": 1000}[unit]
    )
    assert height == pytest.approx(1.75, abs=0.02)
    assert character.unit == unit


def test_equal_values_on_both_sides_mirror_each_other(humanoid):
    names = humanoid.parameter_transform.names
    for name in (name for name in names if name.startswith("l_")):
        state = pose(humanoid, **{name: 0.4, "r_" + name[2:]: 0.4})
        for index, left in enumerate(humanoid.skeleton.joint_names):
            if left.startswith("l_"):
                right = joint(humanoid, state, "r_" + left[2:])[:3]
                np.testing.assert_allclose(
                    state[index, :3] * [-1, 1, 1], right, atol=1e-9, err_msg=name
                )


@pytest.mark.parametrize(
    ("parameter", "tip", "direction"),
    [
        ("l_elbow_rz", "l_wrist", [0, 0, 1]),
        ("r_elbow_rz", "r_wrist", [0, 0, 1]),
        ("l_knee_rz", "l_ankle", [0, 0, -1]),
        ("l_hip_rz", "l_knee", [0, 0, 1]),
        ("l_hip_ry", "l_knee", [1, 0, 0]),
        ("l_shoulder_ry", "l_elbow", [0, 1, 0]),
        ("l_ankle_rz", "l_toes", [0, 1, 0]),
        ("spine_rx", "head", [0, 0, 1]),
        ("l_index_curl", "l_index3", [0, -1, 0]),
    ],
)
def test_a_positive_angle_bends_the_joint_the_way_it_bends(humanoid, parameter, tip, direction):
    moved = joint(humanoid, pose(humanoid, **{parameter: 0.3}), tip) - joint(
        humanoid, pose(humanoid), tip
    )
    assert moved[:3] @ direction > 0.5 * np.linalg.norm(moved[:3]) > 0


def test_longer_legs_keep_the_feet_their_size(humanoid):
    rest, tall = pose(humanoid), pose(humanoid, scale_legs=1.0)
    length = lambda state: joint(humanoid, state, "l_hip")[1] - joint(humanoid, state, "l_ankle")[1]
    assert length(tall) == pytest.approx(2 * length(rest))
    np.testing.assert_allclose(joint(humanoid, tall, "l_ankle")[7], 1.0)


def test_a_walking_foot_stays_near_the_ground(humanoid):
    poses = ka.testing.walk_cycle(humanoid, n_frames=64)
    points = humanoid.skin_points(ka.geometry.model_parameters_to_skeleton_state(humanoid, poses))
    lowest = points[..., 1].min(axis=1)
    assert np.abs(lowest).max() < 0.06
    # Both feet take turns: the lowest point is now on the left, now on the right.
    side = np.take_along_axis(points[..., 0], points[..., 1].argmin(axis=1)[:, None], axis=1)
    assert side.min() < -0.03
    assert side.max() > 0.03


def test_skin_does_not_collapse_when_it_walks(humanoid):
    faces = np.asarray(humanoid.mesh.faces)

    def volume(points):
        a, b, c = (points[..., faces[:, corner], :] for corner in range(3))
        return (a * np.cross(b, c)).sum(axis=(-1, -2)) / 6

    poses = ka.testing.walk_cycle(humanoid, n_frames=32)
    points = humanoid.skin_points(ka.geometry.model_parameters_to_skeleton_state(humanoid, poses))
    np.testing.assert_allclose(
        volume(points), volume(np.asarray(humanoid.mesh.vertices, np.float64)), rtol=0.06
    )


def test_markers_lie_on_the_skin(humanoid):
    state, vertices = pose(humanoid), np.asarray(humanoid.mesh.vertices, np.float64)
    assert len(humanoid.locators) >= 20
    for locator in humanoid.locators:
        x, y, z, w = state[locator.parent, 3:7]
        axis, offset = np.array([x, y, z]), np.asarray(locator.offset)
        turned = offset + 2 * np.cross(axis, np.cross(axis, offset) + w * offset)
        gap = np.linalg.norm(vertices - (turned + state[locator.parent, :3]), axis=1).min()
        assert gap < 0.04, locator.name


def test_it_survives_pickle_and_deepcopy(humanoid):
    assert pickle.loads(pickle.dumps(humanoid)) == humanoid
    assert copy.deepcopy(humanoid) == humanoid
    assert ka.testing.create_humanoid(n_vertices=2_000) == humanoid
    assert ka.testing.create_humanoid(n_vertices=2_500) != humanoid


def test_too_few_vertices_are_refused():
    with pytest.raises(ka.KinarrayError, match="500 to 1000000, got 7"):
        ka.testing.create_humanoid(n_vertices=7)


def test_a_synthetic_rig_has_the_sizes_asked_for():
    rig = ka.testing.create_character(
        n_joints=127, n_parameters=136, n_vertices=500, n_influences=4
    )
    assert (rig.skeleton.size, rig.parameter_transform.size, rig.mesh.n_vertices) == (127, 136, 500)


def test_pictures_of_states_and_of_points_are_equal(humanoid):
    poses = ka.testing.walk_cycle(humanoid, n_frames=32).astype(np.float32)
    states = ka.geometry.model_parameters_to_skeleton_state(humanoid, poses[::10])
    picture = ka.testing.render(humanoid, states, width=200, height=80)
    assert picture == ka.testing.render(
        humanoid, humanoid.skin_points(states), width=200, height=80
    )
    assert picture != ka.testing.render(humanoid, states[:2], width=200, height=80)
