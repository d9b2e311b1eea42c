"""Random arrays for hypothesis: any kind, shape, strides, element type and offset, inside of real memory.

Every array is described over a piece of memory of its own, with other bytes before, between and after
its elements, so that a read next to it gives wrong numbers and a write next to it is seen.
"""

from __future__ import annotations

import array
import ctypes
import dataclasses
import functools
import importlib.util
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from kinarray import interop
from producers import DLTensor, Legacy, Versioned, capsule

STORED = {
    "float64": np.dtype("=f8"),
    "float32": np.dtype("=f4"),
    "float16": np.dtype("=f2"),
    "bfloat16": np.dtype("=u2"),  # NumPy has none: its bits
}


def encode(values: np.ndarray, dtype: str) -> np.ndarray:
    """Numbers as they are stored."""
    if dtype == "bfloat16":
        return (values.astype("=f4").view("=u4") >> 16).astype("=u2")
    return values.astype(STORED[dtype])


def decode(stored: np.ndarray, dtype: str) -> np.ndarray:
    """What was stored, exactly, as contiguous float64."""
    stored = np.array(stored, dtype=STORED[dtype], order="C", copy=True)
    if dtype == "bfloat16":
        stored = (stored.astype("=u4") << 16).view("=f4")
    return stored.astype(np.float64)


def numbers(rng: np.random.Generator, shape) -> np.ndarray:
    """Numbers of either sign, none near zero: four of them always make a rotation."""
    return rng.uniform(0.2, 1.0, shape) * rng.choice([-1.0, 1.0], shape)


@dataclasses.dataclass
class Layout:
    """A view over some bytes."""

    raw: np.ndarray
    view: np.ndarray

    @property
    def is_swapped(self) -> bool:
        return not self.view.dtype.isnative

    @property
    def is_in_place(self) -> bool:
        """Whether the elements can be read where they lie."""
        size = self.view.itemsize
        steps = zip(self.view.shape, self.view.strides, strict=True)
        return (
            not self.is_swapped
            and self.view.ctypes.data % size == 0
            and all(stride % size == 0 for length, stride in steps if length > 1)
        )


@st.composite
def layouts(
    draw,
    shape,
    dtype: str,
    *,
    raw: np.ndarray | None = None,
    overlapping: bool = True,
    negative: bool = True,
    odd: bool = True,
    swapped: bool = True,
    contiguous: bool = False,
    spare: int = 0,
):
    """A layout of `shape` over fresh bytes, or anywhere in `raw`; None where that is too small.

    Elements share memory (strides of zero, sliding windows) only where they may be `overlapping`;
    `odd` allows misaligned starts and strides, `swapped` the other byte order; `spare` bytes follow.
    """
    stored = STORED[dtype]
    size = stored.itemsize
    if swapped and draw(st.integers(0, 7)) == 0:
        stored = stored.newbyteorder()
    styles = ["plain"] + ["apart"] * (not contiguous) + ["window"] * overlapping
    style = draw(st.sampled_from(styles))
    strides = [0] * len(shape)
    if style == "window":
        for axis in range(len(shape)):
            strides[axis] = size * draw(st.integers(-3 if negative else 0, 3))
    else:
        order = list(range(len(shape)))[::-1]
        step = size
        if style == "apart":
            order = draw(st.permutations(order))
            if odd and draw(st.integers(0, 7)) == 0:
                step += draw(st.integers(1, 3))
        for axis in order:
            gap = draw(st.integers(1, 2)) if style == "apart" else 1
            sign = -1 if style == "apart" and negative and draw(st.booleans()) else 1
            strides[axis] = sign * step * gap
            step = abs(strides[axis]) * max(shape[axis], 1)
    travels = [stride * (length - 1) for stride, length in zip(strides, shape, strict=True)]
    low = high = 0
    if 0 not in shape:
        low, high = sum(min(t, 0) for t in travels), sum(max(t, 0) for t in travels)
    lead = size * draw(st.integers(0, 3))
    if odd and draw(st.integers(0, 5)) == 0:
        lead += draw(st.integers(1, max(size - 1, 1)))
    length = lead - low + high + size + 8 + spare
    if raw is not None:
        length -= spare
        if length > raw.nbytes:
            return None
        offset = draw(st.integers(0, (raw.nbytes - length) // size)) * size + lead - low
        return Layout(raw, np.ndarray(shape, stored, raw, offset, strides))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    whole = np.frombuffer(bytearray(rng.bytes(length + 64)), np.uint8)
    start = -whole.ctypes.data % 64
    raw = whole[start : start + length]
    # What lies between the elements are numbers too, for windows to slide over.
    grid = raw[lead % size :][: (length - lead % size) // size * size].view(stored)
    grid[...] = encode(numbers(rng, grid.shape), dtype)
    view = np.ndarray(shape, stored, raw, lead - low, strides)
    if style != "window":
        view[...] = encode(numbers(rng, shape), dtype)
    return Layout(raw, view)


@dataclasses.dataclass
class Argument:
    """An argument: the object, what numbers it holds, and what reading it may cost."""

    kind: str
    object: Any
    values: np.ndarray
    dtype: str
    #: The memory that must not change.
    raw: list[np.ndarray]
    #: Whether it can be read where it lies.
    in_place: bool = True
    #: Copies that are made however it is read.
    joined: int = 0

    def copies(self, computed: str) -> int:
        """The documented copies of reading it for a computation in `computed`."""
        if self.values.size == 0 or self.kind == "numbers":
            return 0
        return self.joined + (self.dtype != computed or not self.in_place)


# DLPack structures as an unknown producer makes them ---------------------------------------------------


class Producer:
    """Somebody unknown who speaks DLPack."""

    def __init__(self, structure, keep):
        self.structure, self.keep = structure, keep

    def __dlpack__(self, **keywords):
        versioned = isinstance(self.structure, Versioned)
        if keywords and not versioned:
            raise TypeError("unexpected keyword argument 'max_version'")
        name = b"dltensor_versioned" if versioned else b"dltensor"
        return capsule(ctypes.addressof(self.structure), name)


def producer(draw, layout: Layout, dtype: str, *, writable: bool | None = None) -> Producer:
    view = layout.view
    size = view.itemsize
    strides = [stride // size for stride in view.strides]
    for axis, length in enumerate(view.shape):
        if length <= 1 and draw(st.booleans()):
            strides[axis] = draw(st.sampled_from([-7, 0, 2**40, 2**62]))
    shape = (ctypes.c_int64 * view.ndim)(*view.shape)
    steps = (ctypes.c_int64 * view.ndim)(*strides)
    tensor = DLTensor(
        ndim=view.ndim,
        device_type=1,
        code=4 if dtype == "bfloat16" else 2,
        bits=8 * size,
        lanes=1,
        shape=shape,
        strides=steps,
    )
    if view.flags.c_contiguous and draw(st.booleans()):
        tensor.strides = None
    tensor.byte_offset = draw(st.integers(0, 300))
    tensor.data = view.ctypes.data - tensor.byte_offset
    if view.size == 0 and draw(st.booleans()):
        tensor.data = None
    if writable or draw(st.booleans()):
        minor = draw(st.integers(0, 9))
        flags = 0 if writable else draw(st.sampled_from([0, 1, 2]))
        structure = Versioned(major=1, minor=minor, tensor=tensor, flags=flags)
    else:
        structure = Legacy(tensor=tensor)
    return Producer(structure, (layout, shape, steps))


# Kinds -------------------------------------------------------------------------------------------------


@functools.cache
def has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def numpy_array(draw, shape, dtype, spare=0):
    layout = draw(layouts(shape, dtype, spare=spare))
    view = layout.view
    how = draw(st.sampled_from(["writable", "read-only", "subclass"]))
    if how == "subclass":
        view = view.view(type("Sub", (np.ndarray,), {}))
    elif how == "read-only":
        view.flags.writeable = False
    return Argument(
        "numpy", view, decode(layout.view, dtype), dtype, [layout.raw], layout.is_in_place
    )


def as_torch(layout: Layout, dtype: str):
    """The same memory as a tensor; strides as a tensor can have them."""
    import torch

    size = layout.view.itemsize
    usable = layout.raw[: layout.raw.nbytes // size * size]
    flat = torch.from_numpy(usable).view(getattr(torch, dtype))
    offset = (layout.view.ctypes.data - usable.ctypes.data) // size
    strides = [stride // size for stride in layout.view.strides]
    return torch.as_strided(flat, layout.view.shape, strides, offset)


def torch_tensor(draw, shape, dtype):
    layout = draw(layouts(shape, dtype, negative=False, odd=False, swapped=False))
    tensor = as_torch(layout, dtype)
    return Argument("torch", tensor, decode(layout.view, dtype), dtype, [layout.raw])


def jax_array(draw, shape, dtype):
    import jax

    layout = draw(layouts(shape, dtype))
    values = decode(layout.view, dtype)
    if draw(st.booleans()) and dtype != "bfloat16":
        given = jax.device_put(layout.view.astype(STORED[dtype]), draw(device()))
    else:
        given = jax.numpy.asarray(values, dtype=dtype)
    if draw(st.booleans()):
        given = jax.numpy.flip(jax.numpy.flip(given, 0), 0)
    return Argument("jax", given, values, dtype, [])


def device():
    import jax

    return st.sampled_from([None, jax.devices("cpu")[0]])


def buffer(draw, shape, dtype):
    if len(shape) == 1 and shape[0] and dtype != "float16" and draw(st.booleans()):
        rng = np.random.default_rng(draw(st.integers(0, 99)))
        given = array.array({"float32": "f", "float64": "d"}[dtype], numbers(rng, shape))
        return Argument("memoryview", given, np.array(given, np.float64), dtype, [])
    layout = draw(layouts(shape, dtype))
    given = memoryview(layout.view)
    if draw(st.booleans()):
        given = given.toreadonly()
    return Argument(
        "memoryview", given, decode(layout.view, dtype), dtype, [layout.raw], layout.is_in_place
    )


def unknown(draw, shape, dtype):
    layout = draw(layouts(shape, dtype, swapped=False))
    size = layout.view.itemsize
    steps = zip(layout.view.shape, layout.view.strides, strict=True)
    if any(stride % size for length, stride in steps if length > 1):
        layout = draw(layouts(shape, dtype, swapped=False, odd=False))
    return Argument(
        "dlpack",
        producer(draw, layout, dtype),
        decode(layout.view, dtype),
        dtype,
        [layout.raw],
        layout.view.ctypes.data % size == 0,
    )


def arrow_rows(draw, shape, dtype, *, tensors=True):
    """Rows inside of more rows, over numbers that start somewhere inside of a buffer."""
    import pyarrow as pa

    number = getattr(pa, dtype)()
    before, after = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    skipped = draw(st.integers(0, 3))
    rows, row = shape[0], shape[1:]
    width = int(np.prod(row, dtype=int))
    count = skipped + (before + rows + after) * width
    layout = draw(layouts((count,), dtype, overlapping=False, contiguous=True, swapped=False))
    memory = pa.py_buffer(layout.view.view(np.uint8))
    column = pa.Array.from_buffers(number, count - skipped, [None, memory], offset=skipped)
    values = decode(layout.view, dtype)[skipped:].reshape(before + rows + after, *row)
    if row and tensors and draw(st.booleans()):
        storage = pa.FixedSizeListArray.from_arrays(column, width)
        tensor = pa.fixed_shape_tensor(number, row)
        column = pa.ExtensionArray.from_storage(tensor, storage)
    else:
        for length in row[::-1]:
            column = pa.FixedSizeListArray.from_arrays(column, length)
    aligned = layout.view.ctypes.data % layout.view.itemsize == 0
    return column[before : before + rows], values[before : before + rows], layout.raw, aligned


def pyarrow_array(draw, shape, dtype):
    import pyarrow as pa

    if 0 in shape[1:]:
        return None
    column, values, raw, aligned = arrow_rows(draw, shape, dtype)
    joined = 0
    if draw(st.booleans()):
        cuts = sorted(draw(st.lists(st.integers(0, len(column)), max_size=2)))
        ends = [0, *cuts, len(column)]
        chunks = [column[a:b] for a, b in itertools.pairwise(ends)]
        column = pa.chunked_array(chunks, column.type)
        joined = int(sum(len(chunk) > 0 for chunk in chunks) > 1)
        if not aligned:
            # arrow-rs aligns chunk by chunk.
            return None
    return Argument("pyarrow", column, values, dtype, [raw], True, joined + (not aligned))


def polars_series(draw, shape, dtype):
    import polars as pl

    if dtype == "float16" or 0 in shape:
        return None
    column, values, raw, aligned = arrow_rows(draw, shape, dtype, tensors=False)
    if not aligned:
        return None
    return Argument("polars", pl.Series("pose", column), values, dtype, [raw])


def pandas_series(draw, shape, dtype):
    import pandas as pd

    if 0 in shape[1:]:
        return None
    column, values, raw, aligned = arrow_rows(draw, shape, dtype, tensors=False)
    if not aligned:
        return None
    series = pd.Series(pd.arrays.ArrowExtensionArray(column), name="pose")
    return Argument("pandas", series, values, dtype, [raw])


def plain_numbers(draw, shape, dtype):
    if 0 in shape:
        return None
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    values = numbers(rng, shape)
    return Argument("numbers", values.tolist(), values, "float64", [])


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    module: str
    make: Callable[..., Argument | None]
    dtypes: tuple[str, ...] = ("float32", "float64", "float16")


HALVES = ("float32", "float64", "float16", "bfloat16")
KINDS = [
    Kind("numpy", "numpy", numpy_array),
    Kind("torch", "torch", torch_tensor, HALVES),
    Kind("jax", "jax", jax_array, HALVES),
    Kind("memoryview", "numpy", buffer),
    Kind("dlpack", "numpy", unknown, HALVES),
    Kind("pyarrow", "pyarrow", pyarrow_array),
    Kind("polars", "polars", polars_series),
    # TEMP Kind("pandas", "pandas", pandas_series),
    Kind("numbers", "numpy", plain_numbers, ("float64",)),
]


@functools.cache
def kinds_here() -> list[Kind]:
    return [
        kind for kind in KINDS if has(kind.module) and (kind.name != "pandas" or has("pyarrow"))
    ]


@st.composite
def arguments(draw, shape, dtype: str | None = None):
    """An argument of `shape`, of any kind that can express it."""
    kind = draw(st.sampled_from(kinds_here()))
    if dtype is None or dtype not in kind.dtypes:
        dtype = draw(st.sampled_from(kind.dtypes))
    made = kind.make(draw, shape, dtype)
    return made if made is not None else numpy_array(draw, shape, dtype)


# Results -----------------------------------------------------------------------------------------------


def is_kind(result, kind: str) -> bool:
    """Whether a result is what an argument of this kind gives."""
    module = type(result).__module__.split(".")[0]
    if kind in ("numpy", "numbers"):
        return isinstance(result, np.ndarray)
    if kind == "memoryview":
        return type(result) is memoryview
    if kind == "dlpack":
        return (module, type(result).__name__) == ("kinarray", "Buffer")
    return module == ("jaxlib" if kind == "jax" else kind)


def read(result, kind: str, shape) -> tuple[np.ndarray, str]:
    """The numbers of a result as float64, and its element type."""
    if kind in ("numpy", "numbers", "memoryview"):
        result = np.asarray(result)
        return result.astype(np.float64), result.dtype.name
    if kind == "torch":
        return result.double().numpy(), str(result.dtype).removeprefix("torch.")
    if kind == "jax":
        return np.asarray(result).astype(np.float64), result.dtype.name
    if kind == "dlpack":
        if result.dtype == "bfloat16":
            # NumPy has no such numbers; they are the upper halves of float32.
            memory = (ctypes.c_uint16 * math.prod(result.shape)).from_address(
                interop.address(result)
            )
            upper = np.array(memory, np.uint32).reshape(result.shape)
            return (upper << 16).view(np.float32).astype(np.float64), result.dtype
        return np.from_dlpack(result).astype(np.float64), result.dtype
    import pyarrow as pa

    if kind == "pandas":
        result = pa.array(result.array)
    elif kind == "polars":
        result = result.to_arrow()
    if isinstance(result, pa.ChunkedArray):
        result = result.combine_chunks()
    rows = len(result)
    while isinstance(result, pa.ExtensionArray):
        result = result.storage
    while pa.types.is_fixed_size_list(result.type) or pa.types.is_list(result.type):
        result = result.flatten()
        while isinstance(result, pa.ExtensionArray):
            result = result.storage
    dtype = {"halffloat": "float16", "float": "float32", "double": "float64"}[str(result.type)]
    values = result.to_numpy(zero_copy_only=False).astype(np.float64)
    assert rows == shape[0]
    return values.reshape(shape), dtype
