"""Memory: nothing leaks, nothing dies too early, and everything may die anywhere and anytime."""

from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys
import textwrap
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest

import kinarray as ka
from kinarray import interop
from kinds import NUMPY_SPEAKS_DLPACK_1
from producers import Forwarding, exporter

# A million calls a kind take some minutes: KINARRAY_CALLS=1000000 pytest tests/test_lifetime.py -s
CALLS = int(os.environ.get("KINARRAY_CALLS", "20000"))


def fixed_lists(pa, values):
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[-1])


def pandas_column(pd, values):
    return pd.Series(pd.arrays.ArrowExtensionArray(fixed_lists(__import__("pyarrow"), values)))


def our_buffer(numpy, values):
    character = ka.testing.create_humanoid(n_vertices=600)
    joints = character.parameter_transform.inverse().apply(
        Forwarding(np.ascontiguousarray(character.parameter_transform.apply(values)))
    )
    assert isinstance(joints, interop.Buffer)
    return joints


MAKERS = {
    "numpy": ("numpy", lambda m, x: x.copy()),
    "numpy swapped": ("numpy", lambda m, x: x.astype(">f4")),
    "numpy float16": ("numpy", lambda m, x: x.astype("f2")),
    "torch": ("torch", lambda m, x: m.from_numpy(x.copy())),
    "torch bfloat16": ("torch", lambda m, x: m.from_numpy(x).to(m.bfloat16)),
    "torch subclass": ("torch", lambda m, x: m.nn.Parameter(m.from_numpy(x.copy()), False)),
    "jax": ("jax", lambda m, x: m.device_put(x)),
    "jax bfloat16": ("jax", lambda m, x: m.numpy.asarray(x, "bfloat16")),
    "pyarrow": ("pyarrow", fixed_lists),
    "polars": ("polars", lambda m, x: m.Series("pose", x)),
    "pandas": ("pandas", pandas_column),
    "memoryview": ("numpy", lambda m, x: memoryview(x.copy())),
    "exporter": ("numpy", lambda m, x: exporter(x.copy())),
    "Buffer": ("numpy", our_buffer),
    "dlpack": ("numpy", lambda m, x: Forwarding(x.copy())),
    "dlpack legacy": ("numpy", lambda m, x: Forwarding(x.copy(), old=True)),
    "list": ("numpy", lambda m, x: x[0].tolist()),
}


@pytest.fixture(params=MAKERS)
def argument(request, values):
    """An argument of every kind."""
    module, make = MAKERS[request.param]
    return make(pytest.importorskip(module), values)


# Memory stays flat -----------------------------------------------------------------------------------


def resident() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def grown(call) -> int:
    """By how many bytes the process grows over `CALLS` calls."""
    for _ in range(2000):
        call()
    gc.collect()
    before = resident()
    for _ in range(CALLS):
        call()
    gc.collect()
    after = resident()
    print(f"{CALLS} calls: {before / 2**20:.1f} MiB before, {after / 2**20:.1f} MiB after")
    return after - before


needs_proc = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
# A leak of one result a call would be 174 MB over 20 000 calls; of one small object a call, 1 MB.
ALLOWED = 8 << 20


@needs_proc
def test_memory_stays_flat_over_many_calls(transform, argument):
    assert grown(lambda: transform.apply(argument)) < ALLOWED


@needs_proc
def test_memory_stays_flat_over_many_refusals(transform, argument):
    out = np.zeros(1)

    def refused():
        try:
            transform.apply(argument, out=out)
        except ka.KinarrayError:
            return
        raise AssertionError("this does not fit")

    assert grown(refused) < ALLOWED


@needs_proc
def test_memory_stays_flat_where_our_results_go_elsewhere(transform, values):
    buffer = transform.apply(Forwarding(values))
    before = sys.getrefcount(buffer)
    exports = {
        "dlpack": lambda: buffer.__dlpack__(max_version=(1, 0)),
        "dlpack legacy": buffer.__dlpack__,
        "arrow": buffer.__arrow_c_array__,
        "buffer": lambda: memoryview(buffer),
        "numpy": lambda: np.from_dlpack(buffer),
    }
    torch = sys.modules.get("torch")
    if torch:
        exports["torch"] = lambda: torch.from_dlpack(buffer)
    for name, export in exports.items():
        assert grown(export) < ALLOWED, name
    del exports, export
    assert sys.getrefcount(buffer) == before


@needs_proc
def test_memory_stays_flat_where_views_come_and_go():
    character = ka.testing.create_humanoid(n_vertices=600)
    assert grown(lambda: (character.mesh.vertices, character.mesh.faces)) < ALLOWED


def test_input_references_come_back(transform, argument):
    character = ka.testing.create_humanoid(n_vertices=600)
    before = sys.getrefcount(argument)
    for _ in range(10):
        transform.apply(argument)
        for call in (
            lambda: transform.apply(argument, out=np.zeros(1)),
            lambda: transform.inverse().apply(argument),
            lambda: character.skin_points(argument),
            lambda: character.skin_points(np.zeros((1, 8)), argument),
        ):
            with pytest.raises(ka.KinarrayError):
                call()
    gc.collect()
    assert sys.getrefcount(argument) == before


def test_arguments_die_when_their_owner_lets_them_go(torch, jax, transform, values):
    arguments = [np.array(values), torch.from_numpy(values.copy()), jax.device_put(values)]
    arguments.append(Forwarding(values))
    for _ in range(len(arguments)):
        argument = arguments.pop()
        result = transform.apply(argument)
        gone = weakref.ref(argument)
        del argument
        gc.collect()
        assert gone() is None, type(result)


def test_results_die_when_their_owner_lets_them_go(transform, argument):
    result = transform.apply(argument)
    try:
        gone = weakref.ref(result)
    except TypeError:
        pytest.skip(f"{type(result).__name__} has no weak references")
    del result
    gc.collect()
    assert gone() is None


# Nothing dies too early ------------------------------------------------------------------------------


def numbers_of(result):
    library = type(result).__module__.partition(".")[0]
    if library == "pyarrow":
        return result.flatten().to_numpy().reshape(len(result), -1)
    if library == "pandas":
        return np.stack(result)
    if library == "torch":
        return result.float().numpy()
    return np.asarray(result, np.float64)


def churn():
    """Takes and overwrites memory that was just given back."""
    gc.collect()
    for size in (434 * 4, 434 * 8, 5 * 434 * 4, 5 * 67 * 4, 5 * 434 * 8):
        for _ in range(50):
            np.full(size, 0xAB, np.uint8)


def test_results_outlive_everything_that_they_came_from(values, argument):
    transform = ka.testing.create_humanoid(n_vertices=600).parameter_transform
    result = transform.apply(argument)
    expected = np.array(numbers_of(result))
    del transform, argument
    churn()
    np.testing.assert_array_equal(numbers_of(result), expected)


def test_constant_views_outlive_their_character():
    character = ka.testing.create_humanoid(n_vertices=600)
    mesh, skeleton = character.mesh, character.skeleton
    weights = character.skin_weights
    views = [mesh.vertices, mesh.faces, weights.index, weights.weight]
    views += [skeleton[3].pre_rotation, skeleton[3].translation_offset]
    expected = [np.array(view) for view in views]
    inside = [view[1:] for view in views]
    del character, mesh, skeleton, weights, views
    churn()
    for view, whole in zip(inside, expected, strict=True):
        np.testing.assert_array_equal(view, whole[1:])


def exports_of(buffer):
    yield np.from_dlpack(buffer)
    yield np.asarray(memoryview(buffer))
    yield np.asarray(memoryview(memoryview(buffer))[1:])
    if torch := sys.modules.get("torch"):
        yield torch.from_dlpack(buffer)
    if jax := sys.modules.get("jax"):
        yield jax.dlpack.from_dlpack(buffer)
    if pa := sys.modules.get("pyarrow"):
        yield pa.array(buffer)
    if pl := sys.modules.get("polars"):
        yield pl.Series(buffer)


def test_exports_and_their_buffer_outlive_each_other(torch, transform, values):
    expected = transform.apply(values)
    for forget_buffer_first in (True, False):
        buffer = transform.apply(Forwarding(values))
        exports = list(exports_of(buffer))
        read = [np.array(numbers_of(export)) for export in exports]
        if forget_buffer_first:
            del buffer
            churn()
            for export, numbers in zip(exports, read, strict=True):
                np.testing.assert_array_equal(numbers_of(export), numbers)
        else:
            exports.clear()
            churn()
            np.testing.assert_array_equal(np.asarray(buffer), expected)


def test_capsules_that_nobody_takes_release_what_they_hold(transform, values):
    expected = transform.apply(values)
    buffer = transform.apply(Forwarding(values))
    for _ in range(3):
        capsules = [buffer.__dlpack__(), buffer.__dlpack__(max_version=(1, 0))]
        capsules += buffer.__arrow_c_array__()
        address = np.asarray(buffer).ctypes.data
        del buffer
        churn()
        taken = np.from_dlpack(_Holder(capsules.pop(int(NUMPY_SPEAKS_DLPACK_1))))
        assert taken.ctypes.data == address
        np.testing.assert_array_equal(taken, expected)
        del taken, capsules
        churn()
        buffer = transform.apply(Forwarding(values))
    np.testing.assert_array_equal(np.asarray(buffer), expected)


class _Holder:
    def __init__(self, capsule):
        self.capsule = capsule

    def __dlpack__(self, **keywords):
        return self.capsule

    def __dlpack_device__(self):
        return (1, 0)


def test_a_memoryview_of_a_buffer_can_be_released_by_hand(transform, values):
    buffer = transform.apply(Forwarding(values))
    with memoryview(buffer) as view:
        inner = view[1:]
    with pytest.raises(ValueError, match="released"):
        view[0, 0]
    np.testing.assert_array_equal(np.asarray(inner), np.asarray(buffer)[1:])


# Everything may die on any thread --------------------------------------------------------------------


def on_another_thread(work):
    failed = []

    def run():
        try:
            work()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert not failed, failed


def test_results_and_arguments_die_on_other_threads(transform, values):
    for module, make in MAKERS.values():
        kept = [transform.apply(make(pytest.importorskip(module), values))]
        on_another_thread(kept.clear)
        assert kept == []
    character = ka.testing.create_humanoid(n_vertices=600)
    kept = [character.mesh.vertices, character]
    del character
    on_another_thread(kept.clear)


class _Versioned(ctypes.Structure):
    _fields_ = [
        ("version", ctypes.c_uint64),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="starts a thread by pthread_create")
def test_deleters_run_on_threads_that_python_never_saw(transform, values):
    """A consumer in C++ may release on a thread of its own, without the interpreter."""
    libc = ctypes.CDLL(None)
    name = b"dltensor_versioned"
    pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
    pointer_of.restype, pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    rename = ctypes.pythonapi.PyCapsule_SetName
    rename.argtypes = [ctypes.py_object, ctypes.c_char_p]
    used = b"used_dltensor_versioned"
    expected = transform.apply(values)
    for size in (5, 2000):  # from the allocator, and from the pool
        for keep_buffer in (True, False):
            poses = np.broadcast_to(values[0], (size, transform.size)).copy()
            buffer = transform.apply(Forwarding(poses))
            capsule = buffer.__dlpack__(max_version=(1, 0))
            managed = pointer_of(capsule, name)
            assert rename(capsule, used) == 0
            if not keep_buffer:
                del buffer
            deleter = ctypes.cast(_Versioned.from_address(managed).deleter, ctypes.c_void_p)
            thread = ctypes.c_ulong()
            # The deleter itself is what the thread runs: no Python anywhere on it.
            code = libc.pthread_create(
                ctypes.byref(thread), None, deleter, ctypes.c_void_p(managed)
            )
            assert code == 0
            libc.pthread_join(thread, None)
            if keep_buffer:
                np.testing.assert_array_equal(np.asarray(buffer)[0], expected[0])
            churn()


def test_tensors_die_in_the_threads_of_torch(torch, transform, values):
    """autograd's engine holds what was saved, and lets it go on its own threads."""
    for _ in range(20):
        points = transform.apply(torch.from_numpy(values)).requires_grad_()
        total = (points.exp() * transform.apply(torch.from_numpy(values))).sum()
        del points
        total.backward()
        del total
    churn()


# Shutdown --------------------------------------------------------------------------------------------

PROLOGUE = """
    import atexit, sys, threading
    import numpy as np
    import kinarray as ka
    from test_lifetime import MAKERS

    character = ka.testing.create_humanoid(n_vertices=600)
    transform = character.parameter_transform
    values = np.random.default_rng(1).normal(size=(5, transform.size)).astype(np.float32)
"""

EVERYTHING_LEFT_BEHIND = """
    argument = MAKERS[kind][1](__import__(MAKERS[kind][0]), values)

    # In globals, in a module that goes late, in a reference cycle.
    kept = [transform.apply(argument) for _ in range(3)]
    sys.modules["somewhere"] = transform.apply(argument)
    cycle = [transform.apply(argument)]
    cycle.append(cycle)
    del cycle
    view = memoryview(transform.apply(values))

    # Used by what runs at the end: exit handlers, and a finaliser.
    atexit.register(lambda: kept.append(transform.apply(argument)))
    atexit.register(lambda: kept.append(character.mesh.vertices))

    class Last:
        def __del__(self, transform=transform, argument=argument):
            self.result = transform.apply(argument)

    last = sys.last = Last()
    threads = [threading.Thread(target=lambda: kept.append(transform.apply(argument))) for _ in range(8)]
    for thread in threads:
        thread.start()  # and not waited for
"""

DAEMON_IN_SMALL_CALLS = """
    ready = threading.Event()

    def work():
        kept = []
        while True:
            kept.append(transform.apply(values))
            del kept[:-3]
            ready.set()

    threading.Thread(target=work, daemon=True).start()
    ready.wait()
"""

DAEMON_IN_LONG_WORK = """
    state = np.zeros((3000, len(character.skeleton), 8), np.float32)
    ready = threading.Event()

    def work():
        while True:
            ready.set()
            character.skin_points(state)

    threading.Thread(target=work, daemon=True).start()
    ready.wait()
    character.skin_points(state)
"""


def ends_quietly(code: str, **names) -> None:
    text = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    text += textwrap.dedent(PROLOGUE) + textwrap.dedent(code)
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    run = subprocess.run(
        [sys.executable, "-c", text],
        env=os.environ | {"PYTHONPATH": path, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("kind", ["numpy", "torch", "jax", "pyarrow", "polars", "pandas", "Buffer"])
def test_whatever_is_left_at_shutdown_goes_quietly(kind):
    pytest.importorskip(MAKERS[kind][0])
    ends_quietly(EVERYTHING_LEFT_BEHIND, kind=kind)


# Only with NumPy: before Python 3.14 a daemon thread inside of torch or JAX aborts the process that
# ends (`torch.from_dlpack(x)` or `jax.device_put(x)` in a loop is enough), with us or without.
@pytest.mark.parametrize(
    "code", [DAEMON_IN_SMALL_CALLS, DAEMON_IN_LONG_WORK], ids=["small", "long"]
)
def test_daemon_threads_at_work_do_not_disturb_shutdown(code):
    for _ in range(3):
        ends_quietly(code)


# The pool --------------------------------------------------------------------------------------------


def test_the_pool_is_bounded_and_can_be_emptied(transform):
    big = np.zeros((60_000, transform.size), np.float32)
    for _ in range(4):
        transform.apply(big)
    assert interop.pooled_bytes() <= 256 << 20
    interop.clear_pool()
    assert interop.pooled_bytes() == 0


def test_memory_from_the_pool_is_nobody_elses(transform):
    big = np.zeros((3000, transform.size), np.float32)
    expected = transform.apply(big)
    kept = [transform.apply(big + index) for index in range(4)]
    copies = [result.copy() for result in kept]
    del expected
    for _ in range(10):
        transform.apply(big + 100)
    for result, copy in zip(kept, copies, strict=True):
        np.testing.assert_array_equal(result, copy)
    assert len({result.ctypes.data for result in kept}) == len(kept)
