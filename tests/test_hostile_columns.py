"""Buffers and Arrow columns that lie or misbehave: an error that says what is wrong, never a crash."""

from __future__ import annotations

import ctypes
import gc

import numpy as np
import pytest

import kinarray as ka
from producers import ArrowArray, ArrowSchema, Column, exporter, numbers, producer
from refusals import refused

# The buffer protocol ---------------------------------------------------------------------------------


def test_a_buffer_built_by_hand_is_read_and_released(transform, values, nothing_copied):
    for says in ({}, {"strides": None}, {"readonly": 1}, {"format": b"=f"}, {"format": b"<f"}):
        made = exporter(values, **says)
        result = transform.apply(made)
        assert type(result) is memoryview
        np.testing.assert_array_equal(np.asarray(result), transform.apply(values))
        assert type(made).released == 1


BUFFERS = {
    "no memory": ({"buf": None}, ka.InvalidValueError, "no memory behind it"),
    "65 axes": ({"ndim": 65}, ka.InvalidValueError, "65 axes"),
    "negatively many axes": ({"ndim": -1}, ka.InvalidValueError, "-1 axes"),
    "no shape": ({"shape": None}, ka.InvalidValueError, "axes but no shape"),
    "a negative size": ({"shape": (-5, 67)}, ka.InvalidValueError, "negative size -5"),
    "sizes that overflow": ({"shape": (2**62, 2**62)}, ka.InvalidValueError, "impossible shape"),
    "more elements than bytes": ({"shape": (6, 67)}, ka.InvalidValueError, "1340 bytes"),
    "negative bytes": ({"len": -1}, ka.InvalidValueError, "-1 bytes"),
    "rows behind pointers": ({"suboffsets": (0, -1)}, ka.InvalidValueError, "behind pointers"),
    "strides beyond memory": ({"strides": (2**62, 4)}, ka.InvalidValueError, "address space"),
    "no format": ({"format": None}, ka.DTypeError, "'B'"),
    "an item size that does not fit": ({"itemsize": 3}, ka.DTypeError, "'f'"),
    "a negative item size": ({"itemsize": -4}, ka.DTypeError, "'f'"),
    "a structure": ({"format": b"T{f:x:}"}, ka.DTypeError, "T{f:x:}"),
    "an empty format": ({"format": b""}, ka.DTypeError, "''"),
    "no text": ({"format": b"\xff\xfe"}, ka.DTypeError, "buffer format"),
    "half a structure": ({"format": b"2f"}, ka.DTypeError, "'2f'"),
}


@pytest.mark.parametrize("name", BUFFERS)
def test_buffers_that_contradict_themselves_are_refused_and_released(transform, values, name):
    says, kind, text = BUFFERS[name]
    made = exporter(values, **says)
    with refused(kind, text):
        transform.apply(made)
    assert type(made).released == 1


def test_an_exporter_that_raises_is_heard(transform, tmp_path):
    import mmap

    mapped = mmap.mmap(-1, 4096)
    mapped.close()
    with pytest.raises(ValueError, match="closed"):
        transform.apply(mapped)


# Arrow -----------------------------------------------------------------------------------------------


def test_a_column_built_by_hand_is_read_in_place_and_released_once(
    transform, values, nothing_copied
):
    made = Column(values[0])
    result = transform.apply(made)
    gc.collect()
    assert made.released == [1, 1]
    schema, array = result.__arrow_c_array__()
    assert "arrow_schema" in repr(schema) and "arrow_array" in repr(array)
    pa = pytest.importorskip("pyarrow")
    np.testing.assert_array_equal(pa.array(result).to_numpy(), transform.apply(values[0]))


COLUMNS = {
    "no format": ({"format": None}, {}, ka.InvalidValueError, "contradicts itself"),
    "an unknown format": ({"format": b"?!"}, {}, ka.DTypeError, "column"),
    "no text": ({"format": b"\xff"}, {}, ka.InvalidValueError, "contradicts itself"),
    "children that are not there": ({"n_children": 1}, {}, ka.InvalidValueError, "contradicts"),
    "a list without a child": ({"format": b"+w:67"}, {}, ka.InvalidValueError, "contradicts"),
    "a negative length": ({}, {"length": -1}, ka.InvalidValueError, "contradicts its schema"),
    "a negative offset": ({}, {"offset": -1}, ka.InvalidValueError, "contradicts its schema"),
    "the largest length": ({}, {"length": 2**63 - 1}, ka.InvalidValueError, "contradicts"),
    "no buffers": ({}, {"n_buffers": 0}, ka.InvalidValueError, "contradicts its schema"),
    "null buffers": ({}, {"buffers": None}, ka.InvalidValueError, "contradicts its schema"),
    "no numbers": ({}, {"buffers": (ctypes.c_void_p * 2)()}, ka.InvalidValueError, ""),
    "an array of integers": ({"format": b"i"}, {}, ka.DTypeError, "int32"),
    "an array of text": ({"format": b"u"}, {}, ka.DTypeError, "Utf8"),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_that_contradict_themselves_are_refused_and_released(transform, values, name):
    schema, array, kind, text = COLUMNS[name]
    made = Column(values[0], schema, array)
    with refused(kind, text):
        transform.apply(made)
    gc.collect()
    assert made.released == [1, 1]


def test_capsules_of_other_names_are_refused(transform, values):
    for names in ((b"arrow_array", b"arrow_schema"), (b"", b""), (b"dltensor", b"dltensor")):
        with refused(ka.InvalidValueError, "named 'arrow_schema'"):
            transform.apply(Column(values[0], names=names))
    with refused(ka.InvalidValueError, "named 'arrow_array'"):
        transform.apply(Column(values[0], names=(b"arrow_schema", b"arrow_array_stream")))


def test_what_is_no_pair_of_capsules_is_refused(transform):
    for nonsense in (None, 3, (), (1,), (1, 2, 3), "ab", {}):
        with refused(ka.InvalidValueError, "__arrow_c_array__|named"[:0]):
            transform.apply(producer(__arrow_c_array__=lambda self, nonsense=nonsense: nonsense))
        with refused(ka.InvalidValueError, "arrow_array_stream"):
            transform.apply(producer(__arrow_c_stream__=lambda self, nonsense=nonsense: nonsense))


def test_arrow_capsules_are_used_once(pa, transform, values):
    pair = pa.array(values[0]).__arrow_c_array__()
    always = producer(__arrow_c_array__=lambda self: pair)
    transform.apply(always)
    with refused(ka.InvalidValueError, "used before"):
        transform.apply(always)
    stream = pa.chunked_array([values[0]]).__arrow_c_stream__()
    always = producer(__arrow_c_stream__=lambda self: stream)
    transform.apply(always)
    with refused(ka.InvalidValueError, "used before"):
        transform.apply(always)


def test_a_stream_that_fails_is_heard(pa, transform, values):
    def batches():
        yield pa.record_batch({"a": [1.0]})
        raise OSError("the disk is gone")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("a", pa.float64())]), batches())
    with refused(ka.InvalidValueError, "stream failed", "the disk is gone"):
        transform.apply(reader)


def test_arrow_methods_that_raise_are_heard(transform):
    def fails(self):
        raise LookupError("no column here")

    for name in ("__arrow_c_array__", "__arrow_c_stream__"):
        with pytest.raises(LookupError, match="no column here"):
            transform.apply(producer(**{name: fails}))


def test_the_structures_here_are_those_of_the_protocols():
    assert (ctypes.sizeof(ArrowSchema), ctypes.sizeof(ArrowArray)) == (72, 80)
    assert numbers([1, 2])[1] == 2
