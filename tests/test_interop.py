"""The seam, edge by edge: what each framework can hand over, and what comes back."""

from __future__ import annotations

import array
import ctypes
import gc
import os
import threading
from pathlib import Path

import numpy as np
import pytest

import kinarray as ka
from kinarray import interop


@pytest.fixture(scope="module")
def transform():
    return ka.testing.create_humanoid(n_vertices=600).parameter_transform


@pytest.fixture
def values(transform):
    return np.random.default_rng(1).normal(size=(5, transform.size)).astype(np.float32)


@pytest.fixture
def nothing_copied():
    with interop.count_copies() as copied:
        yield
    assert copied.count == 0


def aligned(array):
    return array.ctypes.data % 64 == 0


# Kinds in and out ------------------------------------------------------------------------------------


def test_kind_of_names_every_kind():
    assert interop.kind_of(np.zeros(2)) == "numpy"
    assert interop.kind_of(np.float32(1)) == "numpy"
    assert interop.kind_of([1.0, 2.0]) == "numbers"
    assert interop.kind_of(memoryview(b"ab")) == "memoryview"
    assert interop.kind_of(array.array("d", [1.0])) == "memoryview"


def test_nothing_that_is_no_array_is_taken(transform):
    for wrong in ("text", None, object(), {1: 2}, {1.0}):
        with pytest.raises(ka.DTypeError, match="expected an array"):
            transform.apply(wrong)


def test_numpy_memory_is_read_in_place_and_owned_on_return(transform, values, nothing_copied):
    result = transform.apply(values)
    assert type(result) is np.ndarray
    assert aligned(result)
    assert result.flags.owndata
    assert result.flags.writeable
    assert result.dtype == np.float32


def test_a_result_can_be_resized_and_written(transform, values):
    result = transform.apply(values)
    expected = result.copy()
    result.resize((2 * len(result), result.shape[1]), refcheck=False)
    np.testing.assert_array_equal(result[: len(expected)], expected)


def test_numpy_subclasses_and_scalars(transform, values, tmp_path):
    mapped = np.memmap(tmp_path / "poses", np.float32, "w+", shape=values.shape)
    mapped[:] = values
    np.testing.assert_array_equal(transform.apply(mapped), transform.apply(values))
    masked = np.ma.masked_array(values, mask=values > 1)
    with pytest.raises(ValueError, match="masks some"):
        transform.apply(masked)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "bool", "complex64", "complex128"])
def test_what_is_no_real_number_is_refused_by_name(transform, dtype):
    with pytest.raises(TypeError, match=f"float32.*{dtype}") as error:
        transform.apply(np.zeros(transform.size, dtype))
    assert isinstance(error.value, ka.DTypeError)


@pytest.mark.parametrize("dtype", ["longdouble", "datetime64[s]", "S4", "O"])
def test_other_numpy_types_are_refused(transform, dtype):
    with pytest.raises(TypeError):
        transform.apply(np.zeros(transform.size, dtype))


def test_swapped_and_misaligned_memory_is_copied_and_counted(transform, values):
    expected = transform.apply(values)
    raw = np.zeros(values.nbytes + 1, np.uint8)
    raw[1:] = np.frombuffer(values.tobytes(), np.uint8)
    unaligned = raw[1:].view(np.float32).reshape(values.shape)
    record = np.zeros(values.shape, [("pad", "u1"), ("value", "f4")])
    record["value"] = values
    for odd in (values.astype(">f4"), unaligned, record["value"]):
        with interop.count_copies() as copied:
            np.testing.assert_array_equal(transform.apply(odd), expected)
        assert (copied.count, copied.bytes) == (1, values.nbytes)


def test_buffers_give_buffers(transform, values, nothing_copied):
    one = array.array("d", values[0].astype(float))
    result = transform.apply(one)
    assert type(result) is memoryview
    assert result.format == "d"
    expected = transform.apply(values[0].astype(float))
    np.testing.assert_array_equal(np.asarray(result), expected)


def test_bytes_are_not_numbers(transform):
    with pytest.raises(ka.DTypeError):
        transform.apply(b"\0" * transform.size)


def test_lists_count_as_numpy_and_must_be_regular(transform):
    result = transform.apply([0] * transform.size)
    assert (type(result), result.dtype) == (np.ndarray, np.float64)
    with pytest.raises(ka.ShapeError, match="length"):
        transform.apply([[0.0] * transform.size, [0.0]])
    with pytest.raises(ka.DTypeError, match="str"):
        transform.apply(["x"] * transform.size)
    with pytest.raises(ka.DTypeError, match="complex"):
        transform.apply([1j] * transform.size)


def test_a_wrong_size_names_the_shape(transform):
    with pytest.raises(ka.ShapeError, match=r"\(3, 7\)") as error:
        transform.apply(np.zeros((3, 7), np.float32))
    assert isinstance(error.value, ValueError)
    assert isinstance(error.value, RuntimeError)  # what PyMomentum raises
    with pytest.raises(ka.ShapeError):
        transform.apply(np.float32(1))


# torch -----------------------------------------------------------------------------------------------


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def test_torch_memory_is_read_in_place_and_handed_over(torch, transform, values, nothing_copied):
    result = transform.apply(torch.from_numpy(values))
    assert type(result) is torch.Tensor
    assert result.dtype == torch.float32
    assert result.data_ptr() % 64 == 0
    np.testing.assert_array_equal(result.numpy(), transform.apply(values))


@pytest.mark.filterwarnings("ignore::FutureWarning")  # torch about itself
def test_torch_gradients_are_never_dropped(torch, transform):
    tensor = torch.zeros(transform.size, requires_grad=True)
    for tracked in (tensor, tensor * 2, torch.nn.Parameter(torch.zeros(transform.size))):
        with pytest.raises(ka.GradientError, match=r"autograd.*detach\(\)"):
            transform.apply(tracked)
    with torch.no_grad():
        assert not transform.apply(tensor).requires_grad
        assert not transform.apply(torch.nn.Parameter(torch.zeros(transform.size))).requires_grad
    transform.apply(tensor.detach())
    with torch.autograd.forward_ad.dual_level():
        plain = torch.zeros(transform.size)
        transform.apply(plain)
        dual = torch.autograd.forward_ad.make_dual(plain, torch.ones(transform.size))
        with pytest.raises(ka.GradientError, match="tangent"):
            transform.apply(dual)


@pytest.mark.filterwarnings("ignore::FutureWarning")  # torch about itself
def test_torch_transforms_are_refused(torch, transform):
    batch = torch.zeros(3, transform.size)
    with pytest.raises(ka.GradientError, match=r"torch\.func"):
        torch.func.vmap(transform.apply)(batch)
    with pytest.raises(ka.GradientError):
        torch.func.grad(lambda x: transform.apply(x).sum())(batch[0])
    with pytest.raises(ka.GradientError):
        torch.func.jvp(transform.apply, (batch[0],), (batch[0],))


@pytest.mark.filterwarnings("ignore::UserWarning")  # torch about itself
def test_torch_tensors_without_plain_memory_are_refused(torch, transform):
    from torch._subclasses.fake_tensor import FakeTensorMode

    n = transform.size
    with FakeTensorMode():
        fake = torch.zeros(n)
    complex_ = torch.zeros(n, dtype=torch.complex64)
    wrong = {
        "FakeTensor": fake,
        "meta": torch.zeros(n, device="meta"),
        "sparse_coo": torch.zeros(n).to_sparse(),
        "negative bit": complex_.conj().imag,
        "complex64": complex_.conj(),
        "int64": torch.zeros(n, dtype=torch.int64),
        "bool": torch.zeros(n, dtype=torch.bool),
        "quantized": torch.quantize_per_tensor(torch.zeros(n), 0.1, 0, torch.qint8),
        "type code": torch.zeros(n).to(torch.float8_e4m3fn),
    }
    for text, tensor in wrong.items():
        with pytest.raises((TypeError, ValueError), match=text) as error:
            transform.apply(tensor)
        assert isinstance(error.value, ka.KinarrayError), text


def test_torch_negation_of_one_element_is_seen():
    torch = pytest.importorskip("torch")
    for shape in ((), (1,)):
        imaginary = torch.full(shape, 1j, dtype=torch.complex128).conj().imag
        with pytest.raises(ka.DTypeError, match="resolve_neg"):
            interop.kind_of(imaginary)


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_torch_half_precision_comes_back_as_it_was(torch, transform, values, name):
    half = torch.from_numpy(values).to(getattr(torch, name))
    result = transform.apply(half)
    assert result.dtype == half.dtype
    expected = transform.apply(half.float()).to(half.dtype)
    assert torch.equal(result, expected)


def test_torch_subclasses_count_as_tensors(torch, transform, values):
    class Mine(torch.Tensor):
        pass

    mine = torch.from_numpy(values).as_subclass(Mine)
    np.testing.assert_array_equal(transform.apply(mine).numpy(), transform.apply(values))


# JAX -------------------------------------------------------------------------------------------------


@pytest.fixture
def jax():
    return pytest.importorskip("jax")


def test_jax_memory_is_read_in_place_and_handed_over(jax, transform, values, nothing_copied):
    given = jax.device_put(values)
    result = transform.apply(given)
    assert isinstance(result, jax.Array)
    assert result.unsafe_buffer_pointer() % 64 == 0
    assert result._committed == given._committed
    np.testing.assert_array_equal(np.asarray(result), transform.apply(values))


def test_jax_results_go_on_in_jax(jax, transform, values):
    result = transform.apply(jax.numpy.asarray(values))
    again = jax.jit(lambda x: x * 2)(result)
    np.testing.assert_array_equal(np.asarray(again), 2 * transform.apply(values))


def test_jax_committed_arrays_stay_committed(jax, transform, values):
    device = jax.devices()[0]
    result = transform.apply(jax.device_put(values, device))
    assert result._committed
    assert result.devices() == {device}


def test_jax_tracers_are_refused(jax, transform, values):
    given = jax.numpy.asarray(values[0])
    transformations = [
        lambda f: jax.jit(f)(given),
        lambda f: jax.grad(lambda x: f(x).sum())(given),
        lambda f: jax.vmap(f)(given[None]),
        lambda f: jax.eval_shape(f, given),
        lambda f: jax.jvp(f, (given,), (given,)),
    ]
    for transformation in transformations:
        with pytest.raises(ka.GradientError, match="stop_gradient"):
            transformation(transform.apply)


def test_jax_arrays_that_are_gone_are_refused(jax, transform, values):
    given = jax.numpy.asarray(values)
    given.delete()
    with pytest.raises(ka.KinarrayError, match="deleted"):
        transform.apply(given)


def test_jax_keys_are_not_numbers(jax, transform):
    with pytest.raises(TypeError):
        transform.apply(jax.random.key(0))


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_jax_half_precision_comes_back_as_it_was(jax, transform, values, name):
    half = jax.numpy.asarray(values, dtype=name)
    result = transform.apply(half)
    assert (type(result), result.dtype) == (type(half), half.dtype)
    expected = np.asarray(transform.apply(half.astype("float32")).astype(name))
    np.testing.assert_array_equal(np.asarray(result), expected)


def test_jax_float64_is_never_rounded(jax, transform, values):
    enable_x64 = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
    with enable_x64(True):
        given = jax.numpy.asarray(values.astype(np.float64) + 1e-12)
    with enable_x64(False):  # where JAX by itself would round
        result = transform.apply(given)
    assert result.dtype == np.float64
    np.testing.assert_array_equal(np.asarray(result), transform.apply(np.asarray(given)))


# Arrow -----------------------------------------------------------------------------------------------


@pytest.fixture
def pa():
    return pytest.importorskip("pyarrow")


def fixed_lists(pa, values):
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[-1])


def test_arrow_columns_are_read_in_place(pa, transform, values, nothing_copied):
    result = transform.apply(fixed_lists(pa, values))
    assert isinstance(result, pa.FixedSizeListArray)
    address = result.flatten().buffers()[1].address
    assert address % 64 == 0
    expected = transform.apply(values)
    np.testing.assert_array_equal(result.flatten().to_numpy().reshape(expected.shape), expected)


def test_arrow_slices_start_where_they_say(pa, transform, values, nothing_copied):
    result = transform.apply(fixed_lists(pa, values)[2:4])
    expected = transform.apply(values[2:4])
    np.testing.assert_array_equal(result.flatten().to_numpy().reshape(expected.shape), expected)
    whole = pa.array(np.concatenate([[9.0], values[0].astype(float), [9.0]]))
    one = transform.apply(whole[1:-1])
    np.testing.assert_array_equal(one.to_numpy(), transform.apply(values[0].astype(float)))


def test_arrow_chunks_are_joined_and_counted(pa, transform, values):
    chunked = pa.chunked_array([fixed_lists(pa, values[:2]), fixed_lists(pa, values[2:])])
    with interop.count_copies() as copied:
        result = transform.apply(chunked)
    assert (copied.count, copied.bytes) == (1, values.nbytes)
    expected = transform.apply(values)
    np.testing.assert_array_equal(result.flatten().to_numpy().reshape(expected.shape), expected)


def test_arrow_nulls_are_refused_by_row(pa, transform, values):
    n = transform.size
    with_null = pa.array([[0.0] * n, None, [0.0] * n], pa.list_(pa.float32(), n))
    with pytest.raises(ValueError, match="row 1 "):
        transform.apply(with_null)
    inside = pa.array([[0.0] * n, [0.0] * n, [0.0] * (n - 1) + [None]], pa.list_(pa.float32(), n))
    with pytest.raises(ValueError, match="row 2 "):
        transform.apply(inside)
    chunks = pa.chunked_array([fixed_lists(pa, values), with_null])
    with pytest.raises(ValueError, match="row 6 "):
        transform.apply(chunks)
    transform.apply(with_null[2:])  # the null is not part of the slice


def test_arrow_columns_of_other_things_are_refused(pa, transform):
    wrong = [
        pa.array(["a"]),
        pa.array([[1.0], [1.0, 2.0]]),
        pa.table({"a": [1.0]}),
        pa.array([True]),
    ]
    for column in wrong:
        with pytest.raises(TypeError, match="column"):
            transform.apply(column)


def test_polars_gives_polars_with_its_name(transform, values, nothing_copied):
    pl = pytest.importorskip("polars")
    result = transform.apply(pl.Series("pose", values))
    assert isinstance(result, pl.Series)
    assert result.name == "pose"
    np.testing.assert_array_equal(result.to_numpy(), transform.apply(values))


def test_pandas_without_a_row_for_each_label_counts_anew(pa, transform, values):
    pd = pytest.importorskip("pandas")
    one = pd.Series(pd.arrays.ArrowExtensionArray(pa.array(values[0])), name="pose")
    result = transform.apply(one)
    assert list(result.index) == list(range(len(transform.apply(values[0]))))
    assert result.name == "pose"


def test_pandas_gives_pandas_with_its_index(pa, transform, values, nothing_copied):
    pd = pytest.importorskip("pandas")
    column = pd.arrays.ArrowExtensionArray(fixed_lists(pa, values))
    series = pd.Series(column, index=list("abcde"), name="pose")
    result = transform.apply(series)
    assert isinstance(result, pd.Series)
    assert list(result.index) == list("abcde")
    assert result.name == "pose"
    np.testing.assert_array_equal(np.stack(result), transform.apply(values))


# DLPack ----------------------------------------------------------------------------------------------


class Producer:
    """A producer that speaks DLPack through NumPy; `old` does not know max_version."""

    def __init__(self, array, device=(1, 0), old=False):
        self.array, self.device, self.old = array, device, old

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **keywords):
        if self.old and keywords:
            raise TypeError("unexpected keyword argument 'max_version'")
        return self.array.__dlpack__(**keywords)


@pytest.mark.parametrize("old", [False, True])
def test_unknown_producers_get_our_buffer_back(transform, values, old, nothing_copied):
    result = transform.apply(Producer(values, old=old))
    assert isinstance(result, interop.Buffer)
    np.testing.assert_array_equal(np.from_dlpack(result), transform.apply(values))
    again = transform.apply(Producer(values, device=(1, None)))  # as Paddle says it
    np.testing.assert_array_equal(np.from_dlpack(again), np.from_dlpack(result))


def test_other_devices_are_named(transform, values):
    for device, name in {(2, 1): "cuda:1", (10, 0): "rocm:0", (8, 0): "metal:0"}.items():
        with pytest.raises(ka.DeviceError, match=name):
            transform.apply(Producer(values, device=device))


def test_a_producer_that_raises_is_heard(transform, values):
    class Broken(Producer):
        def __dlpack__(self, **keywords):
            raise RuntimeError("gone fishing")

    with pytest.raises(RuntimeError, match="gone fishing"):
        transform.apply(Broken(values))


def test_a_capsule_is_used_once(transform, values):
    capsule = values.__dlpack__(max_version=(1, 0))

    class Twice:
        def __dlpack__(self, **keywords):
            return capsule

    transform.apply(Twice())
    with pytest.raises(ka.KinarrayError, match="unused"):
        transform.apply(Twice())
    with pytest.raises(ka.KinarrayError, match="capsule"):
        transform.apply(type("No", (), {"__dlpack__": lambda self, **k: 3})())


class DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class Managed(ctypes.Structure):
    _fields_ = [("tensor", DLTensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p)]


class Liar:
    """A producer whose structure says whatever it is told to."""

    def __init__(self, memory, **lies):
        n = memory.size
        self.memory = memory
        self.shape = (ctypes.c_int64 * 2)(*lies.pop("shape", (1, n)))
        self.strides = (ctypes.c_int64 * 2)(*lies.pop("strides", (n, 1)))
        said = {
            "data": memory.ctypes.data,
            "device_type": 1,
            "ndim": 2,
            "code": 2,
            "bits": 8 * memory.itemsize,
            "lanes": 1,
            "shape": self.shape,
            "strides": self.strides,
        }
        self.managed = Managed(tensor=DLTensor(**(said | lies)))

    def __dlpack__(self, **keywords):
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = (
            ctypes.py_object,
            [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p],
        )
        return new(ctypes.addressof(self.managed), b"dltensor", None)


def test_an_honest_structure_is_read(transform, values):
    result = transform.apply(Liar(values[0].copy()))
    np.testing.assert_array_equal(np.from_dlpack(result)[0], transform.apply(values[0]))


@pytest.mark.parametrize(
    "lies",
    [
        {"data": None},
        {"ndim": 2**31 - 1},
        {"ndim": -1},
        {"shape": (-1, 3)},
        {"shape": (2**62, 2**62)},
        {"strides": (1, 2**62)},
        {"shape": (2, 3), "strides": (-(2**61), 1)},
        {"shape": ctypes.POINTER(ctypes.c_int64)()},
        {"lanes": 4},
        {"bits": 4},
        {"code": 99},
    ],
    ids=str,
)
def test_a_structure_that_contradicts_itself_is_refused(transform, values, lies):
    if isinstance(lies.get("shape"), ctypes._Pointer):
        liar = Liar(values[0].copy())
        liar.managed.tensor.shape = lies["shape"]
    else:
        liar = Liar(values[0].copy(), **lies)
    with pytest.raises(ka.KinarrayError):
        transform.apply(liar)


def test_our_buffer_is_everybodys(transform, values):
    buffer = transform.apply(Producer(values))
    expected = transform.apply(values)
    view = memoryview(buffer)
    assert (view.format, view.shape) == ("f", expected.shape)
    address = np.asarray(view).ctypes.data
    assert np.from_dlpack(buffer).ctypes.data == address
    torch = pytest.importorskip("torch")
    assert torch.from_dlpack(buffer).data_ptr() == address
    jax = pytest.importorskip("jax")
    assert jax.dlpack.from_dlpack(buffer).unsafe_buffer_pointer() == address
    pa = pytest.importorskip("pyarrow")
    assert pa.array(buffer).flatten().buffers()[1].address == address
    assert interop.kind_of(buffer) == "kinarray"
    if np.lib.NumpyVersion(np.__version__) >= "2.1.0":
        assert np.from_dlpack(buffer, copy=True).ctypes.data != address


# out= ------------------------------------------------------------------------------------------------


def test_out_is_any_writable_array(torch, transform, values, nothing_copied):
    expected = transform.apply(values)
    tensor = torch.zeros(expected.shape)
    assert transform.apply(values, out=tensor) is tensor
    np.testing.assert_array_equal(tensor.numpy(), expected)
    room = bytearray(expected.nbytes)
    view = memoryview(room).cast("f", expected.shape)
    assert transform.apply(values, out=view) is view
    np.testing.assert_array_equal(np.asarray(view), expected)


def test_out_elsewhere_is_written_through_a_counted_copy(transform, values):
    expected = transform.apply(values)
    wide = np.zeros((*expected.shape, 2), np.float32)
    swapped = np.zeros(expected.shape, ">f4")
    for out in (wide[..., 0], np.asfortranarray(np.zeros_like(expected)), swapped):
        with interop.count_copies() as copied:
            assert transform.apply(values, out=out) is out
        np.testing.assert_array_equal(out, expected)
        assert copied.count == 1
    assert not wide[..., 1].any()


def test_out_may_overlap_the_input(transform, values):
    expected = transform.apply(values)
    memory = np.zeros(expected.size + values.size, np.float32)
    given = memory[: values.size].reshape(values.shape)
    given[:] = values
    out = memory[values.size // 2 :][: expected.size].reshape(expected.shape)
    transform.apply(given, out=out)
    np.testing.assert_array_equal(out, expected)


def test_out_must_fit(transform, values):
    shape = transform.apply(values).shape
    with pytest.raises(ka.ShapeError, match="out"):
        transform.apply(values, out=np.zeros((2, *shape), np.float32))
    with pytest.raises(ka.DTypeError, match="out.*float32.*float64"):
        transform.apply(values, out=np.zeros(shape))
    frozen = np.zeros(shape, np.float32)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        transform.apply(values, out=frozen)
    with pytest.raises(ValueError, match="numbers"):
        transform.apply(values, out=[0.0])


def test_out_is_no_jax_array_and_no_gradient(jax, torch, transform, values):
    shape = transform.apply(values).shape
    with pytest.raises(ValueError, match="JAX"):
        transform.apply(values, out=jax.numpy.zeros(shape))
    tracked = torch.zeros(shape, requires_grad=True)
    with pytest.raises(ka.KinarrayError, match="requires grad"), torch.no_grad():
        transform.apply(values, out=tracked)
    with pytest.raises(ValueError, match="stride of zero"):
        transform.apply(values, out=torch.zeros(shape[-1]).expand(shape))


def test_nothing_is_written_where_the_input_is_wrong(transform, values):
    out = np.full(transform.apply(values).shape, 7, np.float32)
    with pytest.raises(ka.DTypeError):
        transform.apply(values.astype(int), out=out)
    assert (out == 7).all()


# Lifetime --------------------------------------------------------------------------------------------


def makers():
    yield "numpy", lambda x: x
    for name, make in {
        "torch": lambda m, x: m.from_numpy(x),
        "jax": lambda m, x: m.device_put(x),
        "pyarrow": fixed_lists,
        "polars": lambda m, x: m.Series(x),
    }.items():
        yield name, lambda x, name=name, make=make: make(pytest.importorskip(name), x)


MAKERS = list(makers())


@pytest.mark.parametrize(("name", "make"), MAKERS, ids=[name for name, _ in MAKERS])
def test_results_outlive_everything_and_die_anywhere(transform, values, name, make):
    result = transform.apply(make(values.copy()))
    gc.collect()
    kept = [result]
    del result
    thread = threading.Thread(target=kept.clear)
    thread.start()
    thread.join()
    assert kept == []


def resident() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
@pytest.mark.parametrize(("name", "make"), MAKERS, ids=[name for name, _ in MAKERS])
def test_memory_stays_flat_over_many_calls(transform, values, name, make):
    argument = make(values)
    calls = 100_000 if name == "numpy" else 20_000
    for _ in range(2000):
        transform.apply(argument)
    gc.collect()
    before = resident()
    for _ in range(calls):
        transform.apply(argument)
    gc.collect()
    # A leak of one result a call would be tens of megabytes.
    assert resident() - before < 8 << 20


def test_input_references_come_back(torch, transform, values):
    import sys

    for argument in (values, torch.from_numpy(values), memoryview(values), Producer(values)):
        before = sys.getrefcount(argument), sys.getrefcount(values)
        for _ in range(10):
            transform.apply(argument)
            with pytest.raises(ka.KinarrayError):
                transform.apply(argument, out=np.zeros(1))
        gc.collect()
        assert (sys.getrefcount(argument), sys.getrefcount(values)) == before


def test_the_pool_is_bounded_and_can_be_emptied(transform):
    big = np.zeros((60_000, transform.size), np.float32)
    for _ in range(4):
        transform.apply(big)
    assert interop.pooled_bytes() <= 256 << 20
    interop.clear_pool()
    assert interop.pooled_bytes() == 0


def test_calls_from_many_threads_agree(transform, values):
    expected = transform.apply(values)
    wrong = []

    def work():
        for _ in range(300):
            if not np.array_equal(transform.apply(values), expected):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# Too much ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_result_that_no_memory_holds_is_an_error(transform, dtype):
    endless = np.broadcast_to(np.zeros(transform.size, dtype), (2**40, transform.size))
    with pytest.raises(MemoryError, match="bytes"):
        transform.apply(endless)


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
