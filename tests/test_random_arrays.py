"""Random arrays through real functions, against NumPy on a contiguous copy.

`KINARRAY_FUZZ_SECONDS=600 pytest tests/test_random_arrays.py -s` looks for so long, with new numbers.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import random
import time
from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("hypothesis")

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import kinarray as ka
import random_arrays
import reference
from character_arrays import synthetic
from kinarray import geometry, interop
from random_arrays import Argument, arguments, decode, layouts, producer

SECONDS = float(os.environ.get("KINARRAY_FUZZ_SECONDS", "0"))
# How far a result may be off, relative to the largest: what its precision can hold.
TOLERANCE = {"float64": 1e-11, "float32": 3e-5, "float16": 5e-3, "bfloat16": 4e-2}


@functools.cache
def arrays():
    return synthetic(5, 9, 12, 3, n_roots=2, seed=5)


@functools.cache
def character():
    return arrays().build(geometry)


@dataclasses.dataclass(frozen=True)
class Function:
    """A function of arrays: the shape of one item of each, how to call it, and what it should give."""

    cores: tuple[tuple[int, ...], ...]
    core: tuple[int, ...]
    call: Callable[..., object]
    expected: Callable[..., np.ndarray]
    #: The form in which results are compared.
    form: Callable[[np.ndarray], np.ndarray] = lambda result: result


def world(joints):
    joints = joints.reshape(*joints.shape[: -1 if joints.shape[-1] == 35 else -2], 5, 7)
    return reference.world_matrices(arrays(), joints)


def carried(matrices, parents, offsets):
    points = np.concatenate([offsets, np.ones((*offsets.shape[:-1], 1))], -1)
    return np.einsum("...nij,...nj->...ni", matrices[..., parents, :3, :], points)


def skinned(matrices, rest=None):
    return reference.skin_points(arrays(), matrices, rest)


def joint_parameters(poses):
    return reference.joint_parameters(arrays(), poses)


FUNCTIONS = {
    "ParameterTransform.apply": Function(
        ((9,),),
        (35,),
        lambda p, **kw: character().parameter_transform.apply(p, **kw),
        lambda p: joint_parameters(p).reshape(*p.shape[:-1], 35),
    ),
    "joint_parameters_to_skeleton_state": Function(
        ((5, 7),),
        (5, 8),
        lambda j, **kw: geometry.joint_parameters_to_skeleton_state(character(), j, **kw),
        world,
        reference.state_matrices,
    ),
    "joint_parameters_to_skeleton_state(flat)": Function(
        ((35,),),
        (5, 8),
        lambda j, **kw: geometry.joint_parameters_to_skeleton_state(character(), j, **kw),
        world,
        reference.state_matrices,
    ),
    "skin_points": Function(
        ((5, 8),),
        (12, 3),
        lambda s, **kw: character().skin_points(s, **kw),
        lambda s: skinned(reference.state_matrices(s)),
    ),
    "skin_points(rest)": Function(
        ((5, 8), (12, 3)),
        (12, 3),
        lambda s, r, **kw: character().skin_points(s, r, **kw),
        lambda s, r: skinned(reference.state_matrices(s), r),
    ),
    "skin_points(matrices, rest)": Function(
        ((5, 4, 4), (12, 3)),
        (12, 3),
        lambda m, r, **kw: character().skin_points(m, r, **kw),
        skinned,
    ),
    "model_parameters_to_positions": Function(
        ((9,), (4, 3)),
        (4, 3),
        lambda p, o, parents, **kw: geometry.model_parameters_to_positions(
            character(), p, parents, o, **kw
        ),
        lambda p, o, parents: carried(world(joint_parameters(p)), parents, o),
    ),
}


@st.composite
def batches(draw, count: int):
    """Batch shapes that broadcast, and what they broadcast to."""
    whole = draw(st.lists(st.sampled_from([1, 2, 3, 0, 17]), max_size=3))
    parts = []
    for _ in range(count):
        part = whole[draw(st.integers(0, len(whole))) :]
        parts.append(tuple(1 if draw(st.booleans()) else size for size in part))
    return parts, np.broadcast_shapes(*parts)


def integers(draw, values):
    """Indices as any integer array, or as a list."""
    dtype = draw(st.sampled_from(["u1", "i2", ">i4", "i8", "u8", "list"]))
    if dtype == "list":
        return values.tolist()
    step = draw(st.sampled_from([-2, -1, 1, 3]))
    wide = np.full(abs(step) * len(values), 77, dtype)
    wide[::step] = values
    return wide[::step]


@dataclasses.dataclass
class Target:
    """What `out=` is given, and the memory behind it."""

    object: object
    layout: random_arrays.Layout
    direct: bool


def target(draw, shape, dtype, computed, raw) -> Target | None:
    """An array to write into: of its own, or somewhere in the memory of an argument."""
    kind = draw(st.sampled_from(["numpy", "torch", "memoryview", "dlpack"]))
    if (dtype == "bfloat16" and kind in ("numpy", "memoryview")) or not random_arrays.has(kind):
        kind = "dlpack" if dtype == "bfloat16" else "numpy"
    plain = kind in ("torch", "dlpack")
    layout = draw(
        layouts(
            shape,
            dtype,
            raw=raw,
            overlapping=False,
            negative=kind != "torch",
            odd=not plain,
            swapped=not plain,
        )
    )
    if layout is None:
        return None
    view = layout.view
    direct = view.flags.c_contiguous and layout.is_in_place and dtype == computed
    if kind == "numpy":
        given = view
    elif kind == "memoryview":
        given = memoryview(view)
    elif kind == "dlpack":
        given = producer(draw, layout, dtype, writable=True)
    else:
        given = random_arrays.as_torch(layout, dtype)
    return Target(given, layout, direct)


def outside(layout) -> np.ndarray:
    """Which bytes of the memory belong to no element."""
    marks = np.ones_like(layout.raw)
    view = layout.view
    start = view.ctypes.data - layout.raw.ctypes.data
    for byte in range(view.itemsize):
        np.ndarray(view.shape, np.uint8, marks, start + byte, view.strides)[...] = 0
    return marks.astype(bool)


def precisions(given: list[Argument]) -> tuple[str, str]:
    """What is computed in, and what comes back, by the rules of docs/arrays.md."""
    dtypes = {argument.dtype for argument in given if argument.kind != "numbers"}
    computed = "float64" if "float64" in dtypes or not dtypes else "float32"
    return computed, dtypes.pop() if len(dtypes) == 1 else computed


def check_one_call(data):
    draw = data.draw
    function = FUNCTIONS[draw(st.sampled_from(list(FUNCTIONS)))]
    parts, batch = draw(batches(len(function.cores)))
    shapes = [(*part, *core) for part, core in zip(parts, function.cores, strict=True)]
    wanted = draw(st.sampled_from([None, "float32", "float64", "float16", "bfloat16"]))
    kind_of_out = draw(st.sampled_from(["none", "none", "own", "shared"]))
    if kind_of_out == "shared" and wanted != "bfloat16":
        first = random_arrays.numpy_array(draw, shapes[0], wanted or "float32", spare=2000)
        given = [first, *(draw(arguments(shape, wanted)) for shape in shapes[1:])]
    else:
        given = [draw(arguments(shape, wanted)) for shape in shapes]
    computed, dtype = precisions(given)
    extra = {}
    if "positions" in str(function.call.__code__.co_names):
        parents = np.array(draw(st.lists(st.integers(0, 4), min_size=4, max_size=4)))
        extra = {"parents": integers(draw, parents)}
    shape = (*batch, *function.core)
    values = [argument.values for argument in given]
    expected = function.expected(*values, **({"parents": parents} if extra else {}))
    lead = next((a for a in given if a.kind != "numbers"), given[0])

    out = None
    if kind_of_out != "none":
        raw = first.raw[0] if kind_of_out == "shared" and wanted != "bfloat16" else None
        out = target(draw, shape, dtype, computed, raw)
    before = [raw.copy() for argument in given for raw in argument.raw]
    if out is not None:
        extra["out"] = out.object
        unchanged, rest = outside(out.layout), out.layout.raw.copy()

    if out is None and lead.kind == "polars" and shape[0] > 0 and 0 in shape[1:]:
        with pytest.raises(ka.ShapeError, match="polars"):
            function.call(*(argument.object for argument in given), **extra)
        return
    with interop.count_copies() as copied:
        result = function.call(*(argument.object for argument in given), **extra)

    if out is not None:
        assert result is out.object
        read, came = decode(out.layout.view, dtype), dtype
        np.testing.assert_array_equal(out.layout.raw[unchanged], rest[unchanged])
    else:
        assert random_arrays.is_kind(result, lead.kind), type(result)
        read, came = random_arrays.read(result, lead.kind, shape)
    assert came == dtype
    assert read.shape == shape
    difference = reference.relative_difference(
        function.form(read) if read.size else np.zeros(0),
        np.broadcast_to(expected, (*batch, *expected.shape[len(expected.shape) - n(function) :]))
        if read.size
        else np.zeros(0),
    )
    assert difference <= TOLERANCE[dtype]

    after = [raw for argument in given for raw in argument.raw]
    for old, new in zip(before, after, strict=True):
        if out is None or new is not out.layout.raw:
            np.testing.assert_array_equal(old, new)

    copies = sum(argument.copies(computed) for argument in given)
    # What lies behind a column without rows is aligned too, where anything does.
    spare = sum(argument.joined for argument in given if argument.values.size == 0)
    if out is None:
        copies += int(read.size > 0 and dtype != computed)
    elif kind_of_out == "shared":
        # Whether it lies over an argument is seen by the ends of both.
        spare += 1
    else:
        copies += int(read.size > 0 and not out.direct)
    assert copies <= copied.count <= copies + spare


def n(function: Function) -> int:
    """How many axes one item has, in the form that is compared."""
    return len(function.core) + (function.form is reference.state_matrices)


def check_a_chain(data):
    """Results are arguments: parameters to joint parameters to states to points, of one kind."""
    draw = data.draw
    batch = tuple(draw(st.lists(st.sampled_from([1, 2, 3, 17]), max_size=2)))
    given = draw(arguments((*batch, 9), draw(st.sampled_from([None, "float32", "float64"]))))
    if given.dtype.endswith("16"):
        return
    joints = character().parameter_transform.apply(given.object)
    states = geometry.joint_parameters_to_skeleton_state(character(), joints)
    points = character().skin_points(states)
    read, came = random_arrays.read(points, given.kind, (*batch, 12, 3))
    assert random_arrays.is_kind(points, given.kind)
    assert came == given.dtype
    expected = skinned(world(joint_parameters(given.values)))
    assert reference.relative_difference(read, expected) <= TOLERANCE[came]


@pytest.mark.parametrize("check", [check_one_call, check_a_chain], ids=lambda check: check.__name__)
@pytest.mark.filterwarnings("ignore::UserWarning")  # torch about memory that cannot be written
def test_random_arrays_give_what_numpy_gives(check):
    count = 0

    def body(data):
        nonlocal count
        count += 1
        check(data)

    def look(examples: int, **options):
        chosen = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            **options,
        )
        return chosen(given(data=st.data())(body))

    if not SECONDS:
        look(300 if check is check_one_call else 50, derandomize=True)()
        return
    end = time.monotonic() + SECONDS / 2
    while time.monotonic() < end:
        seed(random.getrandbits(64))(look(1000))()
        print(f"{check.__name__}: {count} examples", flush=True)
