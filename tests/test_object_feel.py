"""Objects behave like Python's own: hashed, iterated, searched, shown, sent to other processes."""

from __future__ import annotations

import copy
import functools
import html.parser
import multiprocessing
import pickle

import numpy as np
import pytest

import kinarray as ka
from kinarray import interop
from kinarray.geometry import (
    BlendShape,
    Box,
    Character,
    Ellipsoid,
    Joint,
    Locator,
    Material,
    ParameterLimit,
    ParameterTransform,
    Skeleton,
    TaperedCapsule,
)

IDENTITY = [0, 0, 0, 1]


@pytest.fixture(scope="module")
def humanoid():
    return ka.testing.create_humanoid(n_vertices=600)


def nouns(humanoid):
    return [
        humanoid,
        humanoid.skeleton,
        humanoid.skeleton[3],
        humanoid.parameter_transform,
        humanoid.mesh,
        humanoid.skin_weights,
        humanoid.locators[0],
        *humanoid.collision_geometry[:1],
        humanoid.parameter_limits[0],
        Material("skin", (0.8, 0.6, 0.5, 1), base_color_texture=b"\x89PNG..."),
        Ellipsoid(2, radii=[1, 2, 3]),
        Box(-1, half_extents=[1, 2, 3]),
        TaperedCapsule(0, np.eye(4), [0.1, 0.2], 0.5),
        BlendShape.from_tensors(np.zeros((4, 3)), np.ones((2, 4, 3)), ["smile", "frown"]),
    ]


def test_equal_objects_have_equal_hashes(humanoid):
    for noun in nouns(humanoid):
        for other in (pickle.loads(pickle.dumps(noun)), copy.deepcopy(noun), copy.copy(noun)):
            assert other == noun
            assert hash(other) == hash(noun)
        assert len({noun, pickle.loads(pickle.dumps(noun))}) == 1


def test_zero_and_minus_zero_are_one_place():
    plus, minus = (Joint("a", -1, IDENTITY, [zero, 0, 0]) for zero in (0.0, -0.0))
    assert plus == minus
    assert hash(plus) == hash(minus)


def test_different_objects_mostly_have_different_hashes(humanoid):
    assert len({hash(joint) for joint in humanoid.skeleton}) == len(humanoid.skeleton)
    assert (
        len({hash(limit) for limit in humanoid.parameter_limits})
        > len(humanoid.parameter_limits) / 2
    )
    assert len({hash(each) for each in humanoid.locators}) == len(humanoid.locators)
    assert hash(humanoid) != hash(humanoid.scaled(2))


def test_a_character_is_a_key(humanoid):
    calls = []

    @functools.lru_cache
    def expensive(character):
        calls.append(character)
        return len(character.skeleton)

    assert expensive(humanoid) == expensive(pickle.loads(pickle.dumps(humanoid)))
    assert len(calls) == 1


def test_a_character_is_static_under_jit(humanoid):
    jax = pytest.importorskip("jax")
    traced = []

    @functools.partial(jax.jit, static_argnums=0)
    def size(character, x):
        traced.append(character)
        return x * len(character.skeleton)

    size(humanoid, 1.0)
    size(humanoid.clone(), 2.0)
    assert len(traced) == 1


def test_names_are_found_and_typos_helped(humanoid):
    transform = humanoid.parameter_transform
    assert list(transform) == transform.names
    assert "root_tx" in transform
    assert "root_xt" not in transform
    assert 3 not in transform
    assert transform.names[transform.parameter_index("root_ry")] == "root_ry"
    assert transform.parameter_index("nothing", allow_missing=True) == -1
    with pytest.raises(KeyError, match="did you mean 'root_ry'"):
        transform.parameter_index("root_rry")
    with pytest.raises(KeyError, match="did you mean 'l_wrist'"):
        humanoid.skeleton["l_wrsit"]
    assert "l_wrist" in humanoid.skeleton
    assert humanoid.skeleton["l_wrist"] in humanoid.skeleton
    assert Joint("stranger", -1, IDENTITY, [0, 0, 0]) not in humanoid.skeleton
    assert 3 not in humanoid.skeleton
    assert [joint.name for joint in humanoid.skeleton] == humanoid.skeleton.joint_names


def views(humanoid):
    return {
        "vertices": humanoid.mesh.vertices,
        "normals": humanoid.mesh.normals,
        "weight": humanoid.skin_weights.weight,
        "offset": humanoid.locators[0].offset,
        "inverse_bind_pose": humanoid.inverse_bind_pose,
    }


@pytest.mark.parametrize("library", ["pyarrow", "polars", "memoryview"])
def test_data_is_seen_in_other_libraries_without_a_copy(humanoid, library):
    if library == "memoryview":
        like = memoryview(b"")
    elif library == "pyarrow":
        like = pytest.importorskip("pyarrow").array([0.0])
    else:
        like = pytest.importorskip("polars").Series([0.0])
    for name, array in views(humanoid).items():
        before = interop.copies().count
        seen = interop.asarray(array, like=like, copy=False)
        assert interop.kind_of(seen) == interop.kind_of(like), name
        assert interop.address(seen) == interop.address(array), name
        assert interop.copies().count == before, name


def test_torch_gets_a_copy_because_a_tensor_can_be_written_into(humanoid):
    torch = pytest.importorskip("torch")
    vertices = humanoid.mesh.vertices
    with pytest.raises(ValueError, match="read-only"):
        interop.asarray(vertices, like=torch.empty(0), copy=False)
    tensor = interop.asarray(vertices, like=torch.empty(0))
    tensor += 1
    np.testing.assert_allclose(tensor.numpy() - 1, vertices, atol=1e-6)


def test_a_view_outlives_its_owner():
    pa = pytest.importorskip("pyarrow")
    character = ka.testing.create_humanoid(n_vertices=600)
    want = character.mesh.vertices.copy()
    column = interop.asarray(character.mesh.vertices, like=pa.array([0.0]))
    del character
    np.testing.assert_array_equal(np.array(column.to_pylist(), np.float32), want)


class Strict(html.parser.HTMLParser):
    """Every tag is closed by its own end, in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text = [], set(), []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def shown(noun):
    parser = Strict()
    parser.feed(noun._repr_html_())
    parser.close()
    assert parser.open == []
    return parser


def test_notebooks_show_well_formed_pages(humanoid):
    for noun in (
        humanoid,
        humanoid.skeleton,
        humanoid.parameter_transform,
        humanoid.mesh,
        humanoid.skin_weights,
    ):
        assert type(noun).__name__ in "".join(shown(noun).text)
    page = " ".join(shown(humanoid).text)
    assert "unit m" in page
    for name in (*humanoid.skeleton.joint_names, *humanoid.parameter_transform.names):
        assert name in page
    cells = shown(humanoid.parameter_transform).text
    for text in ("rigid", "scaling", "pose", "0.tx"):
        assert text in cells
    assert str(humanoid.mesh.n_vertices) in shown(humanoid.mesh).text


def test_names_cannot_inject_markup():
    evil = '<img src=x onerror=alert(1)>&amp;"'
    skeleton = Skeleton([Joint(evil, -1, IDENTITY, [0, 0, 0])])
    transform = ParameterTransform([evil], skeleton, np.eye(7)[:, :1])
    character = Character(evil, skeleton, transform, locators=[Locator(evil, 0)])
    for noun in (character, skeleton, transform):
        page = shown(noun)
        assert "img" not in page.seen
        assert evil in "".join(page.text) or noun is transform
    assert evil in "".join(shown(transform).text)


def test_a_long_transform_is_cut():
    character = ka.testing.create_character(120, 500, 0, 0)
    page = shown(character.parameter_transform)
    assert "and 100 more" in page.text


def _points(character, pose):
    state = ka.geometry.model_parameters_to_skeleton_state(character, pose)
    return np.asarray(character.skin_points(state))


def test_a_spawned_process_gets_the_same_character(humanoid):
    simple = humanoid.simplify(humanoid.parameter_transform.rigid_parameters)
    pose = np.full(humanoid.parameter_transform.size, 0.1)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        far = pool.starmap(_points, [(humanoid, pose), (simple, pose)])
    np.testing.assert_array_equal(far[0], _points(humanoid, pose))
    np.testing.assert_array_equal(far[1], _points(simple, pose))


def test_limits_are_values():
    one, same, other = (ParameterLimit.create_minmax(3, -1, high) for high in (1, 1, 2))
    assert {one, same} == {one}
    assert one != other
