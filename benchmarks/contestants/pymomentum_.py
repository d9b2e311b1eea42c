"""PyMomentum's `geometry`, in its own environment."""

from importlib.metadata import version as installed

import numpy as np
import pymomentum.geometry as geometry
from pymomentum import quaternion_np

from contestants.same_names import prepare_geometry

to_numpy = np.asarray


def version():
    return f"pymomentum {installed('pymomentum-cpu')}"


def prepare(workload, arrays, threads):
    return prepare_geometry(geometry, workload, arrays, algebra=quaternion_np)
