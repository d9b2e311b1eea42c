"""Where the compiled functions ask who differentiates: the library of the arrays that they were given."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from .._core import GradientError, Operation

_TORCH = f"{__package__}.torch"


def _bridge(arrays: Sequence[Any]) -> Any:
    """The bridge of the library that knows one of the arrays; ``None`` where none does."""
    torch = sys.modules.get("torch")
    if torch is not None:
        for x in arrays:
            if isinstance(x, torch.Tensor):
                return sys.modules.get(_TORCH) or import_module(_TORCH)
    jax = sys.modules.get("jax")
    if jax is not None and any(isinstance(x, jax.Array) for x in arrays):
        return import_module(".jax", __package__)
    return None


def meet(operation: Operation, arrays: Sequence[Any], out: Any, error: BaseException) -> Any:
    """Has an operation done by the library of its arrays, recording derivatives.

    ``error`` is why the arrays could not be read; it is raised where no library knows one of them.
    """
    bridge = _bridge(arrays)
    if bridge is None:
        raise error
    if out is not None:
        raise GradientError(
            f"{operation.name}: out= cannot take a result whose derivatives are recorded; leave it out"
        )
    return bridge.call(operation, arrays)


def shapes_to_record(arrays: Sequence[Any]) -> list[list[int]] | None:
    """The shapes of arrays some of which a bridge is to see; ``None`` where they can be read as they are."""
    bridge = _bridge(arrays)
    if bridge is None or not any(bridge.is_tracked(x) for x in arrays):
        return None
    import numpy as np

    return [list(x.shape) if hasattr(x, "shape") else list(np.shape(x)) for x in arrays]
