"""roma: rotations in torch."""

from importlib.metadata import version as installed

import roma
import torch

to_numpy = torch.Tensor.numpy


def version():
    return f"roma {installed('roma')}"


def prepare(workload, arrays, threads):
    torch.set_num_threads(threads)
    if workload.kind not in ("multiply", "slerp", "to_matrix"):
        return None
    given = arrays.input if isinstance(arrays.input, tuple) else (arrays.input,)
    given = [torch.from_numpy(values) for values in given]
    if workload.kind == "multiply":
        return lambda: roma.quat_product(*given)
    if workload.kind == "to_matrix":
        return lambda: roma.unitquat_to_rotmat(*given)
    a, b, t = given
    # Its result has the axes of `t` in front of those of the quaternions: once round a pair at a time.
    return lambda: slerp(a, b, t)


def slerp(a, b, t):
    """As roma has no time for each pair, its own exponential and logarithm."""
    between = roma.unitquat_to_rotvec(roma.quat_product(roma.quat_conjugation(a), b))
    return roma.quat_product(a, roma.rotvec_to_unitquat(t * between))
