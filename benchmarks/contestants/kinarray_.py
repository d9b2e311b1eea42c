"""Ours, on NumPy arrays."""

import numpy as np

import file_work
import kinarray
from contestants.same_names import prepare_geometry
from kinarray import geometry, quaternion

to_numpy = np.asarray


def version():
    return f"kinarray {getattr(kinarray, '__version__', '')}".strip()


def prepare(workload, arrays, threads):
    kinarray.set_num_threads(threads)
    if workload.kind == "load_bvh":
        path = file_work.path_of(workload)
        return lambda: kinarray.load_motion(path, "cm").model_parameters[:, 3:6]
    return prepare_geometry(geometry, workload, arrays, algebra=quaternion)
