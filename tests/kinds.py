"""Every kind of array that the contract names, as one table: how to make it, how to read it back."""

from __future__ import annotations

import array
import dataclasses
import importlib
import importlib.util
import json
import sys
import types
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from kinarray import interop

FLOATS = {"float32": np.float32, "float64": np.float64}


def _speaks_dlpack_1() -> bool:
    try:
        np.zeros(1).__dlpack__(max_version=(1, 0))
    except TypeError:
        return False
    return True


NUMPY_SPEAKS_DLPACK_1 = _speaks_dlpack_1()
"""NumPy before 2.1 makes and takes old capsules only, which cannot say what may be written into: it
exports nothing that is read-only, and what it takes is read-only to it in any case."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of array, of the library that `module` names; `needs` are those it is made with.

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
    needs: tuple[str, ...] = ()

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


def _parameter(tensor):
    import torch

    return torch.nn.Parameter(tensor, requires_grad=False)


def _jax(values, core):
    import jax

    return jax.device_put(values)


def _is_jax(x):
    import jax

    return isinstance(x, jax.Array)


def _rows(values: np.ndarray, core: int) -> bool:
    """Whether an Arrow column can hold the values: its rows are the one batch axis."""
    return values.ndim - core == 1 or (values.ndim, core) == (1, 1)


def _nested(values, core):
    """A pyarrow column of lists inside of lists."""
    import pyarrow as pa

    if not _rows(values, core):
        return None
    column = pa.array(np.ascontiguousarray(values).reshape(-1))
    for size in values.shape[:0:-1]:
        column = pa.FixedSizeListArray.from_arrays(column, size)
    return column


def _pyarrow(values, core):
    """A pyarrow column; rows with two axes or more are tensors."""
    import pyarrow as pa

    if values.ndim <= 2 or not _rows(values, core):
        return _nested(values, core)
    if 0 in values.shape:
        return None
    return pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(values))


def _named_tensor(values, core):
    import pyarrow as pa

    if values.ndim < 2 or 0 in values.shape or not _rows(values, core):
        return None
    shape = values.shape[1:]
    kind = pa.fixed_shape_tensor(
        pa.from_numpy_dtype(values.dtype),
        shape,
        dim_names=["joint", "channel", "more"][: len(shape)],
    )
    flat = np.ascontiguousarray(values).reshape(len(values), -1)
    return pa.ExtensionArray.from_storage(kind, _nested(flat, 1))


def _arrow_slice(values, core):
    if not _rows(values, core):
        return None
    around = np.full((1, *values.shape[1:]), 1e30, values.dtype)
    return _nested(np.concatenate([around, values, around]), values.ndim - 1)[1:-1]


def _chunked(values, core):
    import pyarrow as pa

    column = _pyarrow(values, core)
    if column is None:
        return None
    return pa.chunked_array([column[:1], column[1:]])


def _read_pyarrow(x):
    import pyarrow as pa

    if isinstance(x, pa.ChunkedArray):
        # One after the other: joining is what some versions cannot do for tensors.
        chunks = x.chunks or [pa.array([], x.type)]
        return np.concatenate([_read_pyarrow(chunk) for chunk in chunks])
    if isinstance(x, pa.FixedShapeTensorArray):
        return x.to_numpy_ndarray()
    shape = [len(x)]
    while pa.types.is_fixed_size_list(x.type):
        shape.append(x.type.list_size)
        x = x.flatten()
    return x.to_numpy(zero_copy_only=False).reshape(shape)


def _pyarrow_dtype(x):
    import pyarrow as pa

    inner = x.type
    while isinstance(inner, pa.BaseExtensionType) or pa.types.is_fixed_size_list(inner):
        inner = inner.storage_type if isinstance(inner, pa.BaseExtensionType) else inner.value_type
    return {"float": "float32", "double": "float64"}.get(str(inner), str(inner))


def _is_pyarrow(x):
    import pyarrow as pa

    return isinstance(x, pa.Array)


def _arrow(name: str, module: str, wrap: Callable, read: Callable, cls: Callable, **more) -> Kind:
    """A column of another library, made of a pyarrow column and read back as one."""

    base = more.pop("make", _pyarrow)

    def of(values, core):
        column = base(values, core)
        return None if column is None else wrap(load(module), column)

    return Kind(
        name,
        module,
        of,
        lambda x: _read_pyarrow(read(x)),
        lambda x: isinstance(x, cls(load(module))),
        lambda x: _pyarrow_dtype(read(x)),
        needs=("pyarrow",),
        **more,
    )


def _to_pyarrow(x):
    import pyarrow as pa

    return pa.array(x)


def _from_pandas(x):
    return x.array.__arrow_array__()


def _from_duckdb(x):
    import pyarrow as pa

    if isinstance(x, pa.Array):
        return x
    return pa.RecordBatchReader.from_stream(x).read_all().column(0)


def _duckdb(duckdb, column):
    import pyarrow as pa

    return duckdb.connect().from_arrow(pa.table({"pose": column}))


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


# Other libraries that speak DLPack ------------------------------------------------------------------


def _dlpack(name: str, module: str, make: Callable[[Any, np.ndarray], Any], cls, read) -> Kind:
    return Kind(
        name,
        module,
        lambda values, core: make(load(module), values),
        read,
        lambda x: isinstance(x, cls(load(module))),
        lambda x: str(getattr(x.dtype, "name", x.dtype)).rpartition(".")[2].lower(),
    )


def _warp(values, core):
    # It has four axes at most, and results may have one more than arguments.
    if values.ndim > 4 or values.ndim - core > 2:
        return None
    return load("warp").array(values)


def _warp_dtype(x):
    return str(load("warp").dtype_to_numpy(x.dtype).__name__)


class Interface:
    """An object that has `__array_interface__` and nothing else."""

    def __init__(self, values):
        self._values = values

    @property
    def __array_interface__(self):
        return self._values.__array_interface__


class Producer:
    """A DLPack producer that nobody knows, of a library without `from_dlpack`."""

    def __init__(self, values):
        self.values = values

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()

    def __dlpack__(self, **keywords):
        if not NUMPY_SPEAKS_DLPACK_1:
            keywords.clear()
        return self.values.__dlpack__(**keywords)


class Writable:
    """The memory of an array as one that may be written into, whatever its flags say."""

    def __init__(self, array):
        self._array = array

    @property
    def __array_interface__(self):
        said = self._array.__array_interface__
        return said | {"data": (said["data"][0], False)}


def library(name: str) -> types.ModuleType:
    """A library that nobody knows: its arrays speak DLPack, and `from_dlpack` makes them."""
    module = types.ModuleType(name)
    cls = type("ndarray", (Producer,), {"__module__": f"{name}._core.array"})
    module.ndarray = cls

    def from_dlpack(x):
        values = np.from_dlpack(x)
        return cls(values if NUMPY_SPEAKS_DLPACK_1 else np.asarray(Writable(values)))

    module.from_dlpack = from_dlpack
    return module


def _unknown(values, core):
    module = sys.modules.setdefault("unknown_array_library", library("unknown_array_library"))
    return module.ndarray(values.copy())


def _array_array(values, core):
    if values.ndim != 1 or not values.size:
        return None
    return array.array({"float32": "f", "float64": "d"}[str(values.dtype)], values.tobytes())


def _ctypes(values, core):
    return np.ctypeslib.as_ctypes(values.copy()) if values.size else None


def _buffer(name: str, make: Callable[[np.ndarray, int], Any]) -> Kind:
    return Kind(
        name,
        "numpy",
        make,
        np.asarray,
        lambda x: type(x) is memoryview,
        lambda x: str(np.asarray(x).dtype),
    )


EVERY_KIND = [
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
    _torch("torch Parameter", lambda tensor: _parameter(tensor)),
    _numpy("__array_interface__", lambda values, core: Interface(values.copy())),
    Kind("pyarrow", "pyarrow", _pyarrow, _read_pyarrow, _is_pyarrow, _pyarrow_dtype),
    Kind("pyarrow nested", "pyarrow", _nested, _read_pyarrow, _is_pyarrow, _pyarrow_dtype),
    Kind("pyarrow slice", "pyarrow", _arrow_slice, _read_pyarrow, _is_pyarrow, _pyarrow_dtype),
    Kind("pyarrow tensors", "pyarrow", _named_tensor, _read_pyarrow, _is_pyarrow, _pyarrow_dtype),
    Kind("pyarrow chunks", "pyarrow", _chunked, _read_pyarrow, _is_pyarrow, _pyarrow_dtype, 1),
    Kind(
        "polars", "polars", _polars, _read_polars, _is_polars, lambda x: str(_read_polars(x).dtype)
    ),
    _arrow(
        "pandas",
        "pandas",
        lambda pd, column: pd.Series(pd.arrays.ArrowExtensionArray(column), name="pose"),
        _from_pandas,
        lambda pd: pd.Series,
    ),
    _arrow(
        "arro3",
        "arro3.core",
        lambda arro3, column: arro3.Array.from_arrow(column),
        _to_pyarrow,
        lambda arro3: arro3.Array,
    ),
    _arrow(
        "nanoarrow",
        "nanoarrow",
        lambda nanoarrow, column: nanoarrow.Array(column),
        _to_pyarrow,
        lambda nanoarrow: nanoarrow.Array,
    ),
    # Relations hold no arrays, and tensors lose their shape in them: pyarrow for the one, lists of
    # lists for the other.
    _arrow(
        "duckdb",
        "duckdb",
        _duckdb,
        _from_duckdb,
        lambda duckdb: load("pyarrow").Array,
        make=_nested,
    ),
    _dlpack(
        "paddle",
        "paddle",
        lambda paddle, values: paddle.to_tensor(values),
        lambda paddle: paddle.Tensor,
        lambda x: x.numpy(),
    ),
    _dlpack(
        "tensorflow",
        "tensorflow",
        lambda tf, values: tf.constant(values),
        lambda tf: tf.Tensor,
        lambda x: x.numpy(),
    ),
    _dlpack(
        "mlx",
        "mlx.core",
        lambda mx, values: mx.array(values, dtype=getattr(mx, str(values.dtype))),
        lambda mx: mx.array,
        np.array,
    ),
    Kind(
        "warp",
        "warp",
        _warp,
        lambda x: x.numpy(),
        lambda x: isinstance(x, load("warp").array),
        _warp_dtype,
    ),
    Kind(
        "tvm-ffi",
        "tvm_ffi",
        lambda values, core: load("tvm_ffi").from_dlpack(values.copy()),
        np.from_dlpack,
        lambda x: isinstance(x, load("tvm_ffi").Tensor),
        lambda x: str(x.dtype),
    ),
    Kind(
        "DLPack",
        "numpy",
        lambda values, core: Producer(values.copy()),
        np.from_dlpack,
        lambda x: type(x) is interop.Buffer,
        lambda x: str(np.from_dlpack(x).dtype),
    ),
    Kind(
        "DLPack with from_dlpack",
        "numpy",
        _unknown,
        lambda x: x.values,
        lambda x: type(x).__module__ == "unknown_array_library._core.array",
        lambda x: str(x.values.dtype),
    ),
    _buffer("memoryview", _memoryview),
    _buffer("array.array", _array_array),
    _buffer("ctypes", _ctypes),
    Kind(
        "list",
        "numpy",
        _list,
        np.asarray,
        lambda x: type(x) is np.ndarray,
        lambda x: str(x.dtype),
    ),
]


def load(module: str):
    """The module; what it says about itself when it is imported is none of our business."""
    if module in sys.modules:
        return sys.modules[module]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = importlib.import_module(module)
    if module == "warp":
        loaded.config.quiet = True
    return loaded


def installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # nor the package that it is in
        return False


def available(kind: Kind) -> bool:
    return all(map(installed, (kind.module, *kind.needs)))


KINDS = [kind for kind in EVERY_KIND if available(kind)]
"""The kinds whose library is installed."""
