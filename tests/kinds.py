"""Every kind of array that the contract names, as one table: how to make it, how to read it back."""

from __future__ import annotations

import dataclasses
import importlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np

FLOATS = {"float32": np.float32, "float64": np.float64}


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of array.

    `make(values, core)` holds the numbers of a NumPy array whose last `core` axes are one item; None
    where the kind cannot express that shape. `read` gives NumPy back; `is_same` says whether a result
    is of this kind; `copies` is how many documented copies reading one argument costs.
    """

    name: str
    module: str
    make: Callable[[np.ndarray, int], Any]
    read: Callable[[Any], np.ndarray]
    is_same: Callable[[Any], bool]
    dtype_of: Callable[[Any], str]
    copies: int = 0

    def __str__(self) -> str:
        return self.name


def _numpy(name: str, make: Callable[[np.ndarray, int], Any]) -> Kind:
    return Kind(
        name, "numpy", make, np.asarray, lambda x: type(x) is np.ndarray, lambda x: str(x.dtype)
    )


def _read_only(values, core):
    values = values.copy()
    values.flags.writeable = False
    return values


def _negative_strides(values, core):
    # Every axis runs backwards through memory.
    every = (slice(None, None, -1),) * values.ndim
    return np.ascontiguousarray(values[every])[every]


def _step(values, core):
    wide = np.full((*values.shape[:-1], 2 * values.shape[-1]), np.nan, values.dtype)
    wide[..., ::2] = values
    return wide[..., ::2]


def _transposed_batch(values, core):
    order = (*range(values.ndim - core)[::-1], *range(values.ndim - core, values.ndim))
    return np.ascontiguousarray(values.transpose(order)).transpose(order)


def _misaligned(values, core):
    raw = np.empty(values.nbytes + 1, np.uint8)
    raw[1:] = np.frombuffer(values.tobytes(), np.uint8)
    return raw[1:].view(values.dtype).reshape(values.shape)


def _torch(name: str, make: Callable[[Any], Any]) -> Kind:
    def of(values, core):
        import torch

        return make(torch.from_numpy(values.copy()))

    return Kind(
        name,
        "torch",
        of,
        lambda x: x.numpy(),
        lambda x: type(x).__module__ == "torch" and type(x).__name__ == "Tensor",
        lambda x: str(x.dtype).removeprefix("torch."),
    )


def _torch_strided(tensor):
    import torch

    if tensor.ndim == 0:
        return tensor
    wide = torch.full((*tensor.shape, 3), float("nan"), dtype=tensor.dtype)
    wide[..., 1] = tensor
    return wide[..., 1]


def _jax(values, core):
    import jax

    return jax.device_put(values)


def _is_jax(x):
    import jax

    return isinstance(x, jax.Array)


def _rows(values: np.ndarray, core: int) -> bool:
    """Whether an Arrow column can hold the values: its rows are the one batch axis."""
    return values.ndim - core == 1 or (values.ndim, core) == (1, 1)


def _pyarrow(values, core):
    import pyarrow as pa

    if not _rows(values, core):
        return None
    if values.ndim == 1:
        return pa.array(values)
    if values.ndim == 2:
        flat = pa.array(values.reshape(-1))
        return pa.FixedSizeListArray.from_arrays(flat, values.shape[-1])
    if 0 in values.shape:
        return None
    return pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(values))


def _read_pyarrow(x):
    import pyarrow as pa

    if isinstance(x, pa.FixedShapeTensorArray):
        return x.to_numpy_ndarray()
    if pa.types.is_fixed_size_list(x.type):
        width = x.type.list_size
        return x.flatten().to_numpy(zero_copy_only=False).reshape(len(x), width)
    return x.to_numpy(zero_copy_only=False)


def _pyarrow_dtype(x):
    import pyarrow as pa

    inner = x.type
    while not pa.types.is_floating(inner):
        inner = inner.storage_type if isinstance(inner, pa.BaseExtensionType) else inner.value_type
    return {"float": "float32", "double": "float64"}[str(inner)]


def _is_pyarrow(x):
    import pyarrow as pa

    return isinstance(x, pa.Array)


def _polars(values, core):
    import polars as pl

    if not _rows(values, core) or (values.ndim > 1 and 0 in values.shape):
        return None
    return pl.Series("pose", values)


def _read_polars(x):
    import polars as pl

    if not hasattr(pl, "Extension") or not isinstance(x.dtype, pl.Extension):
        return x.to_numpy()
    # arrow.fixed_shape_tensor: flat rows, and the shape of one as metadata.
    shape = json.loads(x.dtype.ext_metadata())["shape"]
    return x.ext.storage().to_numpy().reshape(len(x), *shape)


def _is_polars(x):
    import polars as pl

    return isinstance(x, pl.Series)


def _memoryview(values, core):
    values = np.ascontiguousarray(values)
    return memoryview(values) if values.size else None


def _list(values, core):
    return values.tolist() if values.size else None


KINDS = [
    _numpy("numpy", lambda values, core: values.copy()),
    _numpy("numpy read-only", _read_only),
    _numpy("numpy negative strides", _negative_strides),
    _numpy("numpy every second", _step),
    _numpy("numpy Fortran order", lambda values, core: np.asfortranarray(values)),
    _numpy("numpy transposed batch", _transposed_batch),
    dataclasses.replace(_numpy("numpy misaligned", _misaligned), copies=1),
    dataclasses.replace(
        _numpy(
            "numpy byte-swapped",
            lambda values, core: values.astype(values.dtype.newbyteorder()),
        ),
        copies=1,
    ),
    _torch("torch", lambda tensor: tensor),
    _torch("torch non-contiguous", _torch_strided),
    Kind("jax", "jax", _jax, np.asarray, _is_jax, lambda x: str(x.dtype)),
    Kind("pyarrow", "pyarrow", _pyarrow, _read_pyarrow, _is_pyarrow, _pyarrow_dtype),
    Kind(
        "polars", "polars", _polars, _read_polars, _is_polars, lambda x: str(_read_polars(x).dtype)
    ),
    Kind(
        "memoryview",
        "numpy",
        _memoryview,
        np.asarray,
        lambda x: type(x) is memoryview,
        lambda x: str(np.asarray(x).dtype),
    ),
    Kind(
        "list",
        "numpy",
        _list,
        np.asarray,
        lambda x: type(x) is np.ndarray,
        lambda x: str(x.dtype),
    ),
]


def available(kind: Kind) -> bool:
    try:
        importlib.import_module(kind.module)
    except ImportError:
        return False
    return True
