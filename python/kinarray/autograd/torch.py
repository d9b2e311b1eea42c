"""The bridge to torch: every operation of the core as a differentiable function of tensors.

There are five functions, those of the table in ``verbs.rs``: values, ``jvp``, ``vjp``, and the derivatives
of the latter two along a direction. Each knows its derivatives in terms of the others, its rule under
``vmap``, and an operator that stands for it in graphs that are traced.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.autograd.function import Function

from .._core import DTypeError, GradientError, Operation, asarray

Mask = tuple[bool, ...]


def is_tracked(x: Any) -> bool:
    """Whether a plain function would lose a derivative of this, or cannot read it."""
    if not isinstance(x, Tensor):
        return False
    return not _is_plain(x) or _is_transformed() or (x.requires_grad and torch.is_grad_enabled())


def call(operation: Operation, arrays: Sequence[Any]) -> Tensor:
    """The operation's result, recorded for derivatives."""
    if _are_alike(arrays) and not _is_transformed():
        result: Tensor = _Eager.apply(operation, *arrays)
        return result
    like = next(x for x in arrays if isinstance(x, Tensor))
    tensors = [_tensor(x, like) for x in arrays]
    dtype = tensors[0].dtype
    for (name, _), x in zip(operation.inputs, tensors, strict=True):
        if not x.dtype.is_floating_point:
            raise DTypeError(
                f"{operation.name}: {name}: expected real numbers, got {x.dtype}; there is no derivative"
                " by whole numbers"
            )
        dtype = torch.promote_types(dtype, x.dtype)
    # Half precision is computed in single, as everywhere.
    computed = torch.float64 if dtype == torch.float64 else torch.float32
    if any(x.dtype != computed for x in tensors):
        tensors = [x.to(computed) for x in tensors]
    if all(map(_is_plain, tensors)) and not _is_transformed():
        result = _Eager.apply(operation, *tensors)
    else:
        result = _Value.apply(operation, *tensors)
    return result if dtype == computed else result.to(dtype)


def _are_alike(arrays: Sequence[Any]) -> bool:
    """Whether all are plain tensors of one precision that is computed in: nothing is to be converted."""
    dtype = getattr(arrays[0], "dtype", None)
    if dtype is not torch.float32 and dtype is not torch.float64:
        return False
    # A loop: a generator would take as long as all else here.
    for x in arrays:  # noqa: SIM110
        if type(x) not in _TENSORS or x.dtype is not dtype:
            return False
    return True


def _tensor(x: Any, like: Tensor) -> Tensor:
    if isinstance(x, Tensor):
        return x
    if (
        hasattr(x, "__dlpack__")
        or hasattr(x, "__arrow_c_array__")
        or hasattr(x, "__arrow_c_stream__")
    ):
        return asarray(x, like=torch.empty(0))
    return torch.as_tensor(x, dtype=like.dtype)


_TENSORS = frozenset({Tensor, torch.nn.Parameter})


def _is_plain(x: Tensor) -> bool:
    """Whether the tensor has memory that can be read, as far as its type says."""
    return type(x) in _TENSORS


def _is_transformed() -> bool:
    """Whether a functional transformation, forward mode or a tracer watches what is done."""
    return (
        torch._C._are_functorch_transforms_active()
        or forward_ad._current_level >= 0
        or torch._C._len_torch_dispatch_stack() > 0
    )


def _is_direct(tensors: Sequence[Tensor]) -> bool:
    """Whether the core can read the tensors now."""
    return torch._C._len_torch_dispatch_stack() == 0 and all(
        _is_plain(x) and not _is_batched(x) for x in tensors
    )


_is_batched: Callable[[Tensor], bool] = torch._C._functorch.is_legacy_batchedtensor
"""Whether the tensor stands for many, as where gradients of a batch of cotangents are asked for."""


# The five verbs, on tensors without history.


def _value(operation: Operation, xs: Sequence[Tensor]) -> Tensor:
    if _is_direct(xs):
        return operation.forward(xs)
    return torch.ops.kinarray.value(_number(operation), list(xs))


def _jvp(operation: Operation, xs: Sequence[Tensor], ts: Sequence[Tensor | None]) -> Tensor:
    if _is_direct([*xs, *_present(ts)]):
        return operation.jvp(xs, ts)
    return torch.ops.kinarray.jvp(_number(operation), list(xs), _present(ts), _mask(ts))


def _vjp(
    operation: Operation, xs: Sequence[Tensor], c: Tensor, wanted: Sequence[bool]
) -> list[Tensor]:
    if _is_direct([*xs, c]):
        return _present(operation.vjp(xs, c, list(wanted)))
    return torch.ops.kinarray.vjp(_number(operation), list(xs), c, list(wanted))


def _jvp_along(
    operation: Operation,
    xs: Sequence[Tensor],
    us: Sequence[Tensor | None],
    ts: Sequence[Tensor | None],
) -> Tensor:
    if _is_direct([*xs, *_present(us), *_present(ts)]):
        return operation.jvp_along(xs, us, ts)
    return torch.ops.kinarray.jvp_along(
        _number(operation), list(xs), _present(us), _mask(us), _present(ts), _mask(ts)
    )


def _vjp_along(
    operation: Operation,
    xs: Sequence[Tensor],
    us: Sequence[Tensor | None],
    c: Tensor,
    wanted: Sequence[bool],
) -> list[Tensor]:
    if _is_direct([*xs, *_present(us), c]):
        return _present(operation.vjp_along(xs, us, c, list(wanted)))
    return torch.ops.kinarray.vjp_along(
        _number(operation), list(xs), _present(us), _mask(us), c, list(wanted)
    )


def _number(operation: Operation) -> int:
    # Whoever sees the number keeps it in a graph, and does not say for how long.
    operation.keep()
    return operation.id


def _present(tensors: Sequence[Tensor | None]) -> list[Tensor]:
    return [x for x in tensors if x is not None]


def _mask(tensors: Sequence[Tensor | None]) -> list[bool]:
    return [x is not None for x in tensors]


def _spread(tensors: Sequence[Tensor], mask: Sequence[bool]) -> list[Tensor | None]:
    """The tensors at their places, ``None`` between."""
    rest = iter(tensors)
    return [next(rest) if present else None for present in mask]


def _sum(terms: Sequence[Tensor | None]) -> Tensor | None:
    found = _present(terms)
    return None if not found else found[0] if len(found) == 1 else found[0] + found[1]


def _sums(terms: Sequence[Sequence[Tensor] | None], like: Sequence[Tensor]) -> tuple[Tensor, ...]:
    found = [term for term in terms if term is not None]
    if not found:
        return tuple(torch.zeros_like(x) for x in like)
    if len(found) == 1:
        return tuple(found[0])
    return tuple(a + b for a, b in zip(*found, strict=True))


def _differentiable(operation: Operation, needed: Sequence[bool]) -> list[bool]:
    """Which gradients there are, of those that are needed."""
    each = zip(operation.inputs, needed, strict=True)
    return [bool(need and differentiable) for (_, differentiable), need in each]


def _third(operation: Operation) -> GradientError:
    return GradientError(
        f"{operation.name}: its third derivative was asked for; there are first and second derivatives"
    )


def _is_asked_for(ctx: Any, needs: Sequence[bool], first: int) -> bool:
    """Whether the backward pass that is running goes on to inputs that need gradients.

    Needing one is not enough: products with Hessians by double backward only go to the directions, and
    would be refused for nothing. ``first`` counts the tensors before them.
    """
    edges = getattr(ctx, "next_functions", None)
    if edges is None:
        return any(needs)
    nodes = (edges[first + place][0] for place, need in enumerate(needs) if need)
    try:
        return any(node is not None and torch._C._will_engine_execute_node(node) for node in nodes)
    except RuntimeError:  # of leaves torch does not know it
        return True


class _Eager(Function):
    """The value of plain tensors: the shortest way forward and backward."""

    @staticmethod
    def forward(ctx: Any, operation: Operation, *xs: Tensor) -> Tensor:
        ctx.operation = operation
        ctx.save_for_backward(*xs)
        return operation.forward(xs)

    @staticmethod
    def backward(ctx: Any, c: Tensor) -> tuple[Tensor | None, ...]:
        operation, xs = ctx.operation, ctx.saved_tensors
        wanted = ctx.needs_input_grad[1:]
        if _is_batched(c):
            return (None, *_spread(_batch_of_gradients(operation, wanted, c, xs), wanted))
        if torch.is_grad_enabled() or not _is_plain(c) or _is_transformed():
            return (None, *_spread(_Vjp.apply(operation, wanted, c, *xs), wanted))
        return (None, *operation.vjp(xs, c, wanted))


def _batch_of_gradients(
    operation: Operation, wanted: Mask, c: Tensor, xs: Sequence[Tensor]
) -> list[Tensor]:
    """Gradients of many cotangents at once, as ``torch.autograd.grad(..., is_grads_batched=True)`` asks.

    That maps with torch's older machinery, which knows no rules of ours: the tensor is taken out of it.
    """
    level = torch._C._vmapmode_increment_nesting() - 1
    torch._C._vmapmode_decrement_nesting()
    c = torch._remove_batch_dim(c, level, 1, 0)
    rows = _Rows(operation, c.shape[0], xs, [None] * len(xs))
    found = _Vjp.apply(operation, wanted, rows.like_output(c, 0), *rows.inputs())
    gradients, _ = rows.gradients(found, wanted)
    return [torch._add_batch_dim(g, 0, level) for g in gradients]


class _Value(Function):
    """``f(x)``."""

    @staticmethod
    def forward(operation: Operation, *xs: Tensor) -> Tensor:
        return _value(operation, xs)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
        ctx.operation, xs = inputs[0], inputs[1:]
        ctx.save_for_backward(*xs)
        ctx.save_for_forward(*xs)
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: Any, c: Tensor | None) -> tuple[Tensor | None, ...]:
        operation, xs = ctx.operation, ctx.saved_tensors
        wanted = tuple(ctx.needs_input_grad[1:])
        if c is None:
            return (None,) * (1 + len(xs))
        return (None, *_spread(_Vjp.apply(operation, wanted, c, *xs), wanted))

    @staticmethod
    def jvp(ctx: Any, _: None, *ts: Tensor | None) -> Tensor:
        return _Jvp.apply(ctx.operation, tuple(_mask(ts)), *ctx.saved_tensors, *_present(ts))

    @staticmethod
    def vmap(info: Any, in_dims: Any, operation: Operation, *xs: Tensor) -> tuple[Tensor, int]:
        rows = _Rows(operation, info.batch_size, xs, in_dims[1:])
        return _Value.apply(operation, *rows.inputs(stretched=False)), 0


class _Jvp(Function):
    """``f'(x) t``; the tangents that are given follow the inputs."""

    @staticmethod
    def forward(operation: Operation, given: Mask, *xt: Tensor) -> Tensor:
        xs, ts = xt[: len(given)], _spread(xt[len(given) :], given)
        return _jvp(operation, xs, ts)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
        ctx.operation, ctx.given, *xt = inputs
        ctx.save_for_backward(*xt)
        ctx.save_for_forward(*xt)
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: Any, c: Tensor | None) -> tuple[Tensor | None, ...]:
        operation, given, xt = ctx.operation, ctx.given, ctx.saved_tensors
        count = len(given)
        xs, ts = xt[:count], _spread(xt[count:], given)
        if c is None:
            return (None,) * (2 + len(xt))
        by_x = tuple(ctx.needs_input_grad[2 : 2 + count])
        by_t = tuple(bool(need) for need in _spread(ctx.needs_input_grad[2 + count :], given))
        gx: Sequence[Tensor | None] = [None] * count
        if any(by_x):
            gx = _spread(_VjpAlong.apply(operation, by_x, given, c, *xs, *_present(ts)), by_x)
        gt: Sequence[Tensor | None] = [None] * count
        if any(by_t):
            gt = _spread(_Vjp.apply(operation, by_t, c, *xs), by_t)
        return (None, None, *gx, *(g for g, is_given in zip(gt, given, strict=True) if is_given))

    @staticmethod
    def jvp(ctx: Any, _: None, __: None, *dxt: Tensor | None) -> Tensor | None:
        operation, given, xt = ctx.operation, ctx.given, ctx.saved_tensors
        count = len(given)
        xs, ts = xt[:count], xt[count:]
        dx, dt = dxt[:count], _spread(dxt[count:], given)
        terms = []
        if any(_mask(dx)):
            moved = tuple(_mask(dx))
            terms.append(_JvpAlong.apply(operation, moved, given, *xs, *_present(dx), *ts))
        if any(_mask(dt)):
            terms.append(_Jvp.apply(operation, tuple(_mask(dt)), *xs, *_present(dt)))
        return _sum(terms)

    @staticmethod
    def vmap(
        info: Any, in_dims: Any, operation: Operation, given: Mask, *xt: Tensor
    ) -> tuple[Tensor, int]:
        count = len(given)
        rows = _Rows(operation, info.batch_size, xt[:count], in_dims[2 : 2 + count])
        ts = rows.like_inputs(_spread(xt[count:], given), _spread(in_dims[2 + count :], given))
        return _Jvp.apply(operation, given, *rows.inputs(), *_present(ts)), 0


class _Vjp(Function):
    """``f'(x)ᵀ c``: the gradients that are wanted."""

    @staticmethod
    def forward(operation: Operation, wanted: Mask, c: Tensor, *xs: Tensor) -> tuple[Tensor, ...]:
        return tuple(_vjp(operation, xs, c, wanted))

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.operation, ctx.wanted, *cx = inputs
        ctx.save_for_backward(*cx)
        ctx.save_for_forward(*cx)
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: Any, *ws: Tensor | None) -> tuple[Tensor | None, ...]:
        operation, (c, *xs) = ctx.operation, ctx.saved_tensors
        along = _spread(ws, ctx.wanted)
        given = tuple(_mask(along))
        if not any(given):
            return (None,) * (3 + len(xs))
        gc = None
        if ctx.needs_input_grad[2]:
            gc = _Jvp.apply(operation, given, *xs, *_present(along))
        by_x = tuple(ctx.needs_input_grad[3:])
        gx: Sequence[Tensor | None] = [None] * len(xs)
        if any(by_x):
            gx = _spread(_VjpAlong.apply(operation, by_x, given, c, *xs, *_present(along)), by_x)
        return (None, None, gc, *gx)

    @staticmethod
    def jvp(ctx: Any, _: None, __: None, dc: Tensor | None, *dx: Tensor | None) -> Any:
        operation, wanted, (c, *xs) = ctx.operation, ctx.wanted, ctx.saved_tensors
        terms = []
        if any(_mask(dx)):
            moved = tuple(_mask(dx))
            terms.append(_VjpAlong.apply(operation, wanted, moved, c, *xs, *_present(dx)))
        if dc is not None:
            terms.append(_Vjp.apply(operation, wanted, dc, *xs))
        return _sums(terms, _wanted(xs, wanted))

    @staticmethod
    def vmap(
        info: Any, in_dims: Any, operation: Operation, wanted: Mask, c: Tensor, *xs: Tensor
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        rows = _Rows(operation, info.batch_size, xs, in_dims[3:])
        c = rows.like_output(c, in_dims[2])
        return rows.gradients(_Vjp.apply(operation, wanted, c, *rows.inputs()), wanted)


class _JvpAlong(Function):
    """``f''(x)[u, t]``; the directions that are given follow the inputs, and the tangents follow them."""

    @staticmethod
    def forward(operation: Operation, moved: Mask, given: Mask, *xut: Tensor) -> Tensor:
        return _jvp_along(operation, *_split(moved, given, xut))

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
        ctx.operation, ctx.moved, ctx.given, *xut = inputs
        ctx.save_for_backward(*xut)
        ctx.save_for_forward(*xut)
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: Any, c: Tensor | None) -> tuple[Tensor | None, ...]:
        operation, moved, given = ctx.operation, ctx.moved, ctx.given
        count, xut = len(given), ctx.saved_tensors
        if c is None:
            return (None,) * (3 + len(xut))
        needs = ctx.needs_input_grad[3:]
        if _is_asked_for(ctx, needs[:count], 0):
            raise _third(operation)
        xs, us, ts = _split(moved, given, xut)
        _, by_u, by_t = _split(moved, given, needs)
        gu, gt = (
            _spread(
                _VjpAlong.apply(operation, wanted, tuple(_mask(along)), c, *xs, *_present(along)),
                wanted,
            )
            if any(wanted)
            else [None] * count
            for wanted, along in ((_flags(by_u), ts), (_flags(by_t), us))
        )
        kept_u = (g for g, there in zip(gu, moved, strict=True) if there)
        kept_t = (g for g, there in zip(gt, given, strict=True) if there)
        return (None, None, None, *[None] * count, *kept_u, *kept_t)

    @staticmethod
    def jvp(ctx: Any, _: None, __: None, ___: None, *dxut: Tensor | None) -> Tensor | None:
        operation, moved, given = ctx.operation, ctx.moved, ctx.given
        count = len(given)
        if any(_mask(dxut[:count])):
            raise _third(operation)
        xs, us, ts = _split(moved, given, ctx.saved_tensors)
        _, du, dt = _split(moved, given, dxut)
        terms = []
        for one, other in ((du, ts), (us, dt)):
            if any(_mask(one)) and any(_mask(other)):
                masks = tuple(_mask(one)), tuple(_mask(other))
                terms.append(
                    _JvpAlong.apply(operation, *masks, *xs, *_present(one), *_present(other))
                )
        return _sum(terms)

    @staticmethod
    def vmap(
        info: Any, in_dims: Any, operation: Operation, moved: Mask, given: Mask, *xut: Tensor
    ) -> tuple[Tensor, int]:
        xs, us, ts = _split(moved, given, xut)
        x_dims, u_dims, t_dims = _split(moved, given, in_dims[3:])
        rows = _Rows(operation, info.batch_size, xs, x_dims)
        us, ts = rows.like_inputs(us, u_dims), rows.like_inputs(ts, t_dims)
        result = _JvpAlong.apply(
            operation, moved, given, *rows.inputs(), *_present(us), *_present(ts)
        )
        return result, 0


class _VjpAlong(Function):
    """``(f''(x)[u, ·])ᵀ c``: the gradients that are wanted; the given directions follow the inputs."""

    @staticmethod
    def forward(
        operation: Operation, wanted: Mask, moved: Mask, c: Tensor, *xu: Tensor
    ) -> tuple[Tensor, ...]:
        xs, us = xu[: len(moved)], _spread(xu[len(moved) :], moved)
        return tuple(_vjp_along(operation, xs, us, c, wanted))

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.operation, ctx.wanted, ctx.moved, *cxu = inputs
        ctx.save_for_backward(*cxu)
        ctx.save_for_forward(*cxu)
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: Any, *ws: Tensor | None) -> tuple[Tensor | None, ...]:
        operation, moved, (c, *xu) = ctx.operation, ctx.moved, ctx.saved_tensors
        count = len(moved)
        along = _spread(ws, ctx.wanted)
        given = tuple(_mask(along))
        if not any(given):
            return (None,) * (4 + len(xu))
        needs = ctx.needs_input_grad
        if _is_asked_for(ctx, needs[4 : 4 + count], 1):
            raise _third(operation)
        xs, us = xu[:count], xu[count:]
        gc = None
        if needs[3]:
            gc = _JvpAlong.apply(operation, moved, given, *xs, *us, *_present(along))
        by_u = _flags(_spread(needs[4 + count :], moved))
        gu: Sequence[Tensor | None] = [None] * count
        if any(by_u):
            gu = _spread(_VjpAlong.apply(operation, by_u, given, c, *xs, *_present(along)), by_u)
        kept = (g for g, there in zip(gu, moved, strict=True) if there)
        return (None, None, None, gc, *[None] * count, *kept)

    @staticmethod
    def jvp(
        ctx: Any, _: None, __: None, ___: None, dc: Tensor | None, *dxu: Tensor | None
    ) -> tuple[Tensor, ...]:
        operation, wanted, moved = ctx.operation, ctx.wanted, ctx.moved
        (c, *xu), count = ctx.saved_tensors, len(moved)
        if any(_mask(dxu[:count])):
            raise _third(operation)
        xs, us = xu[:count], xu[count:]
        du = _spread(dxu[count:], moved)
        terms = []
        if any(_mask(du)):
            along = tuple(_mask(du))
            terms.append(_VjpAlong.apply(operation, wanted, along, c, *xs, *_present(du)))
        if dc is not None:
            terms.append(_VjpAlong.apply(operation, wanted, moved, dc, *xs, *us))
        return _sums(terms, _wanted(xs, wanted))

    @staticmethod
    def vmap(
        info: Any,
        in_dims: Any,
        operation: Operation,
        wanted: Mask,
        moved: Mask,
        c: Tensor,
        *xu: Tensor,
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        count = len(moved)
        rows = _Rows(operation, info.batch_size, xu[:count], in_dims[4 : 4 + count])
        us = rows.like_inputs(_spread(xu[count:], moved), _spread(in_dims[4 + count :], moved))
        c = rows.like_output(c, in_dims[3])
        found = _VjpAlong.apply(operation, wanted, moved, c, *rows.inputs(), *_present(us))
        return rows.gradients(found, wanted)


def _split(moved: Mask, given: Mask, xut: Sequence[Any]) -> tuple[Any, Any, Any]:
    """Inputs, directions and tangents of what stands one after the other."""
    count = len(moved)
    middle = count + sum(moved)
    return xut[:count], _spread(xut[count:middle], moved), _spread(xut[middle:], given)


def _flags(needs: Sequence[Any]) -> Mask:
    return tuple(bool(need) for need in needs)


def _wanted(xs: Sequence[Tensor], wanted: Sequence[bool]) -> list[Tensor]:
    return [x for x, want in zip(xs, wanted, strict=True) if want]


class _Rows:
    """Arguments of one call seen as a new first batch axis, under ``vmap``.

    An argument has the new axis in front and then as many batch axes as the call has, so that its own ones
    stay where they were among those of the others.
    """

    def __init__(
        self, operation: Operation, size: int, xs: Sequence[Tensor], dims: Sequence[int | None]
    ) -> None:
        self.size, self.xs, self.dims = size, xs, dims
        self.shapes = [
            tuple(x.shape) if dim is None else tuple(x.shape[:dim] + x.shape[dim + 1 :])
            for x, dim in zip(xs, dims, strict=True)
        ]
        batch, self.cores, self.output = operation.fit(self.shapes)
        self.rank = len(batch)

    def inputs(self, *, stretched: bool = True) -> list[Tensor]:
        """The inputs; those that all rows share are stretched where rows must not be added up."""
        return [
            x if dim is None and not stretched else self._row(x, dim, self._padded(index))
            for index, (x, dim) in enumerate(zip(self.xs, self.dims, strict=True))
        ]

    def like_inputs(
        self, ts: Sequence[Tensor | None], dims: Sequence[int | None]
    ) -> list[Tensor | None]:
        """Tangents, one for each input."""
        return [
            None if t is None else self._row(t, dim, self._padded(index))
            for index, (t, dim) in enumerate(zip(ts, dims, strict=True))
        ]

    def like_output(self, c: Tensor, dim: int | None) -> Tensor:
        """A cotangent."""
        return self._row(c, dim, tuple(self.output))

    def gradients(
        self, found: Sequence[Tensor], wanted: Sequence[bool]
    ) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        """Gradients in the shapes of the inputs, and where their new axis is."""
        shapes = [shape for shape, want in zip(self.shapes, wanted, strict=True) if want]
        each = zip(found, shapes, strict=True)
        return tuple(g.reshape(self.size, *shape) for g, shape in each), (0,) * len(shapes)

    def _padded(self, index: int) -> tuple[int, ...]:
        shape, core = self.shapes[index], self.cores[index]
        return (1,) * (self.rank - (len(shape) - core)) + shape

    def _row(self, x: Tensor, dim: int | None, shape: tuple[int, ...]) -> Tensor:
        if dim is None:
            return x.reshape(1, *shape).expand(self.size, *shape)
        return x.movedim(dim, 0).reshape(self.size, *shape)


# The operators that stand for the verbs in graphs.

_LIBRARY = torch.library.Library("kinarray", "DEF")
_SCHEMAS = {
    "value": "(int operation, Tensor[] inputs) -> Tensor",
    "jvp": "(int operation, Tensor[] inputs, Tensor[] tangents, bool[] given) -> Tensor",
    "vjp": "(int operation, Tensor[] inputs, Tensor cotangent, bool[] wanted) -> Tensor[]",
    "jvp_along": (
        "(int operation, Tensor[] inputs, Tensor[] along, bool[] moved, Tensor[] tangents,"
        " bool[] given) -> Tensor"
    ),
    "vjp_along": (
        "(int operation, Tensor[] inputs, Tensor[] along, bool[] moved, Tensor cotangent,"
        " bool[] wanted) -> Tensor[]"
    ),
}


def _empty_output(number: int, inputs: Sequence[Tensor]) -> Tensor:
    _, _, shape = Operation.find(number).fit([tuple(x.shape) for x in inputs])
    return inputs[0].new_empty(shape)


def _empty_gradients(inputs: Sequence[Tensor], wanted: Sequence[bool]) -> list[Tensor]:
    return [x.new_empty(x.shape) for x in _wanted(inputs, wanted)]


_KERNELS: dict[str, Callable[..., Any]] = {
    "value": lambda op, xs: Operation.find(op).forward(xs),
    "jvp": lambda op, xs, ts, given: Operation.find(op).jvp(xs, _spread(ts, given)),
    "vjp": lambda op, xs, c, wanted: _present(Operation.find(op).vjp(xs, c, wanted)),
    "jvp_along": lambda op, xs, us, moved, ts, given: Operation.find(op).jvp_along(
        xs, _spread(us, moved), _spread(ts, given)
    ),
    "vjp_along": lambda op, xs, us, moved, c, wanted: _present(
        Operation.find(op).vjp_along(xs, _spread(us, moved), c, wanted)
    ),
}
_FAKES: dict[str, Callable[..., Any]] = {
    "value": _empty_output,
    "jvp": lambda op, xs, ts, given: _empty_output(op, xs),
    "vjp": lambda op, xs, c, wanted: _empty_gradients(xs, wanted),
    "jvp_along": lambda op, xs, us, moved, ts, given: _empty_output(op, xs),
    "vjp_along": lambda op, xs, us, moved, c, wanted: _empty_gradients(xs, wanted),
}
_RECORDED: dict[str, Callable[..., Any]] = {
    "value": lambda op, xs: _Value.apply(Operation.find(op), *xs),
    "jvp": lambda op, xs, ts, given: _Jvp.apply(Operation.find(op), tuple(given), *xs, *ts),
    "vjp": lambda op, xs, c, wanted: list(_Vjp.apply(Operation.find(op), tuple(wanted), c, *xs)),
    "jvp_along": lambda op, xs, us, moved, ts, given: _JvpAlong.apply(
        Operation.find(op), tuple(moved), tuple(given), *xs, *us, *ts
    ),
    "vjp_along": lambda op, xs, us, moved, c, wanted: list(
        _VjpAlong.apply(Operation.find(op), tuple(wanted), tuple(moved), c, *xs, *us)
    ),
}


def _define(name: str) -> None:
    operator = f"kinarray::{name}"
    _LIBRARY.define(name + _SCHEMAS[name])
    _LIBRARY.impl(name, _KERNELS[name], "CPU")
    torch.library.register_fake(operator, _FAKES[name], lib=_LIBRARY)
    recorded = _RECORDED[name]

    def differentiable(*arguments: Any) -> Any:
        if torch.is_grad_enabled():
            return recorded(*arguments)
        with torch._C._AutoDispatchBelowAutograd():
            return getattr(torch.ops.kinarray, name)(*arguments)

    _LIBRARY.impl(name, differentiable, "Autograd")


for _name in _SCHEMAS:
    _define(_name)
