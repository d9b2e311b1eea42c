"""Memory alone: writing as many bytes as the result has, into memory that is already there."""

import numpy as np

from workloads import CALLS

to_numpy = np.asarray


def version():
    return "writing the bytes"


def prepare(workload, arrays, threads):
    if workload.kind in CALLS:
        return None
    out = np.zeros(workload.output_bytes // 4, np.float32)
    return lambda: (out.fill(1.0), out)[1]
