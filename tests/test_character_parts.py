"""Parts of a character: built by keyword, compared by content, pickled, scaled; what they compute."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import pickle

import numpy as np
import pytest

import kinarray as ka
from kinarray import geometry
from kinarray.geometry import (
    Box,
    Ellipsoid,
    Joint,
    JointPhysicalProperties,
    Locator,
    LogLevel,
    Marker,
    MarkerSequence,
    Mesh,
    ParameterTransform,
    SDFCollider,
    SignedDistanceField,
    Skeleton,
    SkinnedLocator,
    SkinWeights,
    TaperedCapsule,
)

IDENTITY = [0, 0, 0, 1]


@pytest.fixture
def arm():
    """Three joints in a row, a strip of mesh along them."""
    skeleton = Skeleton(
        [
            Joint("root", -1, IDENTITY, [0, 1, 0]),
            Joint("elbow", 0, IDENTITY, [0.3, 0, 0]),
            Joint("hand", 1, IDENTITY, [0.3, 0, 0]),
        ]
    )
    transform = ParameterTransform.identity(skeleton)
    character = geometry.Character("arm", skeleton, transform)
    along = np.linspace(0, 0.6, 13)
    vertices = np.stack([along, np.full(13, 1.05), np.zeros(13)], -1)
    bend = np.clip(along / 0.3, 0, 2)
    dense = np.maximum(0, 1 - np.abs(bend[:, None] - np.arange(3)))
    weights = SkinWeights.from_dense(dense)
    return character.with_mesh_and_skin_weights(Mesh(vertices, [[0, 1, 2]]), weights)


def field():
    return SignedDistanceField([[0, 0, 0], [1, 2, 3]], np.arange(24.0).reshape(2, 3, 4) * 0.1)


def nouns():
    return [
        SkinnedLocator("s", [0, 2], [0.25, 0.75], [0.1, 0.2, 0.3], 0.5, 0.01),
        JointPhysicalProperties(2.5, [0, 0.1, 0], np.diag([1, 2, 3]), IDENTITY, "hand", 2),
        field(),
        SDFCollider([0, 1, 0], [0, 0.6, 0, 0.8], 1, field()),
        SDFCollider(),
        Marker("m", [1, 2, 3], False, 0.5),
        MarkerSequence("actor", [[Marker("m", [1, 2, 3])], []], 120),
        TaperedCapsule(-1, transformation=np.eye(4), radius=[0.1, 0.2], length=0.5),
    ]


def full(arm):
    return (
        arm.with_skinned_locators([nouns()[0]])
        .with_physical_properties([nouns()[1]])
        .with_sdf_colliders([nouns()[3]])
        .with_locators([Locator("Floor_hand", 2, [0, -1, 0])])
        .with_collision_geometry([nouns()[-1]])
    )


@pytest.mark.parametrize("noun", nouns(), ids=repr)
def test_every_part_survives_pickle_and_copies_and_shows_itself(noun):
    for other in (pickle.loads(pickle.dumps(noun)), copy.deepcopy(noun), copy.copy(noun)):
        assert other == noun
        assert type(other) is type(noun)
    assert type(noun).__name__ in repr(noun)
    assert noun != SkinnedLocator("other", [0], [1])
    assert noun not in [None, 3, "noun"]


def test_a_character_keeps_its_parts_through_pickle_and_tells_them(arm):
    character = full(arm)
    again = pickle.loads(pickle.dumps(character))
    assert again == character != arm
    assert again.skinned_locators == character.skinned_locators == [nouns()[0]]
    assert again.physical_properties == [nouns()[1]]
    assert again.sdf_colliders == [nouns()[3]]
    html = character._repr_html_()
    for words in ("skinned locators", "SDF colliders", "physical bodies", "collision solids"):
        assert words in html


def test_arrays_of_parts_are_read_only_views():
    locator, body, sdf, collider, _, marker, *_ = nouns()
    for noun, names in (
        (locator, ["parents", "skin_weights", "position"]),
        (body, ["center_of_mass_offset", "inertia", "inertia_rotation"]),
        (sdf, ["bounds", "data"]),
        (collider, ["translation", "rotation"]),
        (marker, ["pos"]),
    ):
        for name in names:
            view = getattr(noun, name)
            assert view.ctypes.data == getattr(noun, name).ctypes.data
            with pytest.raises(ValueError, match="read-only"):
                view[...] = 0


def test_a_view_outlives_its_noun():
    data = field().data
    np.testing.assert_array_equal(data, np.arange(24.0).reshape(2, 3, 4) * 0.1)
    assert data.flags.f_contiguous


def test_parts_follow_a_change_of_unit(arm):
    in_cm = full(arm).in_unit("cm")
    np.testing.assert_allclose(in_cm.skinned_locators[0].position, [10, 20, 30])
    assert in_cm.skinned_locators[0].skin_offset == pytest.approx(1)
    (body,) = in_cm.physical_properties
    assert body.mass == 2.5
    np.testing.assert_allclose(body.center_of_mass_offset, [0, 10, 0])
    np.testing.assert_allclose(body.inertia, np.diag([1, 2, 3]) * 1e4)
    (collider,) = in_cm.sdf_colliders
    np.testing.assert_allclose(collider.translation, [0, 100, 0])
    point = np.array([0.3, 0.7, 4.0])
    assert collider.sdf.sample(point * 100) == pytest.approx(field().sample(point) * 100)
    assert in_cm.in_unit("m").physical_properties[0].joint_name == "hand"


def test_skinned_locators_are_added_or_replaced(arm):
    a, b = (SkinnedLocator(name, [0], [1.0]) for name in "ab")
    both = arm.with_skinned_locators([a]).with_skinned_locators([b])
    assert [locator.name for locator in both.skinned_locators] == ["a", "b"]
    assert both.with_skinned_locators([b], replace=True).skinned_locators == [b]
    assert arm.skinned_locators == []


def test_a_body_is_found_by_name_or_index_and_knows_both(arm):
    for body in (
        JointPhysicalProperties(1.0, joint_name="hand"),
        JointPhysicalProperties(1.0, joint_index=2),
    ):
        (found,) = arm.with_physical_properties([body]).physical_properties
        assert (found.joint_name, found.joint_index) == ("hand", 2)


def test_a_skinned_locator_moves_as_a_vertex_with_its_weights(arm):
    vertex = 7
    weights = arm.skin_weights
    locator = SkinnedLocator(
        "v", weights.index[vertex], weights.weight[vertex], arm.mesh.vertices[vertex]
    )
    poses = np.random.default_rng(1).normal(size=(5, 21)) * 0.3
    state = geometry.model_parameters_to_skeleton_state(arm, poses)
    np.testing.assert_allclose(
        arm.with_skinned_locators([locator]).skin_skinned_locators(state)[:, 0],
        arm.skin_points(state)[:, vertex],
        atol=1e-14,
    )


def test_locators_are_where_model_parameters_to_positions_puts_them(arm):
    character = arm.with_locators([Locator("a", 2, [0.1, 0.2, 0.3]), Locator("b", 0)])
    poses = np.random.default_rng(2).normal(size=(4, 21)) * 0.3
    state = geometry.model_parameters_to_skeleton_state(arm, poses)
    expected = geometry.model_parameters_to_positions(
        character, poses, *character.find_locators(["a", "b"])
    )
    np.testing.assert_allclose(character.locator_positions(state), expected, atol=1e-14)
    moved = character.locator_positions(state, np.zeros((2, 3)))
    np.testing.assert_allclose(moved, state[:, [2, 0], :3], atol=1e-14)


# Dual quaternions.


def quaternion_product(a, b):
    (x, y, z, w), (i, j, k, v) = a, b
    return np.array(
        [
            w * i + x * v + y * k - z * j,
            w * j - x * k + y * v + z * i,
            w * k + x * j - y * i + z * v,
            w * v - x * i - y * j - z * k,
        ]
    )


def dual_quaternion_skinning(character, state):
    """By the definition, in NumPy: blend 2x4 numbers, normalise, read rotation and translation."""
    binds = np.asarray(character.inverse_bind_pose)
    points = []
    for index, weight, rest in zip(
        character.skin_weights.index,
        character.skin_weights.weight,
        character.mesh.vertices,
        strict=True,
    ):
        real, dual, scale, total = np.zeros(4), np.zeros(4), 0.0, weight.sum()
        pivot = state[index[np.argmax(weight)], 3:7]
        for joint, w in zip(index, weight / total, strict=True):
            t, q, s = np.split(state[joint], [3, 7])
            q = q / np.linalg.norm(q)
            # These characters are bound without rotation or scale.
            rotation = np.eye(3) + 2 * (
                q[3] * np.cross(np.eye(3), q[:3])
                + np.outer(q[:3], q[:3])
                - q[:3] @ q[:3] * np.eye(3)
            )
            t = t + s * rotation @ binds[joint, :3, 3]
            sign = np.sign(q @ pivot) or 1.0
            real += w * sign * q
            dual += w * sign * 0.5 * quaternion_product([*t, 0], q)
            scale += w * s[0]
        norm = np.linalg.norm(real)
        real, dual = real / norm, dual / norm
        conjugate = real * [-1, -1, -1, 1]
        turned = quaternion_product(quaternion_product(real, [*(scale * rest), 0]), conjugate)
        points.append(turned[:3] + 2 * quaternion_product(dual, conjugate)[:3])
    return np.array(points)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 2e-5)])
@pytest.mark.parametrize("batch", [1, 3, 20])
def test_dual_quaternions_are_what_the_definition_says(arm, batch, dtype, tolerance):
    rng = np.random.default_rng(batch)
    state = rng.normal(size=(batch, 3, 8))
    state[..., 7] = rng.uniform(0.5, 2, (batch, 3))
    got = arm.skin_points_dual_quaternion(state.astype(dtype))
    assert got.dtype == dtype
    for one, points in zip(state, got, strict=True):
        np.testing.assert_allclose(points, dual_quaternion_skinning(arm, one), atol=tolerance)


def test_a_twist_keeps_its_distance_from_the_bone(arm):
    """Linear blending pinches half way through a turn of 180 degrees; dual quaternions do not."""
    joints = np.zeros((3, 7))
    joints[1, 3] = np.pi - 1e-6
    state = geometry.joint_parameters_to_skeleton_state(arm, joints)
    half_way = 3
    radii = [
        np.linalg.norm(points[half_way, 1:] - [1, 0])
        for points in (arm.skin_points(state), arm.skin_points_dual_quaternion(state))
    ]
    assert radii[0] < 0.03
    assert radii[1] == pytest.approx(0.05, abs=1e-6)


def test_dual_quaternions_need_a_skin(arm):
    bare = geometry.Character("bare", arm.skeleton, arm.parameter_transform)
    with pytest.raises(ka.CharacterError, match="mesh"):
        bare.skin_points_dual_quaternion(np.zeros((3, 8)))
    with pytest.raises(ka.ShapeError, match="n_joints, 8"):
        arm.skin_points_dual_quaternion(np.zeros((3, 4, 4)))


# Solids and what they touch.


def state_at(*places, scale=1.0):
    return np.array([[*place, 0, 0, 0, 1, scale] for place in places], float)


def test_overlap_grows_with_the_scale_of_the_joint(arm):
    balls = [TaperedCapsule(joint, radius=[0.1, 0.1], length=0) for joint in (0, 2)]
    character = arm.with_collision_geometry(balls)
    assert geometry.collision_pairs(character).tolist() == [[0, 1]]
    places = [[0, 0, 0], [5, 5, 5], [0.15, 0, 0]]
    overlap = geometry.collision_overlaps(character, state_at(*places))
    np.testing.assert_allclose(overlap, [0.05])
    np.testing.assert_allclose(
        geometry.collision_overlaps(character, state_at(*places, scale=2.0)), [0.25]
    )
    assert geometry.collision_overlaps(arm, state_at(*places)).shape == (0,)


def test_the_unit_does_not_change_what_touches(arm):
    solids = [
        TaperedCapsule(0, radius=[0.1, 0.05], length=0.2),
        Ellipsoid(2, radii=[0.1, 0.2, 0.1]),
        Box(-1, half_extents=[0.1, 0.1, 0.3]),
    ]
    character = arm.with_collision_geometry(solids)
    state = state_at([0, 0.1, 0], [5, 5, 5], [0.15, 0.1, 0])
    in_cm = state.copy()
    in_cm[:, :3] *= 100
    overlaps = geometry.collision_overlaps(character, state)
    assert (overlaps > 0).sum() > 1
    other = character.in_unit("cm")
    np.testing.assert_allclose(geometry.collision_overlaps(other, in_cm), overlaps * 100)
    ours = geometry.support_contacts(character, state)
    theirs = geometry.support_contacts(other, in_cm)
    assert len(ours[0]) > 1
    np.testing.assert_allclose(theirs[0], ours[0] * 100)


def test_a_contact_is_where_its_offset_says(arm):
    character = arm.with_collision_geometry(
        [Ellipsoid(0, radii=[0.3, 0.2, 0.1]), Box(2), TaperedCapsule(1, radius=[2, 1])]
    )
    rng = np.random.default_rng(5)
    state = rng.normal(size=(3, 8))
    state[:, 3:7] /= np.linalg.norm(state[:, 3:7], axis=1, keepdims=True)
    state[:, 7] = [1.5, 0.5, 2]
    positions, parents, offsets = geometry.plane_collision_contacts_by_parent(
        character, state, 10.0, plane_normal=[1, 2, 3], plane_offset=0.5
    )
    assert parents.tolist() == [0, 2, 1]
    again = geometry.joint_parameters_to_positions(
        character,
        geometry.skeleton_state_to_joint_parameters(character, state),
        parents,
        offsets,
    )
    np.testing.assert_allclose(positions, again, atol=1e-12)


@pytest.mark.parametrize("kind", ["torch", "jax"])
def test_contacts_are_of_the_kind_of_the_state(arm, kind):
    module = pytest.importorskip("torch" if kind == "torch" else "jax.numpy")
    character = full(arm)
    state = geometry.model_parameters_to_skeleton_state(arm, np.zeros(21, np.float32))
    make = module.from_numpy if kind == "torch" else module.asarray
    for got, expected in zip(
        geometry.support_contacts(character, make(state), 1.0),
        geometry.support_contacts(character, state, 1.0),
        strict=True,
    ):
        assert type(got) is type(make(state))
        assert str(got.dtype).removeprefix("torch.") == str(expected.dtype)
        np.testing.assert_array_equal(np.asarray(got), expected)


def test_a_polygon_may_come_from_a_list():
    polygon = geometry.support_polygon_from_world_points([[0, 0, 0], [1, 2, 0], [0, 3, 1.0]])
    assert polygon.dtype == np.float64
    assert polygon.tolist() == [[0, 0, 0], [1, 0, 0], [0, 0, 1]]


# Weights.


def test_the_largest_weights_are_kept_and_made_up_for_on_request():
    dense = np.linspace(0.01, 0.3, 12)[None]
    weights = SkinWeights.from_dense(dense)
    assert weights.max_influences_per_vertex == 8
    np.testing.assert_array_equal(weights.index[0], np.arange(11, 3, -1))
    np.testing.assert_allclose(weights.weight[0], dense[0, :3:-1])
    assert SkinWeights.from_dense(dense, normalize=True).weight.sum() == pytest.approx(1)
    every = SkinWeights.from_dense(dense, max_influences=None)
    np.testing.assert_allclose(every.to_dense(12), dense)
    three = every.limit_influences(3)
    assert three.max_influences_per_vertex == 3
    np.testing.assert_allclose(three.weight[0], dense[0, :8:-1])
    assert three.limit_influences(5) == three
    assert every.limit_influences(3, normalize=True).weight.sum() == pytest.approx(1)


def test_rebinding_undoes_another_bind_pose(arm):
    assert arm.rebind_skin() == arm
    state = geometry.model_parameters_to_skeleton_state(arm, np.zeros(21))
    np.testing.assert_allclose(arm.rebind_skin().skin_points(state), arm.mesh.vertices)


# Logging.


def test_levels_are_those_of_the_logger():
    logger = logging.getLogger("kinarray")
    try:
        for level, number in ((LogLevel.Trace, 5), ("WARNING", 30), (LogLevel.Disabled, 60)):
            geometry.set_log_level(level)
            assert logger.level == number
        assert geometry.get_log_level() is LogLevel.Disabled
        logger.setLevel(25)  # between names: what passes
        assert geometry.get_log_level() is LogLevel.Warning
        with pytest.raises(ValueError, match="'Trace', got 'loud'"):
            geometry.set_log_level("loud")
        with pytest.raises(TypeError, match="int"):
            geometry.set_log_level(3)
    finally:
        logger.setLevel(logging.NOTSET)


def test_logs_are_printed_once_and_where_stdout_is():
    logger = logging.getLogger("kinarray")
    try:
        assert geometry.redirect_logs_to_python()
        assert geometry.redirect_logs_to_python()
        with contextlib.redirect_stdout(io.StringIO()) as out:
            logger.error("a bone is missing")
        assert out.getvalue() == "[ERROR] a bone is missing\n"
    finally:
        logger.handlers.clear()


# Wrong inputs.


def test_wrong_parts_are_refused_by_name(arm):
    with pytest.raises(
        ka.CharacterError, match="skinned locator 's': 2 parents, but 1 skin weights"
    ):
        SkinnedLocator("s", [0, 1], [1.0])
    with pytest.raises(ka.CharacterError, match="skin weight 1 is not finite"):
        SkinnedLocator("s", [0, 1], [1.0, np.nan])
    with pytest.raises(ka.ShapeError, match="position: expected 3 numbers"):
        SkinnedLocator("s", [0], [1.0], [1, 2])
    with pytest.raises(ka.CharacterError, match="skinned locator 's': joint index 9"):
        arm.with_skinned_locators([SkinnedLocator("s", [9], [1.0])])
    assert arm.with_skinned_locators([SkinnedLocator("s", [9, 0], [0.0, 1.0])])
    with pytest.raises(ka.CharacterError, match="SDF collider 0: joint index 3"):
        arm.with_sdf_colliders([SDFCollider(parent=3)])
    with pytest.raises(ka.CharacterError, match="not a unit quaternion"):
        SDFCollider(rotation=[0, 0, 0, 2])
    with pytest.raises(ka.ShapeError, match="nx, ny, nz"):
        SignedDistanceField([[0, 0, 0], [1, 1, 1]], np.zeros((2, 2)))
    with pytest.raises(ValueError, match="min < max along y, got 0 and 0"):
        SignedDistanceField([[0, 0, 0], [1, 0, 1]], np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match="at least one"):
        SignedDistanceField([[0, 0, 0], [1, 1, 1]], np.zeros((2, 0, 2)))
    with pytest.raises(ka.ShapeError, match=r"inertia: expected \(3, 3\)"):
        JointPhysicalProperties(inertia=[1, 2, 3])
    with pytest.raises(ValueError, match="joint_index"):
        JointPhysicalProperties(joint_index=-2)
    with pytest.raises(ka.CharacterError, match="joint index 0 is joint 'root'"):
        arm.with_physical_properties([JointPhysicalProperties(joint_name="hand", joint_index=0)])
    with pytest.raises(ValueError, match="max_influences"):
        arm.skin_weights.limit_influences(0)
    with pytest.raises(ka.ShapeError, match="rest_positions"):
        arm.skin_skinned_locators(np.zeros((3, 8)), np.zeros((1, 3)))
    with pytest.raises(ka.ShapeError, match="positions"):
        field().sample(np.zeros((3, 2)))


def test_wrong_planes_and_poses_are_refused(arm):
    state = state_at([0, 0, 0], [0, 0, 0], [0, 0, 0])
    contacts = geometry.plane_collision_contacts_by_parent
    for arguments, words in (
        ({"contact_margin": -1.0}, "contact_margin"),
        ({"contact_margin": np.nan}, "contact_margin"),
        ({"plane_normal": [0, 0, 0]}, "plane_normal"),
        ({"plane_offset": np.inf}, "plane_offset"),
    ):
        with pytest.raises(ValueError, match=words):
            contacts(arm, state, **arguments)
    with pytest.raises(ValueError, match="parallel"):
        geometry.support_polygon(arm, state, plane_u_axis=[0, 1, 0])
    for column, value, words in ((0, np.nan, "finite"), (6, 0, "quaternion"), (7, -1, "scale")):
        wrong = state.copy()
        wrong[1, column] = value
        with pytest.raises(ValueError, match=f"joint 1: .*{words}"):
            contacts(arm, wrong)
    with pytest.raises(ka.ShapeError, match="one pose"):
        contacts(arm, np.zeros((2, 3, 8)))
    with pytest.raises(ValueError, match="row 1"):
        geometry.support_polygon_from_world_points([[0, 0, 0], [np.nan, 0, 0]])


def test_a_tensor_that_wants_gradients_is_not_silently_detached(arm):
    torch = pytest.importorskip("torch")
    state = torch.zeros(3, 8, dtype=torch.float64, requires_grad=True)
    character = full(arm)
    for call in (
        character.skin_skinned_locators,
        character.locator_positions,
        character.skin_points_dual_quaternion,
        lambda x: geometry.collision_overlaps(character, x),
        lambda x: geometry.support_contacts(character, x),
        lambda x: field().sample(x[:, :3]),
    ):
        with pytest.raises(ka.GradientError):
            call(state)
