"""Every array library by itself: where its memory lies, what comes back, what it must not lose.

Each library is asked for its own address, so that nothing here believes our word for "not copied".
"""

from __future__ import annotations

import array
import ctypes
import gc
import sys
import types

import numpy as np
import pytest

import kinarray as ka
from kinarray import interop
from kinds import Interface, Producer, installed, library, load


def need(module: str):
    if not installed(module):
        pytest.skip(f"{module} is not installed")
    return load(module)


# Where the memory lies -------------------------------------------------------------------------------


def pyarrow_address(column) -> int:
    """The address of the first number, by pyarrow's own account."""
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        (column,) = column.chunks
    if isinstance(column, pa.FixedShapeTensorArray):
        column = column.storage
    while pa.types.is_fixed_size_list(column.type):
        column = column.flatten()
    return column.buffers()[1].address + column.offset * (column.type.bit_width // 8)


def lists(values):
    pa = need("pyarrow")
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[-1])


def as_pyarrow(column):
    return pyarrow_address(need("pyarrow").array(column))


def series(values, **keywords):
    pd = need("pandas")
    return pd.Series(pd.arrays.ArrowExtensionArray(lists(values)), **keywords)


def series_address(column):
    return pyarrow_address(column.array.__arrow_array__())


def tf_address(tensor):
    return np.asarray(memoryview(tensor)).ctypes.data


# How a library makes an array, the address that it gives it, and whether it takes our memory as it is.
LIBRARIES = {
    "numpy": (lambda m, x: x, lambda x: x.ctypes.data, True),
    "torch": (lambda m, x: m.from_numpy(x), lambda x: x.data_ptr(), True),
    "jax": (lambda m, x: m.device_put(x), lambda x: x.unsafe_buffer_pointer(), True),
    "pyarrow": (lambda m, x: lists(x), pyarrow_address, True),
    "polars": (lambda m, x: m.Series("pose", x), lambda x: pyarrow_address(x.to_arrow()), True),
    "pandas": (lambda m, x: series(x), series_address, True),
    "arro3.core": (lambda m, x: m.Array.from_arrow(lists(x)), as_pyarrow, True),
    "nanoarrow": (lambda m, x: m.Array(lists(x)), as_pyarrow, True),
    "tvm_ffi": (lambda m, x: m.from_dlpack(x), lambda x: np.from_dlpack(x).ctypes.data, True),
    "paddle": (lambda m, x: m.to_tensor(x), lambda x: x.data_ptr(), True),
    "tensorflow": (lambda m, x: m.constant(x), tf_address, True),
    "warp": (lambda m, x: m.array(x), lambda x: x.ptr, True),
    # Its allocator is its own: what it takes in it copies, by its own choice.
    "mlx.core": (lambda m, x: m.array(x), lambda x: np.asarray(x).ctypes.data, False),
}
HERE = [name for name in LIBRARIES if installed(name)]


@pytest.mark.parametrize("name", HERE)
def test_memory_is_read_where_it_lies(name, values):
    make, address, _ = LIBRARIES[name]
    given = make(need(name), values)
    assert interop.address(given) == address(given)


@pytest.mark.parametrize("name", HERE)
def test_results_are_handed_over_where_they_lie(name, transform, values):
    make, address, shares = LIBRARIES[name]
    given = make(need(name), values)
    with interop.count_copies() as copied:
        result = transform.apply(given)
    assert copied.count == 0
    assert isinstance(result, type(given))
    assert interop.address(result) == address(result)
    if shares:
        # Our memory, and nobody else's: aligned by more than any allocator of a library asks for.
        assert address(result) % 64 == 0
        # Large memory goes back to our pool when the last who has it lets go: the library, and no earlier.
        many = make(need(name), np.tile(values, (400, 1)))
        interop.clear_pool()
        large = transform.apply(many)
        assert interop.pooled_bytes() == 0
        del large
        gc.collect()
        assert interop.pooled_bytes() > 0


# Libraries that speak DLPack -------------------------------------------------------------------------


@pytest.fixture
def paddle():
    return need("paddle")


@pytest.fixture
def tf():
    return need("tensorflow")


@pytest.fixture
def mx():
    return need("mlx.core")


@pytest.fixture
def wp():
    return need("warp")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_paddle_keeps_dtype_and_device(paddle, transform, values, dtype):
    given = paddle.to_tensor(values).astype(dtype)
    result = transform.apply(given)
    assert isinstance(result, paddle.Tensor)
    assert (result.dtype, result.place) == (given.dtype, given.place)
    assert result.stop_gradient
    expected = transform.apply(given.astype("float64").numpy())
    rough = {"float16": 1e-2, "bfloat16": 5e-2, "float32": 1e-5, "float64": 1e-12}[dtype]
    np.testing.assert_allclose(result.astype("float64").numpy(), expected, rtol=rough, atol=rough)


def test_paddle_gradients_are_never_dropped(paddle, transform, values):
    tracked = paddle.to_tensor(values, stop_gradient=False)
    parameter = paddle.create_parameter(list(values.shape), "float32")
    for tensor in (tracked, tracked * 2, parameter):
        with pytest.raises(ka.GradientError, match=r"stop_gradient.*detach\(\)"):
            transform.apply(tensor)
        transform.apply(tensor.detach())
    with pytest.raises(ka.GradientError, match="out"):
        transform.apply(values, out=paddle.create_parameter([5, 7 * 62], "float32"))


def test_paddle_views_and_conjugates_are_read_as_they_are(paddle, transform, values):
    n = transform.size
    wide = paddle.to_tensor(np.ascontiguousarray(values.T)).T
    assert not wide.is_contiguous()
    np.testing.assert_array_equal(transform.apply(wide).numpy(), transform.apply(values))
    # Paddle conjugates on the spot: no bit that the protocol would lose.
    imaginary = paddle.to_tensor(np.full(n, 1j, np.complex64)).conj().imag()
    np.testing.assert_array_equal(
        transform.apply(imaginary).numpy(), transform.apply(np.full(n, -1, np.float32))
    )
    with pytest.raises(ka.DTypeError, match="complex64"):
        transform.apply(paddle.to_tensor(np.full(n, 1j, np.complex64)).conj())


def test_paddle_memory_is_written_into(paddle, transform, values, nothing_copied):
    expected = transform.apply(values)
    out = paddle.zeros(expected.shape)
    assert transform.apply(values, out=out) is out
    np.testing.assert_array_equal(out.numpy(), expected)


def test_paddle_sparse_and_static_are_refused(paddle, transform, values):
    with pytest.raises(BufferError, match="sparse"):
        transform.apply(paddle.to_tensor(values).to_sparse_coo(2))
    paddle.enable_static()
    try:
        with pytest.raises(ka.DTypeError, match="graph"):
            transform.apply(paddle.static.data("x", list(values.shape), "float32"))
    finally:
        paddle.disable_static()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_tensorflow_keeps_dtype_and_device(tf, transform, values, dtype):
    given = tf.cast(tf.constant(values), dtype)
    result = transform.apply(given)
    assert isinstance(result, tf.Tensor)
    assert (result.dtype, result.device) == (given.dtype, given.device)
    rough = {"float16": 1e-2, "bfloat16": 5e-2, "float32": 1e-5, "float64": 1e-12}[dtype]
    expected = transform.apply(tf.cast(given, "float64").numpy())
    np.testing.assert_allclose(tf.cast(result, "float64").numpy(), expected, rtol=rough, atol=rough)


def test_tensorflow_gradients_are_never_dropped(tf, transform, values):
    given = tf.constant(values)
    with tf.GradientTape() as tape:
        transform.apply(given)  # nobody watches it
        tape.watch(given)
        for tracked in (given, given * 2):
            with pytest.raises(ka.GradientError, match=r"GradientTape.*tf\.stop_gradient"):
                transform.apply(tracked)
        transform.apply(tf.stop_gradient(given))
        with tape.stop_recording():
            transform.apply(given)
    with (
        tf.autodiff.ForwardAccumulator(given, given),
        pytest.raises(ka.GradientError, match="ForwardAccumulator"),
    ):
        transform.apply(given)
    transform.apply(given)


def test_tensorflow_variables_and_graphs_are_refused_clearly(tf, transform, values):
    variable = tf.Variable(values)
    with pytest.raises(ka.DTypeError, match=r"ResourceVariable; pass its value\(\)"):
        transform.apply(variable)
    np.testing.assert_array_equal(transform.apply(variable.value()), transform.apply(values))
    seen = []

    @tf.function(autograph=False)
    def traced(x):
        with pytest.raises(ka.DTypeError, match="SymbolicTensor.*eagerly"):
            transform.apply(x)
        seen.append(1)
        return x

    traced(tf.constant(values))
    assert seen


def test_tensorflow_memory_is_not_written_into(tf, transform, values):
    out = tf.zeros(transform.apply(values).shape)
    with pytest.raises(ka.InvalidValueError, match="read-only"):
        transform.apply(values, out=out)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_mlx_keeps_dtype(mx, transform, values, dtype):
    given = mx.array(values, dtype=getattr(mx, dtype))
    result = transform.apply(given)
    assert isinstance(result, mx.array)
    assert result.dtype == given.dtype  # its own import rounds float64 to float32
    wide = np.array(given.astype(mx.float32)) if dtype == "bfloat16" else np.array(given)
    expected = transform.apply(wide.astype(np.float64))
    rough = {"float16": 1e-2, "bfloat16": 5e-2, "float32": 1e-5, "float64": 1e-12}[dtype]
    got = np.array(result.astype(mx.float32)) if dtype == "bfloat16" else np.array(result)
    np.testing.assert_allclose(got, expected, rtol=rough, atol=rough)


def test_mlx_work_is_waited_for_and_transformations_are_refused(mx, transform, values):
    lazy = mx.array(values) * 2 + 1
    np.testing.assert_array_equal(
        np.array(transform.apply(lazy)), transform.apply(values * np.float32(2) + np.float32(1))
    )
    for transformation in (mx.vmap, mx.compile):
        with pytest.raises(ValueError, match="transformation"):
            transformation(transform.apply)(mx.array(values))


def test_mlx_memory_is_not_written_into(mx, transform, values):
    with pytest.raises(ka.InvalidValueError, match="read-only"):
        transform.apply(values, out=mx.zeros(transform.apply(values).shape))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_warp_keeps_dtype_and_device(wp, transform, values, dtype):
    # Its __dlpack__ does not know max_version.
    given = wp.array(values.astype(dtype))
    result = transform.apply(given)
    assert isinstance(result, wp.array)
    assert (result.dtype, result.device) == (given.dtype, given.device)
    np.testing.assert_array_equal(result.numpy(), transform.apply(values.astype(dtype)))


def test_warp_vectors_have_their_own_axis(wp):
    character = ka.testing.create_humanoid(n_vertices=600)
    n = character.mesh.n_vertices
    points = np.random.default_rng(2).normal(size=(3, n, 3)).astype(np.float32)
    given = wp.array(points, dtype=wp.vec3)
    assert given.shape == (3, n)
    result = ka.geometry.compute_vertex_normals(given, character.mesh.faces)
    expected = ka.geometry.compute_vertex_normals(points, character.mesh.faces)
    np.testing.assert_array_equal(result.numpy(), expected)


def test_warp_memory_is_written_into(wp, transform, values, nothing_copied):
    expected = transform.apply(values)
    out = wp.zeros(expected.shape, dtype=float)
    assert transform.apply(values, out=out) is out
    np.testing.assert_array_equal(out.numpy(), expected)


def test_warp_slices_are_read_in_place(wp, transform, values, nothing_copied):
    given = wp.array(values)
    for part in (slice(1, 4), slice(None, None, 2)):
        result = transform.apply(given[part])
        np.testing.assert_array_equal(result.numpy(), transform.apply(values[part]))


def test_warp_gradients_are_never_dropped(wp, transform, values):
    tracked = wp.array(values, requires_grad=True)
    with pytest.raises(ka.GradientError, match="requires_grad"):
        transform.apply(tracked)


def test_cupy_on_a_gpu_is_refused_by_its_device(transform, values):
    class OnGpu(library("cupy").ndarray):
        def __dlpack_device__(self):
            return (2, 0)

        def __dlpack__(self, **keywords):
            raise AssertionError("asked for memory that cannot be read")

    with pytest.raises(ka.DeviceError, match="cuda:0"):
        transform.apply(OnGpu(values))


# Libraries that nobody knows -------------------------------------------------------------------------


def test_an_unknown_library_makes_its_own_arrays(transform, values, monkeypatch, nothing_copied):
    module = library("cupy")
    monkeypatch.setitem(sys.modules, "cupy", module)
    given = module.ndarray(values)
    result = transform.apply(given)
    assert type(result) is module.ndarray
    assert interop.address(given) == values.ctypes.data
    assert result.values.ctypes.data % 64 == 0
    np.testing.assert_array_equal(result.values, transform.apply(values))


@pytest.mark.parametrize("place", ["new_library", "new_library.dlpack", "new_library.utils.dlpack"])
def test_from_dlpack_is_found_where_libraries_have_it(transform, values, monkeypatch, place):
    module = library("new_library")
    home = types.ModuleType(place)
    if place != "new_library":
        home.from_dlpack = module.from_dlpack
        del module.from_dlpack
        monkeypatch.setitem(sys.modules, place, home)
    monkeypatch.setitem(sys.modules, "new_library", module)
    assert type(transform.apply(module.ndarray(values))) is module.ndarray

    class Mine(module.ndarray):
        """Of a user, in a module without from_dlpack."""

    assert type(transform.apply(Mine(values))) is module.ndarray


def test_the_array_api_says_where_from_dlpack_is(transform, values):
    module = library("nowhere")

    class Standard(module.ndarray):
        def __array_namespace__(self):
            return module

    result = transform.apply(Standard(values))
    assert type(result) is module.ndarray


def test_a_from_dlpack_that_takes_capsules_gets_one(transform, values, monkeypatch):
    module = library("old_library")

    class Capsule:
        def __init__(self, capsule):
            self.capsule = capsule

        def __dlpack_device__(self):
            return (1, 0)

        def __dlpack__(self, **keywords):
            return self.capsule

    def from_dlpack(capsule):
        if type(capsule).__name__ != "PyCapsule":
            raise TypeError("expected a capsule")
        return module.ndarray(np.from_dlpack(Capsule(capsule)))

    module.from_dlpack = from_dlpack
    monkeypatch.setitem(sys.modules, "old_library", module)
    result = transform.apply(module.ndarray(values))
    assert type(result) is module.ndarray
    np.testing.assert_array_equal(result.values, transform.apply(values))


def test_a_library_that_would_round_is_not_used(transform, values, monkeypatch):
    module = library("rounding_library")
    module.from_dlpack = lambda x: module.ndarray(np.from_dlpack(x).astype(np.float32))
    monkeypatch.setitem(sys.modules, "rounding_library", module)
    result = transform.apply(module.ndarray(values.astype(np.float64)))
    assert isinstance(result, interop.Buffer)
    np.testing.assert_array_equal(np.asarray(result), transform.apply(values.astype(np.float64)))


def test_a_library_that_fails_is_heard(transform, values, monkeypatch):
    module = library("failing_library")

    def from_dlpack(x):
        raise RuntimeError("out of order")

    module.from_dlpack = from_dlpack
    monkeypatch.setitem(sys.modules, "failing_library", module)
    with pytest.raises(RuntimeError, match="out of order"):
        transform.apply(module.ndarray(values))


# Buffers and __array_interface__ ---------------------------------------------------------------------


def test_ctypes_arrays_have_no_strides_and_are_read(transform, values, nothing_copied):
    given = np.ctypeslib.as_ctypes(values)
    assert interop.address(given) == ctypes.addressof(given) == values.ctypes.data
    result = transform.apply(given)
    assert type(result) is memoryview
    np.testing.assert_array_equal(np.asarray(result), transform.apply(values))


def test_buffers_are_read_where_they_lie(values):
    one = array.array("f", values[0])
    assert interop.address(one) == one.buffer_info()[0]
    raw = bytearray(values.tobytes())
    view = memoryview(raw).cast("f", values.shape)
    assert interop.address(view) == np.frombuffer(raw, np.uint8).ctypes.data


def test_array_interface_is_read_in_place(transform, values, nothing_copied):
    for strided in (values, values[::-1], values[:, ::-1][:, ::-1], np.asfortranarray(values)):
        given = Interface(strided)
        assert interop.address(given) == strided.ctypes.data
        result = transform.apply(given)
        assert type(result) is np.ndarray
        np.testing.assert_array_equal(result, transform.apply(np.ascontiguousarray(strided)))


def test_array_interface_is_written_into(transform, values, nothing_copied):
    out = np.zeros(transform.apply(values).shape, np.float32)
    given = Interface(out)
    assert transform.apply(values, out=given) is given
    np.testing.assert_array_equal(out, transform.apply(values))
    out.flags.writeable = False
    with pytest.raises(ka.InvalidValueError, match="read-only"):
        transform.apply(values, out=given)


def test_array_interface_over_a_buffer(transform, values, nothing_copied):
    class Image:
        """As Pillow has it: the memory is an object with a buffer."""

        def __init__(self, **more):
            data = bytes(16) + values.tobytes()
            said = {"shape": values.shape, "typestr": "<f4", "data": data, "offset": 16}
            self.__array_interface__ = {"version": 3, **said, **more}

    np.testing.assert_array_equal(transform.apply(Image()), transform.apply(values))
    with pytest.raises(ka.InvalidValueError, match="reaches past"):
        transform.apply(Image(offset=17))
    with pytest.raises(ka.InvalidValueError, match="lies past"):
        transform.apply(Image(offset=10**6))
    with pytest.raises(ka.InvalidValueError, match="reaches past"):
        transform.apply(Image(strides=(-4 * values.shape[1], 4)))
    with pytest.raises(ka.InvalidValueError, match="reaches past"):
        transform.apply(Image(shape=(500, values.shape[1])))


@pytest.mark.parametrize(
    "lie",
    [
        {"data": (0, False)},
        {"data": (-1, False)},
        {"data": ("x", False)},
        {"data": (1,)},
        {"data": None},
        {"data": 7},
        {"shape": None},
        {"shape": 3},
        {"shape": (-1, 2)},
        {"shape": ("a",)},
        {"shape": (2**62, 2**62)},
        {"strides": (4,)},
        {"strides": (2**62, 4)},
        {"strides": "no"},
        {"typestr": None},
        {"typestr": 3},
        {"typestr": ""},
        {"typestr": "<f16"},
        {"typestr": "|V8"},
        {"typestr": "<i4"},
        {"mask": np.zeros(3)},
        {"offset": -1, "data": b"1234"},
    ],
    ids=str,
)
def test_an_array_interface_that_contradicts_itself_is_refused(transform, values, lie):
    liar = types.SimpleNamespace(__array_interface__={**values.__array_interface__, **lie})
    with pytest.raises((ka.KinarrayError, TypeError)):
        transform.apply(liar)


def test_an_array_interface_must_be_a_dict(transform):
    for wrong in (None, 3, [1]):
        liar = type("Liar", (), {"__array_interface__": wrong})()
        with pytest.raises(ka.InvalidValueError, match="dict"):
            transform.apply(liar)


def test_objects_with_only_array_are_told_what_to_do(transform, values):
    class Old:
        def __array__(self, dtype=None, copy=None):
            return values

    with pytest.raises(ka.DTypeError, match=r"Old; numpy\.asarray"):
        transform.apply(Old())


# Arrow -----------------------------------------------------------------------------------------------


@pytest.fixture
def pa():
    return need("pyarrow")


def test_duckdb_relations_of_one_column_are_columns(pa, transform, values, nothing_copied):
    duckdb = need("duckdb")
    connection = duckdb.connect()
    relation = connection.from_arrow(pa.table({"pose": lists(values), "frame": range(5)}))
    result = transform.apply(relation.project("pose"))
    assert isinstance(result, pa.FixedSizeListArray)
    expected = transform.apply(values)
    np.testing.assert_array_equal(result.flatten().to_numpy().reshape(expected.shape), expected)
    later = transform.apply(relation.filter("frame > 2").project("pose"))
    np.testing.assert_array_equal(later.flatten().to_numpy().reshape(2, -1), expected[3:])
    with pytest.raises(ka.DTypeError, match="relation of one column, got 2 columns"):
        transform.apply(relation)
    with pytest.raises(ka.DTypeError, match="column"):
        transform.apply(relation.project("'a' as text"))
    nulls = connection.sql("select case when i != 1 then i::float end as x from range(3) t(i)")
    with pytest.raises(ka.InvalidValueError, match="row 1 "):
        transform.apply(nulls)


def test_long_duckdb_relations_are_joined(transform):
    duckdb = need("duckdb")
    rows = 300_000
    relation = duckdb.connect().sql(f"select [i, -i]::float[2] as x from range({rows}) t(i)")
    assert interop.kind_of(relation) == "duckdb"
    with pytest.raises(ka.ShapeError, match=rf"\({rows}, 2\)"):
        transform.apply(relation)


def test_chunks_without_rows_are_no_reason_to_join(pa, transform, values, nothing_copied):
    column = lists(values)
    chunked = pa.chunked_array([column[:0], column, column[:0]])
    assert interop.address(chunked) == pyarrow_address(column)
    result = transform.apply(chunked)
    assert pyarrow_address(result) % 64 == 0


def test_what_can_be_read_once_is_read_once():
    nanoarrow = need("nanoarrow")
    character = ka.testing.create_humanoid(n_vertices=600)
    points = np.asarray(character.mesh.vertices, np.float32)
    stream = nanoarrow.ArrayStream(lists(points))
    result = ka.geometry.compute_vertex_normals(stream, character.mesh.faces)
    assert isinstance(result, nanoarrow.Array)
    with pytest.raises(RuntimeError, match="released"):
        ka.geometry.compute_vertex_normals(stream, character.mesh.faces)


@pytest.mark.parametrize("kind", ["list_", "large_list"])
def test_lists_of_any_length_are_refused_clearly(pa, transform, values, kind):
    column = pa.array(values.tolist(), getattr(pa, kind)(pa.float32()))
    with pytest.raises(ka.DTypeError, match="lists of any length; cast it to fixed-size lists"):
        transform.apply(column)


def test_tensors_with_names_are_read_and_made(pa):
    character = ka.testing.create_humanoid(n_vertices=600)
    joints = len(character.skeleton)
    state = np.tile(np.array([0, 0, 0, 0, 0, 0, 1, 1], np.float32), (4, joints, 1))
    named = pa.fixed_shape_tensor(pa.float32(), (joints, 8), dim_names=["joint", "channel"])
    column = pa.ExtensionArray.from_storage(named, lists(state.reshape(4, -1)))
    result = character.skin_points(column)
    assert isinstance(result, pa.FixedShapeTensorArray)
    assert result.type.shape == [character.mesh.n_vertices, 3]
    np.testing.assert_array_equal(result.to_numpy_ndarray(), character.skin_points(state))
    # Metadata that pyarrow can write and read again.
    table = pa.table({"points": result})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    again = pa.ipc.open_stream(sink.getvalue()).read_all()
    assert again.schema == table.schema
    assert again["points"].type == result.type
    turned = pa.fixed_shape_tensor(pa.float32(), (8, joints), permutation=[1, 0])
    with pytest.raises(ka.InvalidValueError, match="permutes"):
        character.skin_points(pa.ExtensionArray.from_storage(turned, lists(state.reshape(4, -1))))


def test_pandas_keeps_name_and_index_where_rows_are_rows(transform, values, nothing_copied):
    pd = need("pandas")
    result = transform.apply(series(values, index=list("abcde"), name="pose"))
    assert (list(result.index), result.name) == (list("abcde"), "pose")
    np.testing.assert_array_equal(np.stack(result), transform.apply(values))
    # One pose as a column: the result has other rows than the index names.
    one = pd.Series(pd.arrays.ArrowExtensionArray(need("pyarrow").array(values[0])), name="pose")
    result = transform.apply(one)
    assert (result.name, len(result)) == ("pose", transform.apply(values[0]).size)
    np.testing.assert_array_equal(result.to_numpy(), transform.apply(values[0]))


def test_pandas_over_numpy_memory(transform, values):
    pd = need("pandas")
    result = transform.apply(pd.Series(values[0]))
    assert isinstance(result, pd.Series)
    np.testing.assert_array_equal(result.to_numpy(), transform.apply(values[0]))
    holed = values[0].copy()
    holed[3] = np.nan
    with pytest.raises(ka.InvalidValueError, match="row 3 "):
        transform.apply(pd.Series(holed))


def test_polars_chunks_and_slices(transform, values):
    pl = need("polars")
    whole = pl.Series("pose", values)
    with interop.count_copies() as copied:
        result = transform.apply(whole[1:4])
    assert copied.count == 0
    np.testing.assert_array_equal(result.to_numpy(), transform.apply(values[1:4]))
    chunked = whole.append(pl.Series("pose", values))
    with interop.count_copies() as copied:
        result = transform.apply(chunked)
    assert copied.count == 1
    assert result.name == "pose"
    np.testing.assert_array_equal(result.to_numpy(), transform.apply(np.tile(values, (2, 1))))
    with pytest.raises(ka.InvalidValueError, match="row 2 "):
        transform.apply(pl.Series([1.0, 2.0, None]))


@pytest.mark.parametrize("name", ["pyarrow", "polars", "pandas", "arro3.core", "nanoarrow"])
def test_empty_columns_stay_columns(name, transform, values):
    make = LIBRARIES[name][0]
    given = make(need(name), values[:0])
    result = transform.apply(given)
    assert isinstance(result, type(given))
    assert len(result) == 0


def test_an_unknown_arrow_library_gets_everybodys_buffer(pa, transform, values):
    class Column:
        def __arrow_c_array__(self, requested_schema=None):
            return lists(values).__arrow_c_array__(requested_schema)

    result = transform.apply(Column())
    assert isinstance(result, interop.Buffer)
    expected = transform.apply(values)
    np.testing.assert_array_equal(np.asarray(result), expected)
    assert pyarrow_address(pa.array(result)) == np.asarray(result).ctypes.data


# Between libraries -----------------------------------------------------------------------------------


@pytest.mark.parametrize("second", HERE)
@pytest.mark.parametrize(
    "first",
    [name for name in ("numpy", "torch", "jax", "polars", "paddle", "warp") if name in HERE],
)
def test_libraries_may_be_mixed_and_the_first_decides(first, second):
    character = ka.testing.create_humanoid(n_vertices=600)
    joints = len(character.skeleton)
    state = np.tile(np.array([0, 0, 0, 0, 0, 0, 1, 1], np.float32), (joints, 1))
    if first == "polars":  # a column has rows; lists of lists are rows with two axes
        given = need(first).Series("pose", state)
    else:
        given = LIBRARIES[first][0](need(first), state)
    rest = np.asarray(character.mesh.vertices, np.float32)
    with interop.count_copies() as copied:
        result = character.skin_points(given, LIBRARIES[second][0](need(second), rest.copy()))
    assert copied.count == 0
    assert isinstance(result, type(given))
    assert interop.kind_of(result) == interop.kind_of(given)


def test_producers_without_a_library_are_read_in_place(values):
    assert interop.address(Producer(values)) == values.ctypes.data
