"""Vertex normals: the same as PyMomentum, degenerate triangles and isolated vertices included."""

import numpy as np
import pytest
from comparison import assert_close, chain, tolerance

from kinarray import geometry
from reference import vertex_normals


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch", [(), (2,), (2, 3)], ids=str)
def test_area_weighted_normals(peer, batch, dtype):
    arrays = chain(exact=True, n_vertices=200)
    rng = np.random.default_rng(7)
    vertices = arrays.vertices + rng.normal(scale=0.01, size=(*batch, 200, 3))
    vertices = vertices.astype(dtype)
    theirs = peer.call(None, "geometry.compute_vertex_normals", vertices, arrays.faces)
    ours = geometry.compute_vertex_normals(vertices, arrays.faces)
    assert ours.dtype == theirs.dtype == dtype
    # The cross product of close float32 positions loses some digits, in either library.
    close = 1e-4 if dtype == np.float32 else tolerance(dtype, True)
    assert_close(ours, theirs, close)
    assert_close(ours, vertex_normals(vertices, arrays.faces), close)


@pytest.mark.parametrize("index_dtype", [np.int32, np.int64, np.uint32])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_area_means_a_zero_normal(peer, dtype, index_dtype):
    """Vertices 0-2: a triangle; 3: on a line with 0 and 1; 4: in no triangle; 5: repeated corner."""
    vertices = np.array(
        [[0, 0, 0], [1, 0, 0], [0, 1, 0], [2, 0, 0], [5, 5, 5], [3, 3, 3]], dtype=dtype
    )
    triangles = np.array([[0, 1, 2], [0, 1, 3], [5, 5, 0]], dtype=index_dtype)
    theirs = peer.call(None, "geometry.compute_vertex_normals", vertices, triangles)
    ours = np.asarray(geometry.compute_vertex_normals(vertices, triangles))
    up, none = [0, 0, 1], [0, 0, 0]
    expected = np.array([up, up, up, none, none, none], dtype)
    assert np.array_equal(theirs, expected)
    assert np.array_equal(ours, expected)
