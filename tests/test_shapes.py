"""Blend shapes, face expressions, pose shapes: what they compute, and what characters do with them."""

from __future__ import annotations

import copy
import pickle
import struct

import numpy as np
import pytest

import kinarray as ka
from kinarray import geometry
from kinarray.geometry import BlendShape, BlendShapeBase, PoseShape

FLOATS = [np.float32, np.float64]


@pytest.fixture(scope="module")
def humanoid():
    return ka.testing.create_humanoid(n_vertices=600)


@pytest.fixture(scope="module")
def body(humanoid):
    """Three body shapes whose base is not quite the mesh."""
    rng = np.random.default_rng(1)
    count = humanoid.mesh.n_vertices
    base = humanoid.mesh.vertices + 0.01 * rng.normal(size=(count, 3))
    vectors = 0.1 * rng.normal(size=(3, count, 3))
    return BlendShape.from_tensors(base, vectors, ["tall", "wide", "round"])


@pytest.fixture(scope="module")
def face(humanoid):
    vectors = 0.1 * np.random.default_rng(2).normal(size=(2, humanoid.mesh.n_vertices, 3))
    return BlendShapeBase.from_tensors(vectors, ["smile", "frown"])


@pytest.fixture(scope="module")
def pose_shape(humanoid):
    rng = np.random.default_rng(3)
    count = humanoid.mesh.n_vertices
    vectors = 0.1 * rng.normal(size=(8, count, 3))
    turn = [0.5, -0.5, 0.5, 0.5]
    return PoseShape(rng.normal(size=(count, 3)), vectors, 2, [4, 7], base_rotation=turn)


@pytest.fixture(scope="module")
def shaped(humanoid, body, face):
    return humanoid.with_blend_shape(body).with_face_expression_blend_shape(face)


def parameters(character, batch=(), seed=4, dtype=np.float64):
    size = character.parameter_transform.size
    return (0.3 * np.random.default_rng(seed).normal(size=(*batch, size))).astype(dtype)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("batch", [(), (1,), (5,), (70,), (2, 3)], ids=str)
def test_a_shape_is_a_linear_combination(body, face, batch, dtype):
    tolerance = 1e-6 if dtype == np.float32 else 1e-14
    for shape, base in ((body, body.base_shape), (face, 0)):
        c = np.random.default_rng(5).normal(size=(*batch, shape.n_shapes)).astype(dtype)
        expected = base + np.einsum("...k,kvc->...vc", c.astype(np.float64), shape.shape_vectors)
        got = shape.compute_shape(c)
        assert got.dtype == dtype
        np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)
        np.testing.assert_array_equal(got, geometry.compute_blend_shape(shape, c))


def test_displacements_are_linear(face):
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=(2, 5, face.n_shapes))
    np.testing.assert_allclose(
        face.compute_shape(2 * a - 3 * b),
        2 * face.compute_shape(a) - 3 * face.compute_shape(b),
        atol=1e-14,
    )


def test_every_noun_survives_pickle_and_deepcopy(body, face, pose_shape, shaped):
    for noun in (body, face, pose_shape, shaped, shaped.with_pose_shape(pose_shape)):
        for other in (pickle.loads(pickle.dumps(noun)), copy.deepcopy(noun)):
            assert other == noun
            assert type(other) is type(noun)
            assert repr(other) == repr(noun)
    with pytest.raises(ka.FormatError):
        ka._core._restore("PoseShape", b"\x01" + b"\xff" * 9)


def test_equality_is_by_content_and_class(body):
    again = BlendShape.from_tensors(body.base_shape, body.shape_vectors, body.shape_names)
    assert again == body
    assert BlendShape.from_tensors(body.base_shape, body.shape_vectors) != body
    offsets = BlendShapeBase.from_tensors(body.shape_vectors, body.shape_names)
    assert offsets != body
    assert body != offsets
    assert isinstance(body, BlendShapeBase)


def test_data_is_seen_in_the_precision_given():
    for dtype in FLOATS:
        base, vectors = np.zeros((4, 3), dtype), np.ones((2, 4, 3), dtype)
        shape = BlendShape.from_tensors(base, vectors)
        assert shape.shape_names == ["shape_0", "shape_1"]
        assert shape.base_shape.dtype == shape.shape_vectors.dtype == dtype
        assert shape.shape_vectors.shape == (2, 4, 3)
        with pytest.raises(ValueError, match="read-only"):
            shape.shape_vectors[0] = 1
    assert repr(shape) == "BlendShape(2 shapes, 4 vertices)"


def test_a_shape_is_found_by_name(face):
    assert face.shape_index("frown") == 1
    assert face.shape_index("grin", allow_missing=True) == -1
    with pytest.raises(KeyError, match="did you mean 'smile'"):
        face.shape_index("smiel")


def test_shapes_bring_their_parameters(humanoid, body, face):
    names = humanoid.parameter_transform.names
    with_body = humanoid.with_blend_shape(body, n_shapes=2)
    assert with_body.parameter_transform.names == [*names, "blend_0", "blend_1"]
    assert with_body.blend_shape == body  # all of its shapes, two of them driven
    both = with_body.with_face_expression_blend_shape(face)
    assert both.parameter_transform.names[-4:] == [
        "blend_0",
        "blend_1",
        "face_expre_0",
        "face_expre_1",
    ]
    again = both.with_blend_shape(body, 1)
    assert again.parameter_transform.names[-3:] == ["face_expre_0", "face_expre_1", "blend_0"]
    assert again.with_blend_shape(None).with_face_expression_blend_shape(None) == humanoid
    assert both.face_expression_blend_shape == face
    assert humanoid.face_expression_blend_shape is None


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)], ids=str)
def test_rest_vertices_add_body_and_face(shaped, body, face, batch, dtype):
    poses = parameters(shaped, batch, dtype=dtype)
    expected = (
        body.base_shape
        + np.einsum("...k,kvc->...vc", poses[..., -5:-2].astype(float), body.shape_vectors)
        + np.einsum("...k,kvc->...vc", poses[..., -2:].astype(float), face.shape_vectors)
    )
    got = shaped.rest_vertices(poses)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, expected, atol=1e-6 if dtype == np.float32 else 1e-14)


def test_without_parameters_for_shapes_the_rest_is_the_mesh(humanoid, body, face):
    poses = parameters(humanoid, (2,))
    rest = humanoid.rest_vertices(poses)
    np.testing.assert_array_equal(rest, np.stack([humanoid.mesh.vertices] * 2))
    undriven = humanoid.with_blend_shape(body, 0)
    np.testing.assert_array_equal(undriven.rest_vertices(poses), rest)
    smiling = humanoid.with_face_expression_blend_shape(face)
    poses = parameters(smiling)
    np.testing.assert_allclose(
        smiling.rest_vertices(poses),
        humanoid.mesh.vertices + face.compute_shape(poses[-2:]),
        atol=1e-14,
    )


def test_shapes_not_driven_stay_at_zero(humanoid, body):
    two = humanoid.with_blend_shape(body, 2)
    poses = parameters(two, (4,))
    c = np.concatenate([poses[:, -2:], np.zeros((4, 1))], axis=1)
    np.testing.assert_allclose(two.rest_vertices(poses), body.compute_shape(c), atol=1e-15)


def test_baking_is_computing(shaped, body):
    poses = parameters(shaped)
    baked = shaped.bake_blend_shape(poses[-5:-2])
    rest = shaped.rest_vertices(poses)
    fewer = np.delete(poses, np.s_[-5:-2])
    assert baked.parameter_transform.size == len(fewer)
    np.testing.assert_allclose(baked.rest_vertices(fewer), rest, atol=1e-14)
    assert baked.blend_shape is None
    np.testing.assert_allclose(
        baked.mesh.normals,
        geometry.compute_vertex_normals(baked.mesh.vertices, baked.mesh.faces),
        atol=1e-14,
    )
    np.testing.assert_array_equal(shaped.bake_blend_shape([]).mesh.vertices, body.base_shape)


def test_a_rest_mesh_is_replaced_with_its_normals(shaped):
    moved = shaped.mesh.vertices * np.array([1.0, 2.0, 1.0])
    other = geometry.replace_rest_mesh(shaped, moved)
    np.testing.assert_array_equal(other.mesh.vertices, moved)
    np.testing.assert_array_equal(other.mesh.faces, shaped.mesh.faces)
    np.testing.assert_allclose(
        other.mesh.normals, geometry.compute_vertex_normals(moved, shaped.mesh.faces), atol=1e-14
    )
    assert other.blend_shape == shaped.blend_shape
    assert other.parameter_transform == shaped.parameter_transform


@pytest.mark.parametrize("dtype", FLOATS)
def test_skinning_with_parameters_skins_their_rest_vertices(shaped, dtype):
    poses = parameters(shaped, (3,), dtype=dtype)
    state = geometry.model_parameters_to_skeleton_state(shaped, poses)
    got = shaped.skin_points(state, model_parameters=poses)
    assert got.dtype == dtype
    expected = shaped.skin_points(state, shaped.rest_vertices(poses))
    np.testing.assert_array_equal(got, expected)
    out = np.empty_like(got)
    assert shaped.skin_points(state, model_parameters=poses, out=out) is out
    np.testing.assert_array_equal(out, got)
    # Without parameters shapes play no part.
    plain = shaped.skin_points(state)
    np.testing.assert_array_equal(plain, shaped.skin_points(state, shaped.mesh.vertices))
    assert np.abs(plain - got).max() > 1e-3


def test_batch_axes_of_states_and_parameters_broadcast(shaped):
    poses = parameters(shaped, (2, 1))
    state = geometry.model_parameters_to_skeleton_state(shaped, poses)
    shapes = parameters(shaped, (3,), seed=9)
    together = shaped.skin_points(state, model_parameters=shapes)
    assert together.shape == (2, 3, shaped.mesh.n_vertices, 3)
    one = shaped.skin_points(state[1, 0], model_parameters=shapes[2])
    np.testing.assert_allclose(together[1, 2], one, atol=1e-13)


def test_a_posed_mesh_takes_shapes_on_request(shaped):
    poses = parameters(shaped)
    joints = geometry.model_parameters_to_joint_parameters(shaped, poses)
    state = geometry.joint_parameters_to_skeleton_state(shaped, joints)
    posed = shaped.pose_mesh(joints, model_parameters=poses)
    np.testing.assert_allclose(
        posed.vertices, shaped.skin_points(state, model_parameters=poses), atol=1e-14
    )
    normals = geometry.compute_vertex_normals(posed.vertices, posed.faces)
    np.testing.assert_allclose(posed.normals, normals, atol=1e-12)
    plain = shaped.pose_mesh(joints)
    np.testing.assert_allclose(plain.vertices, shaped.skin_points(state), atol=1e-14)
    mixed = shaped.pose_mesh(joints.astype(np.float32), model_parameters=poses)
    assert mixed.vertices.dtype == np.float64


def test_a_pose_shape_is_linear_in_relative_rotations(humanoid, pose_shape):
    rotation = pytest.importorskip("scipy.spatial.transform").Rotation
    state = geometry.model_parameters_to_skeleton_state(humanoid, parameters(humanoid, (3,)))
    turn = rotation.from_quat(pose_shape.base_rotation)
    for one, got in zip(state, pose_shape.compute_shape(state), strict=True):
        base = turn * rotation.from_quat(one[2, 3:7]).inv()
        q = np.concatenate([(base * rotation.from_quat(one[j, 3:7])).as_quat() for j in (4, 7)])
        # The sign of each quaternion is that of the states.
        candidates = [
            pose_shape.base_shape
            + np.tensordot(np.repeat([s, t], 4) * q, pose_shape.shape_vectors, 1)
            for s in (1, -1)
            for t in (1, -1)
        ]
        assert min(np.abs(got - c).max() for c in candidates) < 1e-13


def test_a_pose_shape_stays_with_its_character(humanoid, pose_shape):
    character = humanoid.with_pose_shape(pose_shape)
    assert character.pose_shape == pose_shape
    assert repr(pose_shape) == f"PoseShape(2 joints, {humanoid.mesh.n_vertices} vertices)"
    in_cm = character.in_unit("cm")
    state = geometry.model_parameters_to_skeleton_state(character, parameters(character))
    np.testing.assert_allclose(
        in_cm.pose_shape.compute_shape(state),
        100 * pose_shape.compute_shape(state),
        atol=1e-12,
    )
    assert character.with_pose_shape(None) == humanoid


def test_a_change_of_unit_keeps_the_shapes(shaped):
    in_cm = shaped.in_unit("cm")
    poses = parameters(shaped, (2,))
    np.testing.assert_allclose(
        in_cm.rest_vertices(poses), 100 * shaped.rest_vertices(poses), atol=1e-10
    )


def test_coefficients_come_back_from_their_shape(body, face):
    c = np.random.default_rng(7).normal(size=(2, 4, 3))
    np.testing.assert_allclose(body.estimate_coefficients(body.compute_shape(c)), c, atol=1e-10)
    single = body.estimate_coefficients(body.compute_shape(c.astype(np.float32)))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, c, atol=1e-4)
    c = c[..., :2]
    np.testing.assert_allclose(face.estimate_coefficients(face.compute_shape(c)), c, atol=1e-10)


def test_an_estimate_is_the_least_squares_solution(body):
    rng = np.random.default_rng(8)
    target = body.base_shape + 0.05 * rng.normal(size=body.base_shape.shape)
    weights = rng.uniform(size=body.n_vertices)
    w = np.repeat(weights, 3)
    rows = np.concatenate([(body.shape_vectors.reshape(3, -1) * w).T, 0.3 * np.eye(3)])
    right = np.concatenate([(target - body.base_shape).ravel() * w, np.zeros(3)])
    expected = np.linalg.lstsq(rows, right, rcond=None)[0]
    np.testing.assert_allclose(
        body.estimate_coefficients(target, 0.3, weights), expected, atol=1e-12
    )


@pytest.mark.parametrize("names", [None, ["smile", "日本"]])
def test_bytes_come_back(names, tmp_path):
    rng = np.random.default_rng(9)
    base = rng.normal(size=(5, 3)).astype(np.float32)
    vectors = rng.normal(size=(2, 5, 3)).astype(np.float32)
    given = [] if names is None else [names]
    for shape in (
        BlendShape.from_tensors(base, vectors, *given),
        BlendShapeBase.from_tensors(vectors, *given),
    ):
        cls = type(shape)
        assert cls.from_bytes(shape.to_bytes()) == shape
        shape.save(tmp_path / "shape.bin")
        assert cls.load(tmp_path / "shape.bin") == shape
        fewer = cls.from_bytes(shape.to_bytes(), 1, 2)
        np.testing.assert_array_equal(fewer.shape_vectors, vectors[:1, :2])
        assert fewer.shape_names == shape.shape_names[:1]


def test_wrong_bytes_are_refused(body, face, tmp_path):
    with pytest.raises(ka.FormatError, match="without a base"):
        BlendShapeBase.from_bytes(body.to_bytes())
    with pytest.raises(ka.FormatError, match="with a base"):
        BlendShape.from_bytes(face.to_bytes())
    for wrong in (b"", b"\xff" * 40, struct.pack("<QQ", 0, 2**60), body.to_bytes()[:-1]):
        with pytest.raises(ka.FormatError):
            BlendShape.from_bytes(wrong)
    (tmp_path / "face.bin").write_bytes(b"short")
    with pytest.raises(ka.FormatError, match=r"face\.bin"):
        BlendShapeBase.load(tmp_path / "face.bin")
    with pytest.raises(FileNotFoundError):
        BlendShapeBase.load(tmp_path / "none.bin")


def test_wrong_shapes_are_named(humanoid, body, face, shaped, pose_shape):
    base, vectors = np.zeros((4, 3)), np.zeros((2, 4, 3))
    with pytest.raises(ka.ShapeError, match=r"base_shape.*\(n_vertices, 3\)"):
        BlendShape.from_tensors(base[0], vectors)
    with pytest.raises(ka.ShapeError, match=r"\(n_shapes, 4, 3\)"):
        BlendShape.from_tensors(base, vectors[:, :3])
    with pytest.raises(ka.ShapeError, match=r"\(n_shapes, n_vertices, 3\)"):
        BlendShapeBase.from_tensors(vectors[0])
    with pytest.raises(ka.CharacterError, match="for 1 shapes"):
        BlendShapeBase.from_tensors(vectors, ["one"])
    with pytest.raises(ka.CharacterError, match="not finite"):
        BlendShapeBase.from_tensors(vectors + np.nan)
    with pytest.raises(ka.ShapeError, match=r"coefficients.*\(\.\.\., 2\) = \(\.\.\., n_shapes\)"):
        face.compute_shape(np.zeros(3))
    with pytest.raises(ka.DTypeError):
        face.compute_shape(np.zeros(2, int))
    with pytest.raises(ka.ShapeError, match="model_parameters"):
        shaped.rest_vertices(np.zeros(3))
    with pytest.raises(ka.ShapeError, match="weights"):
        body.estimate_coefficients(body.base_shape, weights=[1.0])
    with pytest.raises(ValueError, match="regularization"):
        body.estimate_coefficients(body.base_shape, -1)
    with pytest.raises(ka.ShapeError, match="vertices"):
        body.estimate_coefficients(body.base_shape[1:])
    with pytest.raises(ka.ShapeError, match="skel_state"):
        pose_shape.compute_shape(np.zeros((3, 8)))
    with pytest.raises(ka.ShapeError, match=r"\(4, 4, 3\) = \(4 \* n_joints, n_vertices, 3\)"):
        PoseShape(base, vectors, 0, [1])
    with pytest.raises(ka.CharacterError, match="length 2"):
        PoseShape(base, np.zeros((4, 4, 3)), 0, [1], [0, 0, 0, 2])
    for joints in ((0, [-1]), (-1, [0])):
        with pytest.raises(ValueError, match="-1 is not an index"):
            PoseShape(base, np.zeros((4, 4, 3)), *joints)


def test_shapes_of_another_character_are_refused(humanoid, body, face, shaped, pose_shape):
    few = BlendShape.from_tensors(np.zeros((4, 3)), np.zeros((2, 4, 3)))
    count = humanoid.mesh.n_vertices
    with pytest.raises(ka.CharacterError, match=f"4 vertices, but the mesh has {count}"):
        humanoid.with_blend_shape(few)
    with pytest.raises(ka.CharacterError, match="face expression"):
        humanoid.with_face_expression_blend_shape(few)
    far = PoseShape(np.zeros((count, 3)), np.zeros((4, count, 3)), 0, [999])
    with pytest.raises(ka.CharacterError, match="joint index 999"):
        humanoid.with_pose_shape(far)
    bare = geometry.Character("bare", humanoid.skeleton, humanoid.parameter_transform)
    with pytest.raises(ka.CharacterError, match="no mesh"):
        bare.with_blend_shape(body)
    with pytest.raises(ka.CharacterError, match="no mesh"):
        bare.rest_vertices(parameters(humanoid))
    with pytest.raises(ka.CharacterError, match="no mesh"):
        geometry.replace_rest_mesh(bare, np.zeros((4, 3)))
    with pytest.raises(ka.CharacterError, match="4 vertices"):
        geometry.replace_rest_mesh(humanoid, np.zeros((4, 3)))
    with pytest.raises(ka.CharacterError, match="4 coefficients for 3 shapes"):
        shaped.bake_blend_shape(np.zeros(4))
    with pytest.raises(TypeError):
        humanoid.with_blend_shape(face)  # has no base
    # A transform of a character with shapes, on one without.
    other = geometry.Character("other", shaped.skeleton, shaped.parameter_transform)
    other = other.with_mesh_and_skin_weights(shaped.mesh, shaped.skin_weights)
    with pytest.raises(ka.CharacterError, match="parameters for 3 blend shapes, but 0"):
        other.rest_vertices(parameters(shaped))
    small = ka.testing.create_humanoid(n_vertices=1000)
    with pytest.raises(ka.CharacterError, match="blend shape"):
        shaped.with_mesh_and_skin_weights(small.mesh, small.skin_weights)


def test_rest_vertices_are_said_once(shaped):
    poses = parameters(shaped)
    state = geometry.model_parameters_to_skeleton_state(shaped, poses)
    with pytest.raises(ValueError, match="one of both"):
        shaped.skin_points(state, shaped.mesh.vertices, model_parameters=poses)
    with pytest.raises(ka.ShapeError, match="model_parameters"):
        shaped.skin_points(state, model_parameters=poses[1:])
    joints = geometry.model_parameters_to_joint_parameters(shaped, poses)
    with pytest.raises(ka.ShapeError, match="one pose"):
        shaped.pose_mesh(joints, model_parameters=np.stack([poses, poses]))


def test_shapes_do_not_depend_on_the_number_of_threads(shaped):
    poses = parameters(shaped, (300,), dtype=np.float32)
    try:
        ka.set_num_threads(1)
        alone = shaped.rest_vertices(poses)
        ka.set_num_threads(4)
        np.testing.assert_array_equal(shaped.rest_vertices(poses), alone)
    finally:
        ka.set_num_threads(0)
