"""The array contract: every function, every kind of array, both precisions, every batch shape."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

import kinarray as ka
from kinarray import geometry, interop, quaternion, skel_state, trs
from kinds import EVERY_KIND, FLOATS, KINDS, Kind

# Libraries whose arrays have one axis at least.
COLUMNS = {"pyarrow", "pandas", "polars", "arro3", "duckdb", "nanoarrow"}

BATCHES = [(), (1,), (5,), (2, 3), (2, 1, 3), (2, 1, 2, 2), (0,), (3, 0)]


@pytest.fixture(scope="module")
def character():
    return with_shapes(ka.testing.create_humanoid(n_vertices=600))


def with_shapes(character):
    """The same character with a shape of every kind."""
    rng = np.random.default_rng(6)
    base = character.mesh.vertices
    vectors = (0.05 * rng.normal(size=(8, *base.shape))).astype(np.float32)
    body = geometry.BlendShape.from_tensors(base, vectors[:3])
    face = geometry.BlendShapeBase.from_tensors(vectors[3:5])
    pose = geometry.PoseShape(base, vectors, 0, [2, 5])
    character = character.with_blend_shape(body).with_face_expression_blend_shape(face)
    return character.with_pose_shape(pose)


@dataclasses.dataclass(frozen=True)
class Function:
    """A public function of one leading array; `core` is the shape of one item of it."""

    name: str
    core: Callable[[geometry.Character], tuple[int, ...]]
    call: Callable[..., object]
    spread: float = 0.3

    def __str__(self) -> str:
        return self.name


def _simple(name: str, core) -> Function:
    return Function(name, core, lambda c, x, **kw: getattr(geometry, name)(c, x, **kw))


def parameters(c):
    return (c.parameter_transform.size,)


def joints(c):
    return (len(c.skeleton), 7)


def flat_joints(c):
    return (7 * len(c.skeleton),)


def states(c):
    return (len(c.skeleton), 8)


def matrices(c):
    return (len(c.skeleton), 4, 4)


def vertices(c):
    return (c.mesh.n_vertices, 3)


def body_shapes(c):
    return (c.blend_shape.n_shapes,)


def face_shapes(c):
    return (c.face_expression_blend_shape.n_shapes,)


def points(c):
    return (3,)


def _algebra(module, name: str, core: tuple[int, ...]) -> Function:
    def call(c, x, **kw):
        return getattr(module, name)(x, **kw)

    return Function(f"{module.__name__.rpartition('.')[2]}.{name}", lambda c: core, call, 1.0)


POINTS = [0, 3, 3]


def shaping(c):
    """Model parameters as Python numbers, which have no precision of their own."""
    return [0.1] * c.parameter_transform.size


OFFSETS = np.array([[0.0, 0.0, 0.0], [0.1, 0.0, -0.2], [0.3, 0.2, 0.1]], np.float32)


def prior(c):
    """A pose prior of two of the character's parameters and one that it lacks."""
    names = [*c.parameter_transform.names[3:5], "absent"]
    axes = [[[0.3, 0.1, 0.2]], [[0.1, -0.2, 0.4]]]
    return geometry.Mppca([0.4, 0.6], [[0.1, 0, 0], [0, 0.2, -0.3]], axes, [0.2, 0.3], names)


FIELD = geometry.SignedDistanceField(
    [[-0.5, -0.4, -0.3], [0.5, 0.6, 0.7]], np.sin(np.arange(60.0)).reshape(3, 4, 5)
)


def with_parts(c):
    """The same character with skinned locators."""
    parents = [[1, 2], [3, 0], [4, 5]]
    return c.with_skinned_locators(
        [geometry.SkinnedLocator(f"s{p}", p, [0.3, 0.7], [0.1, 1.0, 0.2]) for p in parents]
    )


ALGEBRA = [
    *(_algebra(quaternion, name, (4,)) for name in ("normalize", "inverse", "to_rotation_matrix")),
    _algebra(quaternion, "from_axis_angle", (3,)),
    _algebra(quaternion, "from_rotation_matrix", (3, 3)),
    _algebra(skel_state, "from_translation", (3,)),
    _algebra(skel_state, "to_matrix", (8,)),
    _algebra(trs, "rotmat_from_euler_xyz", (3,)),
    _algebra(trs, "rotmat_inverse", (3, 3)),
]

FUNCTIONS = [
    _simple("apply_parameter_transform", parameters),
    *ALGEBRA,
    Function(
        "apply_parameter_transform(flatten=False)",
        parameters,
        lambda c, x, **kw: geometry.apply_parameter_transform(c, x, False, **kw),
    ),
    Function(
        "ParameterTransform.apply",
        parameters,
        lambda c, x, **kw: c.parameter_transform.apply(x, **kw),
    ),
    Function(
        "InverseParameterTransform.apply",
        flat_joints,
        lambda c, x, **kw: c.parameter_transform.inverse().apply(x, **kw),
    ),
    _simple("model_parameters_to_joint_parameters", parameters),
    _simple("model_parameters_to_local_skeleton_state", parameters),
    _simple("model_parameters_to_skeleton_state", parameters),
    Function(
        "model_parameters_to_positions",
        parameters,
        lambda c, x, **kw: geometry.model_parameters_to_positions(c, x, POINTS, OFFSETS, **kw),
    ),
    _simple("joint_parameters_to_local_skeleton_state", joints),
    _simple("joint_parameters_to_skeleton_state", joints),
    Function(
        "joint_parameters_to_skeleton_state(flat)",
        flat_joints,
        lambda c, x, **kw: geometry.joint_parameters_to_skeleton_state(c, x, **kw),
    ),
    Function(
        "joint_parameters_to_positions",
        flat_joints,
        lambda c, x, **kw: geometry.joint_parameters_to_positions(c, x, POINTS, OFFSETS, **kw),
    ),
    Function(
        "map_model_parameters",
        parameters,
        lambda c, x, **kw: geometry.map_model_parameters(
            x, c.parameter_transform.names[::-1], c, **kw
        ),
    ),
    Function(
        "map_joint_parameters",
        joints,
        lambda c, x, **kw: geometry.map_joint_parameters(x, c, c, **kw),
    ),
    Function(
        "map_joint_parameters(flat)",
        flat_joints,
        lambda c, x, **kw: geometry.map_joint_parameters(x, c, c, **kw),
    ),
    _simple("uniform_random_to_model_parameters", parameters),
    _simple("model_parameters_to_blend_shape_coefficients", parameters),
    _simple("model_parameters_to_face_expression_coefficients", parameters),
    _simple("apply_model_param_limits", parameters),
    Function(
        "apply_inverse_parameter_transform",
        joints,
        lambda c, x, **kw: geometry.apply_inverse_parameter_transform(
            c.parameter_transform.inverse(), x, **kw
        ),
    ),
    Function(
        "Character.apply_model_param_limits",
        parameters,
        lambda c, x, **kw: c.apply_model_param_limits(x, **kw),
        spread=1.0,
    ),
    _simple("parameter_limit_residuals", parameters),
    _simple("parameter_limit_energy", parameters),
    Function(
        "Mppca.residuals",
        parameters,
        lambda c, x, **kw: prior(c).residuals(x, c.parameter_transform, **kw),
    ),
    Function(
        "Mppca.log_probability",
        parameters,
        lambda c, x, **kw: prior(c).log_probability(x, c.parameter_transform, **kw),
    ),
    Function(
        "BlendShape.compute_shape",
        body_shapes,
        lambda c, x, **kw: c.blend_shape.compute_shape(x, **kw),
    ),
    Function(
        "BlendShapeBase.compute_shape",
        face_shapes,
        lambda c, x, **kw: c.face_expression_blend_shape.compute_shape(x, **kw),
    ),
    Function(
        "compute_blend_shape",
        body_shapes,
        lambda c, x, **kw: geometry.compute_blend_shape(c.blend_shape, x, **kw),
    ),
    Function(
        "BlendShape.estimate_coefficients",
        vertices,
        lambda c, x, **kw: c.blend_shape.estimate_coefficients(x, 0.1, **kw),
    ),
    Function(
        "PoseShape.compute_shape", states, lambda c, x, **kw: c.pose_shape.compute_shape(x, **kw)
    ),
    Function(
        "Character.rest_vertices",
        parameters,
        lambda c, x, **kw: c.rest_vertices(x, **kw),
    ),
    Function(
        "skin_points(model_parameters)",
        states,
        lambda c, x, **kw: c.skin_points(x, model_parameters=shaping(c), **kw),
    ),
    _simple("skeleton_state_to_joint_parameters", states),
    _simple("local_skeleton_state_to_joint_parameters", states),
    Function("skin_points", states, lambda c, x, **kw: c.skin_points(x, **kw)),
    Function("skin_points(function)", states, lambda c, x, **kw: geometry.skin_points(c, x, **kw)),
    Function("skin_points(matrices)", matrices, lambda c, x, **kw: c.skin_points(x, **kw)),
    Function(
        "skin_points(rest_vertices)",
        states,
        lambda c, x, **kw: c.skin_points(x, c.mesh.vertices, **kw),
    ),
    Function(
        "skin_points_dual_quaternion",
        states,
        lambda c, x, **kw: c.skin_points_dual_quaternion(x, **kw),
    ),
    Function(
        "skin_skinned_locators",
        states,
        lambda c, x, **kw: with_parts(c).skin_skinned_locators(x, **kw),
    ),
    Function("locators", states, lambda c, x, **kw: c.locator_positions(x, **kw)),
    _simple("collision_overlaps", states),
    Function("SignedDistanceField.sample", points, lambda c, x, **kw: FIELD.sample(x, **kw)),
    Function("SignedDistanceField.gradient", points, lambda c, x, **kw: FIELD.gradient(x, **kw)),
    Function(
        "compute_vertex_normals",
        vertices,
        lambda c, x, **kw: geometry.compute_vertex_normals(x, c.mesh.faces, **kw),
        spread=1.0,
    ),
]


SKIN_POINTS = next(f for f in FUNCTIONS if f.name == "skin_points")


def numbers(function: Function, character, batch: tuple[int, ...], dtype) -> np.ndarray:
    """Random numbers of the shape that the function takes; states are well-formed."""
    rng = np.random.default_rng(7)
    core = function.core(character)
    values = rng.normal(size=(*batch, *core)) * function.spread
    if core == states(character):
        values[..., 3:7] = rng.normal(size=(*batch, core[0], 4))
        values[..., 7] = rng.uniform(0.5, 2.0, size=(*batch, core[0]))
    return values.astype(dtype)


def call(function: Function, character, argument, **keywords):
    """The result and how many copies it cost."""
    before = interop.copies().count
    result = function.call(character, argument, **keywords)
    return result, interop.copies().count - before


def test_every_kind_of_array_is_here():
    missing = {kind.module for kind in EVERY_KIND} - {kind.module for kind in KINDS}
    if missing:
        pytest.skip(f"the contract ran without {', '.join(sorted(missing))}: not installed")


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("function", FUNCTIONS, ids=str)
def test_every_function_gives_back_what_it_is_given(function, kind: Kind, dtype, character):
    core = function.core(character)
    for batch in BATCHES:
        values = numbers(function, character, batch, FLOATS[dtype])
        argument = kind.make(values, len(core))
        if argument is None:
            continue  # this kind cannot express this shape
        expected = function.call(character, values)
        untouched = kind.read(argument).copy() if kind.name != "list" else None

        result, copies = call(function, character, argument)

        where = f"{function} x {kind} x {batch}"
        assert kind.is_same(result), f"{where}: gave a {type(result)}"
        computed = "float64" if kind.name == "list" else dtype
        single = "positions" in function.name or "(rest_vertices)" in function.name
        if kind.name == "list" and single:
            computed = "float32"  # Python numbers follow the array beside them
        assert kind.dtype_of(result) == computed, where
        read = kind.read(result)
        if expected.shape == () and kind.module.split(".")[0] in COLUMNS:
            assert read.shape == (1,), where  # a column of one row
            read = read[0]
        assert read.shape == expected.shape, where
        if kind.name == "list":
            # A list carries no precision of its own.
            expected = function.call(character, values.astype(computed))
        # The same numbers in the same order: only how lanes are grouped may differ in the last places.
        tolerance = 1e-5 if computed == "float32" else 1e-12
        np.testing.assert_allclose(read, expected, rtol=tolerance, atol=tolerance, err_msg=where)
        if kind.name != "list":
            allowed = kind.copies if values.size else 0
            if "OFFSETS" in function.call.__code__.co_names and dtype == "float64":
                allowed += 1  # the float32 offsets are promoted, which is a documented copy
            if "(rest_vertices)" in function.name and dtype == "float64":
                allowed += 1
            assert copies <= allowed, f"{where}: {copies} copies"
            np.testing.assert_array_equal(kind.read(argument), untouched, err_msg=where)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("function", FUNCTIONS, ids=str)
def test_out_is_filled_in_place_and_returned(function, dtype, character):
    values = numbers(function, character, (3,), FLOATS[dtype])
    expected = function.call(character, values)
    out = np.full_like(expected, np.nan)
    address = out.ctypes.data
    result, copies = call(function, character, values, out=out)
    assert result is out
    assert out.ctypes.data == address
    np.testing.assert_array_equal(out, expected)
    promoted = dtype == "float64" and ("positions" in function.name or "(rest" in function.name)
    assert copies <= int(promoted)


@pytest.mark.parametrize("function", FUNCTIONS, ids=str)
def test_half_precision_is_computed_in_float32_and_comes_back_as_it_was(function, character):
    values = numbers(function, character, (2,), np.float16)
    result = function.call(character, values)
    beside_float32 = "positions" in function.name or "(rest_vertices)" in function.name
    dtype = np.float32 if beside_float32 else np.float16
    assert result.dtype == dtype
    expected = function.call(character, values.astype(np.float32)).astype(dtype)
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("function", FUNCTIONS, ids=str)
def test_a_batch_is_the_same_as_one_by_one(function, dtype, character):
    values = numbers(function, character, (37,), FLOATS[dtype])
    together = function.call(character, values)
    tolerance = 2e-5 if dtype == "float32" else 1e-12
    for one, expected in zip(values, together, strict=True):
        single = function.call(character, one)
        np.testing.assert_allclose(single, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("function", FUNCTIONS, ids=str)
def test_results_are_aligned_for_every_framework(function, character):
    result = function.call(character, numbers(function, character, (4,), np.float32))
    assert result.ctypes.data % 64 == 0


def test_batch_axes_of_states_and_rest_points_broadcast(character):
    rng = np.random.default_rng(3)
    core = len(character.skeleton)
    state = np.tile(np.array([0, 0, 0, 0, 0, 0, 1, 1.0]), (4, 1, core, 1))
    state[..., :3] = rng.normal(size=(4, 1, core, 3))
    rest = rng.normal(size=(3, character.mesh.n_vertices, 3))
    together = character.skin_points(state, rest)
    assert together.shape == (4, 3, character.mesh.n_vertices, 3)
    for i in range(4):
        for j in range(3):
            np.testing.assert_allclose(
                together[i, j], character.skin_points(state[i, 0], rest[j]), atol=1e-12
            )


def test_one_state_with_many_rest_meshes_is_a_batch(character):
    # PyMomentum refuses this: its first argument must have the batch axes.
    state = np.tile(np.array([0, 0, 0, 0, 0, 0, 1, 1.0]), (len(character.skeleton), 1))
    rest = np.random.default_rng(4).normal(size=(4, character.mesh.n_vertices, 3))
    assert character.skin_points(state, rest).shape == rest.shape


def test_mixed_kinds_follow_the_leading_array(character):
    torch = pytest.importorskip("torch")
    state = numbers(SKIN_POINTS, character, (2,), np.float32)
    rest = np.asarray(character.mesh.vertices, np.float32)
    result = character.skin_points(torch.from_numpy(state), rest)
    assert isinstance(result, torch.Tensor)
    assert isinstance(character.skin_points(state, torch.from_numpy(rest.copy())), np.ndarray)


def test_mixed_precision_is_promoted_never_rounded(character):
    state = numbers(SKIN_POINTS, character, (2,), np.float32)
    rest = np.random.default_rng(5).normal(size=(character.mesh.n_vertices, 3))
    mixed = character.skin_points(state, rest)
    assert mixed.dtype == np.float64
    np.testing.assert_array_equal(mixed, character.skin_points(state.astype(np.float64), rest))


def test_nan_stays_with_its_pose(character):
    poses = np.zeros((40, character.parameter_transform.size), np.float32)
    poses[7, 0] = np.nan
    state = geometry.model_parameters_to_skeleton_state(character, poses)
    assert np.isnan(state[7]).any()
    assert not np.isnan(np.delete(state, 7, axis=0)).any()


def test_results_do_not_depend_on_the_number_of_threads(character):
    poses = numbers(FUNCTIONS[0], character, (700,), np.float32)
    try:
        ka.set_num_threads(1)
        state = geometry.model_parameters_to_skeleton_state(character, poses)
        points = character.skin_points(state)
        ka.set_num_threads(4)
        np.testing.assert_array_equal(
            geometry.model_parameters_to_skeleton_state(character, poses), state
        )
        np.testing.assert_array_equal(character.skin_points(state), points)
    finally:
        ka.set_num_threads(0)
