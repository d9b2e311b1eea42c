"""The bridge to JAX: an operation, and each of its derivatives, is a JAX primitive.

There are five primitives, one for each verb of an operation. With ``f`` the operation, ``u`` and ``t``
directions of its inputs and ``c`` a cotangent of its result:

============= ============================ =============================================================
primitive     is                           its derivatives are
============= ============================ =============================================================
``forward``   ``f(x)``                     ``jvp``
``jvp``       ``f'(x) t``                  by ``x`` ``jvp_along``; transposed ``vjp``
``vjp``       ``f'(x)^T c``                by ``x`` ``vjp_along``; transposed ``jvp``
``jvp_along`` ``f''(x)[u, t]``             by ``x`` refused; transposed ``vjp_along``
``vjp_along`` ``(f''(x)[u, .])^T c``       by ``x`` refused; transposed ``jvp_along`` or ``vjp_along``
============= ============================ =============================================================

Each takes the inputs, then the directions ``u``, then the tangents ``t``, then the cotangent, as far as it
has them; its parameters say which inputs these belong to. Compiled programs call the handler in the
extension module directly, without Python. Where JAX does not take the handler, they call back into Python.
"""

from __future__ import annotations

import enum
import functools
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.interpreters import ad, batching, mlir

from .._core import (
    DeviceError,
    DTypeError,
    GradientError,
    Operation,
    ShapeError,
    asarray,
    xla_ffi_handler,
    xla_ffi_process,
)

try:
    from jax.extend.core import Primitive
except ImportError:  # before JAX 0.4.36
    from jax.core import Primitive

try:
    from jax import ffi as _ffi
except ImportError:  # before JAX 0.4.38
    from jax.extend import ffi as _ffi

_TARGET = "kinarray_call"

Arrays = Mapping[int, Any]
"""Arrays that belong to inputs, by the number of the input; those that are missing are zero."""


class Verb(enum.IntEnum):
    """What is done with an operation; the numbers are those of the handler."""

    FORWARD = 0
    JVP = 1
    VJP = 2
    JVP_ALONG = 3
    VJP_ALONG = 4


def is_tracked(x: Any) -> bool:
    """Whether the array stands for a value inside a JAX transformation."""
    return isinstance(x, jax.core.Tracer)


def call(operation: Operation, arrays: Sequence[Any]) -> jax.Array:
    """The result of an operation, for JAX to differentiate, map and compile."""
    inputs = operation.inputs
    if len(arrays) != len(inputs):
        raise TypeError(f"{operation.name}: expected {len(inputs)} arrays, got {len(arrays)}")
    values, precisions = [], []
    for (name, differentiable), given in zip(inputs, arrays, strict=True):
        value = given if isinstance(given, jax.Array) else _constant(given)
        # Numbers of Python's follow the arrays beside them.
        is_array = not isinstance(given, (int, float, list, tuple))
        if is_array:
            known = value.dtype.name in ("float64", "float32", "float16", "bfloat16")
            chooses = not differentiable and value.dtype.name == "bool"
        else:
            known, chooses = value.dtype.kind in "iuf", not differentiable
        if not known and not chooses:
            raise DTypeError(
                f"{name}: expected float32 or float64 (or float16, bfloat16), got {value.dtype}"
            )
        if is_array and known:
            precisions.append(_canonical(value.dtype))
        values.append(value if differentiable else lax.stop_gradient(jnp.asarray(value)))
    # As in eager calls: computed in the highest precision among the arrays, at least in float32; the result
    # is of half precision where all arrays are of that one type.
    computed = np.dtype("float64" if np.dtype("float64") in precisions else "float32")
    halves = len(set(precisions)) == 1 and precisions[0].itemsize == 2
    result = precisions[0] if halves else computed
    (value,) = _bind(Verb.FORWARD, operation, [jnp.asarray(x, computed) for x in values])
    return value.astype(result)


def _constant(x: Any) -> Any:
    """An array of another library, or numbers, for JAX to take in."""
    ways = ("__dlpack__", "__arrow_c_array__", "__arrow_c_stream__")
    if not isinstance(x, np.ndarray) and any(hasattr(x, way) for way in ways):
        return asarray(x, like=np.empty(0))
    try:
        return np.asarray(x)
    except jax.errors.TracerArrayConversionError:  # a list of values inside a transformation
        return jnp.asarray(x)


def _canonical(dtype: Any) -> np.dtype[Any]:
    """The type that JAX has for it, which without 64-bit types is not float64."""
    known: np.dtype[Any] = np.dtype(jax.dtypes.canonicalize_dtype(dtype))
    return known


# Binding ---------------------------------------------------------------------------------------------


def _bind(
    verb: Verb,
    operation: Operation,
    inputs: Sequence[Any],
    *,
    along: Arrays | None = None,
    tangents: Arrays | None = None,
    cotangent: Any = None,
    wanted: Sequence[int] = (),
) -> list[Any]:
    along, tangents = along or {}, tangents or {}
    arrays = [*inputs]
    arrays += [along[at] for at in sorted(along)]
    arrays += [tangents[at] for at in sorted(tangents)]
    if cotangent is not None:
        arrays.append(cotangent)
    results: list[Any] = _PRIMITIVES[verb].bind(
        *_varying_alike(arrays),
        operation=operation,
        along=tuple(sorted(along)),
        tangents=tuple(sorted(tangents)),
        wanted=tuple(wanted),
    )
    return results


class _Parts:
    """The arguments of a primitive, or something for each of them, by what they are."""

    def __init__(self, operation: Operation, along: Any, tangents: Any, arguments: Sequence[Any]):
        rest = iter(arguments)
        self.inputs = [next(rest) for _ in operation.inputs]
        self.along = {at: next(rest) for at in along}
        self.tangents = {at: next(rest) for at in tangents}
        self.cotangent = next(rest, None)

    def flat(self) -> list[Any]:
        """The arguments in their order."""
        arguments = [*self.inputs, *self.along.values(), *self.tangents.values()]
        return arguments if self.cotangent is None else [*arguments, self.cotangent]


def _varying_axes(x: Any) -> frozenset[Any]:
    """Over which axes of a mesh the value varies, inside ``shard_map``."""
    typeof = getattr(jax, "typeof", None)
    if typeof is None:
        return frozenset()
    kind = typeof(x)
    manual = getattr(kind, "manual_axis_type", None)  # since JAX 0.10
    return getattr(kind, "vma", frozenset()) if manual is None else manual.varying


def _varying_alike(arrays: Sequence[Any]) -> list[Any]:
    """The arrays, made to vary over the same axes; the transpose of that adds up over them."""
    each = [_varying_axes(x) for x in arrays]
    every = frozenset().union(*each)
    alike = []
    for x, own in zip(arrays, each, strict=True):
        missing = tuple(sorted(every - own, key=str))
        if missing and hasattr(lax, "pcast"):
            x = lax.pcast(x, missing, to="varying")
        elif missing:
            x = lax.pvary(x, missing)
        alike.append(x)
    return alike


# What the results are --------------------------------------------------------------------------------


def _abstract(
    verb: Verb, *arguments: Any, operation: Operation, along: Any, tangents: Any, wanted: Any
) -> list[Any]:
    inputs = _Parts(operation, along, tangents, arguments).inputs
    if verb in (Verb.VJP, Verb.VJP_ALONG):
        shapes = [inputs[at].shape for at in wanted]
    else:
        shapes = [_fit(operation, [x.shape for x in inputs])[2]]
    return [_with_shape(inputs[0], shape) for shape in shapes]


def _fit(
    operation: Operation, shapes: Sequence[Sequence[int]]
) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
    for shape in shapes:
        if not all(isinstance(size, int) for size in shape):
            raise ShapeError(
                f"{operation.name}: expected shapes of known sizes, got {tuple(shape)}; "
                "export a program for each shape"
            )
    return operation.fit([list(shape) for shape in shapes])


def _with_shape(like: Any, shape: Sequence[int]) -> Any:
    """The type of an array of another shape, which varies over the same axes of a mesh."""
    sharding = getattr(like, "sharding", None)
    if sharding is None or sharding.mesh.empty:
        return jax.core.ShapedArray(tuple(shape), like.dtype)
    spec = jax.sharding.PartitionSpec(*[None] * len(shape))
    return like.update(
        shape=tuple(shape),
        weak_type=False,
        sharding=jax.sharding.NamedSharding(sharding.mesh, spec),
    )


# Derivatives -----------------------------------------------------------------------------------------


def _differentiate(
    verb: Verb,
    primals: Sequence[Any],
    tangents_in: Sequence[Any],
    *,
    operation: Operation,
    along: Any,
    tangents: Any,
    wanted: Any,
) -> tuple[list[Any], list[Any]]:
    """The results, and their derivative along tangents of all arguments."""
    at = _Parts(operation, along, tangents, primals)
    rates = _Parts(operation, along, tangents, tangents_in)
    results = _bind(
        verb,
        operation,
        at.inputs,
        along=at.along,
        tangents=at.tangents,
        cotangent=at.cotangent,
        wanted=wanted,
    )
    inputs = _moving(
        {
            index: rate
            for index, rate in enumerate(rates.inputs)
            if operation.inputs[index][1]  # the others are switches
        }
    )
    directions, pushed = _moving(rates.along), _moving(rates.tangents)
    pulled = rates.cotangent
    if pulled is not None and type(pulled) is ad.Zero:
        pulled = None
    do = functools.partial(_bind, operation=operation, inputs=at.inputs)
    terms = []
    if verb == Verb.FORWARD:
        if inputs:
            terms.append(do(Verb.JVP, tangents=inputs))
    elif verb == Verb.JVP:
        if inputs:
            terms.append(do(Verb.JVP_ALONG, along=inputs, tangents=at.tangents))
        if pushed:
            terms.append(do(Verb.JVP, tangents=pushed))
    elif verb == Verb.VJP:
        pull = functools.partial(do, wanted=wanted)
        if inputs:
            terms.append(pull(Verb.VJP_ALONG, along=inputs, cotangent=at.cotangent))
        if pulled is not None:
            terms.append(pull(Verb.VJP, cotangent=pulled))
    elif inputs:
        raise GradientError(
            f"{operation.name}: a third derivative was asked for; "
            "derivatives above the second order are not there"
        )
    elif verb == Verb.JVP_ALONG:
        if directions:
            terms.append(do(verb, along=directions, tangents=at.tangents))
        if pushed:
            terms.append(do(verb, along=at.along, tangents=pushed))
    else:
        pull = functools.partial(do, wanted=wanted)
        if directions:
            terms.append(pull(verb, along=directions, cotangent=at.cotangent))
        if pulled is not None:
            terms.append(pull(verb, along=at.along, cotangent=pulled))
    if not terms:
        return results, [ad.Zero.from_primal_value(x) for x in results]
    return results, [functools.reduce(ad.add_jaxvals, each) for each in zip(*terms, strict=True)]


def _moving(arrays: Arrays) -> dict[int, Any]:
    """Those arrays that are not zero for sure."""
    return {at: x for at, x in arrays.items() if type(x) is not ad.Zero}


def _transpose(
    verb: Verb,
    cotangents: Sequence[Any],
    *arguments: Any,
    operation: Operation,
    along: Any,
    tangents: Any,
    wanted: Any,
) -> list[Any]:
    """Cotangents of the arguments that the primitive is linear in, from cotangents of its results."""
    given = _Parts(operation, along, tangents, arguments)
    found = _Parts(operation, along, tangents, [None] * len(arguments))
    unknown_along = [at for at, x in given.along.items() if ad.is_undefined_primal(x)]
    unknown_tangents = [at for at, x in given.tangents.items() if ad.is_undefined_primal(x)]
    has_cotangent = given.cotangent is not None
    unknown_cotangent = has_cotangent and ad.is_undefined_primal(given.cotangent)
    asked = sum(map(bool, (unknown_along, unknown_tangents, unknown_cotangent)))
    if asked != 1 or any(ad.is_undefined_primal(x) for x in given.inputs):
        raise GradientError(
            f"{operation.name}: {verb.name.lower()} is not linear in the arguments by which it is transposed"
        )
    pulls = verb in (Verb.VJP, Verb.VJP_ALONG)
    # One for each result: by the wanted input that it belongs to, or the only one.
    results = _moving(dict(zip(wanted if pulls else (0,), cotangents, strict=True)))
    do = functools.partial(_bind, operation=operation, inputs=given.inputs)
    if not results:
        pass
    elif unknown_cotangent:
        if verb == Verb.VJP:
            (found.cotangent,) = do(Verb.JVP, tangents=results)
        else:
            (found.cotangent,) = do(Verb.JVP_ALONG, along=given.along, tangents=results)
    elif unknown_tangents:
        pull = functools.partial(do, cotangent=results[0], wanted=unknown_tangents)
        gradients = pull(Verb.VJP) if verb == Verb.JVP else pull(Verb.VJP_ALONG, along=given.along)
        found.tangents.update(zip(unknown_tangents, gradients, strict=True))
    else:
        # The second derivative does not change where its two directions change places.
        if pulls:
            direction, cotangent = results, given.cotangent
        else:
            direction, cotangent = given.tangents, results[0]
        gradients = do(Verb.VJP_ALONG, along=direction, cotangent=cotangent, wanted=unknown_along)
        found.along.update(zip(unknown_along, gradients, strict=True))
    flat = [*found.inputs, *found.along.values(), *found.tangents.values()]
    flat += [found.cotangent] if has_cotangent else []
    return [
        ad.Zero(argument.aval)
        if cotangent is None and ad.is_undefined_primal(argument)
        else cotangent
        for argument, cotangent in zip(arguments, flat, strict=True)
    ]


# Mapping ---------------------------------------------------------------------------------------------


def _map(
    verb: Verb,
    arguments: Sequence[Any],
    axes: Sequence[int | None],
    *,
    operation: Operation,
    along: Any,
    tangents: Any,
    wanted: Any,
) -> tuple[list[Any], list[int]]:
    """One call for all rows of an axis.

    Operations broadcast all axes that lie before their items. The mapped axis is put in front of them, and
    where an input has fewer of them than another, axes of length one between.
    """
    size = next(x.shape[axis] for x, axis in zip(arguments, axes, strict=True) if axis is not None)
    fronted = [
        x if axis is None else jnp.moveaxis(x, axis, 0)
        for x, axis in zip(arguments, axes, strict=True)
    ]
    given = _Parts(operation, along, tangents, fronted)
    mapped = _Parts(operation, along, tangents, [axis is not None for axis in axes])
    shapes = [
        x.shape[1:] if is_mapped else x.shape
        for x, is_mapped in zip(given.inputs, mapped.inputs, strict=True)
    ]
    batch, core_ranks, _ = _fit(operation, shapes)

    def lead(x: Any, is_mapped: bool, missing: int) -> Any:
        if is_mapped:
            return lax.expand_dims(x, range(1, 1 + missing)) if missing else x
        shape = (size, *[1] * missing, *x.shape)
        return lax.broadcast_in_dim(x, shape, range(1 + missing, len(shape)))

    for at, shape in enumerate(shapes):
        # A direction has the shape of its input, and every row has a gradient of its own.
        own = [
            mapped.inputs[at],
            mapped.along.get(at, False),
            mapped.tangents.get(at, False),
            at in wanted,
        ]
        if not any(own):
            continue
        missing = len(batch) - (len(shape) - core_ranks[at])
        given.inputs[at] = lead(given.inputs[at], mapped.inputs[at], missing)
        for arrays, are_mapped in ((given.along, mapped.along), (given.tangents, mapped.tangents)):
            if at in arrays:
                arrays[at] = lead(arrays[at], are_mapped[at], missing)
    if given.cotangent is not None:
        given.cotangent = lead(given.cotangent, bool(mapped.cotangent), 0)
    results = _bind(
        verb,
        operation,
        given.inputs,
        along=given.along,
        tangents=given.tangents,
        cotangent=given.cotangent,
        wanted=wanted,
    )
    if verb in (Verb.VJP, Verb.VJP_ALONG):
        results = [
            lax.reshape(x, (size, *shapes[at])) for x, at in zip(results, wanted, strict=True)
        ]
    return results, [0] * len(results)


# Computing -------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=4096)
def _compiled(
    verb: Verb, operation: Operation, along: Any, tangents: Any, wanted: Any
) -> Callable[..., list[Any]]:
    def compute(*arguments: Any) -> list[Any]:
        results: list[Any] = _PRIMITIVES[verb].bind(
            *arguments, operation=operation, along=along, tangents=tangents, wanted=wanted
        )
        return results

    compute.__name__ = operation.name
    compiled: Callable[..., list[Any]] = jax.jit(compute)
    return compiled


def _compute(
    verb: Verb, *arguments: Any, operation: Operation, along: Any, tangents: Any, wanted: Any
) -> list[Any]:
    """Outside of programs; one is compiled for each operation and kept."""
    return _compiled(verb, operation, along, tangents, wanted)(*arguments)


def _lower(
    verb: Verb,
    context: Any,
    *arguments: Any,
    operation: Operation,
    along: Any,
    tangents: Any,
    wanted: Any,
) -> Any:
    """A call of the handler, in a program for the CPU."""
    if not _registered():
        back = functools.partial(
            _call_back, verb, operation=operation, along=along, tangents=tangents, wanted=wanted
        )
        return mlir.lower_fun(back, multiple_results=True)(context, *arguments)
    # The program holds the number only, and does not say when it is gone.
    operation.keep()
    present = _mask(along) | _mask(tangents) << 32
    # An exported program may be carried to where the number is another operation's.
    parameters = getattr(context.module_context, "lowering_parameters", None)
    leaves = getattr(parameters, "for_export", True)
    return _ffi.ffi_lowering(_TARGET)(
        context,
        *arguments,
        operation=np.int64(operation.id),
        process=np.int64(xla_ffi_process() if leaves else 0),
        verb=np.int64(verb),
        present=np.int64(present),
        wanted=np.int64(_mask(wanted)),
    )


def _mask(places: Sequence[int]) -> int:
    return sum(1 << at for at in places)


def _lower_elsewhere(verb: Verb, context: Any, *_: Any, operation: Operation, **__: Any) -> Any:
    raise DeviceError(
        f"{operation.name}: kinarray computes on the CPU, and the program is compiled for another device; "
        "put its arrays on jax.devices('cpu')[0], or call jax.jit(..., backend='cpu')"
    )


def _call_back(
    verb: Verb, *arguments: Any, operation: Operation, along: Any, tangents: Any, wanted: Any
) -> tuple[Any, ...]:
    """The same through Python, a thousand times slower: for a JAX that does not take the handler."""

    def compute(*arrays: Any) -> tuple[np.ndarray[Any, Any], ...]:
        given = _Parts(operation, along, tangents, [np.asarray(x) for x in arrays])
        each = range(len(given.inputs))
        directions = [given.along.get(at) for at in each]
        pushed = [given.tangents.get(at) for at in each]
        asked = [at in wanted for at in each]
        results: Sequence[Any]
        if verb == Verb.FORWARD:
            results = [operation.forward(given.inputs)]
        elif verb == Verb.JVP:
            results = [operation.jvp(given.inputs, pushed)]
        elif verb == Verb.VJP:
            results = operation.vjp(given.inputs, given.cotangent, asked)
        elif verb == Verb.JVP_ALONG:
            results = [operation.jvp_along(given.inputs, directions, pushed)]
        else:
            results = operation.vjp_along(given.inputs, directions, given.cotangent, asked)
        return tuple(x for x in results if x is not None)

    avals = _abstract(
        verb, *arguments, operation=operation, along=along, tangents=tangents, wanted=wanted
    )
    types = tuple(jax.ShapeDtypeStruct(aval.shape, aval.dtype) for aval in avals)
    results: tuple[Any, ...] = jax.pure_callback(compute, types, *arguments)
    return results


_REGISTERING = threading.Lock()
_ACCEPTED: bool | None = None


def _registered() -> bool:
    """Whether JAX takes the handler; asked once, when the first program is compiled."""
    global _ACCEPTED
    with _REGISTERING:
        if _ACCEPTED is None:
            try:
                # A handler that is refused while the backend starts takes the whole backend with it; once
                # it has started, only the registration fails.
                jax.devices("cpu")
                _ffi.register_ffi_target(_TARGET, xla_ffi_handler(), platform="cpu", api_version=1)
                _ACCEPTED = True
            except Exception as error:
                _ACCEPTED = False
                warnings.warn(
                    f"JAX {jax.__version__} does not take kinarray's functions into its programs, which "
                    f"will call Python for each of them instead, much slower: {error}",
                    RuntimeWarning,
                    stacklevel=2,
                )
        return _ACCEPTED


# The primitives --------------------------------------------------------------------------------------


def _primitive(verb: Verb) -> Any:
    primitive = Primitive(f"kinarray_{verb.name.lower()}")
    primitive.multiple_results = True
    primitive.def_impl(functools.partial(_compute, verb))
    primitive.def_abstract_eval(functools.partial(_abstract, verb))
    ad.primitive_jvps[primitive] = functools.partial(_differentiate, verb)
    if verb != Verb.FORWARD:
        ad.primitive_transposes[primitive] = functools.partial(_transpose, verb)
    batching.primitive_batchers[primitive] = functools.partial(_map, verb)
    mlir.register_lowering(primitive, functools.partial(_lower, verb), platform="cpu")
    mlir.register_lowering(primitive, functools.partial(_lower_elsewhere, verb))
    return primitive


_PRIMITIVES = {verb: _primitive(verb) for verb in Verb}
