"""Parameters: sets of them, maps between characters, limits on them. Laws, nouns and wrong inputs."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import kinarray as ka
from kinarray import geometry
from kinarray.geometry import (
    Character,
    Joint,
    LimitData,
    LimitType,
    ParameterLimit,
    ParameterTransform,
    Skeleton,
)

ELLIPSOID = np.array([[0.3, 0.1, 0, 0.05], [0, 0.2, 0, 0.1], [0, 0, 0.4, 0], [0, 0, 0, 1]])

LIMITS = {
    "MinMax": ParameterLimit.create_minmax(1, -0.5, 1.5, 0.25),
    "MinMaxJoint": ParameterLimit.create_minmax_joint(1, 3, -0.5, 0.5),
    "MinMaxJointPassive": ParameterLimit.create_minmax_joint_passive(1, 4, -1.0, 1.0),
    "Linear": ParameterLimit.create_linear(0, 1, 2.0, 0.5, 1.0, range_max=3.0),
    "LinearJoint": ParameterLimit.create_linear_joint(0, 0, 1, 3, 2.0, 0.5, 1.0, -1.0, 3.0),
    "HalfPlane": ParameterLimit.create_halfplane(0, 1, [3.0, 4.0], 10.0),
    "Ellipsoid": ParameterLimit.create_ellipsoid(0, 1, [0.1, 0.2, 0.3], ELLIPSOID),
}


@pytest.fixture(scope="module")
def humanoid():
    return ka.testing.create_humanoid(n_vertices=600)


@pytest.fixture
def arm():
    """Two joints; the second turns about x and y with one parameter and grows with another."""
    joints = [
        Joint("root", -1, [0, 0, 0, 1], [0, 1, 0]),
        Joint("wrist", 0, [0, 0, 0, 1], [0.3, 0, 0]),
    ]
    matrix = np.zeros((14, 3))
    matrix[0, 0] = matrix[10, 1] = matrix[13, 2] = 1
    matrix[11, 1] = 0.5
    skeleton = Skeleton(joints)
    transform = ParameterTransform(["root_tx", "bend", "scale_arm"], skeleton, matrix)
    return Character("arm", skeleton, transform)


# --- The transform as a collection of names and sets


def test_a_transform_is_a_collection_of_names(arm):
    transform = arm.parameter_transform
    assert list(transform) == transform.names == ["root_tx", "bend", "scale_arm"]
    assert len(transform) == transform.size == 3
    assert "bend" in transform
    assert "bent" not in transform


def test_a_set_is_added_to_a_new_transform(arm):
    transform = arm.parameter_transform
    more = transform.add_parameter_set("both", np.array([True, True, False]))
    assert more.parameter_sets["both"].tolist() == [True, True, False]
    assert transform.parameter_sets == {}
    assert more == transform.with_parameter_set("both", [True, True, False])
    with pytest.raises(ka.ShapeError, match="n_parameters"):
        transform.add_parameter_set("both", [True])


def test_a_character_without_shapes_has_no_shape_parameters(humanoid):
    transform = humanoid.parameter_transform
    for kind in ("blend_shape", "face_expression", "skinned_locator"):
        mask = getattr(transform, f"{kind}_parameters")
        assert mask.dtype == bool and mask.shape == (transform.size,) and not mask.any()
    poses = np.zeros((2, transform.size), np.float32)
    none = geometry.model_parameters_to_blend_shape_coefficients(humanoid, poses)
    assert none.shape == (2, 0) and none.dtype == np.float32
    assert geometry.model_parameters_to_face_expression_coefficients(humanoid, poses).shape == (
        2,
        0,
    )


def test_a_subset_drives_the_same_with_the_others_at_rest(humanoid):
    transform = humanoid.parameter_transform.with_parameter_set(
        "odd", np.arange(humanoid.parameter_transform.size) % 2 == 1
    )
    mask = np.arange(transform.size) % 3 != 0
    few = transform.subset(mask)
    assert few.names == [name for name, kept in zip(transform.names, mask, strict=True) if kept]
    assert np.array_equal(few.parameter_sets["odd"], transform.parameter_sets["odd"][mask])
    poses = np.random.default_rng(0).normal(size=(4, transform.size))
    at_rest = np.where(mask, poses, 0)
    np.testing.assert_allclose(few.apply(poses[:, mask]), transform.apply(at_rest), atol=1e-14)


def test_the_inverse_is_a_noun_too(arm):
    inverse = arm.parameter_transform.inverse()
    assert pickle.loads(pickle.dumps(inverse)) == inverse == copy.deepcopy(inverse)
    assert inverse == geometry.InverseParameterTransform(arm.parameter_transform)
    assert "InverseParameterTransform" in repr(inverse)


# --- Maps


def test_parameters_go_to_another_character_and_back(humanoid):
    names = humanoid.parameter_transform.names
    few = geometry.reduce_to_selected_model_parameters(
        humanoid, humanoid.parameter_transform.pose_parameters
    )
    poses = np.random.default_rng(1).normal(size=(2, 3, len(few.parameter_transform)))
    there = geometry.map_model_parameters(poses, few, humanoid)
    assert there.shape == (2, 3, len(names))
    assert not there[..., ~humanoid.parameter_transform.pose_parameters].any()
    np.testing.assert_array_equal(
        geometry.map_model_parameters(there, humanoid, few, verbose=False), poses
    )


def test_lost_parameters_are_warned_of(humanoid, arm):
    poses = np.zeros(3)
    with pytest.warns(UserWarning, match="'bend', 'scale_arm'|'root_tx', 'bend', 'scale_arm'"):
        geometry.map_model_parameters(poses, arm, humanoid)
    # Names are mapped silently by default, characters by request.
    names = arm.parameter_transform.names
    geometry.map_model_parameters(poses, source_parameter_names=names, target_character=humanoid)
    geometry.map_model_parameters(poses, arm, humanoid, False)


def test_joints_go_to_another_character_and_back(humanoid):
    last = len(humanoid.skeleton) - 1
    reverse = [humanoid.skeleton.joint_names[last - at] for at in range(last + 1)]
    skeleton = Skeleton(
        [Joint(name, at - 1, [0, 0, 0, 1], [0, 0, 0]) for at, name in enumerate(reverse)]
    )
    other = Character("other", skeleton, ParameterTransform.identity(skeleton))
    joints = np.random.default_rng(2).normal(size=(3, last + 1, 7))
    there = geometry.map_joint_parameters(joints, humanoid, other)
    np.testing.assert_array_equal(there, joints[:, ::-1])
    np.testing.assert_array_equal(geometry.map_joint_parameters(there, other, humanoid), joints)


@pytest.mark.parametrize("flat", [True, False])
def test_known_scales_leave_the_pose(humanoid, flat):
    transform = humanoid.parameter_transform
    poses = np.random.default_rng(3).normal(size=(2, 4, transform.size))
    joints = transform.apply(poses, flat)
    scales = poses[..., transform.scaling_parameters]
    inverse = transform.inverse()
    solve = inverse.joint_parameters_to_model_parameters_with_known_scales
    np.testing.assert_allclose(solve(joints, scales), poses, atol=1e-12)
    # Scales that are shared by a batch, in single precision.
    single = solve(joints.astype(np.float32), np.zeros(scales.shape[-1], np.float32))
    assert single.dtype == np.float32 and single.shape == poses.shape
    assert not single[..., transform.scaling_parameters].any()
    torch = pytest.importorskip("torch")
    ours = solve(torch.from_numpy(joints), scales)
    assert isinstance(ours, torch.Tensor)
    np.testing.assert_array_equal(ours.numpy(), solve(joints, scales))
    with pytest.raises(ka.ShapeError, match="scale_parameters"):
        solve(joints, scales[..., :-1])


def test_known_scales_are_the_least_squares_solution(arm):
    """Where scales and pose drive the same joint parameter, and the joints are not exactly reached."""
    matrix = np.array(arm.parameter_transform.transform)
    matrix[10, 2] = 0.7
    transform = ParameterTransform(arm.parameter_transform.names, arm.skeleton, matrix)
    joints, scales = np.random.default_rng(4).normal(size=14), np.array([0.3])
    left = joints - matrix[:, 2] * scales
    expected, *_ = np.linalg.lstsq(matrix[:, :2], left, rcond=None)
    ours = transform.inverse().joint_parameters_to_model_parameters_with_known_scales(
        joints, scales
    )
    np.testing.assert_allclose(ours, [*expected, 0.3], atol=1e-12)


# --- Limits


@pytest.mark.parametrize("kind", LIMITS)
def test_a_limit_is_a_noun(kind):
    limit = LIMITS[kind]
    assert limit.type == getattr(LimitType, kind) and limit.type.name == kind
    assert kind in repr(limit)
    values = [limit, limit.data, limit.type]
    values += [
        getattr(limit.data, name)
        for name in ("minmax", "minmax_joint", "linear", "linear_joint", "halfplane", "ellipsoid")
        if hasattr(limit.data, name)
    ]
    assert len(values) == 4  # only the data of its own type can be read
    for value in values:
        for again in (pickle.loads(pickle.dumps(value)), copy.deepcopy(value)):
            assert again == value and type(again) is type(value)
        assert type(value).__name__ in repr(value)
    assert limit != ParameterLimit.create_minmax(2, 0, 1)


def test_the_types_are_numbered_as_in_pymomentum():
    assert [kind.name for kind in LimitType.__members__.values()] == list(LimitType.__members__)
    assert [int(kind) for kind in LimitType.__members__.values()] == list(range(7))
    assert LimitType.Ellipsoid.value == 5
    assert len({LimitType.MinMax, LimitType.MinMax, LimitType.Linear}) == 2


def test_the_data_of_a_limit_reads_as_it_was_given():
    minmax = LIMITS["MinMax"].data.minmax
    assert (minmax.model_parameter_index, minmax.min, minmax.max) == (1, -0.5, 1.5)
    joint = LIMITS["MinMaxJoint"].data.minmax_joint
    assert (joint.joint_index, joint.joint_parameter_index, joint.min, joint.max) == (
        1,
        3,
        -0.5,
        0.5,
    )
    assert LIMITS["MinMaxJointPassive"].data.minmax_joint.joint_parameter_index == 4
    linear = LIMITS["Linear"].data.linear
    assert (linear.reference_model_parameter_index, linear.target_model_parameter_index) == (0, 1)
    assert (linear.scale, linear.offset, linear.range_min, linear.range_max) == (
        2.0,
        0.5,
        None,
        3.0,
    )
    linear = LIMITS["LinearJoint"].data.linear_joint
    assert (linear.reference_joint_index, linear.reference_joint_parameter) == (0, 0)
    assert (linear.target_joint_index, linear.target_joint_parameter) == (1, 3)
    assert (linear.scale, linear.offset, linear.range_min, linear.range_max) == (
        2.0,
        0.5,
        -1.0,
        3.0,
    )
    plane = LIMITS["HalfPlane"].data.halfplane
    assert (plane.param1_index, plane.param2_index, plane.offset) == (0, 1, 2.0)
    np.testing.assert_allclose(plane.normal, [0.6, 0.8])
    ellipsoid = LIMITS["Ellipsoid"].data.ellipsoid
    assert (ellipsoid.ellipsoid_parent, ellipsoid.parent) == (0, 1)
    np.testing.assert_array_equal(ellipsoid.offset, [0.1, 0.2, 0.3])
    np.testing.assert_array_equal(ellipsoid.ellipsoid, ELLIPSOID)
    np.testing.assert_allclose(ellipsoid.ellipsoid_inv, np.linalg.inv(ELLIPSOID), atol=1e-14)
    with pytest.raises(ValueError, match="read-only"):
        ellipsoid.offset[0] = 1
    with pytest.raises(AttributeError, match="MinMax has no data.linear"):
        LIMITS["MinMax"].data.linear


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: ParameterLimit.create_minmax(0, 1.0, -1.0), "max"),
        (lambda: ParameterLimit.create_minmax(0, np.nan, 1.0), "max"),
        (lambda: ParameterLimit.create_minmax(0, 0.0, 1.0, -1.0), "weight"),
        (lambda: ParameterLimit.create_minmax(0, 0.0, 1.0, np.nan), "weight"),
        (lambda: ParameterLimit.create_minmax_joint(0, 7, 0.0, 1.0), "joint_parameter"),
        (lambda: ParameterLimit.create_linear(0, 1, np.inf, 0.0), "scale"),
        (lambda: ParameterLimit.create_linear(0, 1, 1.0, 0.0, 1.0, 2.0, 1.0), "range_max"),
        (lambda: ParameterLimit.create_halfplane(0, 1, [0.0, 0.0]), "normal"),
        (lambda: ParameterLimit.create_halfplane(0, 1, [1.0, 0.0], np.nan), "offset"),
        (lambda: ParameterLimit.create_ellipsoid(0, 1, [0, 0, 0], np.zeros((4, 4))), "flat"),
        (lambda: ParameterLimit.create_ellipsoid(0, 1, [0, 0, 0], np.eye(3)), "4, 4"),
    ],
)
def test_a_limit_that_means_nothing_is_refused(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_a_limit_on_nothing_is_refused(arm):
    with pytest.raises(ka.CharacterError, match="parameter index 3"):
        arm.with_parameter_limits([ParameterLimit.create_minmax(3, 0, 1)])


def test_each_limit_measures_how_far_it_is_broken(arm):
    pose = np.array([0.4, 2.0, 0.0])  # wrist rx = 2, ry = 1
    expected = {
        "MinMax": [0.5],
        "MinMaxJoint": [1.5],
        "MinMaxJointPassive": [],
        "Linear": [2.0 * 2.0 - 0.5 - 0.4],
        "LinearJoint": [2.0 * 2.0 - 0.5 - 0.4],
        "HalfPlane": [0.6 * 0.4 + 0.8 * 2.0 - 2.0],
    }
    for kind, residuals in expected.items():
        limited = arm.with_parameter_limits([LIMITS[kind]])
        ours = geometry.parameter_limit_residuals(limited, pose)
        np.testing.assert_allclose(ours, residuals, atol=1e-14, err_msg=kind)


def test_an_ellipsoid_holds_a_point_to_its_surface(arm):
    """Against the definition, from the world states."""
    limited = arm.with_parameter_limits([LIMITS["Ellipsoid"]])
    poses = np.random.default_rng(5).normal(size=(6, 3)) * 0.5
    states = geometry.model_parameters_to_skeleton_state(arm, poses)
    points = geometry.model_parameters_to_positions(arm, poses, [1], [[0.1, 0.2, 0.3]])[:, 0]
    # The root neither turns nor grows.
    local = points - states[:, 0, :3]
    sphere = (np.linalg.inv(ELLIPSOID) @ np.c_[local, np.ones(6)].T)[:3].T
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    goal = (ELLIPSOID @ np.c_[sphere, np.ones(6)].T)[:3].T
    residuals = geometry.parameter_limit_residuals(limited, poses)
    np.testing.assert_allclose(residuals, local - goal, atol=1e-13)


def test_the_energy_is_the_weighted_sum_in_any_unit(arm):
    limited = arm.with_parameter_limits(list(LIMITS.values()))
    poses = np.random.default_rng(6).normal(size=(2, 5, 3)) * 2
    residuals = geometry.parameter_limit_residuals(limited, poses)
    energy = geometry.parameter_limit_energy(limited, poses)
    weighted = 10 * (limited.parameter_limit_weights * residuals**2).sum(-1)
    np.testing.assert_allclose(energy, weighted, rtol=1e-13)
    in_cm = limited.in_unit("cm")
    np.testing.assert_allclose(
        geometry.parameter_limit_energy(in_cm, poses * [100, 1, 1]), energy, rtol=1e-11
    )
    assert len(limited.parameter_limit_indices) == residuals.shape[-1] == 8


def test_a_residual_belongs_to_a_limit(arm):
    limited = arm.with_parameter_limits([LIMITS["Ellipsoid"], LIMITS["Linear"], LIMITS["MinMax"]])
    assert limited.parameter_limit_indices.tolist() == [2, 1, 0, 0, 0]
    assert limited.parameter_limit_indices.dtype == np.int32
    assert limited.parameter_limit_weights[0] == 0.25


def test_within_its_limits_a_pose_costs_nothing(humanoid):
    rest = np.zeros(humanoid.parameter_transform.size)
    low, high = humanoid.model_parameter_limits
    poses = np.random.default_rng(7).normal(size=(5, rest.size)) * 3
    within = humanoid.apply_model_param_limits(poses)
    assert ((within >= low) & (within <= high)).all()
    np.testing.assert_array_equal(humanoid.apply_model_param_limits(within), within)
    minmax = [limit for limit in humanoid.parameter_limits if limit.type == LimitType.MinMax]
    only = humanoid.with_parameter_limits(minmax)
    assert (geometry.parameter_limit_energy(only, poses) > 0).all()
    np.testing.assert_array_equal(geometry.parameter_limit_energy(only, within), 0)


def test_limits_of_joints_are_a_table(arm):
    limited = arm.with_parameter_limits([LIMITS["MinMaxJoint"], LIMITS["MinMaxJointPassive"]])
    low, high = limited.joint_parameter_limits
    assert low.shape == high.shape == (2, 7)
    assert low[1, 3] == -0.5 and high[1, 4] == 1.0
    assert np.isinf(low).sum() == 12


def test_limits_that_contradict_each_other_cannot_be_kept(arm):
    limited = arm.with_parameter_limits(
        [ParameterLimit.create_minmax(1, 0, 1), ParameterLimit.create_minmax(1, 2, 3)]
    )
    with pytest.raises(ka.CharacterError, match="'bend'"):
        limited.apply_model_param_limits(np.zeros(3))


def test_limits_follow_or_go_with_their_parameters(arm):
    limited = arm.with_parameter_limits(list(LIMITS.values()))
    few = geometry.reduce_to_selected_model_parameters(limited, [False, True, True])
    kinds = [limit.type.name for limit in few.parameter_limits]
    assert kinds == ["MinMax", "MinMaxJoint", "MinMaxJointPassive", "LinearJoint", "Ellipsoid"]
    assert few.parameter_limits[0].data.minmax.model_parameter_index == 0


# --- Wrong inputs


@pytest.mark.parametrize(
    "call",
    [
        lambda c, x: geometry.map_model_parameters(x, c, c),
        lambda c, x: geometry.map_joint_parameters(x, c, c),
        lambda c, x: geometry.model_parameters_to_blend_shape_coefficients(c, x),
        lambda c, x: geometry.model_parameters_to_face_expression_coefficients(c, x),
        lambda c, x: geometry.uniform_random_to_model_parameters(c, x),
        lambda c, x: geometry.apply_inverse_parameter_transform(c.parameter_transform.inverse(), x),
        lambda c, x: c.apply_model_param_limits(x),
        lambda c, x: geometry.parameter_limit_residuals(c, x),
        lambda c, x: geometry.parameter_limit_energy(c, x),
    ],
)
def test_wrong_shapes_and_types_are_refused(arm, call):
    for wrong in (np.zeros((2, 5)), np.float64(1.0), np.zeros(0)):
        with pytest.raises(ka.ShapeError):
            call(arm, wrong)
    with pytest.raises(ka.DTypeError, match="int64"):
        call(arm, np.zeros((2, 3), np.int64))
    with pytest.raises(TypeError):
        call(arm, None)


def test_maps_between_units_are_refused(arm):
    for call in (geometry.map_model_parameters, geometry.map_joint_parameters):
        with pytest.raises(ValueError, match="in_unit"):
            call(np.zeros(14), arm, arm.in_unit("cm"))


def test_a_map_needs_a_source_and_a_target(arm):
    with pytest.raises(TypeError, match="source_character"):
        geometry.map_model_parameters(np.zeros(3), target_character=arm)
    with pytest.raises(TypeError, match="target_character"):
        geometry.map_model_parameters(np.zeros(3), arm)
    with pytest.raises(ValueError, match="'bend' is there twice"):
        geometry.map_model_parameters(np.zeros(2), ["bend", "bend"], arm)


def test_masks_must_fit(arm):
    for call in (
        lambda mask: geometry.reduce_to_selected_model_parameters(arm, mask),
        arm.parameter_transform.subset,
        lambda mask: geometry.parameter_limit_energy(arm, np.zeros(3), mask),
    ):
        with pytest.raises(ka.ShapeError, match="n_parameters"):
            call([True, False])
        with pytest.raises((TypeError, ValueError)):
            call([0.5, 1.0, 2.0])


def test_limit_data_has_no_constructor():
    with pytest.raises(TypeError):
        LimitData()
