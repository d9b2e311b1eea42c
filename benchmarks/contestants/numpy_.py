"""NumPy: only the yardstick for the cost of a call, `np.add` of 24 numbers."""

import numpy as np

to_numpy = np.asarray


def version():
    return f"numpy {np.__version__}, np.add"


def prepare(workload, arrays, threads):
    if workload.kind != "call":
        return None
    given = np.ones(24, workload.dtype)
    return lambda: np.add(given, given)
