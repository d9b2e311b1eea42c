"""Where we differ from PyMomentum on purpose: what it does, shown, and what we do instead.

Each test is a row of the table in README.md.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
from comparison import FLOAT64, assert_close, assert_states_close, chain, joint_poses
from peer_oracle import CHARACTER, PeerError

import kinarray
from kinarray import geometry
from reference import (
    relative_difference,
    skin_points,
    state_matrices,
    vertex_normals,
    world_matrices,
)

FORWARD = "geometry.joint_parameters_to_skeleton_state"


def theirs_raises(peer, arrays, *call):
    with pytest.raises(PeerError) as raised:
        peer.call(arrays, *call)
    return raised.value.kind


def test_float64_inverse_transform_is_not_garbage(peer):
    """Theirs reads the bytes of a float64 array as float32."""
    arrays = chain(exact=True)
    joints = joint_poses(arrays, (3,), np.float64)
    theirs = peer.call(arrays, "character.parameter_transform.inverse().apply", joints)
    expected = joints.reshape(3, -1)  # this character's transform is the identity
    assert not np.allclose(theirs, expected, atol=1e-3)
    ours = arrays.build(geometry).parameter_transform.inverse().apply(joints)
    assert ours.dtype == np.float64
    assert_close(ours, expected, FLOAT64)


def test_an_empty_batch_gives_an_empty_result(peer):
    arrays = chain(exact=True)
    poses = np.zeros((0, arrays.n_joints, 7))
    assert theirs_raises(peer, arrays, FORWARD, CHARACTER, poses) == "RuntimeError"
    states = geometry.joint_parameters_to_skeleton_state(arrays.build(geometry), poses)
    assert states.shape == (0, arrays.n_joints, 8)


@pytest.mark.parametrize("sign", [1, -1])
def test_gimbal_lock_loses_nothing(peer, sign):
    """Theirs returns angles whose pose is another one: off by 0.1 in a matrix entry."""
    arrays = chain(exact=True)
    pose = np.zeros((arrays.n_joints, 7))
    pose[3, 3:6] = 0.3, sign * np.pi / 2, 0.4
    character = arrays.build(geometry)
    states = np.asarray(geometry.joint_parameters_to_skeleton_state(character, pose))
    theirs = peer.call(arrays, "geometry.skeleton_state_to_joint_parameters", CHARACTER, states)
    reposed = peer.call(arrays, FORWARD, CHARACTER, theirs)
    assert relative_difference(state_matrices(reposed), state_matrices(states)) > 1e-3
    ours = geometry.skeleton_state_to_joint_parameters(character, states)
    again = geometry.joint_parameters_to_skeleton_state(character, ours)
    # ry = pi/2 leaves cos(ry) ~ 1e-8 of rounding to either branch.
    assert_states_close(again, states, 1e-7)


def test_a_pre_rotation_that_is_no_rotation_is_refused(peer):
    """Theirs stores it and scales the chain with it."""
    arrays = chain(exact=True)
    arrays = replace(arrays, pre_rotations=arrays.pre_rotations * np.float32(2))
    stored = peer.call(arrays, "character.skeleton.pre_rotations")
    assert np.allclose(np.linalg.norm(stored, axis=1), 2)
    with pytest.raises(kinarray.CharacterError, match="pre_rotation"):
        arrays.build(geometry)


def test_float32_pre_rotations_are_normalised(peer):
    """In float64 theirs carries the 1e-8 by which a float32 quaternion misses unit length."""
    arrays = chain(exact=False)
    poses = joint_poses(arrays, (3,), np.float64)
    expected = world_matrices(arrays, poses)
    theirs = peer.call(arrays, FORWARD, CHARACTER, poses)
    ours = geometry.joint_parameters_to_skeleton_state(arrays.build(geometry), poses)
    assert relative_difference(state_matrices(theirs), expected) > FLOAT64
    assert_close(state_matrices(ours), expected, FLOAT64)


def test_float64_skinning_is_float64_throughout(peer):
    """Theirs keeps the inverse bind pose in float32."""
    arrays = chain(exact=False, n_vertices=50)
    world = world_matrices(arrays, joint_poses(arrays, (3,), np.float64))
    expected = skin_points(arrays, world)
    theirs = peer.call(arrays, "character.skin_points", world)
    assert relative_difference(theirs, expected) > FLOAT64
    assert_close(arrays.build(geometry).skin_points(world), expected, FLOAT64)


def test_an_unused_influence_hides_nothing(peer):
    """Theirs stops at a vertex' first zero weight and ignores the ones behind it."""
    arrays = chain(exact=True, n_vertices=50)
    weight = arrays.weight.copy()
    weight[:, 1] = 0
    arrays = replace(arrays, weight=weight)
    world = world_matrices(arrays, joint_poses(arrays, (2,), np.float64))
    first_only = replace(arrays, index=arrays.index[:, :1], weight=weight[:, :1])
    theirs = peer.call(arrays, "character.skin_points", world)
    assert_close(theirs, skin_points(first_only, world), FLOAT64)
    assert_close(arrays.build(geometry).skin_points(world), skin_points(arrays, world), FLOAT64)


def test_the_joint_of_an_unused_influence_may_be_anything(peer):
    """Theirs checks the index even where the weight is 0."""
    arrays = chain(exact=True, n_vertices=50)
    weight, index = arrays.weight.copy(), arrays.index.copy()
    weight[:, -1], index[:, -1] = 0, 0xFFFF
    odd = replace(arrays, weight=weight, index=index)
    assert theirs_raises(peer, odd, "character.skin_weights.index") == "RuntimeError"
    world = world_matrices(arrays, joint_poses(arrays, (2,), np.float64))
    expected = skin_points(replace(arrays, weight=weight), world)
    assert_close(odd.build(geometry).skin_points(world), expected, FLOAT64)


def test_more_than_eight_influences(peer):
    arrays = chain(exact=True, n_vertices=50, n_influences=10)
    assert theirs_raises(peer, arrays, "character.skin_weights.index") == "ValueError"
    world = world_matrices(arrays, joint_poses(arrays, (2,), np.float64))
    ours = arrays.build(geometry).skin_points(world)
    assert_close(ours, skin_points(arrays, world), FLOAT64)


def test_any_affine_matrix_can_skin(peer):
    """Theirs reduces a matrix to rotation, translation and one scale first."""
    arrays = chain(exact=True, n_vertices=50)
    world = world_matrices(arrays, joint_poses(arrays, (2,), np.float64))
    world[..., :3, 0] *= 1.5
    expected = skin_points(arrays, world)
    theirs = peer.call(arrays, "character.skin_points", world)
    assert relative_difference(theirs, expected) > 0.01
    assert_close(arrays.build(geometry).skin_points(world), expected, FLOAT64)


def test_one_state_skins_many_rest_shapes(peer):
    arrays = chain(exact=True, n_vertices=50)
    world = world_matrices(arrays, joint_poses(arrays, (), np.float64))
    rest = np.random.default_rng(8).normal(size=(4, 50, 3))
    assert theirs_raises(peer, arrays, "character.skin_points", world, rest) == "RuntimeError"
    assert_close(
        arrays.build(geometry).skin_points(world, rest), skin_points(arrays, world, rest), FLOAT64
    )


def test_float32_states_with_float64_rest_points(peer):
    """Theirs refuses; we promote to float64."""
    arrays = chain(exact=True, n_vertices=50)
    world = world_matrices(arrays, joint_poses(arrays, (), np.float64)).astype(np.float32)
    rest = arrays.vertices.astype(np.float64)
    assert theirs_raises(peer, arrays, "character.skin_points", world, rest) == "RuntimeError"
    ours = arrays.build(geometry).skin_points(world, rest)
    assert ours.dtype == np.float64
    assert_close(ours, skin_points(arrays, world.astype(np.float64)), FLOAT64)


def test_integer_poses_are_refused(peer):
    """Theirs computes in float32."""
    arrays = chain(exact=True)
    poses = np.zeros((arrays.n_joints, 7), np.int64)
    assert peer.call(arrays, FORWARD, CHARACTER, poses).dtype == np.float32
    with pytest.raises(TypeError, match="int64"):
        geometry.joint_parameters_to_skeleton_state(arrays.build(geometry), poses)


def test_nested_lists_are_numbers(peer):
    arrays = chain(exact=True)
    poses = np.zeros((arrays.n_joints, 7))
    assert theirs_raises(peer, arrays, FORWARD, CHARACTER, poses.tolist()) == "TypeError"
    character = arrays.build(geometry)
    ours = geometry.joint_parameters_to_skeleton_state(character, poses.tolist())
    assert_states_close(ours, peer.call(arrays, FORWARD, CHARACTER, poses), FLOAT64)


def test_a_wrong_shape_is_a_value_error(peer):
    """Theirs is a RuntimeError, or the end of the process where two libstdc++ are loaded."""
    arrays = chain(exact=True)
    poses = np.zeros((3, 5, 7))
    assert theirs_raises(peer, arrays, FORWARD, CHARACTER, poses) == "RuntimeError"
    with pytest.raises(ValueError):
        geometry.joint_parameters_to_skeleton_state(arrays.build(geometry), poses)


def test_two_parameters_of_one_name_are_refused(peer):
    arrays = chain(exact=True)
    names = ["same", "same", *arrays.parameter_names[2:]]
    arrays = replace(arrays, parameter_names=names)
    assert list(peer.call(arrays, "character.parameter_transform.names")[:2]) == ["same", "same"]
    with pytest.raises(kinarray.CharacterError, match="same"):
        arrays.build(geometry)


def test_a_broken_transform_is_refused_when_built(peer):
    """Theirs accepts NaN and returns it with every pose."""
    arrays = chain(exact=True)
    transform = arrays.transform.copy()
    transform[5, 5] = np.nan
    arrays = replace(arrays, transform=transform)
    assert np.isnan(peer.call(arrays, "character.parameter_transform.transform")).any()
    with pytest.raises(kinarray.CharacterError, match="finite"):
        arrays.build(geometry)


def test_posing_a_mesh_in_float64(peer):
    """Theirs narrows the pose to float32 without a word."""
    arrays = chain(exact=True, n_vertices=50)
    pose = joint_poses(arrays, (), np.float64)
    theirs = peer.call(arrays, "character.pose_mesh", pose.reshape(-1))
    assert theirs["vertices"].dtype == np.float32
    ours = arrays.build(geometry).pose_mesh(pose.reshape(-1))
    expected = skin_points(arrays, world_matrices(arrays, pose))
    assert np.asarray(ours.vertices).dtype == np.float64
    assert_close(np.asarray(ours.vertices), expected, FLOAT64)
    assert_close(np.asarray(ours.normals), vertex_normals(expected, arrays.faces), 1e-10)


def test_float64_noise_is_not_garbage(peer):
    """Theirs reads the bytes of a float64 array as float32."""
    arrays = chain(exact=True)
    noise = np.random.default_rng(9).random((3, arrays.n_parameters))
    function = "geometry.uniform_random_to_model_parameters"
    good = peer.call(arrays, function, CHARACTER, noise.astype(np.float32))
    bad = peer.call(arrays, function, CHARACTER, noise)
    assert not np.allclose(good, bad, atol=1e-3)
    character = arrays.build(geometry, unit="cm")
    ours = geometry.uniform_random_to_model_parameters(character, noise)
    assert ours.dtype == np.float64
    assert_close(ours, good, 1e-5)


def test_adding_a_parameter_set_leaves_the_transform_alone(peer):
    """Theirs changes the transform and returns nothing."""
    arrays = chain(exact=True)
    mask = np.ones(arrays.n_parameters, bool)
    assert peer.call(arrays, "parameters.added_set", CHARACTER, mask).all()
    transform = arrays.build(geometry).parameter_transform
    more = transform.add_parameter_set("mine", mask)
    assert "mine" in more.parameter_sets
    assert "mine" not in transform.parameter_sets


def test_the_data_of_a_limit_of_another_type_cannot_be_read(peer):
    """Theirs reads the bytes of the one type as the other."""
    assert peer.call(None, "parameters.target_of", "linear") > 1e9
    limit = geometry.ParameterLimit.create_minmax(3, -1.0, 1.0)
    with pytest.raises(AttributeError, match="MinMax"):
        _ = limit.data.linear


def test_limits_that_mean_nothing_are_refused(peer):
    """Theirs stores a range with nothing in it and an ellipsoid without a volume."""
    arrays = chain(exact=True)
    flat = json.dumps([("create_ellipsoid", [0, 1, [0.0, 0.0, 0.0], np.zeros((4, 4)).tolist()])])
    empty = json.dumps([("create_minmax", [0, 1.0, -1.0])])
    poses = np.zeros((1, arrays.n_parameters), np.float32)
    calls = [("parameters.limit_errors", CHARACTER, limits, poses) for limits in (flat, empty)]
    theirs = peer.calls(arrays, *calls)
    assert not np.isfinite(theirs[0]["item0"]).all()
    assert theirs[1]["item0"] > 0
    with pytest.raises(kinarray.CharacterError, match="flat"):
        geometry.ParameterLimit.create_ellipsoid(0, 1, [0, 0, 0], np.zeros((4, 4)))
    with pytest.raises(ValueError, match="max"):
        geometry.ParameterLimit.create_minmax(0, 1.0, -1.0)


def shaped(**options):
    """A mesh with two body shapes on another base."""
    arrays = chain(exact=True, n_vertices=50)
    vectors = np.random.default_rng(9).normal(size=(3, 50, 3)).astype(np.float32)
    return replace(arrays, blend_base=vectors[2], blend_vectors=vectors[:2], **options)


def test_a_baked_shape_is_not_applied_again(peer):
    """Theirs keeps the blend shape, without parameters: what it computes starts from its own base."""
    arrays = shaped()
    weights = np.array([1.0, 1.0], np.float32)
    baked = peer.call(arrays, "character.bake_blend_shape", weights)
    assert baked["n_shapes"] == 2
    ours = arrays.build(geometry).bake_blend_shape(weights)
    assert ours.blend_shape is None
    rest = ours.rest_vertices(np.zeros(ours.parameter_transform.size, np.float32))
    assert np.array_equal(rest, ours.mesh.vertices)


def test_names_of_shapes_are_stored_in_their_bytes(peer):
    """Theirs come back as shape_0, shape_1, ..."""
    vectors = np.zeros((2, 4, 3), np.float32)
    named = geometry.BlendShapeBase.from_tensors(vectors, ["smile", "frown"])
    assert geometry.BlendShapeBase.from_bytes(named.to_bytes()).shape_names == ["smile", "frown"]
    arrays = np.asarray(np.void(named.to_bytes()))
    read = peer.call(None, "geometry.BlendShapeBase.from_bytes", arrays)
    assert list(read["names"]) == ["shape_0", "shape_1"]


def test_bytes_of_another_class_are_refused(peer):
    """Theirs reads the base of a BlendShape as its first displacement, and drops the last one."""
    shape = shaped().build(geometry).blend_shape
    data = shape.to_bytes()
    read = peer.call(None, "geometry.BlendShapeBase.from_bytes", np.asarray(np.void(data)))
    assert np.array_equal(read["vectors"][0], shape.base_shape)
    with pytest.raises(kinarray.FormatError, match="without a base"):
        geometry.BlendShapeBase.from_bytes(data)


def test_a_wrong_number_of_names_is_refused(peer):
    """Theirs prints a warning and generates all of them."""
    vectors = np.zeros((2, 4, 3), np.float32)
    read = peer.call(None, "geometry.BlendShapeBase.from_tensors", vectors, ["smile"])
    assert list(read["names"]) == ["shape_0", "shape_1"]
    with pytest.raises(kinarray.CharacterError, match="for 1 shapes"):
        geometry.BlendShapeBase.from_tensors(vectors, ["smile"])


def test_a_displacement_that_is_not_finite_is_refused(peer):
    """Theirs computes NaN for every coefficient, zero included."""
    vectors = np.full((1, 4, 3), np.nan, np.float32)
    read = peer.call(None, "geometry.BlendShapeBase.from_tensors", vectors)
    assert np.isnan(read["vectors"]).all()
    with pytest.raises(kinarray.CharacterError, match="not finite"):
        geometry.BlendShapeBase.from_tensors(vectors)


def test_shapes_can_be_skinned_without_doing_it_by_hand(peer):
    """Theirs ignores the parameters of shapes unless the caller computes the rest points."""
    arrays = shaped()
    character = arrays.build(geometry)
    poses = np.zeros(character.parameter_transform.size)
    poses[-2:] = 0.5
    theirs = peer.call(
        arrays,
        "character.skin_points",
        peer.call(arrays, "geometry.model_parameters_to_skeleton_state", CHARACTER, poses),
    )
    state = geometry.model_parameters_to_skeleton_state(character, poses)
    assert_close(character.skin_points(state), theirs, FLOAT64)
    rest = arrays.blend_base + 0.5 * arrays.blend_vectors.astype(np.float64).sum(0)
    joints = poses[:-2].reshape(-1, 7)
    expected = skin_points(arrays, world_matrices(arrays, joints), rest)
    assert_close(character.skin_points(state, model_parameters=poses), expected, FLOAT64)


def test_a_mirror_is_no_motion(peer):
    """Theirs takes a mirror for a rotation: the body comes out somewhere else."""
    arrays = chain(exact=True, n_vertices=50)
    mirror = np.diag([-1, 1, 1, 1]).astype(np.float32)
    poses = np.zeros((2, arrays.n_parameters), np.float32)
    theirs, before = peer.calls(
        arrays,
        ("operated:points", "transformed", poses, mirror),
        ("operated:points", "clone", poses),
    )
    assert not np.allclose(theirs, before @ mirror[:3, :3], atol=1e-2)
    with pytest.raises(kinarray.InvalidValueError, match="mirrors"):
        arrays.build(geometry).transformed(mirror)


def test_a_body_may_be_moved_and_scaled_at_once(peer):
    arrays = chain(exact=True)
    matrix = np.diag([2, 2, 2, 1]).astype(np.float32)
    call = ("operated:names", "transformed", None, matrix)
    assert theirs_raises(peer, arrays, *call) == "RuntimeError"
    ours = arrays.build(geometry)
    np.testing.assert_array_equal(
        ours.transformed(matrix).skeleton.offsets, ours.scaled(2).skeleton.offsets
    )


def test_a_parameter_that_drives_nothing_survives_a_strip(peer):
    """Theirs drops it, whatever else it may be for."""
    arrays = chain(exact=True)
    arrays = replace(
        arrays,
        parameter_names=[*arrays.parameter_names, "idle"],
        transform=np.pad(arrays.transform, ((0, 0), (0, 1))),
    )
    names = [arrays.joint_name(11)]
    theirs = peer.call(arrays, "operated:parameters", "strip_joints", None, names)
    assert "idle" not in list(theirs)
    ours = geometry.strip_joints(arrays.build(geometry), names)
    assert ours.parameter_transform.names[-1] == "idle"


def test_joints_of_one_name_are_refused_as_nodes(peer):
    arrays = chain(exact=True)
    name = arrays.joint_name(0)
    theirs = peer.call(arrays, "operated:names", "add_rigid_transform_node", None, name)
    assert list(theirs).count(name) == 2
    with pytest.raises(kinarray.CharacterError, match="same name"):
        geometry.Character.add_rigid_transform_node(arrays.build(geometry), name)
