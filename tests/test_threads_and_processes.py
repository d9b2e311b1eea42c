"""Many threads on the same objects; children by fork and by spawn; loader workers."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest

import kinarray as ka
from kinarray import geometry, interop
from producers import Forwarding

# Python and JAX about forking a process with threads, which is what is tested here.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]


@pytest.fixture(scope="module")
def character():
    return ka.testing.create_humanoid(n_vertices=600)


def poses_of(character, count, seed=0):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(count, character.parameter_transform.size)).astype(np.float32)


def points_of(character, poses):
    """Through everything: the pool of threads, the pool of memory."""
    return character.skin_points(geometry.model_parameters_to_skeleton_state(character, poses))


def in_threads(count, work):
    """Runs `work(index)` in so many threads at once, and raises what any of them raised."""
    failed, together = [], threading.Barrier(count)

    def run(index):
        try:
            together.wait()
            work(index)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


# Threads ---------------------------------------------------------------------------------------------


def test_calls_on_shared_objects_agree(character):
    batches = [poses_of(character, size, seed=size) for size in (1, 7, 300)]
    expected = [points_of(character, poses) for poses in batches]

    def work(index):
        for turn in range(12):
            which = (index + turn) % len(batches)
            np.testing.assert_array_equal(points_of(character, batches[which]), expected[which])

    in_threads(8, work)


def test_all_kinds_at_once_agree(character):
    poses = poses_of(character, 40)
    transform = character.parameter_transform
    expected = transform.apply(poses)
    arguments = [(poses, np.asarray), (memoryview(poses), np.asarray)]
    arguments.append((Forwarding(poses), np.from_dlpack))
    for name, make in {
        "torch": lambda m: m.from_numpy(poses),
        "jax": lambda m: m.device_put(poses),
        "polars": lambda m: m.Series(poses),
    }.items():
        if name in sys.modules:
            arguments.append((make(sys.modules[name]), np.asarray))

    def work(index):
        argument, read = arguments[index % len(arguments)]
        for _ in range(100):
            np.testing.assert_array_equal(read(transform.apply(argument)), expected)

    in_threads(2 * len(arguments), work)


def test_first_use_may_be_in_many_threads_at_once():
    """What is set up once, at the first call, is set up once however many calls come first."""
    code = """
        import threading
        import numpy as np
        import kinarray as ka
        from test_threads_and_processes import in_threads, points_of, poses_of

        character = ka.testing.create_humanoid(n_vertices=600)
        poses = poses_of(character, 50)
        results = [None] * 8
        def work(index):
            results[index] = points_of(character, poses)
        in_threads(8, work)
        for result in results[1:]:
            np.testing.assert_array_equal(result, results[0])
    """
    run_python(code)


def test_results_die_while_others_are_made(character):
    poses = poses_of(character, 3000)
    expected = character.parameter_transform.apply(poses)
    shelf = [None] * 4

    def work(index):
        for turn in range(15):
            result = character.parameter_transform.apply(poses)
            shelf[(index + turn) % 4] = result  # and what lay there dies here
            np.testing.assert_array_equal(result, expected)

    in_threads(6, work)


def test_the_number_of_threads_may_change_while_they_work(character):
    poses = poses_of(character, 300)
    expected = points_of(character, poses)

    def work(index):
        for turn in range(10):
            if index == 0:
                ka.set_num_threads(turn % 4)
            np.testing.assert_array_equal(points_of(character, poses), expected)

    try:
        in_threads(4, work)
    finally:
        ka.set_num_threads(0)


def test_errors_stay_in_their_thread(character):
    poses = poses_of(character, 5)
    expected = character.parameter_transform.apply(poses)

    def work(index):
        for _ in range(200):
            if index % 2:
                with pytest.raises(ka.ShapeError):
                    character.parameter_transform.apply(poses[:, 1:])
            else:
                result = character.parameter_transform.apply(poses)
                np.testing.assert_array_equal(result, expected)

    in_threads(8, work)


def test_copies_are_counted_across_threads(character):
    swapped = poses_of(character, 2).astype(">f4")
    with interop.count_copies() as copied:
        in_threads(8, lambda index: character.parameter_transform.apply(swapped))
    assert (copied.count, copied.bytes) == (8, 8 * swapped.nbytes)


def test_gradients_are_found_in_the_thread_that_asks(torch, character):
    plain = torch.zeros(character.parameter_transform.size)
    tracked = torch.zeros(character.parameter_transform.size, requires_grad=True)

    def work(index):
        # Whether gradients are on is a setting of each thread.
        with torch.set_grad_enabled(bool(index % 2)):
            for _ in range(50):
                character.parameter_transform.apply(plain)
                if index % 2:
                    with pytest.raises(ka.GradientError):
                        character.parameter_transform.apply(tracked)
                else:
                    character.parameter_transform.apply(tracked)

    in_threads(6, work)


# Processes -------------------------------------------------------------------------------------------


def run_python(code: str) -> None:
    """Runs the code in a fresh interpreter, which must end well and in silence."""
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        env=os.environ | {"PYTHONPATH": path, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (run.returncode, run.stderr) == (0, "")


def child(character, poses, connection):
    """What every child does: all of it again, in several threads too, and tells the numbers."""
    result = points_of(character, poses)
    again = []
    in_threads(3, lambda index: again.append(points_of(character, poses)))
    ka.set_num_threads(2)
    again.append(points_of(character, poses))
    interop.clear_pool()
    again.append(points_of(character, poses))
    connection.send((result, all(np.array_equal(result, other) for other in again)))
    connection.close()


methods = pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())


@methods
def test_children_compute_what_their_parent_does(character, method):
    poses = poses_of(character, 300)
    expected = points_of(character, poses)  # so that a fork inherits pools that were used
    context = multiprocessing.get_context(method)
    ours, theirs = context.Pipe()
    process = context.Process(target=child, args=(character, poses, theirs))
    process.start()
    theirs.close()
    result, agree = ours.recv()
    process.join(60)
    assert process.exitcode == 0
    assert agree
    np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(points_of(character, poses), expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_amid_the_work_of_other_threads(character):
    """A child inherits locks that were held by threads it does not have."""
    poses = poses_of(character, 600)
    expected = points_of(character, poses)
    stop = threading.Event()

    def busy():
        while not stop.is_set():
            points_of(character, poses)

    threads = [threading.Thread(target=busy) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(8):
            pid = os.fork()
            if pid == 0:
                # The child must neither return to pytest nor hang.
                import signal

                signal.alarm(60)
                right = np.array_equal(points_of(character, poses), expected)
                os._exit(0 if right else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_results_made_before_a_fork_live_on_both_sides(character):
    poses = poses_of(character, 600)
    kept = [points_of(character, poses), character.parameter_transform.apply(Forwarding(poses))]
    pid = os.fork()
    if pid == 0:
        kept[0] += 1  # the child's own copy, by the system
        kept.clear()
        os._exit(0 if len(points_of(character, poses)) == 600 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    np.testing.assert_array_equal(kept[0], points_of(character, poses))


@methods
def test_a_pool_of_processes(character, method):
    poses = poses_of(character, 12)
    expected = character.parameter_transform.apply(poses)
    with multiprocessing.get_context(method).Pool(2) as pool:
        # The bound method travels by pickle, its character with it.
        found = pool.map(character.parameter_transform.apply, np.split(poses, 4))
    np.testing.assert_array_equal(np.concatenate(found), expected)


class Motion:
    """A map-style dataset that poses in its workers."""

    def __init__(self, character, poses):
        self.character, self.poses = character, poses

    def __len__(self):
        return len(self.poses)

    def __getitem__(self, index):
        import torch

        return self.character.parameter_transform.apply(torch.from_numpy(self.poses[index]))


@methods
def test_workers_of_a_torch_data_loader(torch, character, method):
    poses = poses_of(character, 8)
    expected = character.parameter_transform.apply(poses)
    character.parameter_transform.apply(poses_of(character, 3000))
    loader = torch.utils.data.DataLoader(
        Motion(character, poses), batch_size=4, num_workers=2, multiprocessing_context=method
    )
    # Our tensors are moved into shared memory by torch, and arrive whole.
    found = torch.cat(list(loader))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5, atol=1e-5)


def test_a_pool_of_processes_may_be_left_running_at_the_end():
    code = """
        import multiprocessing
        import kinarray as ka
        from test_threads_and_processes import points_of, poses_of

        if __name__ == "__main__":
            character = ka.testing.create_humanoid(n_vertices=600)
            poses = poses_of(character, 300)
            points_of(character, poses)
            process = multiprocessing.get_context("fork").Process(
                target=points_of, args=(character, poses)
            )
            process.start()  # and waited for by multiprocessing, at exit
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("this system has no fork")
    run_python(code)
