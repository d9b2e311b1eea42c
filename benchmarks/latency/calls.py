"""Who is timed: every call, with the arguments it gets and the numbers it must return."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from measure import Call

SIZE = 24
ONE, THREE = "1 array", "3 arrays"
ONE_OUT, THREE_OUT = "1 array, out=", "3 arrays, out="
FORMS = (ONE, THREE, ONE_OUT, THREE_OUT)


def _numbers() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    a, b, c = random.uniform(-1, 1, (3, SIZE)).astype(np.float32)
    return a.copy(), b.copy(), c.copy()


A, B, C = _numbers()
SCALE_SHIFT = A * 2 + 1
MULTIPLY_ADD = A * B + C


def _equal(kind: type, want: np.ndarray, to_numpy: Callable[[Any], np.ndarray] = np.asarray):
    """A check that a result is an array of type `kind` that holds `want`."""

    def check(result: Any) -> None:
        assert isinstance(result, kind), f"a {type(result)} came out, not a {kind}"
        got = to_numpy(result)
        assert got.dtype == np.float32, got.dtype
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)

    return check


def _optional(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _built(folder: Path, name: str) -> Any:
    """An extension from `folder`, by its path: its sources here are a folder of the same name."""
    path = folder / f"{name}.so"
    if not path.exists():
        return None
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Extensions:
    """The comparison extensions; `None` where one could not be built."""

    def __init__(self, folder: Path) -> None:
        self.floor = _built(folder, "floor_ext")
        self.pybind11 = _built(folder, "pybind11_ext")
        self.nanobind = _built(folder, "nanobind_ext")
        self.rust_numpy = _built(folder, "rust_numpy_ext")
        # The example for Rust authors; where nobody has installed it, ours was built beside the others.
        self.any_array = _optional("any_array_extension") or _built(folder, "any_array_extension")
        tvm_ffi, library = _optional("tvm_ffi"), folder / "tvm_ffi_ext.so"
        self.tvm_ffi = tvm_ffi and library.exists() and tvm_ffi.load_module(str(library))


def _pair(framework, contestant, module, a, b, c, check) -> Iterator[Call]:
    """The two functions that every comparison extension has."""
    names = {"scale_shift": module.scale_shift, "multiply_add": module.multiply_add}
    names |= {"a": a, "b": b, "c": c}
    yield Call(framework, contestant, ONE, "scale_shift(a)", names, check(SCALE_SHIFT))
    yield Call(framework, contestant, THREE, "multiply_add(a, b, c)", names, check(MULTIPLY_ADD))


def _out_pair(framework, contestant, module, a, b, c, out, check, keyword=False) -> Iterator[Call]:
    """The same into an array that is there already: a last argument, or `out=`."""
    suffix, given = ("", "out=out") if keyword else ("_into", "out")
    one = getattr(module, f"scale_shift{suffix}")
    three = getattr(module, f"multiply_add{suffix}")
    names = {"one": one, "three": three, "a": a, "b": b, "c": c, "out": out}
    # Some return nothing: the array that was filled is what counts.
    seen = lambda want: lambda _: check(want)(out)  # noqa: E731
    yield Call(framework, contestant, ONE_OUT, f"one(a, {given})", names, seen(SCALE_SHIFT))
    yield Call(
        framework, contestant, THREE_OUT, f"three(a, b, c, {given})", names, seen(MULTIPLY_ADD)
    )


def floor(extensions: Extensions) -> Iterator[Call]:
    def nothing(*_):
        return None

    def one(a):
        return a

    def three(a, b, c):
        return a

    names = {"one": one, "three": three, "a": A, "b": B, "c": C}
    yield Call("floor", "Python def", ONE, "one(a)", names)
    yield Call("floor", "Python def", THREE, "three(a, b, c)", names)
    if extensions.floor:
        names = {"nothing": extensions.floor.nothing, "a": A, "b": B, "c": C}
        yield Call("floor", "METH_FASTCALL", ONE, "nothing(a)", names)
        yield Call("floor", "METH_FASTCALL", THREE, "nothing(a, b, c)", names)


def _kinarray(framework, convert, integers, out_like, check) -> Iterator[Call]:
    """Real functions of ours with as little work as there can be."""
    from kinarray import geometry

    joints = [geometry.Joint("a", -1, [0, 0, 0, 1], [0, 0, 0])]
    joints += [geometry.Joint(name, at, [0, 0, 0, 1], [0, 1, 0]) for at, name in enumerate("bcd")]
    skeleton = geometry.Skeleton(joints)
    transform = np.zeros((7 * len(joints), SIZE))
    transform[np.arange(SIZE), np.arange(SIZE)] = 2.0
    map_ = geometry.ParameterTransform([f"p{i}" for i in range(SIZE)], skeleton, transform)
    mapped = np.zeros(7 * len(joints), np.float32)
    mapped[:SIZE] = 2 * A
    names = {"apply": map_.apply, "a": convert(A)}
    contestant = "kinarray, ParameterTransform.apply"
    yield Call(framework, contestant, ONE, "apply(a)", names, check(mapped))
    out = out_like(mapped.shape)
    if out is not None:
        names = names | {"out": out}
        yield Call(framework, contestant, ONE_OUT, "apply(a, out=out)", names, check(mapped))

    # Three arrays: one joint that eight parameters do not turn, and one point that it carries.
    skeleton = geometry.Skeleton([geometry.Joint("root", -1, [0, 0, 0, 1], [0, 0, 0])])
    moves = geometry.ParameterTransform(["x", "y", "z"], skeleton, np.eye(7)[:, :3])
    character = geometry.Character("one joint", skeleton, moves)
    offsets = np.array([[0.5, 0.25, 0.125]], np.float32)
    placed = A[None, :3] + offsets
    names = {
        "positions": geometry.model_parameters_to_positions,
        "character": character,
        "a": convert(A[:3].copy()),
        "parents": integers(np.zeros(1, np.int64)),
        "offsets": convert(offsets),
    }
    contestant = "kinarray, model_parameters_to_positions"
    statement = "positions(character, a, parents, offsets)"
    yield Call(framework, contestant, THREE, statement, names, check(placed))
    out = out_like(placed.shape)
    if out is not None:
        names = names | {"out": out}
        statement = "positions(character, a, parents, offsets, out=out)"
        yield Call(framework, contestant, THREE_OUT, statement, names, check(placed))


def with_numpy(extensions: Extensions) -> Iterator[Call]:
    def check(want):
        return _equal(np.ndarray, want)

    a, b, c, out = A, B, C, np.empty(SIZE, np.float32)
    two = np.full(SIZE, 2, np.float32)
    names = {"add": np.add, "multiply": np.multiply, "a": a, "b": b, "c": c, "out": out, "two": two}
    yield Call("numpy", "np.add", ONE, "add(a, b)", names, check(a + b))
    three = "add(multiply(a, b), c)"
    yield Call("numpy", "np.multiply, np.add", THREE, three, names, check(MULTIPLY_ADD))
    into = "multiply(a, two, out=out)"
    yield Call("numpy", "np.multiply(out=)", ONE_OUT, into, names, check(a * 2))
    for name, module in (
        ("rust-numpy", extensions.rust_numpy),
        ("pybind11", extensions.pybind11),
        ("nanobind", extensions.nanobind),
    ):
        if module:
            functions = module.numpy if name == "nanobind" else module
            yield from _pair("numpy", name, functions, a, b, c, check)
            yield from _out_pair("numpy", name, module, a, b, c, out, check)
    if module := extensions.tvm_ffi:
        names = {"one": module.scale_shift_own, "three": module.multiply_add_own}
        names |= {"a": a, "b": b, "c": c, "back": np.from_dlpack}
        name = "tvm-ffi, np.from_dlpack"
        yield Call("numpy", name, ONE, "back(one(a))", names, check(SCALE_SHIFT))
        yield Call("numpy", name, THREE, "back(three(a, b, c))", names, check(MULTIPLY_ADD))
        name = "tvm-ffi, a tvm tensor comes out"
        tensor = _optional("tvm_ffi").Tensor

        def foreign(want):
            return _equal(tensor, want, np.from_dlpack)

        yield Call("numpy", name, ONE, "one(a)", names, foreign(SCALE_SHIFT))
        yield Call("numpy", name, THREE, "three(a, b, c)", names, foreign(MULTIPLY_ADD))
        yield from _out_pair("numpy", "tvm-ffi", module, a, b, c, out, check)
    if module := extensions.any_array:
        name = "kinarray, AnyArray in an extension"
        yield from _pair("numpy", name, module, a, b, c, check)
        yield from _out_pair("numpy", name, module, a, b, c, out, check, keyword=True)
    yield from _kinarray(
        "numpy",
        lambda array: array,
        lambda array: array,
        lambda shape: np.empty(shape, np.float32),
        check,
    )


def with_torch(extensions: Extensions) -> Iterator[Call]:
    torch = _optional("torch")
    if torch is None:
        return

    def check(want):
        return _equal(torch.Tensor, want, lambda tensor: tensor.numpy())

    def convert(array):
        return torch.tensor(array)

    a, b, c, out = convert(A), convert(B), convert(C), torch.empty(SIZE)
    names = {"add": torch.add, "addcmul": torch.addcmul, "a": a, "b": b, "c": c, "out": out}
    yield Call("torch", "torch.add", ONE, "add(a, b)", names, check(A + B))
    three = "addcmul(c, a, b)"
    yield Call("torch", "torch.addcmul", THREE, three, names, check(MULTIPLY_ADD))
    into = "add(a, b, out=out)"
    yield Call("torch", "torch.add(out=)", ONE_OUT, into, names, check(A + B))
    into = "addcmul(c, a, b, out=out)"
    yield Call("torch", "torch.addcmul(out=)", THREE_OUT, into, names, check(MULTIPLY_ADD))
    if module := extensions.nanobind:
        yield from _pair("torch", "nanobind", module.torch, a, b, c, check)
        yield from _out_pair("torch", "nanobind", module, a, b, c, out, check)
    if module := extensions.tvm_ffi:
        yield from _pair("torch", "tvm-ffi", module, a, b, c, check)
        yield from _out_pair("torch", "tvm-ffi", module, a, b, c, out, check)
    if module := extensions.any_array:
        name = "kinarray, AnyArray in an extension"
        yield from _pair("torch", name, module, a, b, c, check)
        yield from _out_pair("torch", name, module, a, b, c, out, check, keyword=True)
    yield from _kinarray("torch", convert, torch.from_numpy, torch.empty, check)


def with_jax(extensions: Extensions) -> Iterator[Call]:
    jax = _optional("jax")
    if jax is None:
        return
    jnp = jax.numpy

    def check(want):
        return _equal(jax.Array, want)

    a, b, c = jnp.asarray(A), jnp.asarray(B), jnp.asarray(C)
    one, three = jax.jit(lambda a: a * 2 + 1), jax.jit(lambda a, b, c: a * b + c)
    names = {"add": jnp.add, "one": one, "three": three, "a": a, "b": b, "c": c}

    def settle():
        # What was dispatched last is done last.
        one(a).block_until_ready()

    def call(contestant, form, statement, want):
        return Call("jax", contestant, form, statement, names, check(want), settle)

    yield call("jnp.add", ONE, "add(a, b)", A + B)
    yield call("jax.jit, one dispatch", ONE, "one(a)", SCALE_SHIFT)
    yield call("jax.jit, one dispatch", THREE, "three(a, b, c)", MULTIPLY_ADD)
    if module := extensions.nanobind:
        yield from _pair("jax", "nanobind", module.jax, a, b, c, check)
    if module := extensions.tvm_ffi:
        names = {"one": module.scale_shift_own, "three": module.multiply_add_own}
        names |= {"a": a, "b": b, "c": c, "back": jax.dlpack.from_dlpack}
        name = "tvm-ffi, jax.dlpack.from_dlpack"
        yield Call("jax", name, ONE, "back(one(a))", names, check(SCALE_SHIFT))
        yield Call("jax", name, THREE, "back(three(a, b, c))", names, check(MULTIPLY_ADD))
    if module := extensions.any_array:
        name = "kinarray, AnyArray in an extension"
        yield from _pair("jax", name, module, a, b, c, check)
    # JAX arrays cannot be written into, so there is no `out=`; integers stay NumPy's.
    yield from _kinarray("jax", jnp.asarray, lambda array: array, lambda _: None, check)


class Producer:
    """An array type nobody has heard of: DLPack and nothing else."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        return self._array.__dlpack__(max_version=max_version)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


def with_unknown(extensions: Extensions) -> Iterator[Call]:
    """A producer that is known to nobody: what the protocol costs, beside what the producer does."""
    a, b, c = Producer(A), Producer(B), Producer(C)
    names = {"a": a, "b": b, "c": c, "from_dlpack": np.from_dlpack}
    own = "its own __dlpack__ and __dlpack_device__"
    both = "{0}.__dlpack_device__(), {0}.__dlpack__(max_version=(1, 1))"
    alone = [both.format(name) for name in "abc"]
    yield Call("unknown", own, ONE, alone[0], names)
    yield Call("unknown", own, THREE, "; ".join(alone).replace("; ", ", "), names)

    def check(want):
        return _equal(object, want, np.from_dlpack)

    yield Call("unknown", "np.from_dlpack", ONE, "from_dlpack(a)", names, check(A))
    if module := extensions.nanobind:
        name = "nanobind, NumPy comes out"
        yield from _pair("unknown", name, module.numpy, a, b, c, check)
    if module := extensions.tvm_ffi:
        names = names | {"one": module.scale_shift_own, "three": module.multiply_add_own}
        name = "tvm-ffi, a tvm tensor comes out"
        yield Call("unknown", name, ONE, "one(a)", names, check(SCALE_SHIFT))
        yield Call("unknown", name, THREE, "three(a, b, c)", names, check(MULTIPLY_ADD))
    if module := extensions.any_array:
        name = "kinarray, AnyArray in an extension"
        yield from _pair("unknown", name, module, a, b, c, check)
    yield from _kinarray("unknown", Producer, lambda array: array, lambda _: None, check)


#: In the order of the report. The contestant that ratios of a framework are to comes with it.
GROUPS: dict[str, tuple[Callable[[Extensions], Iterator[Call]], str]] = {
    "floor": (floor, "METH_FASTCALL"),
    "numpy": (with_numpy, "np.add"),
    "torch": (with_torch, "torch.add"),
    "jax": (with_jax, "jax.jit, one dispatch"),
    "unknown": (with_unknown, "its own __dlpack__ and __dlpack_device__"),
}
