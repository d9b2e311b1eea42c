"""JAX at the seam: tracers, devices, commitment, deletion, precision, layouts."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import kinarray as ka
from kinarray import interop
from refusals import refused

jax = pytest.importorskip("jax")


def x64(enabled):
    enable = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
    return enable(enabled)


@pytest.fixture
def given(values):
    return jax.device_put(values)


def test_memory_is_read_in_place_and_handed_over(transform, given, values, nothing_copied):
    assert interop.kind_of(given) == "jax"
    assert interop.address(given) == given.unsafe_buffer_pointer()
    result = transform.apply(given)
    assert type(result) is type(given)
    assert result.unsafe_buffer_pointer() % 64 == 0
    np.testing.assert_array_equal(np.asarray(result), transform.apply(values))


def test_results_go_on_in_jax(transform, given, values):
    expected = transform.apply(values)
    result = transform.apply(given)
    np.testing.assert_array_equal(np.asarray(jax.jit(lambda x: x * 2)(result)), 2 * expected)
    gradient = jax.grad(lambda x: (x * x).sum())(result)
    np.testing.assert_array_equal(np.asarray(gradient), 2 * expected)
    np.testing.assert_array_equal(np.asarray(jax.vmap(lambda x: x + 1)(result)), expected + 1)
    donated = jax.jit(lambda x: x + 1, donate_argnums=0)(result)
    np.testing.assert_array_equal(np.asarray(donated), expected + 1)
    assert result.is_deleted()


def test_results_and_arguments_do_not_share_memory(transform, given, values):
    result = transform.apply(given)
    expected = np.array(result)
    given.delete()
    np.testing.assert_array_equal(np.asarray(result), expected)


# Commitment ------------------------------------------------------------------------------------------


def test_what_is_uncommitted_stays_uncommitted(transform, values):
    uncommitted = jax.numpy.asarray(values)
    committed = jax.device_put(values, jax.devices()[0])
    for given in (uncommitted, committed):
        result = transform.apply(given)
        assert result._committed == given._committed
        assert result.devices() == given.devices()
        assert result.sharding == given.sharding
    assert not transform.apply(uncommitted)._committed
    assert transform.apply(committed)._committed


# Tracers ---------------------------------------------------------------------------------------------


def total(function):
    return lambda x: function(x).sum()


TRANSFORMATIONS = {
    "jit": lambda f, x: jax.jit(f)(x),
    "jit of float64": lambda f, x: jax.jit(f)(x.astype("float64")),
    "grad": lambda f, x: jax.grad(total(f))(x),
    "value_and_grad": lambda f, x: jax.value_and_grad(total(f))(x),
    "vmap": lambda f, x: jax.vmap(f)(x[None]),
    "pmap": lambda f, x: jax.pmap(f)(x[None]),
    "jvp": lambda f, x: jax.jvp(f, (x,), (x,)),
    "vjp": lambda f, x: jax.vjp(f, x),
    "linearize": lambda f, x: jax.linearize(f, x),
    "jacfwd": lambda f, x: jax.jacfwd(f)(x),
    "jacrev": lambda f, x: jax.jacrev(f)(x),
    "hessian": lambda f, x: jax.hessian(total(f))(x),
    "eval_shape": lambda f, x: jax.eval_shape(f, x),
    "make_jaxpr": lambda f, x: jax.make_jaxpr(f)(x),
    "checkpoint": lambda f, x: jax.checkpoint(f)(x),
    "grad of checkpoint": lambda f, x: jax.grad(jax.checkpoint(total(f)))(x),
    "scan": lambda f, x: jax.lax.scan(lambda carry, row: (carry, f(row)), 0, x[None]),
    "map": lambda f, x: jax.lax.map(f, x[None]),
    "while_loop": lambda f, x: jax.lax.while_loop(lambda y: f(y).sum() > 0, lambda y: y, x),
    "cond": lambda f, x: jax.lax.cond(True, total(f), lambda y: y.sum(), x),
    "jit of vmap of grad": lambda f, x: jax.jit(jax.vmap(jax.grad(total(f))))(x[None]),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # jax about pmap
@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_tracers_are_refused(transform, given, name):
    with refused(ka.GradientError, "tracer", "stop_gradient"):
        TRANSFORMATIONS[name](transform.apply, given[0])


def test_constants_inside_of_a_transformation_are_arrays_like_any_other(transform, given):
    row = given[0]
    constant = transform.apply(row)
    inside = jax.jit(lambda x: x + transform.apply(row))(jax.numpy.zeros_like(constant))
    np.testing.assert_array_equal(np.asarray(inside), np.asarray(constant))


def test_callbacks_see_arrays(transform, given, values):
    expected = transform.apply(values)
    shape = jax.ShapeDtypeStruct(expected.shape, "float32")
    called = jax.jit(lambda x: jax.pure_callback(transform.apply, shape, x))(given)
    np.testing.assert_array_equal(np.asarray(called), expected)


def test_shapes_without_numbers_are_refused(transform):
    with refused(ka.DTypeError, "ShapeDtypeStruct"):
        transform.apply(jax.ShapeDtypeStruct((transform.size,), "float32"))


# Arrays that are gone, or not there yet --------------------------------------------------------------


def test_arrays_that_are_gone_are_refused(transform, values):
    deleted = jax.numpy.asarray(values)
    deleted.delete()
    donated = jax.numpy.asarray(values)
    jax.jit(lambda x: x + 1, donate_argnums=0)(donated)
    half = jax.numpy.asarray(values, "bfloat16")
    half.delete()
    for gone in (deleted, donated, half):
        with refused(ka.InvalidValueError, "deleted or donated"):
            transform.apply(gone)


def test_pending_work_is_waited_for(transform):
    n = transform.size

    @jax.jit
    def slow(x):
        return jax.lax.fori_loop(0, 50, lambda _, y: y @ x / 400, x)[:, :n]

    for dtype in ("float32", "bfloat16"):
        given = jax.numpy.ones((400, 400), dtype)
        pending = slow(given)
        result = transform.apply(pending)
        expected = transform.apply(slow(given).block_until_ready())
        assert np.isfinite(np.asarray(expected, np.float32)).all()
        np.testing.assert_array_equal(np.asarray(result), np.asarray(expected))


# Element types ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_half_precision_comes_back_as_it_was(transform, values, name):
    half = jax.numpy.asarray(values, dtype=name)
    result = transform.apply(half)
    assert (type(result), result.dtype) == (type(half), half.dtype)
    assert result._committed == half._committed
    expected = np.asarray(transform.apply(half.astype("float32")).astype(name))
    np.testing.assert_array_equal(np.asarray(result), expected)


@pytest.mark.parametrize(
    "name",
    [
        "int2",
        "int4",
        "uint4",
        "int8",
        "int32",
        "int64",
        "uint8",
        "bool",
        "complex64",
        "complex128",
        "float8_e4m3fn",
        "float8_e5m2",
        "float8_e4m3b11fnuz",
        "float4_e2m1fn",
    ],
)
def test_other_element_types_are_refused_by_name(transform, name):
    try:
        wrong = jax.numpy.zeros(transform.size, name)
    except (TypeError, ValueError, AttributeError) as error:
        pytest.skip(f"this JAX has no {name}: {error}")
    with refused(ka.DTypeError, "float32 or float64", name):
        transform.apply(wrong)


def test_keys_are_not_numbers(transform):
    for key in (jax.random.key(0), jax.random.split(jax.random.key(0), transform.size)):
        with refused(ka.DTypeError, "expected an array", "PRNGKeyArray"):
            transform.apply(key)
    with refused(ka.DTypeError, "uint32"):
        transform.apply(jax.random.PRNGKey(0))


def test_float64_is_never_rounded(transform, values):
    with x64(True):
        given = jax.numpy.asarray(values.astype(np.float64) + 1e-12)
    for enabled in (True, False):  # where JAX by itself would round
        with x64(enabled):
            result = transform.apply(given)
            assert bool(jax.config.jax_enable_x64) is enabled
        assert result.dtype == np.float64
        np.testing.assert_array_equal(np.asarray(result), transform.apply(np.asarray(given)))


def test_float32_stays_float32_whatever_the_default(transform, values):
    expected = transform.apply(values)
    for enabled in (True, False):
        with x64(enabled):
            result = transform.apply(jax.numpy.asarray(values))
        assert result.dtype == np.float32
        np.testing.assert_array_equal(np.asarray(result), expected)


def test_weak_types_have_the_precision_they_have_and_give_strong_results(transform):
    weak = jax.numpy.broadcast_to(jax.numpy.asarray(0.5), (transform.size,))
    assert weak.weak_type
    result = transform.apply(weak)
    assert result.dtype == weak.dtype
    assert not result.weak_type
    np.testing.assert_array_equal(np.asarray(result), transform.apply(np.asarray(weak)))


# Layouts ---------------------------------------------------------------------------------------------


def test_transposed_layouts_are_read_in_place(transform, values, nothing_copied):
    fortran = np.asfortranarray(values)
    padded = np.empty(
        fortran.nbytes + 64, np.uint8
    )  # 64-byte aligned, so that JAX takes it as it is
    start = -padded.ctypes.data % 64
    aligned = padded[start : start + fortran.nbytes].view(np.float32).reshape(values.T.shape).T
    aligned[:] = values
    try:
        transposed = jax.dlpack.from_dlpack(aligned)
    except RuntimeError as error:  # JAX 0.7
        assert "non-default layout" in str(error)
    else:
        # JAX 0.6 forgets the order itself; what it takes the array for is what counts.
        expected = transform.apply(np.asarray(transposed))
        result = transform.apply(transposed)
        np.testing.assert_array_equal(np.asarray(result), expected)
    expected = transform.apply(values)
    by_jax = jax.device_put(values.T.copy()).T
    np.testing.assert_array_equal(np.asarray(transform.apply(by_jax)), expected)


def test_size_zero_and_no_axes(transform):
    n = transform.size
    for shape in ((0, n), (3, 0, n), (0, 2, n)):
        result = transform.apply(jax.numpy.zeros(shape))
        assert isinstance(result, jax.Array)
        assert result.shape[:-1] == shape[:-1]
    with refused(ka.ShapeError, "got ()"):
        transform.apply(jax.numpy.asarray(1.0))
    with refused(ka.ShapeError, "(0,)"):
        transform.apply(jax.numpy.zeros(0))


# Several devices -------------------------------------------------------------------------------------


def with_two_devices(code: str) -> None:
    """Runs the code in a process where JAX sees two CPU devices."""
    prologue = """
        import numpy as np, jax, pytest
        import kinarray as ka
        from kinarray import interop
        from refusals import refused
        from jax.sharding import Mesh, NamedSharding, PartitionSpec, SingleDeviceSharding

        first, second = jax.devices()
        transform = ka.testing.create_humanoid(n_vertices=600).parameter_transform
        values = np.random.default_rng(1).normal(size=(4, transform.size)).astype(np.float32)
        expected = transform.apply(values)
        mesh = Mesh(np.array([first, second]), ("x",))
    """
    text = textwrap.dedent(prologue) + textwrap.dedent(code) + "\nprint('done')"
    environment = os.environ | {
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
    }
    run = subprocess.run(
        [sys.executable, "-c", text], env=environment, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "done"


def test_the_second_cpu_device_is_read_and_keeps_its_result():
    with_two_devices("""
        for dtype in ("float32", "float64", "float16", "bfloat16"):
            given = jax.device_put(values.astype(dtype), second)
            assert given.devices() == {second}
            with interop.count_copies() as copied:
                result = transform.apply(given)
            assert copied.count == 2 * (given.dtype.itemsize == 2), dtype
            assert result.devices() == {second}
            assert result._committed
            assert result.dtype == given.dtype
            there = transform.apply(jax.device_put(values.astype(dtype), first))
            np.testing.assert_array_equal(np.asarray(result), np.asarray(there))
            assert (result + result).devices() == {second}
        with jax.default_device(second):
            uncommitted = jax.numpy.asarray(values)
            result = transform.apply(uncommitted)
        assert result.devices() == {second}
        assert not result._committed
        result = transform.apply(jax.device_put(values, first))
        assert result.devices() == {first}
    """)


def test_arrays_on_several_devices_are_refused_and_their_shards_are_not():
    with_two_devices("""
        sharded = jax.device_put(values, NamedSharding(mesh, PartitionSpec("x")))
        replicated = jax.device_put(values, NamedSharding(mesh, PartitionSpec()))
        columns = jax.device_put(values[:, :66], NamedSharding(mesh, PartitionSpec(None, "x")))
        half = jax.device_put(values.astype("bfloat16"), NamedSharding(mesh, PartitionSpec("x")))
        for spread in (sharded, replicated, columns, half):
            with refused(ka.DeviceError, "spread over 2 devices", "addressable_shards"):
                transform.apply(spread)
        for shard in sharded.addressable_shards:
            result = transform.apply(shard.data)
            assert result.devices() == {shard.device}
            np.testing.assert_array_equal(np.asarray(result), expected[shard.index[0]])
        alone = jax.device_put(values, NamedSharding(Mesh(np.array([second]), ("x",)), PartitionSpec()))
        result = transform.apply(alone)
        assert result.devices() == {second}
        np.testing.assert_array_equal(np.asarray(result), expected)
        def each(block):
            return transform.apply(block)
        try:
            from jax import shard_map
        except ImportError:  # JAX before 0.6
            from jax.experimental.shard_map import shard_map
        with pytest.raises(ka.GradientError, match="tracer"):
            shard_map(each, mesh=mesh, in_specs=PartitionSpec("x"), out_specs=PartitionSpec("x"))(sharded)
    """)


def test_arguments_on_two_cpu_devices_are_all_host_memory():
    with_two_devices("""
        character = ka.testing.create_humanoid(n_vertices=600)
        state = ka.geometry.model_parameters_to_skeleton_state(character, values)
        rest = np.asarray(character.mesh.vertices)
        result = character.skin_points(jax.device_put(state, second), jax.device_put(rest, first))
        assert result.devices() == {second}
        np.testing.assert_array_equal(np.asarray(result), character.skin_points(state, rest))
    """)


# What others do with our arrays ----------------------------------------------------------------------


def test_results_go_everywhere_without_a_copy(transform, given):
    result = transform.apply(given)
    address = result.unsafe_buffer_pointer()
    seen = np.asarray(result)
    assert (seen.ctypes.data, seen.flags.writeable) == (address, False)
    assert np.from_dlpack(result).ctypes.data == address
    torch = pytest.importorskip("torch")
    assert torch.from_dlpack(result).data_ptr() == address
    assert interop.address(result) == address
