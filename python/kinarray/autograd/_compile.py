"""What ``torch.compile`` puts into its graph in the place of a twin.

A compiled function cannot be traced, and a character is no constant of a graph. So a twin is replaced by
an equal Python function that hands characters over as numbers to one function that stays in the graph as
it is, where the bridge takes over again.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

_COMPILER = "torch._dynamo"
_twins: list[Callable[..., Any]] = []


def announce(twin: Callable[..., Any]) -> None:
    """Tells the compiler of a twin, now or when it is imported."""
    if hasattr(sys.modules.get(_COMPILER), "allow_in_graph"):
        _register(twin)
    elif not _twins:
        sys.meta_path.insert(0, _Watch())
    _twins.append(twin)


class _Watch(importlib.abc.MetaPathFinder):
    """Waits for the compiler to be imported: importing it for nothing would take a second."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module as it would be found, which tells us once it is there."""
        if fullname != _COMPILER:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def and_register(module: ModuleType) -> None:
                run(module)
                for twin in _twins:
                    _register(twin)

            spec.loader.exec_module = and_register  # type: ignore[method-assign]
        return spec


def _register(twin: Callable[..., Any]) -> None:
    from . import _traced

    _traced.register(twin)
