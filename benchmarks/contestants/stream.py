"""Memory alone: reading and writing as many bytes as the work does, in NumPy's own loops."""

import numpy as np

from workloads import ALGEBRA

to_numpy = np.asarray


def version():
    return "reading and writing the bytes"


def prepare(workload, arrays, threads):
    if workload.kind not in ALGEBRA:
        return None
    read, written = (n * workload.batch for n in ALGEBRA[workload.kind])
    source, out = np.ones(read, workload.dtype), np.zeros(written, workload.dtype)

    def run():
        for first in range(0, read, written):
            part = source[first : first + written]
            np.copyto(out[: len(part)], part)
        out[read:].fill(1.0)
        return out

    return run
