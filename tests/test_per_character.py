"""A list of characters is a batch axis: the same as one call for each, for every function and kind."""

from __future__ import annotations

import numpy as np
import pytest

import kinarray as ka
from kinarray import geometry
from kinds import FLOATS, KINDS


@pytest.fixture(scope="module")
def people():
    """Bodies of three sizes and poses of the same parameters."""
    first = ka.testing.create_humanoid(n_vertices=600)
    tips = [geometry.SkinnedLocator(f"s{p}", [p, p + 1], [0.3, 0.7], [0.1, 1, 0]) for p in (1, 4)]
    first = first.with_skinned_locators(tips)
    return [first, first.scaled(0.7), first.scaled(1.3)]


POINTS = [0, 3, 3]
OFFSETS = np.array([[0.0, 0.0, 0.0], [0.1, 0.0, -0.2], [0.3, 0.2, 0.1]])


def parameters(c):
    return (c.parameter_transform.size,)


def joints(c):
    return (len(c.skeleton), 7)


def states(c):
    return (len(c.skeleton), 8)


def plain(name):
    return lambda c, x, **kw: getattr(geometry, name)(c, x, **kw)


FUNCTIONS = {
    "apply_parameter_transform": (parameters, plain("apply_parameter_transform")),
    "model_parameters_to_joint_parameters": (
        parameters,
        plain("model_parameters_to_joint_parameters"),
    ),
    "model_parameters_to_local_skeleton_state": (
        parameters,
        plain("model_parameters_to_local_skeleton_state"),
    ),
    "model_parameters_to_skeleton_state": (
        parameters,
        plain("model_parameters_to_skeleton_state"),
    ),
    "model_parameters_to_positions": (
        parameters,
        lambda c, x, **kw: geometry.model_parameters_to_positions(
            c, x, POINTS, OFFSETS.astype(np.float32), **kw
        ),
    ),
    "uniform_random_to_model_parameters": (
        parameters,
        plain("uniform_random_to_model_parameters"),
    ),
    "apply_model_param_limits": (parameters, plain("apply_model_param_limits")),
    "skin_skinned_locators": (states, plain("skin_skinned_locators")),
    "joint_parameters_to_local_skeleton_state": (
        joints,
        plain("joint_parameters_to_local_skeleton_state"),
    ),
    "joint_parameters_to_skeleton_state": (joints, plain("joint_parameters_to_skeleton_state")),
    "joint_parameters_to_positions": (
        joints,
        lambda c, x, **kw: geometry.joint_parameters_to_positions(
            c, x, POINTS, OFFSETS.astype(np.float32), **kw
        ),
    ),
    "skeleton_state_to_joint_parameters": (states, plain("skeleton_state_to_joint_parameters")),
    "local_skeleton_state_to_joint_parameters": (
        states,
        plain("local_skeleton_state_to_joint_parameters"),
    ),
    "skin_points": (states, plain("skin_points")),
    "skin_points(rest_vertices)": (
        states,
        lambda c, x, **kw: geometry.skin_points(
            c, x, (c if isinstance(c, geometry.Character) else c[0]).mesh.vertices, **kw
        ),
    ),
}
BATCHES = [(3,), (1,), (), (2, 3), (2, 1), (4, 1, 3), (0, 3), (5, 0, 1)]


def numbers(core, batch, dtype):
    rng = np.random.default_rng(11)
    values = rng.normal(size=(*batch, *core)) * 0.3
    if core[-1] == 8:
        values[..., 3:7] = rng.normal(size=(*batch, core[0], 4))
        values[..., 7] = rng.uniform(0.5, 2.0, size=(*batch, core[0]))
    return values.astype(dtype)


def one_by_one(call, people, values, core):
    """The same by a call for each character, put together by NumPy."""
    lead = values.shape[: values.ndim - len(core)]
    whole = np.broadcast_to(values, (*np.broadcast_shapes(lead, (len(people),)), *core))
    axis = whole.ndim - len(core) - 1
    each = [
        np.asarray(call(person, np.ascontiguousarray(np.take(whole, at, axis))))
        for at, person in enumerate(people)
    ]
    return np.stack(each, axis)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_list_is_one_call_for_each(people, name, dtype):
    core_of, call = FUNCTIONS[name]
    core = core_of(people[0])
    # The rest points of one body for all of them, as the list has it.
    rest = people[0].mesh.vertices
    single = call
    if name.endswith("(rest_vertices)"):

        def single(c, x):
            return geometry.skin_points(c, x, rest)

    tolerance = 1e-5 if dtype == "float32" else 1e-12
    for batch in BATCHES:
        values = numbers(core, batch, FLOATS[dtype])
        got = call(people, values)
        want = one_by_one(single, people, values, core)
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance, err_msg=str(batch))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_kind_of_array_comes_back_as_it_came(people, kind):
    expressed = 0
    for batch in ((2, 3), (3,), ()):
        values = numbers(parameters(people[0]), batch, np.float32)
        argument = kind.make(values, 1)
        if argument is None:
            continue  # this kind cannot express this shape
        expressed += 1
        got = geometry.model_parameters_to_skeleton_state(people, argument)
        assert kind.is_same(got)
        want = geometry.model_parameters_to_skeleton_state(people, values)
        np.testing.assert_allclose(kind.read(got), want, rtol=1e-5, atol=1e-5)
    assert expressed


def test_strided_arguments_and_out(people):
    values = numbers(parameters(people[0]), (3, 4), np.float64)
    swapped = values.swapaxes(0, 1)
    want = geometry.model_parameters_to_skeleton_state(people, np.ascontiguousarray(swapped))
    np.testing.assert_array_equal(
        geometry.model_parameters_to_skeleton_state(people, swapped), want
    )
    backwards = values[::-1, ::2].swapaxes(0, 1)
    np.testing.assert_array_equal(
        geometry.model_parameters_to_skeleton_state(people, backwards),
        geometry.model_parameters_to_skeleton_state(people, backwards.copy()),
    )
    out = np.empty_like(want)
    assert geometry.model_parameters_to_skeleton_state(people, swapped, out=out) is out
    np.testing.assert_array_equal(out, want)


def test_tuples_and_repeated_characters(people):
    pose = numbers(parameters(people[0]), (), np.float32)
    got = geometry.model_parameters_to_skeleton_state((people[0],) * 4, pose)
    assert got.shape == (4, len(people[0].skeleton), 8)
    assert (got == got[0]).all()
    alone = geometry.model_parameters_to_skeleton_state([people[1]], pose)
    np.testing.assert_array_equal(
        alone[0], geometry.model_parameters_to_skeleton_state(people[1], pose)
    )


def test_one_character_in_a_list_stretches(people):
    values = numbers(parameters(people[0]), (5,), np.float32)
    np.testing.assert_array_equal(
        geometry.model_parameters_to_skeleton_state(people[:1], values),
        geometry.model_parameters_to_skeleton_state(people[0], values),
    )


def test_many_characters(people):
    """More than are at work at a time, and with threads."""
    crowd = people * 40
    values = numbers(parameters(people[0]), (len(crowd),), np.float32)
    states = geometry.model_parameters_to_skeleton_state(crowd, values)
    points = geometry.skin_points(crowd, states)
    for at in (0, 1, 64, 119):
        own = geometry.model_parameters_to_skeleton_state(crowd[at], values[at])
        np.testing.assert_allclose(states[at], own, atol=1e-5)
        np.testing.assert_allclose(points[at], crowd[at].skin_points(own), atol=1e-5)


def test_skin_points_is_the_method(people):
    state = numbers(states(people[0]), (2,), np.float32)
    np.testing.assert_array_equal(
        geometry.skin_points(people[0], state), people[0].skin_points(state)
    )


def test_unequal_characters_are_named(people):
    pose = numbers(parameters(people[0]), (), np.float32)
    fewer = geometry.strip_joints(people[0], ["l_wrist"])
    lengths = len(fewer.skeleton), len(people[0].skeleton)
    with pytest.raises(
        ka.CharacterError,
        match=f"character 2: it has {lengths[0]} joints, but character 0 has {lengths[1]}",
    ):
        geometry.model_parameters_to_skeleton_state([people[0], people[1], fewer], pose)
    mask = people[0].parameter_transform.all_parameters
    mask[0] = False
    other = people[0].simplify_parameter_transform(mask)
    with pytest.raises(ka.CharacterError, match="model parameters"):
        geometry.model_parameters_to_skeleton_state([people[0], other], pose)
    # Where parameters play no part they may differ.
    joint_parameters = numbers(joints(people[0]), (), np.float32)
    geometry.joint_parameters_to_skeleton_state([people[0], other], joint_parameters)
    with pytest.raises(ka.CharacterError, match="unit 'cm'"):
        geometry.model_parameters_to_skeleton_state([people[0], people[0].in_unit("cm")], pose)
    larger = ka.testing.create_humanoid(n_vertices=2000)
    state = numbers(states(people[0]), (), np.float32)
    with pytest.raises(ka.CharacterError, match="vertices"):
        geometry.skin_points([people[0], larger], state)


def test_what_is_no_character_is_refused(people):
    pose = numbers(parameters(people[0]), (), np.float32)
    run = geometry.model_parameters_to_skeleton_state
    with pytest.raises(ValueError, match="empty list"):
        run([], pose)
    with pytest.raises(TypeError, match="place 1, got int"):
        run([people[0], 3], pose)
    with pytest.raises(TypeError, match="a Character, or a list or tuple"):
        run("people", pose)
    with pytest.raises(TypeError, match="a Character, or a list or tuple"):
        run(None, pose)
    with pytest.raises(ka.ShapeError, match="3 characters"):
        run(people, np.zeros((4, pose.size), np.float32))
    with pytest.raises(ka.ShapeError, match="model_parameters"):
        run(people, np.zeros((3, pose.size - 1), np.float32))
