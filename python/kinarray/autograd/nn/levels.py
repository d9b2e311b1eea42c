"""Transforms along a hierarchy: all joints of one depth at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

Tensor = torch.Tensor
Parts = tuple[Tensor, ...]


class Levels(torch.nn.Module):
    """A hierarchy by depth, which composes what is told of each joint with what is above it.

    Transforms are tuples of tensors, the parts; ``axes`` says which axis of each, from the last, is that of
    the joints.

    Parameters
    ----------
    parents : sequence of int
        The parent of each joint, which comes before it; -1 for a root.
    """

    def __init__(self, parents: Sequence[int]) -> None:
        super().__init__()
        depth: list[int] = []
        for parent in parents:
            depth.append(0 if parent < 0 else depth[parent] + 1)
        levels: list[list[int]] = [[] for _ in range(max(depth, default=-1) + 1)]
        place = []
        for joint, level in enumerate(depth):
            place.append(len(levels[level]))
            levels[level].append(joint)
        order = [joint for level in levels for joint in level]
        back = sorted(range(len(order)), key=order.__getitem__)
        self.sizes = [len(level) for level in levels]
        # They follow the module to its device, and a state dict has the parents already.
        self._keep("order", order)
        self._keep("back", back)
        self._keep("parents", [max(parent, 0) for parent in parents])
        self._keep("has_parent", [parent >= 0 for parent in parents])
        for number, level in enumerate(levels[1:], 1):
            self._keep(f"above_{number}", [place[parents[joint]] for joint in level])

    def _keep(self, name: str, values: list[int] | list[bool]) -> None:
        self.register_buffer(name, torch.tensor(values), persistent=False)

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


def _take(parts: Parts, axes: Sequence[int], index: Tensor) -> Parts:
    return tuple(x.index_select(axis, index) for x, axis in zip(parts, axes, strict=True))
