"""Ours, on jax arrays: the cost of the seam."""

import numpy as np

import kinarray
from contestants import jax_ as plain
from contestants.same_names import prepare_geometry
from kinarray import geometry
from workloads import CALLS, Arrays

to_numpy = np.asarray


def version():
    return f"kinarray {getattr(kinarray, '__version__', '')} on {plain.version()}"


def prepare(workload, arrays, threads):
    if workload.kind not in (*CALLS, "fk"):
        return None  # large work takes the same time as with NumPy
    kinarray.set_num_threads(threads)
    plain.set_up(threads)
    given = Arrays(arrays.character, plain.array(arrays.input))
    return prepare_geometry(geometry, workload, given)
