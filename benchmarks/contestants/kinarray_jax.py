"""Ours, on jax arrays: the cost of the seam."""

import jax
import numpy as np

import kinarray
from contestants import jax_ as plain
from contestants.same_names import prepare_geometry
from kinarray import autograd, geometry
from workloads import CALLS, GRADIENTS, Arrays

to_numpy = np.asarray


def version():
    return f"kinarray {getattr(kinarray, '__version__', '')} on {plain.version()}"


def prepare(workload, arrays, threads):
    kinarray.set_num_threads(threads)
    plain.set_up(threads)
    if workload.kind in GRADIENTS:
        character = arrays.character.build(geometry)
        function = {
            "fk_grad": autograd.model_parameters_to_skeleton_state,
            "pose_grad": autograd.model_parameters_to_skinned_points,
        }[workload.kind]
        compiled = jax.jit(plain.gradient(lambda x: function(character, x)))
        given = plain.array(arrays.input)
        return lambda: compiled(given).block_until_ready()
    if workload.kind not in (*CALLS, "fk"):
        return None  # large work takes the same time as with NumPy
    given = Arrays(arrays.character, plain.array(arrays.input))
    return prepare_geometry(geometry, workload, given)
