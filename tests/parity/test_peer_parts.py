"""Locators, solids, contacts, distance fields and skin tools: the same as PyMomentum."""

import numpy as np
import pytest
from comparison import FLOAT32, assert_close, chain, joint_poses
from peer_oracle import CHARACTER, PeerError
from solids import SOLIDS, random_solids

from kinarray import geometry
from reference import state_matrices

ENUMS = ["CharacterMassScale", "LocatorSpace", "LogLevel", "MarkerMesh", "UpVector"]


def states_of(arrays, poses):
    return np.asarray(
        geometry.joint_parameters_to_skeleton_state(arrays.build(geometry, unit="cm"), poses)
    )


def with_solids(arrays, solids):
    made = [
        SOLIDS[form](geometry, int(parent), transformation, numbers)
        for form, parent, transformation, numbers in zip(*solids, strict=True)
    ]
    return arrays.build(geometry, unit="cm").with_collision_geometry(made)


@pytest.mark.parametrize("batch", [(), (4,), (2, 3)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("with_rest", [False, True])
def test_skinned_locators(peer, batch, dtype, with_rest):
    arrays = chain(exact=True)
    rng = np.random.default_rng(1)
    parents = rng.integers(0, arrays.n_joints, (5, 8)).astype(np.int32)
    weights = rng.uniform(0.05, 0.4, (5, 8)).astype(np.float32)
    positions = rng.normal(size=(5, 3)).astype(np.float32)
    states = states_of(arrays, joint_poses(arrays, batch, dtype))
    rest = [rng.normal(size=(*batch, 5, 3)).astype(dtype)] if with_rest else []
    theirs = peer.call(
        arrays,
        "parts.skin_skinned_locators",
        CHARACTER,
        parents,
        weights,
        positions,
        states,
        *rest,
    )
    character = arrays.build(geometry).with_skinned_locators(
        [
            geometry.SkinnedLocator(f"locator{n}", *parts)
            for n, parts in enumerate(zip(parents, weights, positions, strict=True))
        ]
    )
    ours = character.skin_skinned_locators(states, *rest)
    assert ours.dtype == dtype
    # Theirs adds up in float32 here, whatever the states are.
    assert_close(ours, theirs, FLOAT32)


def test_locators_of_a_state(peer):
    arrays = chain(exact=True)
    poses = joint_poses(arrays, (4,), np.float32)
    rng = np.random.default_rng(2)
    parents = np.array([3, 0, 7], np.int32)
    offsets = rng.normal(size=(3, 3)).astype(np.float32)
    theirs = peer.call(
        arrays, "geometry.joint_parameters_to_positions", CHARACTER, poses, parents, offsets
    )
    character = arrays.build(geometry).with_locators(
        [
            geometry.Locator(f"l{parent}", parent, offset)
            for parent, offset in zip(parents.tolist(), offsets, strict=True)
        ]
    )
    assert_close(character.locator_positions(states_of(arrays, poses)), theirs, FLOAT32)


@pytest.mark.parametrize(
    "forms",
    [[0] * 6, [1] * 6, [2] * 6, [0, 1, 2] * 2],
    ids=["capsules", "ellipsoids", "boxes", "all"],
)
def test_overlaps_of_solids_with_scaled_joints(peer, forms):
    arrays = chain(exact=True)
    rng = np.random.default_rng(3)
    solids = random_solids(rng, arrays.n_joints, forms, size=0.1)
    poses = joint_poses(arrays, (200,), np.float32)
    poses[..., 6] *= 3  # scales from two thirds to one and a half, which the children inherit
    theirs = peer.call(arrays, "parts.overlaps", CHARACTER, *solids, poses.reshape(len(poses), -1))
    character = with_solids(arrays, solids)
    ours = geometry.collision_overlaps(character, states_of(arrays, poses))
    pairs = geometry.collision_pairs(character).tolist()
    met = 0
    for depths, their_pairs, their_depths in zip(
        ours, theirs["item1"], theirs["item2"], strict=True
    ):
        found = {
            tuple(pair): depth
            for pair, depth in zip(their_pairs.tolist(), their_depths, strict=True)
            if depth >= 0
        }
        for pair, depth in zip(pairs, depths, strict=True):
            assert abs(depth - found.pop(tuple(pair), 0.0)) < 2e-5
            met += depth > 0
        # What is left has depths that rounding may take away.
        assert all(depth < 2e-5 for depth in found.values())
    assert met > 20
    # Their error is a constant times the squares.
    squares = (np.asarray(ours) ** 2).sum(1)
    ratio = theirs["item0"][squares > 1e-4] / squares[squares > 1e-4]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)


PLANES = [(), (0.5,), (0.05, [0.2, 1.0, -0.3], 0.4), (0.0, [0.0, 0.0, 2.0], 0.5)]


@pytest.mark.parametrize("plane", PLANES, ids=str)
def test_contacts_with_a_plane_and_the_polygon_they_span(peer, plane):
    arrays = chain(exact=True)
    rng = np.random.default_rng(4)
    solids = random_solids(rng, arrays.n_joints, [0, 1, 2, 0, 1, 2])
    solids[1][3] = solids[1][0]  # two of one joint
    floor = rng.normal(size=(arrays.n_joints, 3)).astype(np.float32) * 0.1
    state = states_of(arrays, joint_poses(arrays, (), np.float32))
    plane = [np.asarray(x, np.float32) if isinstance(x, list) else x for x in plane]
    margin = plane or [0.0]
    character = with_solids(arrays, solids)
    locators = [geometry.Locator(f"Floor{n}", n, offset) for n, offset in enumerate(floor)]
    character = character.with_locators([*locators, geometry.Locator("floor", 0)])
    theirs = peer.call(arrays, "parts.contacts", CHARACTER, *solids, floor, state, *plane)
    # Their default margin of the contacts is 0, of the support 2 centimetres.
    if not plane:
        margin = [0.0]
    ours = (
        *geometry.support_contacts(character, state, *plane),
        geometry.support_polygon(character, state, *plane),
        *geometry.plane_collision_contacts_by_parent(character, state, *margin),
    )
    assert len(ours[0]) > len(ours[5]) > 1
    for n, mine in enumerate(ours):
        theirs_n = theirs[f"item{n}"]
        assert mine.dtype == theirs_n.dtype
        if mine.dtype == np.int64:
            np.testing.assert_array_equal(mine, theirs_n)
        else:
            assert_close(mine, theirs_n, FLOAT32)


@pytest.mark.parametrize(
    "arguments",
    [(), ([0.0, 0.0, 2.0], 3.0), ([1.0, 0.0, 0.0], 3.0), ([0.1, 1.0, 0.2], 0.3, [0.0, 0.0, 1.0])],
    ids=str,
)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 40])
def test_polygons_of_points(peer, arguments, count):
    points = np.random.default_rng(count).normal(size=(count, 3)).astype(np.float32)
    arguments = [np.asarray(x, np.float32) if isinstance(x, list) else x for x in arguments]
    name = "geometry.support_polygon_from_world_points"
    theirs = peer.call(None, name, points, *arguments)
    ours = geometry.support_polygon_from_world_points(points, *arguments)
    assert ours.shape == theirs.shape
    if count:
        assert_close(ours, theirs, FLOAT32)


def test_a_distance_field_inside_and_the_value_outside(peer):
    rng = np.random.default_rng(5)
    bounds = np.array([[-0.5, 0.0, 1.0], [0.7, 2.0, 1.9]], np.float32)
    data = rng.normal(size=(3, 4, 5)).astype(np.float32)
    field = geometry.SignedDistanceField(bounds, data)
    last = bounds[1] - field.voxel_size
    inside = rng.uniform(bounds[0], last, (50, 3)).astype(np.float32)
    outside = rng.uniform(bounds[0] - 2, bounds[1] + 2, (50, 3)).astype(np.float32)
    corners = np.array([bounds[0], last, bounds[1]], np.float32)
    positions = np.concatenate([inside, outside, corners])
    theirs = peer.call(None, "parts.read_field", bounds, data, positions)
    assert_close(field.sample(positions), theirs["item0"], FLOAT32)
    assert_close(field.gradient(inside), theirs["item1"][:50], 1e-4)
    assert_close(field.voxel_size, theirs["item2"], FLOAT32)
    np.testing.assert_array_equal(field.data, theirs["item3"])


def test_dense_weights_keep_the_eight_largest(peer):
    dense = np.random.default_rng(6).uniform(0.01, 1, (9, 12)).astype(np.float32)
    dense[2, 3:] = 0
    theirs = peer.call(None, "geometry.SkinWeights.from_dense", dense)
    ours = geometry.SkinWeights.from_dense(dense)
    np.testing.assert_array_equal(ours.index, theirs["index"])
    np.testing.assert_array_equal(ours.weight, theirs["weight"])
    dense[4] = 0
    with pytest.raises(PeerError, match="Vertex 4"):
        peer.call(None, "geometry.SkinWeights.from_dense", dense)
    with pytest.raises(ValueError, match="vertex 4: no weight above"):
        geometry.SkinWeights.from_dense(dense)


def test_rebinding_takes_the_rest_pose(peer):
    arrays = chain(exact=True, n_vertices=50)
    theirs = peer.call(arrays, "parts.rebound", CHARACTER, np.zeros(1))
    ours = arrays.build(geometry).rebind_skin().inverse_bind_pose
    assert_close(ours, theirs, FLOAT32)


@pytest.mark.parametrize("name", ENUMS)
def test_choices_have_the_same_names_and_numbers(peer, name):
    theirs = peer.call(None, "parts.members", name)
    expected = dict(zip(theirs["item0"].tolist(), theirs["item1"].tolist(), strict=True))
    assert {member.name: member.value for member in getattr(geometry, name)} == expected


# What differs on purpose.


def test_the_gradient_of_a_distance_field_outside_is_the_derivative_of_its_value(peer):
    """Theirs points inward, and leaves out how the value changes along the box."""
    bounds, data = np.array([[0.0] * 3, [4.0] * 3], np.float32), np.zeros((4, 4, 4), np.float32)
    data += np.arange(4, dtype=np.float32) * 0.5
    positions = np.array([[5.0, 1.2, 1.3]], np.float32)
    theirs = peer.call(None, "parts.read_field", bounds, data, positions)["item1"]
    np.testing.assert_allclose(theirs, [[-1.0, 0.0, 0.0]])
    field = geometry.SignedDistanceField(bounds, data)
    ours = field.gradient(positions)
    np.testing.assert_allclose(ours, [[1.0, 0.0, 0.5]])
    step = 1e-3 * np.eye(3)
    ahead, behind = (field.sample(positions + sign * step) for sign in (1, -1))
    np.testing.assert_allclose(ours[0], (ahead - behind) / 2e-3, atol=1e-6)


def test_contact_height_is_two_centimetres_in_any_unit(peer):
    """Theirs is 2.0 in whatever unit: two metres for a character in metres."""
    arrays = chain(exact=True)
    state = np.tile(np.array([0, 0, 0, 0, 0, 0, 1, 1], np.float32), (arrays.n_joints, 1))
    state[:, 1] = 1.5
    solids = [np.zeros((0,), int)] * 2 + [np.zeros((0, 4, 4)), np.zeros((0, 3))]
    floor = np.zeros((arrays.n_joints, 3), np.float32)
    theirs = peer.call(arrays, "parts.contacts", CHARACTER, *solids, floor, state)
    assert len(theirs["item0"]) == arrays.n_joints
    for unit, count in (("m", 0), ("mm", arrays.n_joints), ("cm", arrays.n_joints)):
        character = arrays.build(geometry, unit=unit).with_locators(
            [geometry.Locator(f"Floor{n}", n) for n in range(arrays.n_joints)]
        )
        assert len(geometry.support_contacts(character, state)[0]) == count


def test_a_marker_without_a_position_is_hidden(peer):
    """Theirs is hidden only where nothing at all is given."""
    assert peer.call(None, "parts.occluded()")
    assert not peer.call(None, "parts.occluded", "head")
    assert geometry.Marker().occluded
    assert geometry.Marker("head").occluded
    assert not geometry.Marker("head", [0, 1, 0]).occluded


def test_physical_properties_of_a_joint_that_is_not_there_are_refused(peer):
    """Theirs keeps them."""
    arrays = chain(exact=True)
    assert peer.call(arrays, "parts.body_of_no_joint", CHARACTER) == 77
    character = arrays.build(geometry)
    for body in (
        geometry.JointPhysicalProperties(joint_index=77),
        geometry.JointPhysicalProperties(joint_name="nobody"),
        geometry.JointPhysicalProperties(joint_name="joint_001", joint_index=2),
        geometry.JointPhysicalProperties(joint_index=1, mass=-1),
    ):
        with pytest.raises(ValueError, match="physical properties"):
            character.with_physical_properties([body])


def test_a_skinned_locator_may_have_more_than_eight_joints(peer):
    arrays = chain(exact=True)
    parents, weights = np.arange(9, dtype=np.int32)[None], np.full((1, 9), 1 / 9, np.float32)
    state = states_of(arrays, joint_poses(arrays, (), np.float64))
    call = ("parts.skin_skinned_locators", CHARACTER, parents, weights, np.zeros((1, 3)), state)
    with pytest.raises(PeerError, match="at most 8"):
        peer.call(arrays, *call)
    character = arrays.build(geometry)
    locator = geometry.SkinnedLocator("wide", parents[0], weights[0])
    binds = np.asarray(character.inverse_bind_pose)[:9, :3, 3]
    moved = character.with_skinned_locators([locator]).skin_skinned_locators(state)
    back = np.einsum("nij,nj->ni", state_matrices(state)[:9], np.c_[binds, np.ones(9)])
    assert_close(moved[0], back[:, :3].mean(0), 1e-6)


@pytest.mark.parametrize("density", [False, True])
def test_a_scaled_body_has_the_inertia_that_its_lengths_give(peer, density):
    """A change of unit scales lengths, and no mass: as theirs under PreserveMass."""
    arrays = chain(exact=True)
    theirs = peer.call(arrays, "parts.scaled_body", CHARACTER, 100.0, density)
    body = geometry.JointPhysicalProperties(2.0, [1, 2, 3], np.diag([1, 2, 3]), joint_index=1)
    character = arrays.build(geometry, unit="m").with_physical_properties([body])
    (ours,) = character.in_unit("cm").physical_properties
    factor = 100.0**3 if density else 1.0
    np.testing.assert_allclose(theirs["item0"], ours.mass * factor)
    np.testing.assert_allclose(theirs["item1"], ours.inertia * factor, rtol=1e-6)
    np.testing.assert_allclose(theirs["item2"], ours.center_of_mass_offset)
