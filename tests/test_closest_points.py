"""Closest points: the array contract for several results, and brute force as the oracle."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import kinarray as ka
from kinarray import geometry, interop
from kinarray.geometry import (
    MeshTree,
    PointTree,
    find_closest_points,
    find_closest_points_on_mesh,
)
from kinds import FLOATS, KINDS, Kind

BATCHES = [(), (1,), (4,), (2, 3), (0,), (3, 0)]
RNG = np.random.default_rng(11)
TARGET = RNG.normal(size=(60, 3))
NORMALS = TARGET / np.linalg.norm(TARGET, axis=1, keepdims=True)
VERTICES = RNG.normal(size=(30, 3))
FACES = RNG.integers(0, 30, size=(50, 3))


def closest(source, target, fits=None):
    """The index of the closest target of each source, the first of several; -1 where none fits."""
    apart = np.linalg.norm(source[:, None] - target[None], axis=-1)
    if fits is not None:
        apart = np.where(fits, apart, np.inf)
    apart = np.where(np.isfinite(apart), apart, np.inf)
    if not target.size:
        return np.full(len(source), -1)
    return np.where(np.isfinite(apart.min(1)), apart.argmin(1), -1)


def distance_to_triangle(p, a, b, c):
    """By the edges, and the plane where the point is above the triangle: no barycentric formulas."""

    def to_edge(a, b):
        d = b - a
        t = np.clip((p - a) @ d / (d @ d), 0, 1) if d @ d else 0.0
        return np.linalg.norm(p - a - t * d)

    best = min(to_edge(a, b), to_edge(b, c), to_edge(c, a))
    normal = np.cross(b - a, c - a)
    if normal @ normal > 1e-20:
        inside = all(np.cross(y - x, p - x) @ normal >= 0 for x, y in ((a, b), (b, c), (c, a)))
        if inside:
            best = min(best, abs((p - a) @ normal) / np.linalg.norm(normal))
    return best


CALLS = {
    "find_closest_points": lambda x: find_closest_points(x, TARGET.astype(np.float32)),
    "find_closest_points(max_dist)": lambda x: find_closest_points(
        x, TARGET.astype(np.float32), 0.5
    ),
    "find_closest_points(normals)": lambda x: find_closest_points(
        x,
        np.zeros((7, 3), np.float32) + NORMALS[0].astype(np.float32),
        TARGET.astype(np.float32),
        NORMALS.astype(np.float32),
    ),
    "find_closest_points_on_mesh": lambda x: find_closest_points_on_mesh(
        x, VERTICES.astype(np.float32), FACES
    ),
    "PointTree.closest": PointTree(TARGET.astype(np.float32)).closest,
    "MeshTree.closest": MeshTree(VERTICES.astype(np.float32), FACES).closest,
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_every_kind_of_array_gives_results_of_its_kind(name, kind: Kind, dtype):
    for batch in BATCHES:
        values = RNG.normal(size=(*batch, 7, 3)).astype(FLOATS[dtype])
        argument = kind.make(values, 2)
        if argument is None:
            continue
        if kind.name == "list":
            values = values.astype(np.float64 if "Tree" in name else np.float32)
        expected = CALLS[name](values)
        results = CALLS[name](argument)
        assert isinstance(results, tuple)
        where = f"{name} x {kind} x {batch}"
        for result, want in zip(results, expected, strict=True):
            assert kind.is_same(result), f"{where}: gave a {type(result)}"
            assert kind.dtype_of(result) == str(want.dtype), where
            read = kind.read(result)
            assert read.shape == want.shape, where
            np.testing.assert_array_equal(read, want, err_msg=where)


def test_results_are_numbers_indices_and_truth_values():
    for dtype in (np.float32, np.float64):
        points, index, valid = find_closest_points(TARGET.astype(dtype), TARGET.astype(dtype))
        assert (points.dtype, index.dtype, valid.dtype) == (dtype, np.int32, np.bool_)
        results = find_closest_points_on_mesh(TARGET.astype(dtype), VERTICES.astype(dtype), FACES)
        assert [r.dtype for r in results] == [np.bool_, dtype, np.int32, dtype]
    half = find_closest_points(TARGET.astype(np.float16), TARGET.astype(np.float16))[0]
    assert half.dtype == np.float16
    mixed = find_closest_points(TARGET.astype(np.float32), TARGET)
    assert mixed[0].dtype == np.float64


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("n_target", [0, 1, 15, 16, 17, 300, 5000])
def test_the_closest_point_is_the_one_that_brute_force_finds(n_target, dim):
    rng = np.random.default_rng(n_target)
    source, target = rng.normal(size=(200, dim)), rng.normal(size=(n_target, dim))
    points, index, valid = find_closest_points(source, target)
    expected = closest(source, target)
    np.testing.assert_array_equal(index, expected)
    np.testing.assert_array_equal(valid, expected >= 0)
    np.testing.assert_array_equal(points[valid], target[index[valid]])
    assert not points[~valid].any()
    # Single precision may take another one that is as close.
    single = find_closest_points(source.astype(np.float32), target.astype(np.float32))[1]
    if n_target:
        apart = np.linalg.norm(source - target[single], axis=1)
        best = np.linalg.norm(source - target[expected], axis=1)
        np.testing.assert_allclose(apart, best, rtol=1e-5)


def test_of_several_points_as_close_the_first_is_found():
    target = np.repeat(RNG.normal(size=(40, 3)), 25, axis=0)[RNG.permutation(1000)]
    source = RNG.normal(size=(300, 3))
    np.testing.assert_array_equal(find_closest_points(source, target)[1], closest(source, target))
    alike = np.ones((5000, 3))
    np.testing.assert_array_equal(find_closest_points(source, alike)[1], 0)


def test_only_points_closer_than_max_dist_count():
    source = np.array([[0.2, 0, 0], [5, 0, 0], [1.5, 0, 0]])
    target = np.array([[0.0, 0, 0], [1, 0, 0]])
    points, index, valid = find_closest_points(source, target, max_dist=0.5)
    np.testing.assert_array_equal(index, [0, -1, -1])  # 0.5 away is not closer than 0.5
    np.testing.assert_array_equal(valid, [True, False, False])
    assert not points.any()
    assert (find_closest_points(source, target, 0.0)[1] == -1).all()
    assert (find_closest_points(source, target, np.inf)[1] >= 0).all()


@pytest.mark.parametrize("least", [-2.0, 0.0, 0.7])
def test_with_normals_the_closest_that_fits_is_found(least):
    rng = np.random.default_rng(3)
    source, target = rng.normal(size=(300, 3)), rng.normal(size=(800, 3))
    unit = lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)
    from_, to = unit(rng.normal(size=(300, 3))), unit(rng.normal(size=(800, 3)))
    points, normals, index, valid = find_closest_points(
        source, from_, target, to, max_normal_dot=least
    )
    np.testing.assert_array_equal(index, closest(source, target, from_ @ to.T >= least))
    np.testing.assert_array_equal(normals[valid], to[index[valid]])
    np.testing.assert_array_equal(points[valid], target[index[valid]])
    none = find_closest_points(source, from_, target, to, 1e9, 1.5)
    assert not none[3].any()
    assert not none[1].any()


def test_what_is_not_finite_finds_nothing_and_is_not_found():
    source, target = RNG.normal(size=(6, 3)), RNG.normal(size=(50, 3))
    source[1, 2], source[4, 0] = np.nan, np.inf
    target[::2] = np.nan
    target[1] = -np.inf
    points, index, valid = find_closest_points(source, target)
    np.testing.assert_array_equal(valid, [True, False, True, True, False, True])
    assert set(index[valid]) <= set(range(3, 50, 2))
    assert np.isfinite(points).all()
    vertices = VERTICES.copy()
    vertices[FACES[0, 0]] = np.nan
    valid, points, face, _ = find_closest_points_on_mesh(source, vertices, FACES)
    np.testing.assert_array_equal(valid, [True, False, True, True, False, True])
    broken = np.isnan(vertices[FACES]).any((1, 2))
    assert not broken[face[valid]].any()
    assert (face[~valid] == -1).all()
    assert np.isfinite(points).all()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n_faces", [0, 1, 16, 17, 400])
def test_the_closest_point_of_a_mesh_is_as_close_as_brute_force_finds(n_faces, dtype):
    rng = np.random.default_rng(n_faces)
    vertices = rng.normal(size=(200, 3)).astype(dtype)
    faces = rng.integers(0, 200, size=(n_faces, 3))
    if n_faces > 3:
        faces[1] = faces[2, 0]  # one place
        faces[3, 1] = faces[3, 0]  # an edge
    source = rng.normal(size=(40, 3)).astype(dtype)
    source[:5] = vertices[:5]
    valid, points, face, bary = find_closest_points_on_mesh(source, vertices, faces)
    if not n_faces:
        assert not valid.any()
        assert (face == -1).all()
        assert not points.any()
        assert not bary.any()
        return
    assert valid.all()
    close = 2e-6 if dtype == "float32" else 1e-12
    for p, q, f, b in zip(source, points, face, bary, strict=True):
        corners = vertices[faces].astype(np.float64)
        best = min(distance_to_triangle(p.astype(np.float64), *t) for t in corners)
        assert abs(np.linalg.norm(p - q) - best) < 10 * close
        np.testing.assert_allclose(b @ corners[f], q, atol=close)
        assert (b >= 0).all()
        assert abs(b.sum() - 1) < close


def test_batches_are_the_same_as_one_by_one_and_broadcast():
    source, target = RNG.normal(size=(4, 1, 9, 3)), RNG.normal(size=(3, 40, 3))
    vertices = RNG.normal(size=(3, 30, 3))
    together = find_closest_points(source, target)
    on_mesh = find_closest_points_on_mesh(source, vertices, FACES)
    assert together[0].shape == (4, 3, 9, 3)
    for i in range(4):
        for j in range(3):
            for many, one in zip(
                together + on_mesh,
                find_closest_points(source[i, 0], target[j])
                + find_closest_points_on_mesh(source[i, 0], vertices[j], FACES),
                strict=True,
            ):
                np.testing.assert_array_equal(many[i, j], one)


def test_trees_give_what_the_functions_give():
    source = RNG.normal(size=(2, 50, 3))
    for ours, theirs in (
        (PointTree(TARGET).closest(source, 1.0), find_closest_points(source, TARGET, 1.0)),
        (
            MeshTree(VERTICES, FACES).closest(source),
            find_closest_points_on_mesh(source, VERTICES, FACES),
        ),
    ):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)
    # The precision is that of the points asked about.
    assert PointTree(TARGET).closest(source.astype(np.float32))[0].dtype == np.float32
    flat = PointTree(TARGET[:, :2])
    np.testing.assert_array_equal(
        flat.closest(source[..., :2])[1], find_closest_points(source[..., :2], TARGET[:, :2])[1]
    )


def test_trees_are_values():
    points, mesh = PointTree(TARGET), MeshTree(VERTICES, FACES)
    for tree in (points, mesh):
        again = pickle.loads(pickle.dumps(tree))
        assert again == tree
        np.testing.assert_array_equal(again.closest(TARGET)[1], tree.closest(TARGET)[1])
    assert points != PointTree(TARGET[1:])
    assert repr(points) == "PointTree(60 points in 3-D, float64)"
    assert repr(mesh) == "MeshTree(30 vertices, 50 faces, float64)"
    assert len(points) == 60
    np.testing.assert_array_equal(points.points, TARGET)
    np.testing.assert_array_equal(mesh.faces, FACES)
    assert not mesh.vertices.flags.writeable


def test_out_is_filled_and_returned():
    expected = find_closest_points(TARGET, TARGET + 0.1)
    out = tuple(np.empty_like(e) for e in expected)
    before = interop.copies().count
    results = find_closest_points(TARGET, TARGET + 0.1, out=out)
    assert interop.copies().count == before
    for result, given, want in zip(results, out, expected, strict=True):
        assert result is given
        np.testing.assert_array_equal(given, want)
    # Columns of a wider array are written aside, which is a copy.
    wide = np.zeros((60, 2), bool)
    strided = (*out[:2], wide[:, 1])
    find_closest_points(TARGET, TARGET + 0.1, out=strided)
    np.testing.assert_array_equal(wide, [[False, True]] * 60)


def test_wrong_outs_are_refused():
    out = [np.empty_like(e) for e in find_closest_points(TARGET, TARGET)]
    with pytest.raises(ValueError, match="out: expected 3 arrays, got 2"):
        find_closest_points(TARGET, TARGET, out=out[:2])
    with pytest.raises(ka.DTypeError, match="int32"):
        find_closest_points(TARGET, TARGET, out=(out[0], out[1].astype(np.int64), out[2]))
    with pytest.raises(ka.ShapeError, match="out"):
        find_closest_points(TARGET, TARGET, out=(out[0][:-1], out[1], out[2]))
    both = np.zeros(60 * 4, np.int32)
    with pytest.raises(ValueError, match="share memory"):
        find_closest_points(TARGET, TARGET, out=(out[0], both[:60], both[:15].view(bool)))
    with pytest.raises(ka.DTypeError, match="a tuple of arrays"):
        find_closest_points(TARGET, TARGET, out=3)


def test_an_input_may_be_an_out():
    source = TARGET.copy()
    expected = find_closest_points(source, TARGET + 0.1)
    _, index, valid = expected
    find_closest_points(source, TARGET + 0.1, out=(source, index.copy(), valid.copy()))
    np.testing.assert_array_equal(source, expected[0])


def test_wrong_inputs_are_named():
    with pytest.raises(ka.ShapeError, match=r"points_source.*\(4,\)"):
        find_closest_points(np.zeros(4), TARGET)
    with pytest.raises(ka.ShapeError, match="points_target.*2 axes"):
        find_closest_points(np.zeros((4, 2)), TARGET)
    with pytest.raises(ka.ShapeError, match="points_source"):
        find_closest_points(np.zeros((4, 4)), np.zeros((4, 4)))
    with pytest.raises(ka.ShapeError, match="normals_source"):
        find_closest_points(TARGET, NORMALS[1:], TARGET, NORMALS)
    with pytest.raises(ka.ShapeError, match="normals_target"):
        find_closest_points(TARGET, NORMALS, TARGET, NORMALS[1:])
    with pytest.raises(ka.ShapeError, match=r"\(2,\) and \(3,\)"):
        find_closest_points(np.zeros((2, 5, 3)), np.zeros((3, 5, 3)))
    with pytest.raises(ka.DTypeError, match="int64"):
        find_closest_points(np.zeros((4, 3), np.int64), TARGET)
    with pytest.raises(ValueError, match="max_dist.*-1"):
        find_closest_points(TARGET, TARGET, -1.0)
    with pytest.raises(ValueError, match="max_dist.*NaN"):
        find_closest_points(TARGET, TARGET, max_dist=float("nan"))
    with pytest.raises(ValueError, match="max_normal_dot"):
        find_closest_points(TARGET, NORMALS, TARGET, NORMALS, max_normal_dot=float("nan"))
    with pytest.raises(TypeError, match="missing the argument 'points_target'"):
        find_closest_points(TARGET)
    with pytest.raises(TypeError, match="unexpected keyword argument 'max_distance'"):
        find_closest_points(TARGET, TARGET, max_distance=1.0)
    with pytest.raises(TypeError, match="multiple values"):
        find_closest_points(TARGET, TARGET, points_source=TARGET)
    with pytest.raises(ValueError, match="triangle 0.*vertex 30.*30 vertices"):
        find_closest_points_on_mesh(TARGET, VERTICES, [[0, 1, 30]])
    with pytest.raises(ka.ShapeError, match="vertices_target"):
        find_closest_points_on_mesh(TARGET, VERTICES[:, :2], FACES)
    with pytest.raises(ka.ShapeError, match="points: "):
        PointTree(np.zeros(3))
    with pytest.raises(ka.ShapeError, match="points: "):
        PointTree(TARGET).closest(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="triangle 0"):
        MeshTree(VERTICES, [[0, 1, 30]])


def test_every_argument_has_its_name():
    expected = find_closest_points(TARGET, TARGET + 0.1, 0.3)
    named = find_closest_points(points_source=TARGET, points_target=TARGET + 0.1, max_dist=0.3)
    for a, b in zip(named, expected, strict=True):
        np.testing.assert_array_equal(a, b)
    with_normals = find_closest_points(
        points_source=TARGET,
        normals_source=NORMALS,
        points_target=TARGET,
        normals_target=NORMALS,
        max_dist=0.3,
        max_normal_dot=0.2,
    )
    np.testing.assert_array_equal(with_normals[2], np.arange(60))


def test_a_gradient_is_not_dropped():
    torch = pytest.importorskip("torch")
    points = torch.zeros(3, 3, requires_grad=True)
    with pytest.raises(ka.GradientError, match="find_closest_points_on_mesh"):
        find_closest_points_on_mesh(points, VERTICES.astype(np.float32), FACES)


def test_results_do_not_depend_on_the_number_of_threads():
    source, target = RNG.normal(size=(3, 3000, 3)), RNG.normal(size=(4000, 3))
    try:
        ka.set_num_threads(1)
        one = find_closest_points(source, target)
        ka.set_num_threads(4)
        for a, b in zip(one, find_closest_points(source, target), strict=True):
            np.testing.assert_array_equal(a, b)
    finally:
        ka.set_num_threads(0)


def test_a_character_is_found_on_itself():
    mesh = ka.testing.create_humanoid(n_vertices=2000).mesh
    middles = np.asarray(mesh.vertices)[mesh.faces].mean(1)
    valid, points, face, bary = geometry.find_closest_points_on_mesh(
        middles, mesh.vertices, mesh.faces
    )
    assert valid.all()
    np.testing.assert_array_equal(face, np.arange(mesh.n_faces))
    np.testing.assert_allclose(points, middles, atol=1e-6)
    np.testing.assert_allclose(bary, 1 / 3, atol=1e-3)
