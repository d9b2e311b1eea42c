"""Many threads at once on the same objects. Meaningful with the GIL, and more so without.

The races of first calls (which frameworks are there, what is made once) run in fresh interpreters, where
nothing was called before.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import textwrap
import threading

import numpy as np
import pytest

import kinarray as ka
from kinarray import geometry, interop

THREADS = 8
ROUNDS = 60


@pytest.fixture(scope="module")
def character():
    return ka.testing.create_humanoid(n_vertices=600)


def together(work, threads: int = THREADS) -> None:
    """Runs `work(index)` in threads that start as one, and raises what any of them raised."""
    barrier = threading.Barrier(threads)
    raised: list[BaseException] = []

    def run(index):
        try:
            barrier.wait()
            work(index)
        except BaseException as error:
            raised.append(error)

    workers = [threading.Thread(target=run, args=(index,)) for index in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if raised:
        raise raised[0]


def in_a_fresh_interpreter(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def same_as_alone(work, arguments):
    """Every thread gets, from shared arguments, what one thread alone gets."""
    expected = [work(argument) for argument in arguments]

    def compare(index):
        for round in range(ROUNDS):
            which = (index + round) % len(arguments)
            np.testing.assert_array_equal(work(arguments[which]), expected[which])

    together(compare)


def poses(character, *batch, dtype=np.float32):
    size = (*batch, character.parameter_transform.size)
    return np.random.default_rng(3).normal(scale=0.3, size=size).astype(dtype)


def test_shared_arguments_give_everyone_the_same(character):
    arguments = [
        poses(character, 5),
        poses(character, 2, 3)[:, ::-1],
        poses(character, dtype=np.float64),
        poses(character, 40),  # long enough that the interpreter is released
        poses(character, 5).astype(">f4"),
    ]
    same_as_alone(character.parameter_transform.apply, arguments)
    same_as_alone(lambda x: geometry.model_parameters_to_skeleton_state(character, x), arguments)
    states = [geometry.model_parameters_to_skeleton_state(character, x) for x in arguments]
    same_as_alone(character.skin_points, states)


def kinds(values):
    """The same numbers as every kind of array that is installed."""
    yield np.asarray(values)
    yield memoryview(values)
    for module, make in {
        "torch": lambda m: m.from_numpy(values),
        "jax": lambda m: m.device_put(values),
        "polars": lambda m: m.Series("pose", values),
        "pyarrow": lambda m: m.FixedSizeListArray.from_arrays(
            m.array(values.reshape(-1)), values.shape[-1]
        ),
    }.items():
        try:
            found = __import__(module)
        except ImportError:
            continue
        yield make(found)


def test_kinds_side_by_side_keep_their_results_apart(character):
    values = poses(character, 4)
    apply = character.parameter_transform.apply
    expected = apply(values)
    given = list(kinds(values))

    def work(index):
        argument = given[index % len(given)]
        for _ in range(ROUNDS):
            result = apply(argument)
            assert interop.kind_of(result) == interop.kind_of(argument)
            if interop.kind_of(result) not in ("polars", "pyarrow"):
                np.testing.assert_array_equal(np.asarray(result), expected)

    together(work, 2 * len(given))


def test_results_die_in_other_threads(character):
    apply = character.parameter_transform.apply
    # Large enough for the pool, and small ones from the allocator.
    arguments = [poses(character, 300), poses(character, 2)]
    expected = [apply(argument).sum() for argument in arguments]
    shelf: list[list] = [[] for _ in range(THREADS)]

    def work(index):
        for round in range(ROUNDS):
            which = round % 2
            shelf[(index + 1) % THREADS].append((which, apply(arguments[which])))
            while shelf[index]:
                which, result = shelf[index].pop()
                assert result.sum() == expected[which]
                del result
            if round % 16 == 0:
                interop.clear_pool()
                assert interop.pooled_bytes() <= 256 << 20

    together(work)


class Producer:
    """Somebody unknown who speaks DLPack."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **keywords):
        return self.array.__dlpack__(**keywords)


def test_one_buffer_is_exported_by_everyone(character):
    values = poses(character, 3)
    buffer = character.parameter_transform.apply(Producer(values))
    expected = np.array(character.parameter_transform.apply(values))

    def work(index):
        for _ in range(ROUNDS):
            with memoryview(buffer) as view:
                np.testing.assert_array_equal(np.asarray(view), expected)
            taken = np.from_dlpack(buffer)
            np.testing.assert_array_equal(taken, expected)
            again = geometry.joint_parameters_to_skeleton_state(character, buffer)
            assert interop.kind_of(again) == "kinarray"

    together(work)


def test_everyone_writes_to_a_place_of_his_own(character):
    values = poses(character, THREADS, 5)
    expected = character.parameter_transform.apply(values)
    out = np.zeros_like(expected)

    def work(index):
        for _ in range(ROUNDS):
            character.parameter_transform.apply(values[index], out=out[index])
            np.testing.assert_array_equal(out[index], expected[index])

    together(work)


def test_copies_are_counted_by_everyone(character):
    swapped = poses(character, 3).astype(">f4")
    with interop.count_copies() as copied:
        together(lambda _: [character.parameter_transform.apply(swapped) for _ in range(ROUNDS)])
    assert copied.count == THREADS * ROUNDS
    assert copied.bytes == THREADS * ROUNDS * swapped.nbytes


def test_what_is_made_once_is_made_once():
    # Properties and plans that a character makes when they are first asked for.
    for _ in range(10):
        character = ka.testing.create_character(20, 12, 300, 4)
        values = poses(character, 3)
        seen = []

        def work(index, character=character, values=values, seen=seen):
            state = geometry.model_parameters_to_skeleton_state(character, values)
            seen.append(
                (
                    character.skin_points(state).tobytes(),
                    character.parameter_transform.inverse()
                    .apply(character.parameter_transform.apply(values))
                    .tobytes(),
                    character.mesh.vertices.tobytes(),
                    repr(character.skeleton),
                )
            )

        together(work)
        assert len(seen) == THREADS
        assert len(set(seen)) == 1


def test_errors_reach_the_thread_that_made_them(character):
    apply = character.parameter_transform.apply

    def work(index):
        for _ in range(ROUNDS):
            with pytest.raises(ka.ShapeError, match=rf"\({index + 1},\)"):
                apply(np.zeros(index + 1))

    together(work)


FIRST_CALL = """
    import threading
    import numpy as np
    import kinarray as ka
    {imports}
    character = ka.testing.create_humanoid(n_vertices=600)
    values = np.ones(character.parameter_transform.size, np.float32)
    arguments = [{arguments}]
    barrier = threading.Barrier(8)
    results, raised = [], []
    def work(index):
        barrier.wait()
        try:
            argument = arguments[index % len(arguments)]
            result = character.parameter_transform.apply(argument)
            assert ka.interop.kind_of(result) == ka.interop.kind_of(argument)
            results.append(np.asarray(result).tobytes())
        except BaseException as error:
            raised.append(error)
    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert not raised, raised
    assert len(results) == 8 and len(set(results)) == 1
"""


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("numpy", "values"),
        ("numpy", "memoryview(values), values, values.view(type('Sub', (np.ndarray,), {}))"),
        ("torch", "torch.from_numpy(values)"),
        ("torch", "torch.from_numpy(values), values"),
        ("jax", "jax.device_put(values), values"),
        ("pyarrow", "pyarrow.array(values)"),
    ],
)
def test_the_first_call_may_come_from_many_threads(module, arguments):
    pytest.importorskip(module)
    imports = "" if module == "numpy" else f"import {module}"
    in_a_fresh_interpreter(FIRST_CALL.format(imports=imports, arguments=arguments))


def test_a_framework_may_be_imported_meanwhile():
    pytest.importorskip("torch")
    in_a_fresh_interpreter("""
        import threading
        import numpy as np
        import kinarray as ka
        transform = ka.testing.create_humanoid(n_vertices=600).parameter_transform
        values = np.ones(transform.size, np.float32)
        expected = transform.apply(values).tobytes()
        done = threading.Event()
        raised = []
        def work():
            try:
                while not done.is_set():
                    assert transform.apply(values).tobytes() == expected
                    # Goes the long way, past every framework that may be half imported.
                    assert bytes(transform.apply(memoryview(values))) == expected
            except BaseException as error:
                raised.append(error)
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads: thread.start()
        import torch
        assert transform.apply(torch.from_numpy(values)).numpy().tobytes() == expected
        done.set()
        for thread in threads: thread.join()
        assert not raised, raised
    """)


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="needs a free-threaded interpreter"
)
def test_the_import_leaves_the_interpreter_free_threaded():
    enabled = in_a_fresh_interpreter("""
        import sys, warnings
        warnings.simplefilter("error")
        import kinarray
        kinarray.testing.create_humanoid(n_vertices=600)
        print(sys._is_gil_enabled())
    """)
    assert enabled == "False"
