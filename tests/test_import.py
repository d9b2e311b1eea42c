"""Importing the package costs next to nothing and brings nothing heavy along."""

from __future__ import annotations

import subprocess
import sys

HEAVY = [
    "numpy",
    "torch",
    "jax",
    "jaxlib",
    "pandas",
    "polars",
    "pyarrow",
    "cupy",
    "tensorflow",
    "scipy",
]


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def test_import_brings_no_framework():
    loaded = run(
        "import kinarray, sys; print(sorted(set(m.partition('.')[0] for m in sys.modules)))"
    )
    for name in HEAVY:
        assert f"'{name}'" not in loaded


def test_frameworks_may_come_later():
    # Recognised when they are imported after us, and not imported by us for the others.
    out = run(
        "import kinarray as ka, sys\n"
        "character = ka.testing.create_humanoid(n_vertices=600)\n"
        "assert 'numpy' not in sys.modules\n"
        "import numpy as np\n"
        "poses = np.zeros((2, character.parameter_transform.size), np.float32)\n"
        "state = ka.geometry.model_parameters_to_skeleton_state(character, poses)\n"
        "print(type(state).__name__, 'torch' in sys.modules, 'jax' in sys.modules)\n"
    )
    assert out == "ndarray False False\n"


def test_leaving_while_results_are_alive_is_quiet():
    run(
        "import kinarray as ka, numpy as np\n"
        "character = ka.testing.create_humanoid(n_vertices=600)\n"
        "poses = np.zeros((500, character.parameter_transform.size))\n"
        "kept = ka.geometry.model_parameters_to_skeleton_state(character, poses)\n"
        "import atexit; atexit.register(lambda: kept.sum())\n"
    )


def test_a_forked_child_computes():
    out = run(
        "import os, warnings, numpy as np, kinarray as ka\n"
        "warnings.simplefilter('ignore', DeprecationWarning)  # Python 3.12 warns of every such fork\n"
        "character = ka.testing.create_humanoid(n_vertices=600)\n"
        "poses = np.full((3000, character.parameter_transform.size), 0.1, np.float32)\n"
        "def total(): return ka.geometry.model_parameters_to_skeleton_state(character, poses).sum()\n"
        "expected = total()\n"
        "child = os.fork()\n"
        "if child == 0: os._exit(0 if total() == expected else 1)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), total() == expected)\n"
    )
    assert out == "0 True\n"


def test_long_work_hears_control_c():
    # The signal arrives while the interpreter is released; the call ends with KeyboardInterrupt.
    out = run(
        "import os, signal, threading, time, numpy as np, kinarray as ka\n"
        "character = ka.testing.create_humanoid(n_vertices=4000)\n"
        "state = np.tile(np.array([0, 0, 0, 0, 0, 0, 1, 1.0]), (20000, len(character.skeleton), 1))\n"
        "out = np.empty((1, 4000, 3))\n"
        "threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
        "heard = False\n"
        "try:\n"
        "    for _ in range(200): character.skin_points(state[:6000])\n"
        "except KeyboardInterrupt: heard = True\n"
        "print(heard, character.skin_points(state[:2]).shape[0])\n"
    )
    assert out == "True 2\n"
