"""Buffers that show what a module was made of, and stay true to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..._core import CharacterError


class Constants(torch.nn.Module):
    """A module of something constant, whose buffers are numbers of it.

    Parameters
    ----------
    source : object
        What the module computes with; a character or a part of it.
    dtype : torch.dtype
        Of buffers that are real numbers.
    """

    live: frozenset[str] = frozenset()
    """Buffers that are what the module computes with: others may be loaded."""
    trainable: frozenset[str] = frozenset()
    """Buffers that may become a ``Parameter``."""
    persistent = True
    """Whether states have the buffers."""

    def __init__(self, source: Any, dtype: torch.dtype) -> None:
        super().__init__()
        self._source = source
        for name, values in self._constants().items():
            self.register_buffer(name, _tensor(values, dtype), persistent=self.persistent)

    def _constants(self) -> Mapping[str, Any]:
        """The numbers of each buffer, exact."""
        raise NotImplementedError

    def _fixed(self) -> Iterable[tuple[str, Any]]:
        """The constants that the buffers only show."""
        return (
            (name, values)
            for name, values in self._constants().items()
            if name in self._buffers and name not in self.live
        )

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        super()._apply(fn, recurse)
        # What single precision has rounded away comes back in double, as it does in what is computed.
        for name, values in self._fixed():
            buffer = self._buffers[name]
            if not buffer.is_meta:
                buffer.copy_(_tensor(values, buffer.dtype))
        return self

    def register_parameter(self, name: str, param: Any) -> None:
        """Adds a parameter; a constant that nothing is computed with cannot become one."""
        values = self._constants().get(name)
        if values is not None and name not in self.trainable:
            if name not in self._buffers:  # an assignment has removed it already
                self.register_buffer(name, _tensor(values, param.dtype))
            raise CharacterError(
                f"{type(self).__name__}.{name} is a constant of the character and cannot be trained; build"
                " another character, or pass what changes as an argument"
            )
        super().register_parameter(name, param)

    def _load_from_state_dict(
        self,
        state_dict: Mapping[str, Any],
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        kept = dict(state_dict)
        for name, values in self._fixed():
            key, own = prefix + name, self._buffers[name]
            loaded = state_dict.get(key)
            if loaded is None or loaded.shape != own.shape:
                continue  # torch says so itself
            if not loaded.is_meta and not _agree(loaded, _tensor(values, torch.float64)):
                error_msgs.append(
                    f"{key}: the state is of another character than this {type(self).__name__}; build the"
                    " module from the character whose state was saved"
                )
            kept[key] = own
        super()._load_from_state_dict(
            kept, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )


def _tensor(values: Any, dtype: torch.dtype) -> Tensor:
    """The values in memory of their own: real numbers in ``dtype``, whole numbers as int32."""
    values = np.asarray(values)
    kind = {"b": torch.bool, "i": torch.int32, "u": torch.int32}.get(values.dtype.kind, dtype)
    exact = values.astype(np.int64) if kind == torch.int32 else np.array(values)
    return torch.from_numpy(exact).to(kind)


def _agree(loaded: Tensor, exact: Tensor) -> bool:
    """Whether numbers are the same but for rounding, of the file or of another machine."""
    if not exact.is_floating_point():
        return torch.equal(loaded.cpu(), exact)
    coarse = torch.float32 if loaded.dtype.itemsize >= 4 else loaded.dtype
    tolerance = 4 * torch.finfo(coarse).eps
    # A number near 0 among great ones has their rounding.
    finite = exact[exact.isfinite()].abs()
    size = float(finite.max()) if len(finite) else 0.0
    return torch.allclose(
        loaded.cpu().double(), exact, rtol=tolerance, atol=tolerance * size, equal_nan=True
    )
