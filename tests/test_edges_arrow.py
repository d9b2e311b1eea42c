"""Arrow at the seam: columns of every library in, and our results as everybody's columns."""

from __future__ import annotations

import numpy as np
import pytest

import kinarray as ka
from kinarray import interop
from refusals import refused


def fixed_lists(pa, values):
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[-1])


def flat_address(column):
    """Where the numbers of a pyarrow column start, whatever lists and extensions are around them."""
    while hasattr(column, "storage"):
        column = column.storage
    while hasattr(column.type, "list_size"):
        column = column.flatten()
    return column.buffers()[1].address + column.offset * column.type.bit_width // 8


def test_columns_are_read_in_place(pa, transform, values, nothing_copied):
    column = fixed_lists(pa, values)
    assert interop.kind_of(column) == "pyarrow"
    assert interop.address(column) == flat_address(column)
    result = transform.apply(column)
    assert isinstance(result, pa.FixedSizeListArray)
    assert flat_address(result) % 64 == 0
    expected = transform.apply(values)
    np.testing.assert_array_equal(result.flatten().to_numpy().reshape(expected.shape), expected)
    result.validate(full=True)


def test_slices_start_where_they_say(pa, transform, values, nothing_copied):
    sliced = fixed_lists(pa, values)[2:4]
    assert interop.address(sliced) == flat_address(sliced)
    result = transform.apply(sliced)
    expected = transform.apply(values[2:4])
    np.testing.assert_array_equal(result.flatten().to_numpy().reshape(expected.shape), expected)
    whole = pa.array(np.concatenate([[9.0], values[0].astype(float), [9.0]]))
    one = transform.apply(whole[1:-1])
    np.testing.assert_array_equal(one.to_numpy(), transform.apply(values[0].astype(float)))
    inner = pa.array(np.concatenate([np.zeros(7, np.float32), values.reshape(-1)]))[7:]
    shifted = pa.FixedSizeListArray.from_arrays(inner, transform.size)[1:3]
    result = transform.apply(shifted)
    np.testing.assert_array_equal(
        result.flatten().to_numpy().reshape(2, -1), transform.apply(values[1:3])
    )


def test_tensor_columns_give_tensor_columns(pa, transform, values, nothing_copied):
    given = np.ascontiguousarray(np.stack([values, values + 1]))
    column = pa.FixedShapeTensorArray.from_numpy_ndarray(given)
    assert interop.address(column) == given.ctypes.data
    result = transform.apply(column)
    assert isinstance(result, pa.FixedShapeTensorArray)
    np.testing.assert_array_equal(result.to_numpy_ndarray(), transform.apply(given))
    result.validate(full=True)


def test_tensors_with_permuted_axes_are_refused(pa, transform, values):
    n = transform.size
    kind = pa.fixed_shape_tensor(pa.float32(), (n, 5), permutation=[1, 0])
    storage = pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), 5 * n)
    with refused(ka.InvalidValueError, "permutes its axes"):
        transform.apply(pa.ExtensionArray.from_storage(kind, storage))


def test_chunks_are_joined_and_counted(pa, transform, values):
    expected = transform.apply(values)
    parts = [fixed_lists(pa, values[:2]), fixed_lists(pa, values[:0]), fixed_lists(pa, values[2:])]
    with interop.count_copies() as copied:
        result = transform.apply(pa.chunked_array(parts))
    assert (copied.count, copied.bytes) == (1, values.nbytes)
    np.testing.assert_array_equal(result.flatten().to_numpy().reshape(expected.shape), expected)
    with interop.count_copies() as copied:
        one = transform.apply(pa.chunked_array([fixed_lists(pa, values)]))
    assert copied.count == 0  # one chunk is one piece
    assert one.equals(result)
    none = transform.apply(pa.chunked_array([], parts[0].type))
    assert len(none) == 0


def test_nulls_are_refused_by_row(pa, transform, values):
    n = transform.size
    with_null = pa.array([[0.0] * n, None, [0.0] * n], pa.list_(pa.float32(), n))
    with refused(ka.InvalidValueError, "row 1 ", "null"):
        transform.apply(with_null)
    inside = pa.array([[0.0] * n, [0.0] * n, [0.0] * (n - 1) + [None]], pa.list_(pa.float32(), n))
    with refused(ka.InvalidValueError, "row 2 ", "null"):
        transform.apply(inside)
    chunks = pa.chunked_array([fixed_lists(pa, values), with_null])
    with refused(ka.InvalidValueError, "row 6 "):
        transform.apply(chunks)
    transform.apply(with_null[2:])  # the null is not part of the slice


def test_columns_of_other_things_are_refused(pa, transform):
    n = transform.size
    wrong = {
        "Utf8": pa.array(["a"]),
        "lists of any length": pa.array([[1.0], [1.0, 2.0]]),
        "a table": pa.table({"a": [1.0]}),
        "bool": pa.array([True] * n),
        "dictionary": pa.array([1.0] * n).dictionary_encode(),
        "Timestamp": pa.array([0] * n, pa.timestamp("s")),
        "Decimal": pa.array([1] * n, pa.decimal128(5)),
        "Null": pa.nulls(n),
        "Union": pa.UnionArray.from_dense(
            pa.array([0], pa.int8()), pa.array([0], pa.int32()), [pa.array([1.0])]
        ),
        "RunEndEncoded": pa.RunEndEncodedArray.from_arrays([n], [1.0]),
        "int64": pa.array([1] * n),
        "int8": pa.array([[1] * n], pa.list_(pa.int8(), n)),
    }
    for text, column in wrong.items():
        with refused(ka.DTypeError, text):
            transform.apply(column)
    with refused(ka.DTypeError, "a table"):
        transform.apply(pa.record_batch({"a": [1.0]}))


def test_float16_columns_come_back_as_float16(pa, transform, values):
    half = values.astype(np.float16)
    result = transform.apply(fixed_lists(pa, half))
    assert result.type.value_type == pa.float16()
    expected = transform.apply(half)
    np.testing.assert_array_equal(
        np.asarray(result.flatten()).view(np.float16).reshape(expected.shape), expected
    )


def test_empty_columns_give_empty_columns(pa, transform):
    n = transform.size
    result = transform.apply(pa.array([], pa.list_(pa.float32(), n)))
    assert len(result) == 0
    with refused(ka.ShapeError, str(n)):
        transform.apply(pa.array([], pa.float32()))


def test_polars_gives_polars_with_its_name(transform, values, nothing_copied):
    pl = pytest.importorskip("polars")
    series = pl.Series("pose", values)
    assert interop.kind_of(series) == "polars"
    assert interop.address(series) == series.to_numpy().ctypes.data
    result = transform.apply(series)
    assert isinstance(result, pl.Series)
    assert result.name == "pose"
    expected = transform.apply(values)
    np.testing.assert_array_equal(result.to_numpy(), expected)
    assert interop.address(result) == result.to_numpy().ctypes.data
    sliced = transform.apply(series.slice(1, 3))
    np.testing.assert_array_equal(sliced.to_numpy(), expected[1:4])


def test_polars_oddities(transform, values):
    pl = pytest.importorskip("polars")
    series = pl.Series("pose", values)
    chunked = pl.concat([series, series], rechunk=False)
    assert chunked.n_chunks() == 2
    with interop.count_copies() as copied:
        result = transform.apply(chunked)
    assert (copied.count, copied.bytes) == (1, 2 * values.nbytes)
    assert len(result) == 10
    with refused(ka.InvalidValueError, "row 5 ", "null"):
        transform.apply(series.extend_constant(None, 1))
    with refused(ka.DTypeError, "lists of any length"):
        transform.apply(pl.Series([[1.0], [2.0, 3.0]]))
    with refused(ka.DTypeError, "a table"):
        transform.apply(pl.DataFrame({"a": [1.0]}))
    with refused(ka.DTypeError, "LazyFrame"):
        transform.apply(pl.LazyFrame({"a": [1.0]}))


def test_pandas_gives_pandas_with_its_index(pa, transform, values, nothing_copied):
    pd = pytest.importorskip("pandas")
    column = pd.arrays.ArrowExtensionArray(fixed_lists(pa, values))
    series = pd.Series(column, index=list("abcde"), name="pose")
    assert interop.kind_of(series) == "pandas"
    result = transform.apply(series)
    assert isinstance(result, pd.Series)
    assert list(result.index) == list("abcde")
    assert result.name == "pose"
    np.testing.assert_array_equal(np.stack(result), transform.apply(values))


def test_arrow_arrays_are_not_written_into(pa, transform, values):
    expected = transform.apply(values)
    with refused(ka.InvalidValueError, "Arrow arrays cannot be written", argument="out"):
        transform.apply(values, out=fixed_lists(pa, expected))


# What others do with our columns ---------------------------------------------------------------------


def test_results_go_everywhere_without_a_copy(pa, transform, values):
    result = transform.apply(fixed_lists(pa, values))
    address = flat_address(result)
    seen = result.flatten().to_numpy()
    assert (seen.ctypes.data, seen.flags.writeable) == (address, False)
    assert interop.address(result) == address
    pl = pytest.importorskip("polars")
    series = pl.Series(result)
    assert series.to_numpy().ctypes.data == address
    assert interop.address(series) == address
    pd = pytest.importorskip("pandas")
    column = pd.Series(pd.arrays.ArrowExtensionArray(result))
    assert interop.address(column) == address


def test_results_survive_their_libraries_own_work(pa, transform, values, tmp_path):
    import pyarrow.feather
    import pyarrow.parquet

    result = transform.apply(fixed_lists(pa, values))
    table = pa.table({"joints": result})
    pyarrow.parquet.write_table(table, tmp_path / "file.parquet")
    assert (
        pyarrow.parquet.read_table(tmp_path / "file.parquet")["joints"]
        .combine_chunks()
        .equals(result)
    )
    pyarrow.feather.write_feather(table, tmp_path / "file.feather")
    assert pyarrow.feather.read_table(tmp_path / "file.feather").equals(table)
    assert pa.concat_arrays([result, result]).to_pylist() == 2 * result.to_pylist()
    pl = pytest.importorskip("polars")
    series = transform.apply(pl.Series("joints", values))
    frame = series.to_frame()
    frame.write_parquet(tmp_path / "polars.parquet")
    assert pl.read_parquet(tmp_path / "polars.parquet").equals(frame)


def test_pandas_without_a_row_for_each_label_counts_anew(pa, transform, values):
    pd = pytest.importorskip("pandas")
    one = pd.Series(pd.arrays.ArrowExtensionArray(pa.array(values[0])), name="pose")
    result = transform.apply(one)
    assert list(result.index) == list(range(len(transform.apply(values[0]))))
    assert result.name == "pose"
