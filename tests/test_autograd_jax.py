"""Differentiable twins under JAX: every transformation, beside the same written in plain JAX."""

from __future__ import annotations

import functools
import inspect
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import kinarray as ka
from differentiable import cases, small
from kinarray import autograd

jax = pytest.importorskip("jax")

import jax.numpy as jnp
from jax.test_util import check_grads

from kinarray.autograd import jax as bridge

rotate = autograd.quaternion.rotate_vector


@pytest.fixture(autouse=True, scope="module")
def float64():
    enable = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
    with enable(True):
        yield


@pytest.fixture(scope="module")
def character():
    return small()


def random(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape))


@pytest.fixture(scope="module")
def arrays():
    """A quaternion for each of three rows, and vectors of which two columns share it."""
    return random(3, 1, 4), random(3, 2, 3, seed=1)


# The same in plain JAX -------------------------------------------------------------------------------


CROSS = np.zeros((3, 3, 3))
CROSS[[0, 1, 2], [1, 2, 0], [2, 0, 1]] = 1
CROSS[[0, 1, 2], [2, 0, 1], [1, 2, 0]] = -1


def cross(a, b):
    """Quicker to compile than JAX's own."""
    return jnp.einsum("ijk,...j,...k->...i", CROSS, a, b)


def plain_rotate(q, v):
    q = q / jnp.linalg.norm(q, axis=-1, keepdims=True)
    axis, twice = q[..., :3], 2 * cross(q[..., :3], v)
    return v + q[..., 3:] * twice + cross(axis, twice)


def product(p, q):
    (a, s), (b, t) = (p[..., :3], p[..., 3:]), (q[..., :3], q[..., 3:])
    dot = jnp.sum(a * b, axis=-1, keepdims=True)
    return jnp.concatenate([s * b + t * a + cross(a, b), s * t - dot], axis=-1)


def plain_skeleton_state(character, parameters):
    """Forward kinematics with one quaternion a step."""
    transform = jnp.asarray(character.parameter_transform.transform, "float64")
    skeleton = character.skeleton
    offsets = jnp.asarray(skeleton.offsets, "float64")
    pre_rotations = jnp.asarray(skeleton.pre_rotations, "float64")
    joints = (parameters @ transform.T).reshape(*parameters.shape[:-1], -1, 7)
    states = []
    for joint, parent in enumerate(np.asarray(skeleton.joint_parents)):
        rotation = pre_rotations[joint]
        for axis in (2, 1, 0):
            angle = joints[..., joint, 3 + axis, None] / 2
            turn = [jnp.zeros_like(angle)] * 3 + [jnp.cos(angle)]
            turn[axis] = jnp.sin(angle)
            rotation = product(rotation, jnp.concatenate(turn, axis=-1))
        translation = offsets[joint] + joints[..., joint, :3]
        scale = jnp.exp2(joints[..., joint, 6:])
        if parent >= 0:
            above, turned, scaled = states[parent]
            translation = above + scaled * plain_rotate(turned, translation)
            rotation, scale = product(turned, rotation), scaled * scale
        states.append((translation, rotation, scale))
    return jnp.stack([jnp.concatenate(state, axis=-1) for state in states], axis=-2)


def posed(state):
    """What does not depend on the signs of quaternions."""
    points = jnp.asarray(np.eye(3))[:, None]
    turned = plain_rotate(state[..., 3:7], points) * state[..., 7:]
    return jnp.sin(state[..., :3]).sum() + (turned * jnp.cos(turned)).sum()


def same(found, expected, tolerance=1e-11):
    found, expected = map(jax.tree_util.tree_leaves, (found, expected))
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


# Derivatives -----------------------------------------------------------------------------------------


def total(function):
    return lambda q, v: jnp.sum(jnp.sin(function(q, v)))


BOTH = (0, 1)
TRANSFORMATIONS = {
    "call": lambda f: f,
    "grad": lambda f: jax.grad(total(f), BOTH),
    "grad by one": lambda f: jax.grad(total(f), 1),
    "value_and_grad": lambda f: jax.value_and_grad(total(f), BOTH),
    "jvp": lambda f: lambda q, v: jax.jvp(f, (q, v), (q + 1, v * v)),
    "jvp by one": lambda f: lambda q, v: jax.jvp(lambda v: f(q, v), (v,), (v * v,)),
    "linearize": lambda f: lambda q, v: jax.linearize(f, q, v)[1](q + 1, v * v),
    "linear_transpose": lambda f: (
        lambda q, v: jax.linear_transpose(jax.linearize(f, q, v)[1], q, v)(v)
    ),
    "jacfwd": lambda f: jax.jacfwd(f, BOTH),
    "jacrev": lambda f: jax.jacrev(f, BOTH),
    "hessian": lambda f: jax.hessian(total(f), BOTH),
    "forward over forward": lambda f: jax.jacfwd(jax.jacfwd(f, BOTH), BOTH),
    "reverse over forward": lambda f: jax.jacrev(jax.jacfwd(f, BOTH), BOTH),
    "reverse over reverse": lambda f: jax.jacrev(jax.jacrev(f, BOTH), BOTH),
    "checkpoint": lambda f: jax.hessian(jax.checkpoint(total(f)), BOTH),
    "cond": lambda f: jax.grad(
        lambda q, v: jnp.sum(jax.lax.cond(q.sum() > 0, f, lambda q, v: v, q, v)), BOTH
    ),
    "scan": lambda f: jax.hessian(functools.partial(repeated, f), BOTH),
    "scan of checkpoint": lambda f: jax.hessian(
        functools.partial(repeated, lambda q, v: jax.checkpoint(f)(q, v)), BOTH
    ),
    "fori_loop": lambda f: (
        lambda q, v: jax.jvp(
            lambda q, v: jax.lax.fori_loop(0, 3, lambda _, x: f(q, x), v), (q, v), (q, v)
        )
    ),
    "vmap": lambda f: jax.vmap(f),
    "vmap of grad": lambda f: jax.vmap(jax.grad(total(f), BOTH)),
    "vmap of hessian": lambda f: jax.vmap(jax.hessian(total(f), BOTH)),
    "grad of vmap": lambda f: jax.grad(total(jax.vmap(f)), BOTH),
    "hessian of vmap": lambda f: jax.hessian(total(jax.vmap(f)), BOTH),
    "vmap of jacrev": lambda f: jax.vmap(jax.jacrev(f, BOTH)),
}


def repeated(function, q, v):
    def step(x, row):
        x = function(q, x) + row
        return x, jnp.sum(jnp.cos(x))

    return jnp.sum(jax.lax.scan(step, v, jnp.stack([v, v * v]))[1])


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_transformations_are_those_of_plain_jax(arrays, name):
    transform = TRANSFORMATIONS[name]
    expected = jax.jit(transform(plain_rotate))(*arrays)
    same(transform(rotate)(*arrays), expected)
    same(jax.jit(transform(rotate))(*arrays), expected)


def test_derivatives_are_those_of_finite_differences(arrays):
    check_grads(rotate, arrays, order=2, modes=("fwd", "rev"))
    check_grads(
        jax.vmap(rotate, (None, 0)), (arrays[0], arrays[1][None]), order=2, modes=("fwd", "rev")
    )


# The mapped axis of each argument, and of the result.
AXES = [
    ((0, None), 0),
    ((None, 0), 0),
    ((2, 1), 0),
    ((1, None), 2),
    ((None, -1), 1),
    ((-2, 0), -1),
]


@pytest.mark.parametrize(("axes", "out"), AXES)
@pytest.mark.parametrize("shapes", [((2, 4), (3,)), ((4,), (5, 2, 3)), ((2, 4), (5, 2, 3))])
def test_axes_are_mapped_wherever_they_are(axes, out, shapes):
    def widened(x, axis):
        return x if axis is None else jnp.stack([x, x + 1, x * 2], axis=axis)

    last = [
        min(axis, len(shape)) if axis is not None else None for axis, shape in zip(axes, shapes)
    ]
    given = [widened(random(*shape), axis) for shape, axis in zip(shapes, last)]
    out = min(out, 1)

    def values(function):
        return lambda q, v: (
            function(q, v),
            jax.jvp(function, (q, v), (v.sum() * q, v)),
            jax.jvp(lambda v: function(q, v), (v,), (v * 2,)),
        )

    def gradients(function):
        return lambda q, v: (
            jax.grad(total(function), BOTH)(q, v),
            jax.grad(total(function), 0)(q, v),
            jax.jvp(lambda v: jax.grad(total(function), BOTH)(q, v), (v,), (v * 2,)),
        )

    for transform, place in ((values, out), (gradients, 0)):
        found, expected = (
            jax.jit(jax.vmap(transform(f), last, place))(*given) for f in (rotate, plain_rotate)
        )
        same(found, expected)


def test_maps_of_maps(arrays):
    q, v = random(3, 4), random(5, 3, 2, seed=1)

    def mapped(function):
        one = jax.vmap(jax.hessian(total(function), BOTH), (None, 1))
        return jax.vmap(jax.vmap(one, (None, 0)), (0, None), out_axes=1)

    same(mapped(rotate)(q, v), mapped(plain_rotate)(q, v))


def test_axes_without_rows():
    q, v = jnp.ones((4,)), jnp.ones((0, 3))
    gradients = jax.jit(jax.grad(total(rotate), BOTH))(q, v)
    same(gradients, (jnp.zeros(4), v))
    same(jax.vmap(jax.grad(total(rotate)), (None, 0))(q, v), jnp.ones((0, 4)))


# Every function --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(cases()))
def test_every_function(name):
    case = cases()[name]
    arrays = [jnp.asarray(x) for x in case.arguments()]
    directions = [jnp.asarray(x) for x in case.arguments(seed=2)]
    places = tuple(range(len(arrays)))

    def energy(*x):
        return jnp.sum(jnp.sin(case.function(*x)))

    gradient = jax.grad(energy, places)

    @jax.jit
    def all_ways(*x):
        pushed = jax.jvp(case.function, x, tuple(directions))
        along = jax.jvp(gradient, x, tuple(directions))
        back = jax.grad(
            lambda *x: sum(jnp.sum(g * d) for g, d in zip(gradient(*x), directions)), places
        )
        return pushed, along, back(*x)

    (value, rate), (slopes, curved), curved_back = all_ways(*arrays)
    np.testing.assert_allclose(value, case.function(*map(np.asarray, arrays)), rtol=0, atol=1e-13)
    same(curved_back, curved, 1e-9)
    pulled = sum(jnp.sum(g * d) for g, d in zip(slopes, directions))
    np.testing.assert_allclose(pulled, jnp.sum(jnp.cos(value) * rate), rtol=1e-9, atol=1e-10)

    step = 1e-6
    around = [[x + sign * step * d for x, d in zip(arrays, directions)] for sign in (1, -1)]
    ahead, behind = (case.function(*map(np.asarray, x)) for x in around)
    np.testing.assert_allclose(rate, (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-6)
    for found, ahead, behind in zip(curved, *(jax.jit(gradient)(*x) for x in around)):
        np.testing.assert_allclose(found, (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-5)

    rows = [jnp.asarray(x) for x in case.arguments((3,))]
    mapped = jax.jit(jax.vmap(jax.value_and_grad(energy, places), 0))(*rows)
    one_by_one = [jax.jit(jax.value_and_grad(energy, places))(*row) for row in zip(*rows)]
    stacked = jax.tree_util.tree_map(lambda *each: jnp.stack(each), *one_by_one)
    same(mapped, stacked, 1e-10)


# Characters ------------------------------------------------------------------------------------------


def test_forward_kinematics(character):
    forward = functools.partial(autograd.model_parameters_to_skeleton_state, character)
    plain = functools.partial(plain_skeleton_state, character)
    poses = 0.3 * random(2, 3, character.parameter_transform.size)
    pose = poses[0, 0]
    # The character's own numbers are of float32.
    tolerance = 1e-6
    np.testing.assert_allclose(
        jax.jit(forward)(poses)[..., :3], plain(poses)[..., :3], atol=tolerance
    )
    ours, theirs = (lambda x, f=f: posed(f(x)) for f in (forward, plain))
    same(jax.jit(jax.grad(ours))(poses), jax.jit(jax.grad(theirs))(poses), tolerance)
    same(jax.jit(jax.hessian(ours))(pose), jax.jit(jax.hessian(theirs))(pose), tolerance)
    mapped = [jax.jit(jax.vmap(jax.vmap(jax.grad(f)), 1, 1))(poses) for f in (ours, theirs)]
    same(*mapped, tolerance)
    same(jax.jit(jax.jacrev(forward))(pose), jax.jit(jax.jacfwd(forward))(pose))


def test_a_pose_is_found_by_its_points(character):
    """Descent inside of a compiled loop."""
    forward = functools.partial(autograd.model_parameters_to_skeleton_state, character)
    size = character.parameter_transform.size
    sought = forward(0.2 * random(size))[..., :3]

    def loss(pose):
        return jnp.sum((forward(pose)[..., :3] - sought) ** 2)

    @jax.jit
    def solve(pose):
        def step(pose, _):
            hessian, gradient = jax.hessian(loss)(pose), jax.grad(loss)(pose)
            return pose - jnp.linalg.solve(hessian + 1e-3 * jnp.eye(size), gradient), loss(pose)

        return jax.lax.scan(step, pose, None, length=60)

    pose, losses = solve(jnp.zeros(size))
    assert loss(pose) < 1e-6 * losses[0]


# Types and arguments ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (("float32", "float32"), "float32"),
        (("float32", "float64"), "float64"),
        (("float64", "bfloat16"), "float64"),
        (("bfloat16", "bfloat16"), "bfloat16"),
        (("float16", "float16"), "float16"),
        (("float16", "bfloat16"), "float32"),
        (("float16", "float32"), "float32"),
    ],
)
def test_precisions(arrays, types, expected):
    q, v = (x.astype(kind) for x, kind in zip(arrays, types))
    found = jax.jit(rotate)(q, v)
    assert found.dtype == expected
    assert found.dtype == ka.quaternion.rotate_vector(q, v).dtype
    gradients = jax.jit(jax.grad(lambda q, v: rotate(q, v).astype("float32").sum(), BOTH))(q, v)
    assert tuple(str(x.dtype) for x in gradients) == types
    expected = plain_rotate(*(x.astype("float64") for x in (q, v)))
    tolerance = 3e-2 if found.dtype.itemsize == 2 else 1e-6
    np.testing.assert_allclose(found.astype("float64"), expected, rtol=tolerance, atol=tolerance)


def test_constants_among_the_arrays(arrays):
    q, v = arrays
    expected = rotate(q, v)
    same(jax.jit(lambda v: rotate(np.asarray(q), v))(v), expected)
    same(jax.jit(lambda q: rotate(q, np.asarray(v, "float32")))(q), rotate(q, v.astype("float32")))
    same(jax.jit(lambda q: rotate(q, [1, 2, 3]))(q), rotate(q, jnp.asarray([1.0, 2.0, 3.0])))
    one = jax.grad(lambda x: rotate(q, [x, 2.0, 3.0]).sum())(1.0)
    same(one, jax.grad(lambda x: rotate(q, jnp.stack([x, 2.0, 3.0])).sum())(1.0))
    pa = pytest.importorskip("pyarrow")
    same(jax.jit(lambda q: rotate(q, pa.array([1.0, 2.0, 3.0])))(q), rotate(q, [1.0, 2.0, 3.0]))
    single = jax.jit(lambda q: rotate(q, [1, 2, 3]))(q.astype("float32"))
    assert single.dtype == "float32"


def test_without_64_bit_types(arrays):
    enable = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
    q, v = (np.asarray(x) for x in arrays)
    with enable(False):
        found = jax.jit(lambda q: rotate(q, v))(jnp.asarray(q, "float32"))
        assert found.dtype == "float32"
    np.testing.assert_allclose(found, rotate(q, v), atol=1e-5)


def test_whole_numbers_are_refused(arrays):
    for wrong in (jnp.arange(3), np.arange(3), jnp.ones(3, bool), jnp.ones(3, "complex64")):
        with pytest.raises(ka.DTypeError, match=r"^v: expected float32 or float64 .*, got "):
            jax.jit(lambda q, wrong=wrong: rotate(q, wrong))(arrays[0])
    with pytest.raises(ka.DTypeError, match=r"^v: .*got int"):
        jax.jit(rotate)(arrays[0], jnp.arange(3))


def test_shapes_that_do_not_fit_are_refused_while_tracing():
    with pytest.raises(ka.ShapeError, match=r"^v: expected \(\.\.\., 3\), got \(2,\)"):
        jax.jit(rotate)(jnp.ones(4), jnp.ones(2))
    with pytest.raises(ka.ShapeError, match="rotate_vector"):
        jax.eval_shape(rotate, jnp.ones((2, 4)), jnp.ones((3, 3)))


# Errors ----------------------------------------------------------------------------------------------


def test_third_derivatives_are_refused(arrays):
    q, v = arrays
    second = {
        "jvp of jvp": jax.jacfwd(jax.jacfwd(total(rotate))),
        "jvp of vjp": jax.hessian(total(rotate)),
        "vjp of vjp": jax.grad(lambda q, v: jax.grad(total(rotate))(q, v).sum()),
    }
    for derivative in second.values():
        derivative(q, v)
        for third in (jax.jacfwd, jax.jacrev):
            with pytest.raises(ka.GradientError, match=r"^rotate_vector: .*above the second order"):
                third(derivative)(q, v)
    # By its linear arguments a second derivative is differentiated as often as one likes.
    hessian_product = jax.linearize(jax.grad(total(rotate)), q, v)[1]
    jax.hessian(lambda t: jnp.sum(hessian_product(t, v) ** 3))(q)


def test_errors_of_the_handler_are_exceptions():
    q, v = random(4), random(3)
    rotate_once = jax.jit(lambda q, v: rotate(q, v)).lower(q, v)
    assert "kinarray_call" in rotate_once.as_text()

    def call(operation=0, results=(3,), inputs=(q, v), **attributes):
        values = {
            "operation": operation,
            "process": 0,
            "verb": 0,
            "present": 0,
            "wanted": 0,
        } | attributes
        values = {name: np.int64(value) for name, value in values.items()}
        shape = jax.ShapeDtypeStruct(results, "float64")
        ffi_call = bridge._ffi.ffi_call
        if "args" in inspect.signature(ffi_call).parameters:  # until JAX 0.4.37
            return jax.jit(lambda *x: ffi_call("kinarray_call", shape, *x, **values))(*inputs)
        return jax.jit(lambda *x: ffi_call("kinarray_call", shape)(*x, **values))(*inputs)

    number = int(rotate_once.as_text().split("operation = ")[1].split(" ")[0])
    same(call(number), rotate(q, v))
    for wrong, message in [
        ({"operation": 2**62}, "there is no operation 4611686018427387904 in this process"),
        ({"operation": number, "process": 1}, "compiled in another process"),
        ({"operation": number, "verb": 5}, "there is no verb 5"),
        ({"operation": number, "results": (4,)}, "rotate_vector: the result: expected"),
        ({"operation": number, "inputs": (q,)}, "rotate_vector: expected 2 arrays, got 1"),
        ({"operation": number, "inputs": (q, v.astype("float32"))}, "float32 beside float64"),
        ({"operation": number, "inputs": (q.astype("int32"), v)}, "expected arrays of one type"),
        ({"operation": number, "verb": 1, "present": 1 << 40}, "inputs that it does not have"),
        ({"operation": number, "inputs": (q, q)}, "v: expected (..., 3), got (4,)"),
    ]:
        with pytest.raises(Exception, match=re.escape(message)):
            np.asarray(call(**wrong))


# Compiling -------------------------------------------------------------------------------------------


def test_equal_operations_are_compiled_once(arrays, character):
    q, v = arrays
    vector_first = random(3)
    jax.jvp(rotate, (q, v), (q, v))
    before = bridge._compiled.cache_info()
    for _ in range(3):
        jax.jvp(rotate, (q, v), (q, v))
        jax.jvp(lambda q: rotate(q, v), (q,), (q,))
    after = bridge._compiled.cache_info()
    assert after.misses <= before.misses + 1
    assert after.hits > before.hits

    traced = 0

    @functools.partial(jax.jit, static_argnums=0)
    def outer(function, q):
        nonlocal traced
        traced += 1
        return function(q, vector_first)

    for _ in range(3):
        outer(rotate, q)
    assert traced == 1
    # Every call makes an operation; equal ones have one number.
    forward = functools.partial(autograd.model_parameters_to_skeleton_state, character)
    pose = jnp.zeros(character.parameter_transform.size)
    texts = {jax.jit(lambda x: forward(x)).lower(pose).as_text() for _ in range(2)}
    assert len(texts) == 1


def test_programs_outlive_their_characters():
    character = ka.testing.create_character(4, 5, 8, 2)
    pose = 0.1 * random(5)
    expected = ka.geometry.model_parameters_to_skeleton_state(character, pose)
    compiled = (
        jax.jit(functools.partial(autograd.model_parameters_to_skeleton_state, character))
        .lower(pose)
        .compile()
    )
    del character
    bridge._compiled.cache_clear()
    jax.clear_caches()
    same(compiled(pose), jnp.asarray(expected), 1e-6)


def test_exported_programs_stay_at_home(arrays, tmp_path):
    export = pytest.importorskip("jax.export")
    allowed = [export.DisabledSafetyCheck.custom_call("kinarray_call")]
    exported = export.export(jax.jit(rotate), disabled_checks=allowed)(*arrays)
    same(jax.jit(exported.call)(*arrays), rotate(*arrays))
    size = export.symbolic_shape("n")[0]
    with pytest.raises(ka.ShapeError, match="known sizes"):
        export.export(jax.jit(rotate))(
            jax.ShapeDtypeStruct((size, 4), "float64"), jax.ShapeDtypeStruct((3,), "float64")
        )
    pytest.importorskip("flatbuffers")
    file = tmp_path / "program"
    file.write_bytes(exported.serialize())
    elsewhere = run(
        f"""
        import jax, numpy as np
        from jax import export
        from kinarray import autograd
        jax.jit(autograd.quaternion.rotate_vector)(np.ones(4), np.ones(3))
        program = export.deserialize(open({str(file)!r}, "rb").read())
        try:
            print(program.call(np.ones((3, 1, 4)), np.ones((3, 2, 3))))
        except Exception as error:
            print(error)
        """
    )
    assert "compiled in another process" in elsewhere


def run(program, **environment):
    """What a program prints that runs in a process of its own."""
    root = Path(ka.__file__).resolve().parent.parent
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "JAX_ENABLE_X64": "1", "PYTHONPATH": str(root), **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not hasattr(jax, "shard_map"), reason="jax.shard_map is in JAX since 0.7")
def test_two_devices():
    run(
        """
        import jax, jax.numpy as jnp, numpy as np
        from jax.sharding import NamedSharding, PartitionSpec as P
        from kinarray import autograd

        mesh = jax.sharding.Mesh(np.array(jax.devices()), ("rows",))
        rotate = autograd.quaternion.rotate_vector
        rng = np.random.default_rng(0)
        q, v = jnp.asarray(rng.normal(size=4)), jnp.asarray(rng.normal(size=(6, 3)))

        def close(found, expected):
            for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)

        def total(function):
            return lambda q, v: jnp.sum(jnp.sin(function(q, v)))

        for check in (True, False):
            def sharded(function):
                specs = dict(in_specs=(P(), P("rows")), out_specs=P("rows"))
                return jax.shard_map(function, mesh=mesh, check_vma=check, **specs)

            close(jax.jit(sharded(rotate))(q, v), rotate(q, v))
            close(sharded(rotate)(q, v), rotate(q, v))
            for derivative in (jax.grad, jax.hessian):
                found = jax.jit(derivative(total(sharded(rotate)), (0, 1)))(q, v)
                close(found, derivative(total(rotate), (0, 1))(q, v))
            mapped = sharded(lambda q, v: jax.vmap(jax.grad(total(rotate), 1), (None, 0))(q, v))
            close(jax.jit(mapped)(q, v), jax.grad(total(rotate), 1)(q, v))

        # The gradient by what all devices share is the sum over them.
        inside = jax.shard_map(
            jax.grad(lambda q, v: jax.lax.psum(total(rotate)(q, v), "rows")),
            mesh=mesh, in_specs=(P(), P("rows")), out_specs=P(),
        )
        close(jax.jit(inside)(q, v), jax.grad(total(rotate))(q, v))

        # Without shard_map JAX gathers the rows, and arrays on several devices are arrays too.
        spread = jax.device_put(v, NamedSharding(mesh, P("rows")))
        close(jax.jit(rotate)(q, spread), rotate(q, v))
        close(rotate(q, spread), rotate(q, v))
        """,
        XLA_FLAGS="--xla_force_host_platform_device_count=2",
    )


def test_a_jax_that_does_not_take_the_handler():
    """Everything works through Python, after a warning."""
    run(
        """
        import warnings
        import jax, jax.numpy as jnp, numpy as np
        import kinarray as ka
        from kinarray import autograd
        from kinarray.autograd import jax as bridge

        def refuse(*_, **__):
            raise ValueError("unsupported version")

        bridge._ffi.register_ffi_target = refuse
        rotate = autograd.quaternion.rotate_vector
        rng = np.random.default_rng(0)
        q, v = jnp.asarray(rng.normal(size=4)), jnp.asarray(rng.normal(size=(3, 3)))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = jax.jit(rotate)(q, v)
        assert any("unsupported version" in str(warning.message) for warning in caught)
        np.testing.assert_allclose(found, ka.quaternion.rotate_vector(q, v), atol=1e-14)

        def total(q, v):
            return jnp.sum(jnp.sin(rotate(q, v)))

        from jax.test_util import check_grads
        check_grads(total, (q, v), order=2, modes=("fwd", "rev"))
        rows = jax.jit(jax.vmap(jax.hessian(total), (None, 0)))(q, v)
        np.testing.assert_allclose(rows.sum(0), jax.hessian(total)(q, v), atol=1e-12)
        """
    )


def test_other_devices_are_refused(arrays):
    with pytest.raises(ka.DeviceError, match="rotate_vector: kinarray computes on the CPU"):
        jax.jit(rotate).trace(*arrays).lower(lowering_platforms=("cuda",))
