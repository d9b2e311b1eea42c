"""torch at the seam: every state that a tensor can be in, in and out."""

from __future__ import annotations

import numpy as np
import pytest

import kinarray as ka
from kinarray import interop
from refusals import refused

torch = pytest.importorskip("torch")

# torch about itself: deprecations that its own functions run into, and prototypes.
pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def tensor(values):
    return torch.from_numpy(values.copy())


@pytest.fixture
def expected(transform, values):
    return torch.from_numpy(transform.apply(values))


def test_memory_is_read_in_place_and_handed_over(transform, tensor, expected, nothing_copied):
    assert interop.kind_of(tensor) == "torch"
    assert interop.address(tensor) == tensor.data_ptr()
    result = transform.apply(tensor)
    assert type(result) is torch.Tensor
    assert (result.dtype, result.device.type) == (torch.float32, "cpu")
    assert result.data_ptr() % 64 == 0
    assert result.is_contiguous() and result.is_leaf and not result.requires_grad
    assert torch.equal(result, expected)
    result.add_(1)  # it is the caller's to write


# Layouts ---------------------------------------------------------------------------------------------


def test_every_layout_is_read_in_place(transform, tensor, expected, nothing_copied):
    wide = torch.zeros(2 * tensor.shape[0], 3 * tensor.shape[1])
    wide[::2, ::3] = tensor
    layouts = {
        "transposed": tensor.t().contiguous().t(),
        "steps": wide[::2, ::3],
        "a window": torch.nn.functional.pad(tensor, (2, 3, 1, 1))[1:-1, 2:-3],
        "as_strided": wide.as_strided(tensor.shape, (6 * tensor.shape[1], 3)),
        "an axis of size one": tensor[:, None].transpose(0, 1)[0],
    }
    for name, laid_out in layouts.items():
        assert interop.address(laid_out) == laid_out.data_ptr(), name
        result = transform.apply(laid_out)
        assert torch.equal(result, expected), name
        assert result.is_contiguous(), name


def test_a_stride_of_zero_repeats_without_a_copy(transform, tensor, expected, nothing_copied):
    repeated = tensor[:1].expand(4, -1)
    assert torch.equal(transform.apply(repeated), expected[:1].expand(4, -1))
    giant = tensor[0].expand(2**50, -1)
    with pytest.raises(MemoryError, match="bytes"):
        transform.apply(giant)


def test_size_zero_and_no_axes(transform, tensor):
    n = transform.size
    for shape in ((0, n), (3, 0, n), (0, 2, n)):
        result = transform.apply(torch.zeros(shape))
        assert type(result) is torch.Tensor
        assert result.shape[:-1] == shape[:-1]
    with refused(ka.ShapeError, "(0,)"):
        transform.apply(torch.zeros(0))
    with refused(ka.ShapeError, "got ()"):
        transform.apply(torch.tensor(1.0))


def test_many_axes(transform, tensor, expected):
    deep = tensor.reshape((1,) * 60 + tensor.shape)
    assert torch.equal(transform.apply(deep).reshape(expected.shape), expected)


# Gradients -------------------------------------------------------------------------------------------


def test_gradients_are_never_dropped(transform):
    leaf = torch.zeros(transform.size, requires_grad=True)
    parameter = torch.nn.Parameter(torch.zeros(transform.size))
    for tracked in (leaf, leaf * 2, leaf[:], leaf.expand(3, -1), parameter, parameter * 2):
        with refused(ka.GradientError, "autograd", "detach()"):
            transform.apply(tracked)
        with torch.enable_grad(), refused(ka.GradientError):
            transform.apply(tracked)
        for off in (torch.no_grad, torch.inference_mode):
            with off():
                result = transform.apply(tracked)
            assert (type(result), result.requires_grad) == (torch.Tensor, False)
        assert not transform.apply(tracked.detach()).requires_grad


def test_parameters_without_gradient_are_plain(transform, tensor, expected, nothing_copied):
    frozen = torch.nn.Parameter(tensor, requires_grad=False)
    assert interop.address(frozen) == tensor.data_ptr()
    result = transform.apply(frozen)
    assert type(result) is torch.Tensor
    assert torch.equal(result, expected)


def test_inference_tensors_are_plain(transform, tensor, expected, nothing_copied):
    with torch.inference_mode():
        made_inside = tensor.clone()
        assert torch.equal(transform.apply(made_inside), expected)
        assert torch.equal(transform.apply(tensor), expected)
        out = torch.zeros_like(expected)
    assert made_inside.is_inference()
    result = transform.apply(made_inside)
    assert torch.equal(result, expected)
    assert transform.apply(tensor, out=out) is out
    assert torch.equal(out, expected)
    with torch.inference_mode():
        out = torch.zeros_like(expected)
        assert transform.apply(tensor, out=out) is out
        assert torch.equal(out, expected)


def test_tangents_are_never_dropped(transform, tensor):
    forward_ad = torch.autograd.forward_ad
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(tensor, torch.ones_like(tensor))
        for carrying in (dual, dual * 2, dual[1:], forward_ad.make_dual(tensor[0], tensor[1])):
            with refused(ka.GradientError, "tangent", "detach()"):
                transform.apply(carrying)
        transform.apply(tensor)
        transform.apply(forward_ad.unpack_dual(dual).primal)
    transform.apply(dual)  # the level is over, and with it the tangent


def test_forward_mode_off_is_respected(transform, tensor):
    forward_ad = torch.autograd.forward_ad
    parameter = torch.nn.Parameter(tensor)
    with forward_ad.dual_level(), torch.no_grad():
        dual = forward_ad.make_dual(parameter, torch.ones_like(tensor))
        with refused(ka.GradientError, "tangent"):
            transform.apply(dual)


def test_function_transforms_are_refused(transform, tensor):
    one = tensor[0]

    def total(x):
        return transform.apply(x).sum()

    transforms = {
        "vmap": lambda: torch.func.vmap(transform.apply)(tensor),
        "vmap of vmap": lambda: torch.func.vmap(torch.func.vmap(total))(tensor[None]),
        "grad": lambda: torch.func.grad(total)(one),
        "vjp": lambda: torch.func.vjp(total, one),
        "jvp": lambda: torch.func.jvp(transform.apply, (one,), (one,)),
        "jacrev": lambda: torch.func.jacrev(transform.apply)(one),
        "jacfwd": lambda: torch.func.jacfwd(transform.apply)(one),
        "hessian": lambda: torch.func.hessian(total)(one),
        "linearize": lambda: torch.func.linearize(transform.apply, one),
    }
    for name, transformed in transforms.items():
        with pytest.raises(ka.GradientError, match=r"^model_parameters: .*gradient"):
            transformed()
            pytest.fail(f"{name} was let through")
    # Arguments that are not transformed are ordinary tensors, inside of a transform too.
    inside = torch.func.vmap(lambda x: x * transform.apply(one).sum())
    assert torch.allclose(inside(tensor), tensor * transform.apply(one).sum())


def test_functionalised_tensors_are_refused(transform, tensor):
    with refused(ka.GradientError, "torch.func"):
        torch.func.functionalize(transform.apply)(tensor)


# Tensors whose memory does not say what they hold ----------------------------------------------------


def test_lazy_conjugation_and_negation_are_never_overlooked(transform):
    n = transform.size
    complex_ = torch.complex(torch.randn(n), torch.randn(n))
    negated = complex_.conj().imag
    assert negated.is_neg()
    for hidden in (negated, negated[:], negated.expand(3, n), negated.view(1, n)):
        with refused(ka.DTypeError, "negative bit", "resolve_neg()"):
            transform.apply(hidden)
    real = transform.apply(complex_.conj().real)  # the real part is stored as it is
    assert torch.equal(real, transform.apply(complex_.real.clone()))
    assert torch.equal(transform.apply(negated.resolve_neg()), transform.apply(-complex_.imag))
    for conjugated in (complex_, complex_.conj()):
        with refused(ka.DTypeError, "complex64"):
            transform.apply(conjugated)


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)], ids=str)
def test_negation_of_one_element_is_seen(shape):
    imaginary = torch.full(shape, 1j, dtype=torch.complex128).conj().imag
    with refused(ka.DTypeError, "resolve_neg", argument="x"):
        interop.address(imaginary)


def test_tensors_without_memory_of_their_own_are_refused(transform, tensor):
    from torch._subclasses.fake_tensor import FakeTensorMode

    n = transform.size
    with FakeTensorMode() as mode:
        fake = torch.zeros(n)
    emptied = tensor.clone()
    emptied.untyped_storage().resize_(0)
    matrix = torch.zeros(4, 4)
    refusals = {
        "storage was emptied": [emptied],
        "FakeTensor": [fake, mode.from_tensor(tensor)],
        "meta": [torch.zeros(n, device="meta"), tensor.to("meta")],
        "sparse_coo": [tensor.to_sparse()],
        "sparse_csr": [tensor.to_sparse_csr()],
        "sparse_csc": [tensor.to_sparse_csc()],
        "sparse_bsr": [matrix.to_sparse_bsr((2, 2))],
        "sparse_bsc": [matrix.to_sparse_bsc((2, 2))],
        "nested": [torch.nested.nested_tensor([tensor[0], tensor[1]])],
        "jagged": [torch.nested.nested_tensor([tensor[0], tensor[1]], layout=torch.jagged)],
        "quantized": [
            torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8),
            torch.quantize_per_channel(tensor, torch.ones(5), torch.zeros(5), 0, torch.quint8),
        ],
    }
    for text, tensors in refusals.items():
        for wrong in tensors:
            with refused(ka.DTypeError, "a dense tensor with memory behind it", text):
                transform.apply(wrong)


def test_copy_on_write_tensors_are_read_and_written_as_one_sees_them(transform, tensor, expected):
    given = tensor.clone()
    lazy = torch._lazy_clone(given)
    assert torch.equal(transform.apply(lazy), expected)
    base = torch.zeros_like(expected)
    out = torch._lazy_clone(base)
    transform.apply(tensor, out=out)
    assert torch.equal(out, expected)
    assert not base.any()  # what shared the memory until then


# Element types ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_half_precision_comes_back_as_it_was(transform, tensor, name):
    half = tensor.to(getattr(torch, name))
    result = transform.apply(half)
    assert result.dtype == half.dtype
    expected = transform.apply(half.float()).to(half.dtype)
    assert torch.equal(result, expected)
    assert torch.equal(transform.apply(half.t().contiguous().t()), expected)
    out = torch.zeros_like(expected)
    assert transform.apply(half, out=out) is out
    assert torch.equal(out, expected)


@pytest.mark.parametrize(
    ("name", "named"),
    [(name, name) for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint64")]
    + [(name, name) for name in ("bool", "complex32", "complex64", "complex128")]
    + [(name, name) for name in ("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz")]
    + [("float8_e5m2fnuz", "float8_e5m2fnuz"), ("float8_e8m0fnu", "float8_e8m0fnu")]
    + [("float4_e2m1fn_x2", "float4_e2m1fn in vectors of 2"), ("bits8", "Bit types")],
)
def test_other_element_types_are_refused_by_name(transform, name, named):
    if not hasattr(torch, name):
        pytest.skip(f"this torch has no {name}")
    x = torch.empty(transform.size, dtype=getattr(torch, name))
    if not hasattr(torch.Tensor, "__dlpack_c_exchange_api__"):
        # torch before 2.10 exports fewer types; what it refuses itself is refused in its words.
        try:
            x.__dlpack__()
        except (RuntimeError, BufferError) as error:
            named = f"one of torch.{name} that torch does not export ({str(error).splitlines()[0]})"
    with refused(ka.DTypeError, named):
        transform.apply(x)


# Subclasses and modes --------------------------------------------------------------------------------


def test_subclasses_count_as_tensors_and_give_plain_ones(transform, tensor, expected):
    class Mine(torch.Tensor):
        pass

    class Seen(torch.Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            seen.append(function)
            return super().__torch_function__(function, types, args, kwargs or {})

    class Plain(torch.Tensor):
        __torch_function__ = torch._C._disabled_torch_function_impl

    for subclass in (Mine, Seen, Plain):
        seen = []
        with interop.count_copies() as copied:
            result = transform.apply(tensor.as_subclass(subclass))
        assert copied.count == 0
        assert type(result) is torch.Tensor, subclass
        assert torch.equal(result, expected)
        with refused(ka.GradientError):
            transform.apply(tensor.as_subclass(subclass).requires_grad_())
    assert not seen


def test_what_a_subclass_raises_is_heard(transform, tensor):
    class Locked(torch.Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            raise PermissionError("not for you")

    with pytest.raises(PermissionError, match="not for you"):
        transform.apply(tensor.as_subclass(Locked))


def test_wrappers_around_several_tensors_are_refused(transform, tensor):
    from torch.masked import masked_tensor

    with refused(ka.DTypeError, "a dense tensor with memory behind it", "wraps other tensors"):
        transform.apply(masked_tensor(tensor, tensor > 0))


def test_modes_change_nothing(transform, tensor, expected):
    class Mode(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            return function(*args, **(kwargs or {}))

    with Mode():
        assert torch.equal(transform.apply(tensor), expected)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = transform.apply(tensor)
    assert result.dtype == torch.float32  # autocast is about matrix products, not about poses
    assert torch.equal(result, expected)
    with torch.device("meta"):
        result = transform.apply(tensor)
    assert result.device.type == "cpu"
    assert torch.equal(result, expected)
    default = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float64)
        assert transform.apply(tensor).dtype == torch.float32
    finally:
        torch.set_default_dtype(default)
    with torch.autograd.graph.saved_tensors_hooks(lambda x: 1 / 0, lambda x: x):
        assert torch.equal(transform.apply(tensor), expected)


# torch.compile ---------------------------------------------------------------------------------------


@pytest.fixture
def compiled():
    dynamo = pytest.importorskip("torch._dynamo")
    yield lambda function, **keywords: torch.compile(function, backend="eager", **keywords)
    dynamo.reset()


def test_compiled_functions_break_the_graph_and_are_right(transform, tensor, expected, compiled):
    function = compiled(lambda x: transform.apply(x * 2 / 2) + 1)
    for _ in range(3):
        assert torch.equal(function(tensor), expected + 1)
    assert torch.equal(function(tensor[:2]), expected[:2] + 1)  # another shape


def test_compiled_functions_do_not_drop_gradients(transform, tensor, compiled):
    function = compiled(lambda x: transform.apply(x * 2).sum())
    with pytest.raises(ka.GradientError, match="requires grad"):
        function(tensor.requires_grad_())


def test_a_full_graph_is_refused_by_torch_itself(transform, tensor, compiled):
    function = compiled(lambda x: transform.apply(x) + 1, fullgraph=True)
    with pytest.raises(torch._dynamo.exc.Unsupported, match="apply"):
        function(tensor)


def test_an_exported_program_cannot_hold_us(transform, tensor):
    class Module(torch.nn.Module):
        def forward(self, x):
            return transform.apply(x)

    # Not a constant that was computed while tracing, but an error: ours, or torch's.
    with pytest.raises((ka.DTypeError, torch._dynamo.exc.Unsupported), match="FakeTensor|apply"):
        torch.export.export(Module(), (tensor,))


def test_symbolic_tracing_is_refused(transform):
    class Module(torch.nn.Module):
        def forward(self, x):
            return transform.apply(x)

    with pytest.raises(ka.KinarrayError, match="^model_parameters: "):
        torch.fx.symbolic_trace(Module())


# Saved tensors ---------------------------------------------------------------------------------------


def test_autograd_notices_that_out_was_written(transform, tensor, expected):
    weights = torch.ones_like(expected, requires_grad=True)
    saved = torch.zeros_like(expected)
    total = (weights * saved).sum()
    transform.apply(tensor, out=saved)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        total.backward()


def test_autograd_minds_nothing_that_was_only_read(transform, tensor):
    weights = torch.ones_like(tensor, requires_grad=True)
    total = (weights * tensor).sum()
    version = tensor._version
    transform.apply(tensor)
    assert tensor._version == version
    total.backward()
    assert torch.equal(weights.grad, tensor)


# What others do with our tensors ---------------------------------------------------------------------


def test_results_go_everywhere_without_a_copy(transform, tensor):
    result = transform.apply(tensor)
    address = result.data_ptr()
    for array in (result.numpy(), np.asarray(result)):
        assert (array.ctypes.data, array.flags.writeable) == (address, True)
    array = np.from_dlpack(result)
    # What old capsules hold is read-only to NumPy, whichever tensor it is.
    of_any_tensor = np.from_dlpack(torch.zeros(1)).flags.writeable
    assert (array.ctypes.data, array.flags.writeable) == (address, of_any_tensor)
    jax = pytest.importorskip("jax")
    assert jax.dlpack.from_dlpack(result, copy=False).unsafe_buffer_pointer() == address
    assert interop.address(result) == address
    storage = result.untyped_storage()
    assert storage.data_ptr() == address
    assert storage.nbytes() >= result.nbytes


def test_results_are_tensors_like_any_other(transform, tensor, expected):
    result = transform.apply(tensor)
    result.requires_grad_()
    (result * 2).sum().backward()
    assert torch.equal(result.grad, torch.full_like(expected, 2))
    moved = transform.apply(tensor).share_memory_()
    assert torch.equal(moved, expected)
    resized = transform.apply(tensor)
    with pytest.raises(RuntimeError, match="resize"):
        resized.resize_(10**7)
    assert torch.equal(torch.func.vmap(lambda x: x + 1)(transform.apply(tensor)), expected + 1)
