"""The array libraries that the demo compares: how to make an array, wait for it, and find its memory."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Kind:
    """One array library."""

    name: str
    version: str
    from_numpy: Callable[[Any], Any]
    to_numpy: Callable[[Any], Any]
    # Where the library itself says that an array's numbers lie.
    address: Callable[[Any], int]
    wait: Callable[[Any], Any] = lambda array: array


def _numpy() -> Kind:
    return Kind(
        "NumPy", np.__version__, np.asarray, np.asarray, lambda array: int(array.ctypes.data)
    )


def _torch() -> Kind:
    torch = importlib.import_module("torch")
    return Kind(
        "torch",
        str(torch.__version__),
        torch.from_numpy,
        lambda tensor: tensor.numpy(),
        lambda tensor: int(tensor.data_ptr()),
    )


def _jax() -> Kind:
    jax = importlib.import_module("jax")
    cpu = jax.devices("cpu")[0]
    return Kind(
        "JAX",
        str(jax.__version__),
        lambda array: jax.device_put(array, cpu),
        np.asarray,
        lambda array: int(array.unsafe_buffer_pointer()),
        lambda array: array.block_until_ready(),
    )


def installed() -> tuple[list[Kind], list[str]]:
    """The libraries that are installed, and why the others are not there."""
    found: list[Kind] = []
    missing: list[str] = []
    for name, make in (("numpy", _numpy), ("torch", _torch), ("jax", _jax)):
        try:
            found.append(make())
        except ModuleNotFoundError as error:
            # A library that is there but broken should say so itself.
            if error.name != name:
                raise
            missing.append(name)
    return found, missing
