"""NumPy at the seam: every layout and element type that an ndarray can have, in and out."""

from __future__ import annotations

import array

import numpy as np
import pytest

import kinarray as ka
from kinarray import interop
from refusals import refused


def test_kind_of_names_every_kind():
    assert interop.kind_of(np.zeros(2)) == "numpy"
    assert interop.kind_of(np.float32(1)) == "numpy"
    assert interop.kind_of([1.0, 2.0]) == "numbers"
    assert interop.kind_of(memoryview(b"ab")) == "memoryview"
    assert interop.kind_of(array.array("d", [1.0])) == "memoryview"


def test_nothing_that_is_no_array_is_taken(transform):
    for wrong in ("text", None, object(), {1: 2}, {1.0}, np, np.zeros):
        with refused(ka.DTypeError, "expected an array", type(wrong).__name__):
            transform.apply(wrong)
    for wrong in (np.ndarray, np.float32, interop.Buffer, memoryview):
        with refused(ka.DTypeError, "expected an array", "the class", wrong.__name__):
            transform.apply(wrong)


def test_memory_is_read_in_place_and_owned_on_return(transform, values, nothing_copied):
    assert interop.address(values) == values.ctypes.data
    result = transform.apply(values)
    assert type(result) is np.ndarray
    assert result.ctypes.data % 64 == 0
    assert result.flags.owndata
    assert result.flags.writeable
    assert result.dtype == np.float32


def test_a_result_can_be_resized_and_written(transform, values):
    result = transform.apply(values)
    expected = result.copy()
    result.resize((2 * len(result), result.shape[1]), refcheck=False)
    np.testing.assert_array_equal(result[: len(expected)], expected)
    assert not result[len(expected) :].any()
    with pytest.raises(MemoryError):
        result.resize((2**40, result.shape[1]), refcheck=False)
    np.testing.assert_array_equal(result[: len(expected)], expected)


# Layouts ---------------------------------------------------------------------------------------------


def layouts(values):
    wide = np.zeros((2 * len(values), 3 * values.shape[1]), values.dtype)
    wide[::2, ::3] = values
    frozen = values.copy()
    frozen.flags.writeable = False
    padded = np.zeros((values.shape[1], len(values) + 3), values.dtype)
    padded[:, 1:-2] = values.T
    return {
        "read-only": frozen,
        "Fortran order": np.asfortranarray(values),
        "rows backwards": values[::-1].copy()[::-1],
        "columns backwards": values[:, ::-1].copy()[:, ::-1],
        "both backwards": values[::-1, ::-1].copy()[::-1, ::-1],
        "steps": wide[::2, ::3],
        "a window of a transposed array": padded[:, 1:-2].T,
        "axes of size one": values[:, None, :][:, ::-1],
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_layout_is_read_in_place(transform, values, dtype, nothing_copied):
    values = values.astype(dtype)
    expected = transform.apply(values)
    for name, laid_out in layouts(values).items():
        assert interop.address(laid_out) == laid_out.ctypes.data, name
        before = laid_out.copy()
        result = transform.apply(laid_out).reshape(expected.shape)
        np.testing.assert_array_equal(result, expected, err_msg=name)
        assert result.flags.c_contiguous and result.flags.writeable, name
        np.testing.assert_array_equal(laid_out, before, err_msg=name)


def test_a_stride_of_zero_repeats_without_a_copy(transform, values, nothing_copied):
    one = values[0]
    repeated = np.broadcast_to(one, (3, 4, one.size))
    result = transform.apply(repeated)
    np.testing.assert_array_equal(result, np.broadcast_to(transform.apply(one), result.shape))
    everywhere = np.broadcast_to(np.float32(0.25), (one.size,))
    np.testing.assert_array_equal(
        transform.apply(everywhere), transform.apply(np.full(one.size, 0.25, np.float32))
    )


def test_windows_that_overlap_are_read_as_they_are(transform, values, nothing_copied):
    n = transform.size
    windows = np.lib.stride_tricks.sliding_window_view(values.reshape(-1), n)[:20]
    np.testing.assert_array_equal(transform.apply(windows), transform.apply(windows.copy()))


def test_swapped_and_misaligned_memory_is_copied_and_counted(transform, values):
    expected = transform.apply(values)
    raw = np.zeros(values.nbytes + 1, np.uint8)
    raw[1:] = np.frombuffer(values.tobytes(), np.uint8)
    unaligned = raw[1:].view(np.float32).reshape(values.shape)
    record = np.zeros(values.shape, [("pad", "u1"), ("value", "f4")])
    record["value"] = values
    frozen = values.astype(">f4")
    frozen.flags.writeable = False
    for odd in (values.astype(">f4"), unaligned, record["value"], frozen[::-1][::-1]):
        with interop.count_copies() as copied:
            np.testing.assert_array_equal(transform.apply(odd), expected)
        assert (copied.count, copied.bytes) == (1, values.nbytes)


@pytest.mark.parametrize(
    "shape", [(0,), (0, -1), (-1, 0), (3, 0, -1), (0, 5, -1), (2, 0, 3, 0, -1)]
)
def test_size_zero_anywhere(transform, shape):
    shape = tuple(transform.size if size == -1 else size for size in shape)
    empty = np.zeros(shape, np.float32)
    for odd in (empty, empty.astype(">f4"), empty[::-1], np.broadcast_to(empty, (4, *shape))):
        if shape[-1] == transform.size:
            result = transform.apply(odd)
            assert result.shape[:-1] == odd.shape[:-1]
            assert result.size == 0
        else:
            with refused(ka.ShapeError, str(transform.size), str(odd.shape)):
                transform.apply(odd)


def test_no_axes_where_axes_are_needed(transform):
    for wrong in (np.array(1.0), np.float64(1.0), np.array(1.0)[()], 1.0, 3):
        with refused(ka.ShapeError, "got ()"):
            transform.apply(wrong)


def most_axes() -> int:
    try:
        return np.zeros((1,) * 64).ndim
    except ValueError:  # NumPy before 2.0
        return 32


AXES = most_axes()


def test_as_many_axes_as_numpy_has(transform, values):
    before = AXES - 1
    deep = values[0].reshape((1,) * before + (-1,))
    result = transform.apply(deep)
    assert result.ndim == AXES
    np.testing.assert_array_equal(result.reshape(-1), transform.apply(values[0]))
    half = before // 2
    deep = np.broadcast_to(values[0], (1,) * half + (2,) + (1,) * half + (transform.size,))
    assert transform.apply(deep).shape == (*deep.shape[:-1], result.shape[-1])
    with refused(ka.ShapeError, str(transform.size)):
        transform.apply(np.zeros((1,) * before + (transform.size + 1,), np.float32))


def test_a_wrong_size_names_the_shape(transform):
    with refused(ka.ShapeError, "(3, 7)", str(transform.size)):
        transform.apply(np.zeros((3, 7), np.float32))
    assert issubclass(ka.ShapeError, ValueError)
    assert issubclass(ka.ShapeError, RuntimeError)  # what PyMomentum raises


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
@pytest.mark.parametrize("rows", [2**40, 2**52, 2**62 // 67])
def test_virtual_arrays_larger_than_memory_are_refused(transform, dtype, rows):
    # No memory behind them but one row; the result, or a copy, would have no room.
    if rows * transform.size * np.dtype(dtype).itemsize >= 2**63:
        rows //= 8
    giant = np.broadcast_to(np.zeros(transform.size, dtype), (rows, transform.size))
    with pytest.raises((MemoryError, ka.ShapeError), match="bytes|fits into memory"):
        transform.apply(giant)


def test_constructors_refuse_virtual_arrays_larger_than_memory():
    giant = np.broadcast_to(np.zeros(3), (2**50, 3))
    with pytest.raises(MemoryError, match="vertices.*bytes"):
        ka.geometry.Mesh(giant, [[0, 1, 2]])
    with pytest.raises(MemoryError, match="faces.*bytes"):
        ka.geometry.Mesh(np.zeros((3, 3)), np.broadcast_to(np.arange(3), (2**50, 3)))


# Element types ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dtype",
    [
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "bool",
        "complex64",
        "complex128",
    ],
)
def test_what_is_no_real_number_is_refused_by_name(transform, dtype):
    for wrong in (np.zeros(transform.size, dtype), np.zeros(0, dtype), np.zeros((), dtype)):
        with refused(ka.DTypeError, "float32", dtype):
            transform.apply(wrong)


@pytest.mark.parametrize(
    ("dtype", "named"),
    [
        ("longdouble", str(np.dtype("longdouble"))),
        ("clongdouble", str(np.dtype("clongdouble"))),
        ("datetime64[s]", "datetime64[s]"),
        ("timedelta64[ms]", "timedelta64[ms]"),
        ("S4", "S4"),
        ("U2", "U2"),
        ("V4", "V4"),
        ("O", "object"),
        ([("x", "f4")], "('x', '<f4')"),
        ([("x", "f4"), ("y", "f8", (2, 3))], "'y'"),
    ],
    ids=str,
)
def test_other_numpy_types_are_refused_by_name(transform, dtype, named):
    with refused(ka.DTypeError, "float32 or float64", named):
        transform.apply(np.zeros(transform.size, dtype))


def test_record_arrays_are_refused_but_their_columns_are_not(transform, values, nothing_copied):
    records = np.zeros(transform.size, [("a", "f4"), ("b", "f4")])
    records["a"] = values[0]
    with refused(ka.DTypeError, "float32", "'a'"):
        transform.apply(records.view(np.recarray))
    np.testing.assert_array_equal(
        transform.apply(records.view(np.recarray).a), transform.apply(values[0])
    )


@pytest.mark.parametrize(
    "scalar",
    [
        np.datetime64(1, "s"),
        np.timedelta64(1, "s"),
        np.longdouble(1),
        np.str_("a"),
        np.bytes_(b"a"),
        np.complex64(1),
        np.bool_(True),
        np.zeros(1, [("x", "f4")])[0],
    ],
    ids=lambda scalar: type(scalar).__name__,
)
def test_scalars_of_other_types_are_refused(transform, scalar):
    with pytest.raises(ka.KinarrayError, match="^model_parameters: ") as error:
        transform.apply(scalar)
    assert type(error.value) in (ka.DTypeError, ka.ShapeError)


def test_float16_comes_back_as_float16(transform, values):
    half = values.astype(np.float16)
    result = transform.apply(half)
    assert result.dtype == np.float16
    expected = transform.apply(half.astype(np.float32)).astype(np.float16)
    np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(transform.apply(half.astype(">f2")), expected)
    np.testing.assert_array_equal(transform.apply(half[:, ::-1][:, ::-1]), expected)


def test_ml_dtypes_bfloat16_comes_back_as_bfloat16(transform, values):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    half = values.astype(ml_dtypes.bfloat16)
    result = transform.apply(half)
    assert (type(result), result.dtype) == (np.ndarray, half.dtype)
    expected = transform.apply(half.astype(np.float32)).astype(ml_dtypes.bfloat16)
    assert result.tobytes() == expected.tobytes()
    out = np.zeros_like(expected)
    assert transform.apply(half, out=out) is out
    assert out.tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", ["float8_e4m3fn", "float8_e5m2", "float8_e4m3b11fnuz", "int4"])
def test_other_ml_dtypes_are_refused_by_name(transform, name):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    with refused(ka.DTypeError, "float32", name):
        transform.apply(np.zeros(transform.size, getattr(ml_dtypes, name)))


# Subclasses ------------------------------------------------------------------------------------------


def test_memory_mapped_files_are_read_where_they_are_mapped(
    transform, values, tmp_path, nothing_copied
):
    path = tmp_path / "poses"
    path.write_bytes(values.tobytes())
    for mode in ("r", "r+", "c"):
        mapped = np.memmap(path, np.float32, mode, shape=values.shape)
        assert interop.address(mapped) == mapped.ctypes.data
        result = transform.apply(mapped)
        assert type(result) is np.ndarray
        np.testing.assert_array_equal(result, transform.apply(values))
    out = np.memmap(tmp_path / "out", np.float32, "w+", shape=result.shape)
    assert transform.apply(values, out=out) is out
    out.flush()
    assert (tmp_path / "out").read_bytes() == result.tobytes()
    with pytest.raises(ka.InvalidValueError, match=r"out: .*read-only"):
        transform.apply(values, out=np.memmap(tmp_path / "out", np.float32, "r", shape=out.shape))


def test_masked_arrays_are_taken_only_where_nothing_is_masked(transform, values):
    for mask in (np.ma.nomask, np.zeros(values.shape, bool)):
        result = transform.apply(np.ma.masked_array(values, mask=mask))
        np.testing.assert_array_equal(result, transform.apply(values))
    one = np.zeros(values.shape, bool)
    one[3, 7] = True
    with refused(ka.InvalidValueError, "masks some", "filled"):
        transform.apply(np.ma.masked_array(values, mask=one))
    with refused(ka.InvalidValueError, "masks some"):
        transform.apply(np.ma.masked_array(values, mask=one, hard_mask=True)[3])
    transform.apply(np.ma.masked_array(values, mask=one)[:3])  # the masked row is not part of it


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # np.matrix about itself
def test_subclasses_are_read_as_arrays_and_give_plain_ones(transform, values, nothing_copied):
    class Mine(np.ndarray):
        def __array__(self, *args, **keywords):
            raise AssertionError("the memory is read, not the conversion")

        def __array_ufunc__(self, *args, **keywords):
            raise AssertionError("no ufunc is called")

    expected = transform.apply(values)
    for subclass in (Mine, np.matrix, np.recarray):
        given = values.view(subclass)
        assert interop.kind_of(given) == "numpy"
        result = transform.apply(given)
        assert type(result) is np.ndarray
        np.testing.assert_array_equal(result, expected)


# Numbers, buffers ------------------------------------------------------------------------------------


def test_lists_count_as_numpy_and_must_be_regular(transform):
    result = transform.apply([0] * transform.size)
    assert (type(result), result.dtype) == (np.ndarray, np.float64)
    with refused(ka.ShapeError, "length"):
        transform.apply([[0.0] * transform.size, [0.0]])
    with refused(ka.DTypeError, "str"):
        transform.apply(["x"] * transform.size)
    with refused(ka.DTypeError, "complex"):
        transform.apply([1j] * transform.size)
    itself = []
    itself.append(itself)
    with refused(ka.ShapeError, "nested"):
        transform.apply(itself)


def test_buffers_give_buffers(transform, values, nothing_copied):
    one = array.array("d", values[0].astype(float))
    assert interop.address(one) == one.buffer_info()[0]
    result = transform.apply(one)
    assert type(result) is memoryview
    assert (result.format, result.readonly) == ("d", False)
    expected = transform.apply(values[0].astype(float))
    np.testing.assert_array_equal(np.asarray(result), expected)


def test_memoryviews_of_every_layout_are_read(transform, values, nothing_copied):
    expected = transform.apply(values)
    for name, laid_out in layouts(values).items():
        result = transform.apply(memoryview(laid_out))
        assert type(result) is memoryview, name
        np.testing.assert_array_equal(np.asarray(result).reshape(expected.shape), expected)
    assert transform.apply(memoryview(values)[1:1]).shape == (0, expected.shape[1])
    np.testing.assert_array_equal(transform.apply(memoryview(values)[::-2]), expected[::-2])


def test_bytes_are_not_numbers(transform):
    for wrong in (b"\0" * transform.size, bytearray(transform.size)):
        with refused(ka.DTypeError, "float32", "uint8"):
            transform.apply(wrong)
    with refused(ka.DTypeError, "float32", "int64"):
        transform.apply(array.array("q", [0] * transform.size))


def test_released_memory_is_not_read(transform, values):
    view = memoryview(values)
    view.release()
    with pytest.raises(ValueError, match="released"):
        transform.apply(view)


# What others do with our arrays ----------------------------------------------------------------------


def test_results_go_everywhere_without_a_copy(transform, values):
    result = transform.apply(values)
    address = result.ctypes.data
    assert np.from_dlpack(result).ctypes.data == address
    view = memoryview(result)
    assert not view.readonly
    assert np.asarray(view).ctypes.data == address
    torch = pytest.importorskip("torch")
    for tensor in (torch.from_numpy(result), torch.from_dlpack(result)):
        assert tensor.data_ptr() == address
    jax = pytest.importorskip("jax")
    # 64-byte aligned, so that JAX takes it as it is.
    assert jax.dlpack.from_dlpack(result, copy=False).unsafe_buffer_pointer() == address
    pa = pytest.importorskip("pyarrow")
    assert pa.array(result.reshape(-1)).buffers()[1].address == address


def test_our_constant_views_are_read_only_everywhere():
    character = ka.testing.create_humanoid(n_vertices=600)
    view = character.mesh.vertices
    address = view.ctypes.data
    assert not view.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        view[0, 0] = 1
    with pytest.raises(ValueError, match="WRITEABLE|writeable"):
        view.flags.writeable = True
    with pytest.raises(ValueError, match="WRITEABLE|writeable"):
        view[1:].flags.writeable = True
    assert memoryview(view).readonly
    if np.lib.NumpyVersion(np.__version__) >= "2.1.0":
        again = np.from_dlpack(view)
        assert (again.ctypes.data, again.flags.writeable) == (address, False)
    # Into ourselves: read in place, never written.
    assert interop.address(view) == address
    with pytest.raises(ka.InvalidValueError, match=r"out: .*read-only"):
        ka.geometry.compute_vertex_normals(np.ones_like(view), character.mesh.faces, out=view)


def test_indices_that_no_memory_holds_are_an_error():
    endless = np.broadcast_to(np.int64(0), (2**45, 3))
    with pytest.raises(MemoryError, match="bytes"):
        ka.geometry.compute_vertex_normals(np.zeros((4, 3)), endless)


def test_a_result_that_cannot_grow_so_far_is_still_there(transform, values):
    result = transform.apply(values)
    expected = result.copy()
    with pytest.raises(MemoryError):
        result.resize((2**45,), refcheck=False)
    np.testing.assert_array_equal(result, expected)
