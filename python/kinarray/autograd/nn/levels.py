"""Transforms along a hierarchy: all joints of one depth at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .constants import Constants

Parts = tuple[Tensor, ...]


class Levels(Constants):
    """A hierarchy by depth, which composes what is told of each joint with what is above it.

    Transforms are tuples of tensors, the parts; ``axes`` says which axis of each, from the last, is that of
    the joints.

    Parameters
    ----------
    parents : sequence of int
        The parent of each joint, which comes before it; -1 for a root.
    """

    # A state dict has the parents already; these follow the module to its device.
    persistent = False

    def __init__(self, parents: Sequence[int]) -> None:
        super().__init__(parents, torch.float32)
        self.sizes = [len(level) for level in _levels(parents)]

    def _constants(self) -> Mapping[str, Any]:
        parents: Sequence[int] = self._source
        levels = _levels(parents)
        place = {joint: place for level in levels for place, joint in enumerate(level)}
        order = [joint for level in levels for joint in level]
        above = {
            f"above_{number}": [place[parents[joint]] for joint in level]
            for number, level in enumerate(levels)
            if number > 0
        }
        return {
            "order": order,
            "back": np.argsort(order),
            "parents": [max(parent, 0) for parent in parents],
            "has_parent": [parent >= 0 for parent in parents],
            **above,
        }

    def to_global(
        self, local: Parts, axes: Sequence[int], multiply: Callable[[Any, Any], Parts]
    ) -> Parts:
        """World from joint, of parent from joint."""
        ordered = _take(local, axes, self.order)
        split = (x.split(self.sizes, axis) for x, axis in zip(ordered, axes, strict=True))
        done: list[Parts] = []
        for number, level in enumerate(zip(*split, strict=True)):
            if number == 0:
                done.append(level)
            else:
                above = _take(done[-1], axes, getattr(self, f"above_{number}"))
                done.append(multiply(above, level))
        columns = zip(zip(*done, strict=True), axes, strict=True)
        return _take(tuple(torch.cat(column, axis) for column, axis in columns), axes, self.back)

    def to_local(
        self,
        states: Parts,
        axes: Sequence[int],
        multiply: Callable[[Any, Any], Parts],
        inverse: Callable[[Any], Parts],
    ) -> Parts:
        """Parent from joint, of world from joint."""
        local = multiply(inverse(_take(states, axes, self.parents)), states)
        return tuple(
            torch.where(self.has_parent.reshape(-1, *(1,) * (-axis - 1)), below, root)
            for below, root, axis in zip(local, states, axes, strict=True)
        )


def _levels(parents: Sequence[int]) -> list[list[int]]:
    """The joints of each depth."""
    depth: list[int] = []
    for parent in parents:
        depth.append(0 if parent < 0 else depth[parent] + 1)
    levels: list[list[int]] = [[] for _ in range(max(depth, default=-1) + 1)]
    for joint, number in enumerate(depth):
        levels[number].append(joint)
    return levels


def _take(parts: Parts, axes: Sequence[int], index: Tensor) -> Parts:
    return tuple(x.index_select(axis, index) for x, axis in zip(parts, axes, strict=True))
