"""Making the twins of plain functions, and telling torch's compiler what they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .._core import _twin
from . import _compile

_Function = TypeVar("_Function", bound=Callable[..., object])


def twin(plain: _Function, module: str) -> _Function:
    """The same function while derivatives are recorded."""
    made: _Function = _twin(plain, module)
    _compile.announce(made)
    return made
