"""`interop.asarray`: an array of one kind as one of another, over the same memory where that can be."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import kinarray as ka
from kinarray import interop
from kinds import KINDS, Kind
from refusals import refused

VALUES = np.arange(24, dtype=np.float32).reshape(3, 8)

#: An array to be like, for each kind of result. Of what is only read in several forms, one is enough.
TARGETS = [
    kind
    for kind in KINDS
    if kind.name
    in {
        "numpy",
        "torch",
        "jax",
        "pyarrow",
        "polars",
        "pandas",
        "arro3",
        "nanoarrow",
        "memoryview",
        "DLPack",
        "DLPack with from_dlpack",
        "paddle",
        "tensorflow",
        "warp",
        "tvm-ffi",
    }
]


def aligned(values: np.ndarray) -> np.ndarray:
    """The same numbers at an address that is a multiple of 64, as results of kinarray are."""
    raw = np.zeros(values.nbytes + 64, np.uint8)
    start = -raw.ctypes.data % 64
    moved = raw[start : start + values.nbytes].view(values.dtype).reshape(values.shape)
    moved[...] = values
    return moved


@pytest.mark.parametrize("target", TARGETS, ids=str)
@pytest.mark.parametrize("source", KINDS, ids=str)
def test_every_kind_becomes_every_other(source: Kind, target: Kind):
    x = source.make(VALUES.copy(), 1)
    like = target.make(np.ones((2, 8), np.float32), 1)
    if x is None or like is None:
        pytest.skip("this kind cannot hold rows of eight numbers")
    address = None if source.name in ("list", "duckdb") else interop.address(x)
    with interop.count_copies() as copied:
        result = interop.asarray(x, like=like)
    if result is x:
        assert interop.kind_of(x) == interop.kind_of(like)
        return
    assert target.is_same(result)
    if source.name == "list":
        np.testing.assert_array_equal(np.asarray(target.read(result)), VALUES)
        return
    assert target.dtype_of(result) == "float32"
    np.testing.assert_array_equal(target.read(result), VALUES)
    if copied.count == 0 and address is not None and source.copies == 0:
        assert interop.address(result) == address, "nothing was counted, yet the memory is another"
    # What cannot be done without a copy is refused where copies are, and says why.
    # (DuckDB makes its memory anew each time.)
    if copied.count and source.copies == 0 and source.name != "duckdb":
        with pytest.raises(ValueError, match="without a copy: "):
            interop.asarray(x, like=like, copy=False)


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_aligned_row_major_memory_is_never_copied(target: Kind):
    x = aligned(VALUES)
    like = target.make(np.ones((2, 8), np.float32), 1)
    with interop.count_copies() as copied:
        result = interop.asarray(x, like=like, copy=False)
    assert copied.count == 0
    assert interop.address(result) == x.ctypes.data
    # The result keeps the memory, whoever else lets go of it.
    del x
    gc.collect()
    np.testing.assert_array_equal(target.read(result), VALUES)


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_a_copy_that_is_asked_for_is_one(target: Kind):
    x = aligned(VALUES)
    like = target.make(np.ones((2, 8), np.float32), 1)
    with interop.count_copies() as copied:
        result = interop.asarray(x, like=like, copy=True)
    assert (copied.count, copied.bytes) == (1, VALUES.nbytes)
    x[...] = -1
    np.testing.assert_array_equal(target.read(result), VALUES)


def test_what_is_of_the_kind_already_is_returned_as_it_is(torch):
    for x, like in ((VALUES, np.zeros(1)), (torch.zeros(3), torch.zeros(()))):
        assert interop.asarray(x, like=like) is x


def test_writable_memory_is_shared(torch):
    x = VALUES.copy()
    tensor = interop.asarray(x, like=torch.empty(0))
    tensor[1, 2] = 99
    assert x[1, 2] == 99


def test_read_only_memory_never_becomes_writable(torch, jax):
    frozen = VALUES.copy()
    frozen.flags.writeable = False
    for x in (frozen, jax.numpy.asarray(VALUES)):
        with pytest.raises(ValueError, match="read-only"):
            interop.asarray(x, like=torch.empty(0), copy=False)
        tensor = interop.asarray(x, like=torch.empty(0))
        tensor += 1
        np.testing.assert_array_equal(np.asarray(x), VALUES)
        view = interop.asarray(x, like=memoryview(b""))
        assert view.readonly
        assert not np.asarray(
            interop.asarray(x, like=interop.asarray(view, like=view))
        ).flags.writeable


def test_strides_are_kept_where_the_other_kind_has_them(torch):
    turned = VALUES[::-1, ::2]
    with pytest.raises(ValueError, match="negative strides"):
        interop.asarray(turned, like=torch.empty(0), copy=False)
    stepped = interop.asarray(VALUES[:, ::2].copy().T, like=torch.empty(0), copy=False)
    assert stepped.stride() == (1, 4)
    view = interop.asarray(turned, like=memoryview(b""), copy=False)
    assert view.strides == turned.strides
    np.testing.assert_array_equal(np.asarray(view), turned)


@pytest.mark.parametrize(
    "dtype",
    ["bool", "int8", "int64", "uint16", "float16", "float64", "complex64", "complex128"],
)
def test_element_types_stay_as_they_are(torch, dtype):
    x = np.ones((2, 3), dtype)
    if dtype == "uint16" and not hasattr(torch, "uint16"):
        pytest.skip("this torch has no uint16")
    tensor = interop.asarray(x, like=torch.empty(0))
    assert str(tensor.dtype) == f"torch.{dtype}"
    back = interop.asarray(tensor, like=x)
    assert back.dtype == x.dtype
    np.testing.assert_array_equal(back, x)


def test_byte_swapped_memory_is_put_right(torch):
    for dtype in (">f4", ">i2", ">c8"):
        x = (np.arange(6) * (1 + 2j if dtype == ">c8" else 1)).astype(dtype)
        with interop.count_copies() as copied:
            tensor = interop.asarray(x, like=torch.empty(0))
        assert copied.count == 1
        np.testing.assert_array_equal(tensor.numpy(), x)


def test_gradients_are_not_lost_and_not_asked_of_like(torch, jax):
    parameter = torch.nn.Parameter(torch.zeros(3))
    with refused(ka.GradientError, "detach", argument="x"):
        interop.asarray(parameter, like=np.zeros(1))
    assert type(interop.asarray(VALUES, like=parameter)) is torch.Tensor
    with refused(ka.GradientError, "tracer", argument="x"):
        jax.jit(lambda x: interop.asarray(x, like=np.zeros(1)))(VALUES)


def test_float64_reaches_jax_unrounded(jax):
    x = aligned(VALUES.astype(np.float64))
    result = interop.asarray(x, like=jax.numpy.zeros(1), copy=False)
    assert result.dtype == np.float64


def test_names_and_labels_are_those_of_like():
    pl, pd = pytest.importorskip("polars"), pytest.importorskip("pandas")
    assert interop.asarray(VALUES, like=pl.Series("pose", [1.0])).name == "pose"
    series = interop.asarray(VALUES[:, 0].copy(), like=pd.Series([0.0] * 3, index=list("abc")))
    assert list(series.index) == list("abc")


def test_what_is_no_array_is_refused():
    with refused(ka.DTypeError, "an array", argument="x"):
        interop.asarray("text", like=VALUES)
    with refused(ka.DTypeError, "an array", argument="like"):
        interop.asarray(VALUES, like="numpy")
    with pytest.raises(TypeError):
        interop.asarray(VALUES)


def test_results_of_a_call_move_on_without_a_copy(transform, values, torch, jax):
    pl = pytest.importorskip("polars")
    result = transform.apply(values)
    with interop.count_copies() as copied:
        for like in (torch.empty(0), jax.numpy.zeros(1), pl.Series([0.0])):
            assert interop.address(interop.asarray(result, like=like)) == result.ctypes.data
    assert copied.count == 0


def test_rows_without_elements_are_refused_where_polars_would_panic():
    pl = pytest.importorskip("polars")
    for shape in ((3, 0), (3, 2, 0), (3, 0, 2)):
        with refused(ka.ShapeError, "polars", str(shape), argument="result"):
            interop.asarray(np.zeros(shape), like=pl.Series([0.0]))
    assert len(interop.asarray(np.zeros((0, 3)), like=pl.Series([0.0]))) == 0


def test_views_of_views_let_go_in_any_order(torch):
    # torch lets go of the interpreter while it frees a tensor, and here the tensor is freed from within
    # the freeing of a view of ours, and frees another.
    for _ in range(100):
        x = np.ones((2, 3), np.float32)
        tensor = interop.asarray(x, like=torch.empty(0))
        back = interop.asarray(tensor, like=x)
        again = interop.asarray(interop.asarray(back, like=torch.empty(0)), like=memoryview(b""))
        del x, tensor, back
        assert np.asarray(again).sum() == 6
        del again
