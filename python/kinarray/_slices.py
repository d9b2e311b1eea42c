"""Parts and choices of arrays that their own libraries can make without a copy."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from ._core import asarray, kind_of

SLICED = frozenset({"numpy", "torch", "jax"})
"""Kinds whose arrays have slices along any axis."""


def kind(x: Any) -> str:
    """The kind of an array; what stands for a value inside a JAX transformation has JAX's views too."""
    jax = sys.modules.get("jax")
    if jax is not None and isinstance(x, jax.Array):
        return "jax"
    return kind_of(x)


def has_views(x: Any, size: int) -> bool:
    """Whether slices along the last axis, of this size, can be taken from the array itself."""
    return hasattr(x, "ndim") and kind(x) in SLICED and x.ndim > 0 and int(x.shape[-1]) == size


def stack(arrays: Sequence[Any], axis: int) -> Any:
    """Arrays side by side along a new axis: by their library where all are of one that has views."""
    kinds = {kind(x) for x in arrays}
    library = kinds.pop() if len(kinds) == 1 else ""
    if library == "torch":
        torch = sys.modules["torch"]
        return torch.stack(torch.broadcast_tensors(*arrays), axis)
    if library == "jax":
        import jax.numpy as jnp

        return jnp.stack(jnp.broadcast_arrays(*arrays), axis)
    import numpy as np

    return np.stack(np.broadcast_arrays(*(asarray(x, like=np.empty(0)) for x in arrays)), axis)


def take(x: Any, axis: int, indices: Any) -> Any:
    """The items of these indices along one axis, an array of the same kind."""
    own = kind(x) if hasattr(x, "ndim") else ""
    if own == "torch":
        return x.index_select(axis, asarray(indices, like=x))
    if own in SLICED and hasattr(x, "take"):
        return x.take(indices, axis=axis)
    import numpy as np

    return asarray(np.take(asarray(x, like=np.empty(0)), indices, axis=axis), like=x)
