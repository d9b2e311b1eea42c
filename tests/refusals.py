"""What a refusal must say: its class, the argument, and what is wrong with it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

import kinarray as ka


@contextlib.contextmanager
def refused(
    kind: type[Exception], *texts: str, argument: str = "model_parameters"
) -> Iterator[None]:
    """Expects exactly the exception `kind`, whose message names the argument and holds the texts."""
    assert issubclass(kind, ka.KinarrayError)
    with pytest.raises(ka.KinarrayError) as caught:
        yield
    message = str(caught.value)
    assert type(caught.value) is kind, message
    assert message.startswith(f"{argument}: "), message
    for text in texts:
        assert text in message, f"{text!r} is not in {message!r}"
