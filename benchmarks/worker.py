"""Times one contestant in its own process: `python worker.py NAME THREADS CPU,CPU,...`.

Reads one JSON object a line on stdin, answers with one a line. Thread counts and the cores are set
before anything that starts threads is imported.
"""

import json
import os
import sys

name, threads, cpus = sys.argv[1], int(sys.argv[2]), [int(c) for c in sys.argv[3].split(",")]
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, cpus)
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[variable] = str(threads)
# Libraries print what they like; answers go to a copy of stdout.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import importlib  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

sys.path.insert(1, str(Path(__file__).resolve().parent.parent / "tests"))

started = time.perf_counter()
contestant = importlib.import_module(f"contestants.{name}")
imported_in = time.perf_counter() - started

import numpy as np  # noqa: E402

from workloads import Workload, arrays  # noqa: E402


def seconds(function, calls):
    """Wall and CPU seconds of one call, over `calls` of them; all threads count as CPU."""
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - wall) / calls, (time.process_time() - cpu) / calls


def sample(result):
    """Up to 2000 of the numbers, spread over the result: enough to see that the work was the same."""
    flat = np.asarray(result, np.float64).reshape(-1)
    return flat[:: max(1, flat.size // 2000)].tolist()


prepared = {}
print(json.dumps({"version": contestant.version()}), file=answers, flush=True)
for line in sys.stdin:
    request = json.loads(line)
    try:
        if "prepare" in request:
            workload = Workload(**request["prepare"])
            prepared.clear()
            function = contestant.prepare(workload, arrays(workload), threads)
            if function is None:
                reply = {"skipped": "does not offer this"}
            else:
                first = time.perf_counter()
                values = sample(contestant.to_numpy(function()))
                first = time.perf_counter() - first
                once = min(seconds(function, 1)[0] for _ in range(3 if first < 0.3 else 1))
                calls = max(1, min(200_000, int(request["seconds"] / max(once, 1e-8))))
                prepared["it"] = function, calls
                reply = {"sample": values, "first": first, "calls": calls}
        else:
            wall, cpu = seconds(*prepared["it"])
            reply = {"wall": wall, "cpu": cpu}
    except Exception as error:
        reply = {"skipped": f"{type(error).__name__}: {str(error)[:200]}"}
    print(json.dumps(reply), file=answers, flush=True)
