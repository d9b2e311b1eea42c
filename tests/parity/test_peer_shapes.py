"""Blend shapes and face expressions: the same as PyMomentum."""

from dataclasses import replace

import numpy as np
import pytest
from comparison import FLOAT32, assert_close, chain, tolerance
from peer_oracle import CHARACTER

from kinarray import geometry

DTYPES = [np.float32, np.float64]
N_VERTICES = 60


def shaped(exact=True):
    """Three body shapes whose base is not the mesh, two expressions."""
    arrays = chain(exact, n_vertices=N_VERTICES)
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(6, N_VERTICES, 3)).astype(np.float32)
    return replace(
        arrays, blend_base=vectors[5], blend_vectors=vectors[:3], face_vectors=vectors[3:5]
    )


def poses(arrays, batch, dtype):
    size = arrays.n_parameters + 5
    return np.random.default_rng(4).normal(size=(*batch, size)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)], ids=str)
def test_shapes_from_coefficients(peer, batch, dtype):
    arrays = shaped()
    character = arrays.build(geometry)
    c = np.random.default_rng(5).normal(size=(*batch, 3)).astype(dtype)
    for path, ours, given in (
        ("character.blend_shape.compute_shape", character.blend_shape, c),
        (
            "character.face_expression_blend_shape.compute_shape",
            character.face_expression_blend_shape,
            np.ascontiguousarray(c[..., :2]),
        ),
    ):
        theirs = peer.call(arrays, path, given)
        assert theirs.dtype == dtype
        assert_close(ours.compute_shape(given), theirs, tolerance(dtype, exact=True))


def test_parameters_and_their_classes(peer):
    arrays = shaped()
    character = arrays.build(geometry)
    transform = character.parameter_transform
    names, scaling, pose = peer.calls(
        arrays,
        ("character.parameter_transform.names",),
        ("character.parameter_transform.scaling_parameters",),
        ("character.parameter_transform.pose_parameters",),
    )
    assert transform.names == list(names)
    assert np.array_equal(transform.scaling_parameters, scaling)
    assert np.array_equal(transform.pose_parameters, pose)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_inverse_transform_leaves_coefficients_at_zero(peer, dtype):
    arrays = shaped()
    joints = np.random.default_rng(6).normal(size=(3, 7 * arrays.n_joints)).astype(dtype)
    inverse = arrays.build(geometry).parameter_transform.inverse()
    ours = inverse.apply(joints)
    assert not ours[..., -5:].any()
    if dtype == np.float32:  # theirs reads float64 as float32
        theirs = peer.call(arrays, "character.parameter_transform.inverse().apply", joints)
        assert_close(ours, theirs, FLOAT32)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_skinned_shape(peer, dtype):
    """Model parameters to skinned points, with the shapes: theirs by hand, ours on request."""
    arrays = shaped()
    character = arrays.build(geometry)
    p = 0.3 * poses(arrays, (2,), dtype)
    state, body, face = peer.calls(
        arrays,
        ("geometry.model_parameters_to_skeleton_state", CHARACTER, p),
        ("character.blend_shape.compute_shape", np.ascontiguousarray(p[:, -5:-2])),
        ("character.face_expression_blend_shape.compute_shape", np.ascontiguousarray(p[:, -2:])),
    )
    theirs = peer.call(arrays, "character.skin_points", state, body + face)
    ours = character.skin_points(state, model_parameters=p)
    assert_close(ours, theirs, tolerance(dtype, exact=True))
    # Without a word about shapes both skin the mesh.
    plain = peer.call(arrays, "character.skin_points", state)
    assert_close(character.skin_points(state), plain, tolerance(dtype, exact=True))


def test_a_baked_shape(peer):
    arrays = shaped()
    weights = np.array([1.0, -0.5], np.float32)
    theirs = peer.call(arrays, "character.bake_blend_shape", weights)
    ours = arrays.build(geometry).bake_blend_shape(weights)
    assert ours.parameter_transform.names == list(theirs["parameter_names"])
    assert_close(ours.mesh.vertices, theirs["vertices"], FLOAT32)
    assert_close(ours.mesh.normals, theirs["normals"], 1e-4)


def test_another_rest_mesh(peer):
    arrays = shaped()
    theirs = peer.call(arrays, "geometry.replace_rest_mesh", CHARACTER, arrays.blend_base)
    ours = geometry.replace_rest_mesh(arrays.build(geometry), arrays.blend_base)
    assert ours.parameter_transform.names == list(theirs["parameter_names"])
    assert_close(ours.mesh.vertices, theirs["vertices"], FLOAT32)
    assert_close(ours.mesh.normals, theirs["normals"], 1e-4)


def test_bytes_go_both_ways(peer):
    arrays = shaped()
    theirs = peer.call(arrays, "character.blend_shape.to_bytes()").tobytes()
    shape = arrays.build(geometry).blend_shape
    assert shape.to_bytes() == theirs
    assert geometry.BlendShape.from_bytes(theirs) == shape
    named = geometry.BlendShape.from_tensors(
        shape.base_shape, shape.shape_vectors, ["tall", "wide", "round"]
    )
    read = peer.call(None, "geometry.BlendShape.from_bytes", np.asarray(np.void(named.to_bytes())))
    assert np.array_equal(read["base"], shape.base_shape)
    assert np.array_equal(read["vectors"], shape.shape_vectors)
    face = peer.call(arrays, "character.face_expression_blend_shape.to_bytes()").tobytes()
    assert geometry.BlendShapeBase.from_bytes(face).to_bytes() == face


@pytest.mark.parametrize("keep", [(2, -1), (-1, 5), (9, 99), (0, 0)], ids=str)
def test_reading_a_part(peer, keep):
    shape = shaped().build(geometry).blend_shape
    data = shape.to_bytes()
    theirs = peer.call(None, "geometry.BlendShape.from_bytes", np.asarray(np.void(data)), *keep)
    ours = geometry.BlendShape.from_bytes(data, *keep)
    assert np.array_equal(ours.base_shape, theirs["base"])
    assert np.array_equal(ours.shape_vectors, theirs["vectors"])
