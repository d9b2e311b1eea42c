"""Arrays at the border: what kind they are, and proof that they were not copied.

>>> import kinarray as ka, numpy as np
>>> character = ka.testing.create_humanoid(n_vertices=1000)
>>> poses = np.zeros((10, character.parameter_transform.size))
>>> with ka.interop.count_copies() as copied:
...     state = ka.geometry.model_parameters_to_skeleton_state(character, poses)
>>> copied.count, copied.bytes
(0, 0)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from . import _core
from ._core import Buffer, address, asarray, clear_pool, kind_of, pooled_bytes

__all__ = [
    "Buffer",
    "Copies",
    "address",
    "asarray",
    "clear_pool",
    "copies",
    "count_copies",
    "kind_of",
    "pooled_bytes",
]


class Copies(NamedTuple):
    """How many copies of array memory were made, and of how many bytes."""

    count: int  # type: ignore[assignment]  # shadows tuple.count, which nobody needs here
    bytes: int


def copies() -> Copies:
    """Copies of array memory since the process started, by all threads.

    Only the copies listed in ``docs/arrays.md`` are ever made: byte-swapped, misaligned and
    half-precision input, mixed precision, Arrow columns in several chunks, and an ``out=`` that does
    not lie in row-major order or overlaps an input.
    """
    return Copies(*_core._copies())


class CopyCount:
    """The copies made inside a :func:`count_copies` block, so far or in all."""

    def __init__(self) -> None:
        self._start = copies()
        self._end: Copies | None = None

    def _now(self) -> Copies:
        return self._end or copies()

    @property
    def count(self) -> int:
        """The number of copies."""
        return self._now().count - self._start.count

    @property
    def bytes(self) -> int:
        """The number of bytes copied."""
        return self._now().bytes - self._start.bytes

    def __repr__(self) -> str:
        return f"CopyCount(count={self.count}, bytes={self.bytes})"


@contextmanager
def count_copies() -> Iterator[CopyCount]:
    """Counts the copies of array memory made inside the block."""
    counted = CopyCount()
    try:
        yield counted
    finally:
        counted._end = copies()
