"""SciPy: Rotation, and its tree of points."""

import numpy as np
import scipy
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

to_numpy = np.asarray


def version():
    return f"scipy {scipy.__version__}"


def prepare(workload, arrays, threads):
    if workload.kind == "closest_points":
        points, targets, _ = arrays.input
        return lambda: targets[cKDTree(targets).query(points, workers=threads)[1]]
    if workload.kind == "to_matrix":
        rotation = Rotation.from_quat(arrays.input)
        return rotation.as_matrix
    if workload.kind not in ("multiply", "slerp"):
        return None
    a, b = (Rotation.from_quat(q) for q in arrays.input[:2])
    if workload.kind == "multiply":
        return lambda: (a * b).as_quat()
    t = arrays.input[2]
    return lambda: (a * Rotation.from_rotvec(t * (a.inv() * b).as_rotvec())).as_quat()
