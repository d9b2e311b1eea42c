"""Closest points: the same as PyMomentum in float32, which is all it can do."""

import numpy as np
import pytest
from peer_oracle import PeerError

from kinarray.geometry import find_closest_points, find_closest_points_on_mesh

RNG = np.random.default_rng(5)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def single(*arrays):
    return [np.asarray(a, np.float32) for a in arrays]


def items(result):
    return [result[f"item{i}"] for i in range(len(result))]


def assert_same(theirs, ours):
    for their, our in zip(items(theirs), ours, strict=True):
        assert their.dtype == our.dtype
        np.testing.assert_allclose(our, their, atol=2e-6)


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("max_dist", [None, 0.3])
@pytest.mark.parametrize("batch", [(), (3,), (2, 2)], ids=str)
def test_closest_points(peer, dim, max_dist, batch):
    source, target = single(RNG.normal(size=(*batch, 60, dim)), RNG.normal(size=(*batch, 90, dim)))
    more = () if max_dist is None else (max_dist,)
    theirs = peer.call(None, "geometry.find_closest_points", source, target, *more)
    assert_same(theirs, find_closest_points(source, target, *more))


@pytest.mark.parametrize("least", [0.0, 0.8, -2.0])
def test_closest_points_with_normals(peer, least):
    source, target = single(RNG.normal(size=(2, 60, 3)), RNG.normal(size=(2, 90, 3)))
    normals = single(unit(RNG.normal(size=(2, 60, 3))), unit(RNG.normal(size=(2, 90, 3))))
    call = (source, normals[0], target, normals[1], 2.0, least)
    theirs = peer.call(None, "geometry.find_closest_points", *call)
    assert_same(theirs, find_closest_points(*call))


def test_the_borders_are_where_theirs_are(peer):
    """A point as far as max_dist does not count; a product as small as max_normal_dot does."""
    source, target = single([[1.5, 0, 0], [0.2, 0, 0]], [[0, 0, 0], [1, 0, 0]])
    theirs = peer.call(None, "geometry.find_closest_points", source, target, 0.5)
    assert_same(theirs, find_closest_points(source, target, 0.5))
    across, along = single([[1, 0, 0], [0, 0, 1]], [[0, 0, 1], [0, 0, -1]])
    call = (source, across, target, along)
    theirs = peer.call(None, "geometry.find_closest_points", *call)
    assert_same(theirs, find_closest_points(*call))
    assert theirs["item3"].tolist() == [True, True]


def soup(dtype, *batch):
    """Sources, vertices, and triangles none of which has a corner twice."""
    vertices = RNG.normal(size=(*batch, 50, 3)).astype(dtype)
    source = RNG.normal(size=(*batch, 80, 3)).astype(dtype)
    faces = np.array([RNG.choice(50, 3, replace=False) for _ in range(60)], np.int32)
    return source, vertices, faces


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_closest_points_on_a_mesh(peer, dtype):
    call = soup(dtype)
    theirs = items(peer.call(None, "geometry.find_closest_points_on_mesh", *call))
    ours = find_closest_points_on_mesh(*call)
    assert [t.dtype for t in theirs] == [o.dtype for o in ours]
    np.testing.assert_array_equal(ours[0], theirs[0])
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-5)
    # On a shared edge or corner either face may be named.
    same = ours[2] == theirs[2]
    assert same.mean() > 0.5
    np.testing.assert_allclose(ours[3][same], theirs[3][same], atol=1e-4)


def test_a_batch_of_meshes_is_the_same_as_one_by_one(peer):
    source, vertices, faces = soup(np.float32, 3)
    ours = find_closest_points_on_mesh(source, vertices, faces)
    theirs = peer.call(None, "geometry.find_closest_points_on_mesh", source, vertices, faces)
    for item in range(3):
        call = (source[item], vertices[item], faces)
        alone = peer.call(None, "geometry.find_closest_points_on_mesh", *call)["item1"]
        np.testing.assert_allclose(ours[1][item], alone, atol=1e-5)
        far = np.linalg.norm(theirs["item1"][item] - source[item], axis=1)
        assert (far > np.linalg.norm(alone - source[item], axis=1) + 1e-3).any()


def test_a_nan_source_finds_nothing_in_either(peer):
    source, target = single([[np.nan, 0, 0], [1, 0, 0]], RNG.normal(size=(20, 3)))
    theirs = peer.call(None, "geometry.find_closest_points", source, target)
    assert_same(theirs, find_closest_points(source, target))
    faces = np.array([[0, 1, 2]], np.int32)
    theirs = peer.call(None, "geometry.find_closest_points_on_mesh", source, target, faces)
    assert_same(theirs, find_closest_points_on_mesh(source, target, faces))


def test_float64_closest_points_are_the_closest(peer):
    source, target = RNG.normal(size=(60, 3)), RNG.normal(size=(90, 3))
    best = np.linalg.norm(source[:, None] - target[None], axis=-1).min(1)
    ours = find_closest_points(source, target)[0]
    np.testing.assert_allclose(np.linalg.norm(source - ours, axis=1), best, atol=1e-12)
    theirs = peer.call(None, "geometry.find_closest_points", source, target)["item0"]
    assert not np.allclose(np.linalg.norm(source - theirs, axis=1), best, atol=1e-3)


def test_one_set_of_sources_has_many_targets(peer):
    source, targets = single(RNG.normal(size=(6, 3)), RNG.normal(size=(2, 9, 3)))
    with pytest.raises(PeerError):
        peer.call(None, "geometry.find_closest_points", source, targets)
    assert find_closest_points(source, targets)[0].shape == (2, 6, 3)


def test_without_targets_nothing_is_found(peer):
    source, none = single(RNG.normal(size=(6, 3)), np.zeros((0, 3)))
    with pytest.raises(PeerError, match="empty"):
        peer.call(None, "geometry.find_closest_points", source, none)
    points, index, valid = find_closest_points(source, none)
    assert not points.any()
    assert (index == -1).all()
    assert not valid.any()


def test_a_nan_among_the_targets_is_never_found():
    # What they do with one depends on where it lies; what must not happen is fixed here.
    target = RNG.normal(size=(90, 3)).astype(np.float32)
    target[::3] = np.nan
    source = RNG.normal(size=(60, 3)).astype(np.float32)
    _, index, valid = find_closest_points(source, target)
    assert valid.all()
    assert (index % 3 > 0).all()
    kept = np.linalg.norm(source[:, None] - target[None], axis=-1)
    np.testing.assert_array_equal(index, np.nanargmin(kept, 1))
