"""`kinarray.interop.Buffer`, which other libraries take as theirs: same memory, same rights."""

from __future__ import annotations

import numpy as np
import pytest

import kinarray as ka
from kinarray import interop
from producers import Forwarding
from refusals import refused

NUMPY_SAYS_WRITABLE = np.lib.NumpyVersion(np.__version__) >= "2.1.0"


@pytest.fixture
def buffer(transform, values):
    return transform.apply(Forwarding(values))


@pytest.fixture
def expected(transform, values):
    return transform.apply(values)


def test_it_says_what_it_is(buffer, expected):
    assert interop.kind_of(buffer) == "kinarray"
    assert (buffer.shape, buffer.dtype) == (expected.shape, "float32")
    assert (buffer.nbytes, len(buffer)) == (expected.nbytes, len(expected))
    assert repr(buffer) == "kinarray.interop.Buffer(shape=(5, 434), dtype=float32)"
    assert buffer.__dlpack_device__() == (1, 0)


def test_it_can_be_given_back_to_us(buffer, expected, transform, nothing_copied):
    inverse = transform.inverse()
    assert interop.address(buffer) == np.asarray(memoryview(buffer)).ctypes.data
    again = inverse.apply(buffer)
    assert isinstance(again, interop.Buffer)
    np.testing.assert_array_equal(np.asarray(again), inverse.apply(expected))


def test_every_library_takes_it_without_a_copy(buffer, expected):
    view = memoryview(buffer)
    assert (view.format, view.shape, view.readonly) == ("f", expected.shape, False)
    address = np.asarray(view).ctypes.data
    assert address % 64 == 0
    assert np.from_dlpack(buffer).ctypes.data == address
    torch = pytest.importorskip("torch")
    assert torch.from_dlpack(buffer).data_ptr() == address
    assert torch.frombuffer(buffer, dtype=torch.float32).data_ptr() == address
    jax = pytest.importorskip("jax")
    assert jax.dlpack.from_dlpack(buffer).unsafe_buffer_pointer() == address
    pa = pytest.importorskip("pyarrow")
    column = pa.array(buffer)
    assert column.flatten().buffers()[1].address == address
    assert pa.py_buffer(buffer).address == address
    column.validate(full=True)
    pl = pytest.importorskip("polars")
    series = pl.Series(buffer)
    assert series.to_numpy().ctypes.data == address
    np.testing.assert_array_equal(series.to_numpy(), expected)


def test_what_one_writes_all_see(buffer, torch):
    numpy, tensor = np.asarray(memoryview(buffer)), torch.from_dlpack(buffer)
    assert numpy.flags.writeable
    numpy[0, 0] = 12
    assert tensor[0, 0] == 12
    tensor[1, 1] = 13
    assert numpy[1, 1] == 13
    if NUMPY_SAYS_WRITABLE:
        again = np.from_dlpack(buffer)
        again[2, 2] = 14
        assert tensor[2, 2] == 14


def test_it_speaks_old_and_new_dlpack(buffer):
    for keywords, name in {
        (): "dltensor",
        (("max_version", None),): "dltensor",
        (("max_version", (0, 8)),): "dltensor",
        (("max_version", (1, 0)),): "dltensor_versioned",
        (("max_version", (1, 3)), ("dl_device", (1, 0)), ("copy", False)): "dltensor_versioned",
        (("max_version", (2, 0)), ("stream", None)): "dltensor_versioned",
    }.items():
        assert f'"{name}"' in repr(buffer.__dlpack__(**dict(keywords)))


def test_a_copy_is_made_on_request_and_counted(buffer, expected):
    address = interop.address(buffer)
    if not NUMPY_SAYS_WRITABLE:
        pytest.skip("this NumPy cannot ask")
    with interop.count_copies() as copied:
        copy = np.from_dlpack(buffer, copy=True)
        same = np.from_dlpack(buffer, copy=False)
    assert (copied.count, copied.bytes) == (1, expected.nbytes)
    assert copy.ctypes.data != address
    assert same.ctypes.data == address
    copy += 1
    np.testing.assert_array_equal(same, expected)


def test_it_is_on_the_cpu_and_nowhere_else(buffer):
    with pytest.raises(BufferError, match="CPU"):
        buffer.__dlpack__(dl_device=(2, 0))
    for wrong in ({"max_version": 1}, {"dl_device": "cpu"}, {"unknown": 1}):
        with pytest.raises(TypeError):
            buffer.__dlpack__(**wrong)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_precisions_arrive_as_they_are(transform, values, dtype):
    buffer = transform.apply(Forwarding(values.astype(dtype)))
    expected = transform.apply(values.astype(dtype))
    assert buffer.dtype == dtype
    for seen in (np.from_dlpack(buffer), np.asarray(memoryview(buffer))):
        assert seen.dtype == dtype
        np.testing.assert_array_equal(seen, expected)
    torch = pytest.importorskip("torch")
    np.testing.assert_array_equal(torch.from_dlpack(buffer).numpy(), expected)
    pa = pytest.importorskip("pyarrow")
    column = pa.array(buffer)
    assert column.type.value_type == {"float16": pa.float16(), "float32": pa.float32()}.get(
        dtype, pa.float64()
    )


def test_bfloat16_goes_where_there_is_such_a_type(torch, transform, values):
    half = torch.from_numpy(values).bfloat16()
    buffer = transform.apply(
        type("Foreign", (), {"__dlpack__": lambda self, **k: half.__dlpack__(**k)})()
    )
    assert buffer.dtype == "bfloat16"
    assert torch.equal(torch.from_dlpack(buffer), transform.apply(half))
    with pytest.raises(BufferError, match="bfloat16"):
        memoryview(buffer)
    with refused(ka.DTypeError, "bfloat16", argument="Arrow column"):
        buffer.__arrow_c_array__()
    jax = pytest.importorskip("jax")
    assert jax.dlpack.from_dlpack(buffer).unsafe_buffer_pointer() == interop.address(buffer)


def test_every_shape_arrives(torch, pa, transform):
    n = transform.size
    for shape in ((n,), (1, n), (0, n), (2, 3, n), (2, 0, n), (1,) * 30 + (n,)):
        buffer = transform.apply(Forwarding(np.ones(shape, np.float32)))
        expected = transform.apply(np.ones(shape, np.float32))
        np.testing.assert_array_equal(np.from_dlpack(buffer), expected)
        np.testing.assert_array_equal(np.asarray(memoryview(buffer)), expected)
        np.testing.assert_array_equal(torch.from_dlpack(buffer).numpy(), expected)
        if len(shape) <= 2:
            assert pa.array(buffer).to_pylist() == expected.tolist()


def test_memoryviews_are_handed_out_writable_and_whole(transform, values, expected):
    view = transform.apply(memoryview(values))
    assert type(view) is memoryview
    assert (view.format, view.shape, view.strides) == ("f", expected.shape, expected.strides)
    assert view.c_contiguous and not view.readonly
    assert isinstance(view.obj, interop.Buffer)
    view[1, 2] = 5.0
    assert np.asarray(view)[1, 2] == 5
    assert bytes(view.cast("B"))[:4] == expected.tobytes()[:4]
