"""Buffers over somebody's memory, and the C functions by which other libraries take buffers."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from kinarray import interop
from kinds import NUMPY_SPEAKS_DLPACK_1
from producers import READ_ONLY, DLTensor, Versioned

VALUES = np.arange(12, dtype=np.float32).reshape(3, 4)


class Unknown:
    """A producer of a library that has no `from_dlpack`, so that results are our own buffers."""

    def __init__(self, values):
        self.values = values

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()

    def __dlpack__(self, **keywords):
        return self.values.__dlpack__(**keywords)


@pytest.fixture
def buffer():
    result = interop.asarray(VALUES.copy(), like=Unknown(VALUES))
    assert type(result) is interop.Buffer
    return result


@pytest.fixture
def frozen():
    values = VALUES.copy()
    values.flags.writeable = False
    view = interop.asarray(values, like=memoryview(b""))
    return view.obj


def test_read_only_memory_is_said_to_be(frozen):
    assert not np.asarray(frozen).flags.writeable
    if NUMPY_SPEAKS_DLPACK_1:
        assert not np.from_dlpack(frozen).flags.writeable
    else:
        with pytest.raises(BufferError, match="read-only"):
            np.from_dlpack(frozen)
    with pytest.raises(BufferError, match="read-only"):
        frozen.__dlpack__()
    with pytest.raises(TypeError, match="not writable"):
        (ctypes.c_char * 1).from_buffer(frozen)


def test_strided_memory_is_said_to_be():
    view = interop.asarray(VALUES.copy()[::-1], like=memoryview(b""))
    buffer = view.obj
    np.testing.assert_array_equal(np.from_dlpack(buffer), VALUES[::-1])
    with pytest.raises(BufferError, match="row-major"):
        buffer.__arrow_c_array__()


# The C functions -------------------------------------------------------------------------------------


Pointer = ctypes.POINTER(Versioned)
SetError = ctypes.PYFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p)


class Table(ctypes.Structure):
    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("previous", ctypes.c_void_p),
        (
            "allocate",
            ctypes.PYFUNCTYPE(
                ctypes.c_int,
                ctypes.POINTER(DLTensor),
                ctypes.POINTER(Pointer),
                ctypes.c_void_p,
                SetError,
            ),
        ),
        (
            "managed_from_object",
            ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.POINTER(Pointer)),
        ),
        (
            "object_from_managed",
            ctypes.PYFUNCTYPE(ctypes.c_int, Pointer, ctypes.POINTER(ctypes.py_object)),
        ),
        (
            "tensor_from_object",
            ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.POINTER(DLTensor)),
        ),
        (
            "stream",
            ctypes.PYFUNCTYPE(
                ctypes.c_int, ctypes.c_int, ctypes.c_int32, ctypes.POINTER(ctypes.c_void_p)
            ),
        ),
    ]


@pytest.fixture(scope="module")
def table():
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype = ctypes.c_void_p
    pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    capsule = interop.Buffer.__dlpack_c_exchange_api__
    return Table.from_address(pointer(capsule, b"dlpack_exchange_api"))


def test_c_code_borrows_a_description(table, buffer):
    assert (table.major, table.previous) == (1, None)
    tensor = DLTensor()
    assert table.tensor_from_object(buffer, ctypes.byref(tensor)) == 0
    assert tensor.data == interop.address(buffer)
    assert list(tensor.shape[:2]) == [3, 4]
    assert list(tensor.strides[:2]) == [4, 1]
    assert (tensor.code, tensor.bits, tensor.lanes) == (2, 32, 1)
    assert (tensor.device_type, tensor.device_id) == (1, 0)


def test_c_code_takes_and_gives_ownership(table, buffer, frozen):
    managed = Pointer()
    assert table.managed_from_object(buffer, ctypes.byref(managed)) == 0
    address = interop.address(buffer)
    del buffer
    result = ctypes.py_object()
    assert table.object_from_managed(managed, ctypes.byref(result)) == 0
    assert type(result.value) is interop.Buffer
    assert interop.address(result.value) == address
    np.testing.assert_array_equal(np.asarray(result.value), VALUES)
    assert table.managed_from_object(frozen, ctypes.byref(managed)) == 0
    assert managed.contents.flags & READ_ONLY
    ctypes.PYFUNCTYPE(None, Pointer)(managed.contents.deleter)(managed)


def test_c_code_allocates(table):
    shape = (ctypes.c_int64 * 2)(5, 6)
    prototype = DLTensor(device_type=1, ndim=2, code=2, bits=64, lanes=1, shape=shape)
    managed = Pointer()
    assert table.allocate(ctypes.byref(prototype), ctypes.byref(managed), None, SetError()) == 0
    assert managed.contents.tensor.data % 64 == 0
    result = ctypes.py_object()
    assert table.object_from_managed(managed, ctypes.byref(result)) == 0
    assert (result.value.shape, result.value.dtype) == ((5, 6), "float64")


def test_c_code_is_told_what_is_wrong(table):
    with pytest.raises(TypeError, match="Buffer"):
        table.tensor_from_object(VALUES, ctypes.byref(DLTensor()))
    said = []
    shape = (ctypes.c_int64 * 1)(1 << 60)
    for device, size in ((2, 4), (1, 1 << 60)):
        shape[0] = size
        prototype = DLTensor(device_type=device, ndim=1, code=2, bits=64, lanes=1, shape=shape)
        report = SetError(lambda _, kind, text: said.append((kind, text)))
        code = table.allocate(ctypes.byref(prototype), ctypes.byref(Pointer()), None, report)
        assert code == -1
    assert [kind for kind, _ in said] == [b"BufferError"] * 2
    assert b"cuda" in said[0][1]


def test_host_memory_has_no_stream(table):
    stream = ctypes.c_void_p(1)
    assert table.stream(1, 0, ctypes.byref(stream)) == 0
    assert stream.value is None
