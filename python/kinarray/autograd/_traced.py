"""The Python functions that ``torch.compile`` traces in the place of twins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .._core import (
    BlendShapeBase,
    Character,
    InverseParameterTransform,
    ParameterTransform,
    _of_number,
)

_TWINS: dict[str, Callable[..., Any]] = {}


def register(twin: Callable[..., Any]) -> None:
    """Has the compiler trace a function that calls the twin from within the graph."""
    name = f"{twin.__module__}.{twin.__name__}"
    _TWINS[name] = twin

    def traced(*arguments: Any, **named: Any) -> Any:
        plain = [_handle(x) for x in arguments]
        return call_twin(name, plain, {key: _handle(x) for key, x in named.items()})

    # Before torch 2.6 there is no such way: the compiler breaks the graph at a twin, and goes on after it.
    if hasattr(torch.compiler, "substitute_in_graph"):
        torch.compiler.substitute_in_graph(twin, skip_signature_check=True)(traced)


def _handle(x: Any) -> Any:
    """A character or a part of one as its number, in lists too; anything else as it is."""
    if isinstance(x, (BlendShapeBase, Character, InverseParameterTransform, ParameterTransform)):
        return ("kinarray object", x._number)
    if isinstance(x, (list, tuple)):
        return [_handle(item) for item in x]
    return x


@torch.compiler.allow_in_graph
def call_twin(name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    """Calls the twin of a name; what stands for a character is the character again."""
    return _TWINS[name](
        *(_character(x) for x in arguments), **{key: _character(x) for key, x in named.items()}
    )


def _character(x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        if len(x) == 2 and isinstance(x[0], str) and x[0] == "kinarray object":
            return _of_number(x[1])
        return [_character(item) for item in x]
    return x
