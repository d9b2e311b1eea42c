"""An extension module of somebody else's, built on the crate: `examples/any_array_extension`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import kinarray as ka
from kinarray import interop
from kinds import FLOATS, KINDS, Kind

extension = pytest.importorskip(
    "any_array_extension", reason="make test builds examples/any_array_extension"
)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_it_takes_every_kind_and_gives_the_same_back(kind: Kind, dtype):
    values = np.arange(1, 25, dtype=FLOATS[dtype]).reshape(3, 8)
    a = kind.make(values, 1)
    if a is None:
        pytest.skip("this kind cannot hold rows of eight numbers")
    result = extension.multiply_add(a, 2.0, [0.5])
    # Where there is no class to be like, it is a buffer, of that module's own class.
    assert kind.is_same(result) or (kind.name, type(result).__name__) == ("DLPack", "Buffer")
    np.testing.assert_array_equal(kind.read(result), values * 2 + 0.5)
    np.testing.assert_array_equal(
        kind.read(extension.scale_shift(kind.make(values, 1))), values * 2 + 1
    )


def test_it_broadcasts_promotes_and_mixes(torch):
    a = np.ones((4, 1, 3), np.float32)
    b = torch.arange(5.0, dtype=torch.float64)[:, None]
    result = extension.multiply_add(a, b, 1)
    assert (type(result), result.shape, result.dtype) == (np.ndarray, (4, 5, 3), np.float64)
    np.testing.assert_array_equal(result, a * b.numpy() + 1)


def test_it_copies_nothing_and_fills_out():
    a = np.ones((100, 3))
    out = np.empty((100, 3))
    assert extension.multiply_add(a, a, a, out=out) is out
    assert (out == 2).all()
    with pytest.raises(ValueError, match="read-only"):
        extension.scale_shift(a, out=np.broadcast_to(a, a.shape))


def test_its_errors_are_those_of_kinarray(torch):
    with pytest.raises(ka.DTypeError, match="int64"):
        extension.scale_shift(np.arange(3))
    with pytest.raises(ka.ShapeError, match="broadcast"):
        extension.multiply_add(np.ones(3), np.ones(4), 0)
    with pytest.raises(ka.GradientError, match="detach"):
        extension.scale_shift(torch.ones(3, requires_grad=True))


def test_our_buffers_are_arrays_to_it():
    class Unknown:
        def __dlpack_device__(self):
            return (1, 0)

        def __dlpack__(self, **keywords):
            return np.zeros(2).__dlpack__(**keywords)

    buffer = interop.asarray(np.ones(3), like=Unknown())
    np.testing.assert_array_equal(np.asarray(extension.scale_shift(buffer)), [3, 3, 3])


def test_it_is_short():
    source = Path(__file__).parent.parent / "examples/any_array_extension/src/lib.rs"
    assert len(source.read_text().splitlines()) < 90
    assert "unsafe" not in source.read_text()
