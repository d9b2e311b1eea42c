"""Parts of meshes: the same as PyMomentum."""

import numpy as np
import pytest
from comparison import chain
from peer_oracle import CHARACTER

import kinarray as ka
from kinarray import geometry
from kinarray.geometry import Mesh

RNG = np.random.default_rng(6)


def grid(side=6):
    """A bent sheet with texture coordinates that have a seam, and everything else a mesh can have."""
    at = np.arange(side * side).reshape(side, side)
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    vertices = np.stack([x, y, np.sin(x)], -1).reshape(-1, 3).astype(np.float32)
    quads = np.stack([at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]], -1).reshape(-1, 4)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)
    texcoords = (vertices[:, :2] / (side - 1) * 0.9 + 0.0371).astype(np.float32)
    # The last row of quads has texture coordinates of its own.
    seam = faces.min(1) >= (side - 2) * side
    texcoord_faces = np.where(seam[:, None], faces + side * side, faces).astype(np.int32)
    seam = quads.min(1) >= (side - 2) * side
    poly_texcoord_faces = np.where(seam[:, None], quads + side * side, quads)
    return {
        "vertices": vertices,
        "faces": faces,
        "colors": RNG.integers(0, 255, size=(side * side, 3)).astype(np.uint8),
        "confidence": [float(c) for c in RNG.random(side * side).astype(np.float32)],
        "texcoords": np.concatenate([texcoords, texcoords]),
        "texcoord_faces": texcoord_faces,
        "lines": [[0, 1, 2], [3, 9, 15], [35, 34]],
        "poly_faces": quads.ravel().tolist(),
        "poly_face_sizes": [4] * len(quads),
        "poly_texcoord_faces": poly_texcoord_faces.ravel().tolist(),
    }


FIELDS = [
    "vertices",
    "normals",
    "faces",
    "colors",
    "confidence",
    "texcoords",
    "texcoord_faces",
    "poly_faces",
    "poly_face_sizes",
    "poly_texcoord_faces",
]


def assert_same(theirs, ours, prefix=""):
    for name in FIELDS:
        their, our = theirs[prefix + name], np.asarray(getattr(ours, name))
        assert their.size == our.size, name
        np.testing.assert_allclose(our.reshape(their.shape), their, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("seed", range(3))
def test_parts_of_a_mesh(peer, seed):
    rng = np.random.default_rng(seed)
    arrays = grid()
    mesh = Mesh(**arrays)
    # Whole polygons: what becomes of those that lose a triangle is a difference.
    corner = np.add.outer(np.arange(5), np.arange(5)).ravel() > 2 * seed
    for by, stays in (("vertices", rng.random(36) < 0.7), ("faces", np.tile(corner, 2))):
        theirs = peer.call(None, f"geometry.reduce_mesh_by_{by}", arrays, stays)
        assert_same(theirs, getattr(geometry, f"reduce_mesh_by_{by}")(mesh, stays))


def test_a_polygon_that_stays_keeps_its_texture_coordinates(peer):
    arrays = grid()
    stays = np.ones(50, bool)
    # A place at the seam, seen from this side; all corners are still used by others.
    stays[[20, 21, 46]] = False
    was = arrays["texcoords"][arrays["poly_texcoord_faces"][84:88]]
    ours = geometry.reduce_mesh_by_faces(Mesh(**arrays), stays)
    np.testing.assert_array_equal(ours.texcoords[ours.poly_texcoord_faces[84:88]], was)
    theirs = peer.call(None, "geometry.reduce_mesh_by_faces", arrays, stays)
    index = theirs["poly_texcoord_faces"][84:88]
    texcoords = theirs["texcoords"]
    assert index.max() >= len(texcoords) or not np.array_equal(texcoords[index], was)


def test_parts_of_a_character(peer):
    arrays = chain(exact=True, n_vertices=60)
    character = arrays.build(geometry)
    stays = RNG.random(60) < 0.6
    theirs = peer.call(arrays, "geometry.reduce_mesh_by_vertices", CHARACTER, stays)
    ours = geometry.reduce_mesh_by_vertices(character, stays)
    assert_same(theirs, ours.mesh, "mesh.")
    width = ours.skin_weights.index.shape[1]
    np.testing.assert_array_equal(theirs["index"][:, :width], ours.skin_weights.index)
    np.testing.assert_allclose(theirs["weight"][:, :width], ours.skin_weights.weight, atol=1e-7)


@pytest.mark.parametrize("num_samples", [1, 3, 4, 6, 7, 10])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 1.0])
def test_triangles_by_texture(peer, threshold, num_samples):
    arrays = grid()
    texture = (RNG.integers(0, 2, size=(11, 17, 1)) * 255 + np.zeros(3)).astype(np.uint8)
    colors = np.array([[0, 0, 0], [255, 255, 255], [9, 9, 9]], np.uint8)
    call = (texture, colors, threshold, num_samples)
    theirs = peer.call(None, "geometry.classify_triangles_by_texture", arrays, *call)
    ours = geometry.classify_triangles_by_texture(Mesh(**arrays), *call)
    assert [theirs[f"item{i}"].tolist() for i in range(3)] == ours


@pytest.mark.parametrize("steps", [0, 1, 8])
def test_regions_of_a_texture(peer, steps):
    arrays = grid()
    rows, columns = np.mgrid[:64, :64]
    inside = (rows - 30) ** 2 + (columns - 34) ** 2 < 400
    texture = (inside[..., None] * np.array([200, 10, 30])).astype(np.uint8)
    call = (texture, np.array([[200, 10, 30]], np.uint8), steps)
    theirs = peer.call(None, "geometry.split_mesh_by_texture_region", arrays, *call)
    ours = geometry.split_mesh_by_texture_region(Mesh(**arrays), *call)
    assert ours.n_faces > 10
    for name in ("vertices", "faces", "normals", "confidence", "texcoords", "texcoord_faces"):
        np.testing.assert_allclose(getattr(ours, name), theirs[name], atol=1e-5, err_msg=name)
    # Mixed in double precision: a byte may be rounded down to its neighbour.
    assert np.abs(ours.colors.astype(int) - theirs["colors"]).max() <= 1


def test_crossings(peer):
    rng = np.random.default_rng(9)
    middles = np.repeat(rng.normal(size=(60, 3)), 3, axis=0)
    vertices = (middles + rng.normal(size=(180, 3)) * 0.7).astype(np.float32)
    arrays = {"vertices": vertices, "faces": np.arange(180).reshape(-1, 3).astype(np.int32)}
    theirs = np.sort(peer.call(None, "mesh.self_intersections", arrays), axis=1)
    ours = Mesh(**arrays).self_intersections()
    assert len(ours) > 20
    assert {tuple(p) for p in theirs.astype(int)} == {tuple(p) for p in ours}


def test_triangles_that_share_a_corner_can_cross(peer):
    vertices = np.array(
        [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0.5, 0.4, -1], [0.5, 0.4, 1]], np.float32
    )
    arrays = {"vertices": vertices, "faces": np.array([[0, 1, 2], [0, 3, 4]], np.int32)}
    theirs = peer.call(None, "mesh.self_intersections", arrays)
    assert (theirs.shape, theirs.dtype) == ((0,), np.float64)
    np.testing.assert_array_equal(Mesh(**arrays).self_intersections(), [[0, 1]])


def test_texcoord_lines_are_checked(peer):
    arrays = grid() | {"texcoord_lines": [[0, 999]]}
    peer.call(None, "geometry.reduce_mesh_by_faces", grid(), np.ones(50, bool))
    with pytest.raises(ka.CharacterError, match="texcoord line 0 uses coordinate 999"):
        Mesh(**arrays)
