"""Producers that raise, lie, or misbehave: an error that says what is wrong, and never a crash."""

from __future__ import annotations

import ctypes
import sys

import numpy as np
import pytest

import kinarray as ka
from kinarray import interop
from producers import (
    DELETER,
    NULL_NUMBERS,
    READ_ONLY,
    Crafted,
    Forwarding,
    capsule,
    producer,
)
from refusals import refused

# DLPack that is honest -------------------------------------------------------------------------------


@pytest.mark.parametrize("versioned", [True, False])
def test_a_structure_built_by_hand_is_read_in_place_and_deleted_once(
    transform, values, versioned, nothing_copied
):
    for minor in (0, 3, 99) if versioned else (0,):
        says = {"minor": minor} if versioned else {}
        made = Crafted(values, versioned=versioned, **says)
        result = transform.apply(made)
        np.testing.assert_array_equal(np.from_dlpack(result), transform.apply(values))
        assert made.asked == [{"max_version": (1, 3)}]
        assert made.deleted == 1
        assert interop.address(made) == values.ctypes.data
        assert made.deleted == 2


@pytest.mark.parametrize("old", [False, True])
def test_unknown_producers_get_our_buffer_back(transform, values, old, nothing_copied):
    result = transform.apply(Forwarding(values, old=old))
    assert isinstance(result, interop.Buffer)
    np.testing.assert_array_equal(np.from_dlpack(result), transform.apply(values))
    again = transform.apply(Forwarding(values, device=(1, None)))  # as Paddle says it
    np.testing.assert_array_equal(np.from_dlpack(again), np.from_dlpack(result))


def test_what_the_protocol_leaves_open_is_taken(transform, values, nothing_copied):
    expected = transform.apply(values)
    wide = np.zeros((len(values), 3, transform.size), np.float32)
    wide[:, 1] = values
    row = 4 * transform.size
    harmless = [
        Crafted(values, strides=NULL_NUMBERS),
        Crafted(values, versioned=False, strides=NULL_NUMBERS),
        Crafted(wide[:, 1]),
        Crafted(wide[:, 1], data=wide.ctypes.data, byte_offset=row),
        Crafted(values[::-1].copy()[::-1]),
        Crafted(values, device_type=3, device=(3, 0)),  # pinned host memory
        Crafted(values, device_id=7),
        Crafted(values, deleter=None),
        Crafted(values, versioned=False, deleter=None),
    ]
    for made in harmless:
        np.testing.assert_array_equal(np.from_dlpack(transform.apply(made)), expected)
    one = Crafted(values[:1], strides=(2**62, 1))  # a stride that is never taken
    np.testing.assert_array_equal(np.from_dlpack(transform.apply(one)), expected[:1])
    for strides in ((0, 0), (2**62, -(2**62)), NULL_NUMBERS):
        empty = Crafted(values, shape=(0, transform.size), strides=strides, data=None)
        assert np.from_dlpack(transform.apply(empty)).shape == (0, expected.shape[1])


def test_a_read_only_array_is_read_and_not_written(transform, values):
    expected = transform.apply(values)
    room = np.zeros_like(expected)
    for frozen in (Crafted(room, flags=READ_ONLY), Crafted(room, versioned=False)):
        with refused(ka.InvalidValueError, "read-only", argument="out"):
            transform.apply(values, out=frozen)
        assert frozen.deleted == 1
    assert not room.any()
    writable = Crafted(room)
    assert transform.apply(values, out=writable) is writable
    np.testing.assert_array_equal(room, expected)
    assert writable.deleted == 1


# DLPack that lies ------------------------------------------------------------------------------------

CONTRADICTIONS = {
    "no memory": ({"data": None}, "no memory behind it"),
    "absurdly many axes": ({"ndim": 2**31 - 1}, "claims 2147483647 axes"),
    "negatively many axes": ({"ndim": -1}, "claims -1 axes"),
    "most negative axes": ({"ndim": -(2**31)}, "axes"),
    "65 axes": ({"shape": (1,) * 64 + (67,), "strides": (0,) * 65, "ndim": 65}, "claims 65 axes"),
    "no shape": ({"shape": NULL_NUMBERS}, "axes but no shape"),
    "a negative size": ({"shape": (-1, 67)}, "negative size -1"),
    "the most negative size": ({"shape": (-(2**63), 67)}, "negative size"),
    "sizes that overflow": ({"shape": (2**62, 2**62)}, "impossible shape"),
    "bytes that overflow": ({"shape": (2**62, 1)}, ""),
    "sizes that overflow to zero": ({"shape": (2**32, 2**32)}, "impossible shape"),
    "a stride beyond memory": ({"strides": (2**62, 1)}, "leave"),
    "a stride before memory": ({"strides": (-(2**61), 1)}, "leave the address space"),
    "strides that cancel out": ({"strides": (2**61, -(2**61))}, "leave"),
    "rows beyond memory": ({"shape": (2**56, 67), "strides": (67, 1)}, "impossible shape"),
    "an offset beyond memory": ({"byte_offset": 2**64 - 4}, "byte offset"),
    "version 2": ({"major": 2}, "DLPack 2.0"),
    "version 0": ({"major": 0}, "DLPack 0.0"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
@pytest.mark.parametrize("versioned", [True, False])
def test_a_structure_that_contradicts_itself_is_refused(transform, values, name, versioned):
    says, text = CONTRADICTIONS[name]
    if "major" in says and not versioned:
        pytest.skip("the old structure has no version")
    made = Crafted(values, versioned=versioned, **says)
    with refused(ka.InvalidValueError, text):
        transform.apply(made)
    assert made.deleted == 1


TYPES = {
    "four lanes": ({"lanes": 4}, "float32 in vectors of 4 lanes"),
    "no lanes": ({"lanes": 0}, "0 lanes"),
    "seven bits": ({"bits": 7}, "float7"),
    "128 bits": ({"bits": 128}, "float128"),
    "no bits": ({"bits": 0}, "float0"),
    "an unknown code": ({"code": 99}, "type code 99"),
    "a handle": ({"code": 3}, "opaque handle"),
    "wide bool": ({"code": 6}, "bool of 32 bits"),
    "float8": ({"code": 10, "bits": 8}, "float8_e4m3fn"),
    "int32": ({"code": 0}, "int32"),
}


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("versioned", [True, False])
def test_element_types_that_are_not_known_are_refused(transform, values, name, versioned):
    says, text = TYPES[name]
    made = Crafted(values, versioned=versioned, **says)
    with refused(ka.DTypeError, "expected float32 or float64", text):
        transform.apply(made)
    assert made.deleted == 1


def test_devices_that_lie_are_found_out(transform, values):
    says_cuda = Crafted(values, device=(2, 1))
    with refused(ka.DeviceError, "cuda:1", "move the array"):
        transform.apply(says_cuda)
    assert says_cuda.asked == []  # nothing was exported, so nothing has to be deleted
    is_cuda = Crafted(values, device_type=2, device_id=3)
    with refused(ka.DeviceError, "cuda:3"):
        transform.apply(is_cuda)
    assert is_cuda.deleted == 1
    names = {(10, 0): "rocm:0", (8, 0): "metal:0", (13, 1): "cuda_managed:1", (-7, 0): "device -7"}
    for device, name in names.items():
        with refused(ka.DeviceError, name):
            transform.apply(Forwarding(values, device=device))


def test_devices_that_are_nonsense_are_said_to_be(transform, values):
    for nonsense in (3, (), None, ("cpu", 0), "cpu", (2**70, 0), (1.5, 0), object()):
        with refused(ka.InvalidValueError, "__dlpack_device__", "(type, index)"):
            transform.apply(Forwarding(values, device=nonsense))
    with_strange_index = Forwarding(values, device=(1, "zero"))
    assert np.from_dlpack(transform.apply(with_strange_index)).shape == (5, 434)


# DLPack methods that misbehave -----------------------------------------------------------------------


def test_a_producer_that_raises_is_heard(transform, values):
    def fails(error):
        def method(self, **keywords):
            raise error

        return method

    for error in (RuntimeError("gone fishing"), MemoryError("full"), KeyboardInterrupt("stop")):
        with pytest.raises(type(error), match=str(error)):
            transform.apply(producer(__dlpack__=fails(error)))
        with pytest.raises(type(error), match=str(error)):
            transform.apply(
                producer(__dlpack__=Forwarding.__dlpack__, __dlpack_device__=fails(error))
            )
    # A TypeError may mean an old producer, so that it is asked again; it is heard all the same.
    calls = []

    def confused(self, **keywords):
        calls.append(keywords)
        raise TypeError("really not")

    with pytest.raises(TypeError, match="really not"):
        transform.apply(producer(__dlpack__=confused))
    assert calls == [{"max_version": (1, 3)}, {}]


def test_what_is_no_capsule_is_refused(transform, values):
    name = b"something else"
    memory = ctypes.addressof(Crafted(values).structure)
    for nonsense in (None, 3, "dltensor", values, object(), capsule(memory, name)):
        with refused(ka.InvalidValueError, "__dlpack__", "DLPack capsule"):
            transform.apply(producer(__dlpack__=lambda self, nonsense=nonsense, **k: nonsense))


def test_a_capsule_is_used_once(transform, values):
    versioned = np.lib.NumpyVersion(np.__version__) >= "2.1.0"
    for keywords in ({"max_version": (1, 0)}, {}) if versioned else ({},):
        made = values.__dlpack__(**keywords)
        always = producer(__dlpack__=lambda self, made=made, **k: made)
        transform.apply(always)
        with refused(ka.InvalidValueError, "unused DLPack capsule"):
            transform.apply(always)
        taken = values.__dlpack__(**keywords)
        np.from_dlpack(producer(__dlpack__=lambda self, taken=taken, **k: taken, **CPU))
        with refused(ka.InvalidValueError, "unused DLPack capsule"):
            transform.apply(producer(__dlpack__=lambda self, taken=taken, **k: taken))


CPU = {"__dlpack_device__": lambda self: (1, 0)}


def test_a_capsule_that_was_refused_is_deleted_once(transform, values):
    made = Crafted(values[:, :-1].copy())
    with refused(ka.ShapeError, "(5, 66)"):
        transform.apply(made)
    assert made.deleted == 1


def test_methods_that_cannot_be_called(transform):
    for methods in ({"__dlpack__": 3}, {"__dlpack__": None}, CPU | {"__dlpack__": "x"}):
        with pytest.raises(TypeError):
            transform.apply(producer(**methods))


@pytest.fixture
def unraisable(monkeypatch):
    """What Python could only report, because nobody was there to raise it to."""
    found = []
    monkeypatch.setattr(sys, "unraisablehook", lambda report: found.append(report.exc_type))
    return found


@pytest.mark.parametrize("versioned", [True, False])
def test_a_deleter_that_fails_spoils_nothing(transform, values, versioned, unraisable):
    expected = transform.apply(values)

    def fails(pointer):
        raise RuntimeError("deleters must not raise")

    raising = Crafted(values, versioned=versioned, deleter=DELETER(fails))
    np.testing.assert_array_equal(np.from_dlpack(transform.apply(raising)), expected)
    assert unraisable == [RuntimeError]
    # In C, a deleter can leave an exception behind without anybody noticing; this one always does.
    leaving = Crafted(values, versioned=versioned, deleter=ctypes.pythonapi.PyErr_NoMemory)
    np.testing.assert_array_equal(np.from_dlpack(transform.apply(leaving)), expected)
    assert unraisable == [RuntimeError, MemoryError]
    wrong = Crafted(
        values[:, 1:].copy(), versioned=versioned, deleter=ctypes.pythonapi.PyErr_NoMemory
    )
    with refused(ka.ShapeError, "(5, 66)"):  # what we found, not what the deleter left
        transform.apply(wrong)


def test_a_deleter_may_use_us(transform, values):
    expected = transform.apply(values)
    seen = []
    made = Crafted(values, deleter=DELETER(lambda pointer: seen.append(transform.apply(values))))
    np.testing.assert_array_equal(np.from_dlpack(transform.apply(made)), expected)
    np.testing.assert_array_equal(seen[0], expected)


# Arguments that change under the call ----------------------------------------------------------------


@pytest.fixture
def posed():
    character = ka.testing.create_humanoid(n_vertices=600)
    state = ka.geometry.model_parameters_to_skeleton_state(
        character, np.zeros((3, character.parameter_transform.size), np.float32)
    )
    return character, state, np.array(character.mesh.vertices, np.float32)


class Meddling:
    """An array that does something else when it is asked for its memory."""

    def __init__(self, array, meddle):
        self.array, self.meddle = array, meddle

    def __dlpack__(self, **keywords):
        self.meddle()
        return self.array.__dlpack__(**keywords)


@pytest.mark.parametrize("kind", ["Tensor", "nn.Parameter"])
def test_a_tensor_freed_while_another_argument_is_read_is_noticed(posed, kind):
    character, state, rest = posed
    torch = pytest.importorskip("torch")
    expected = character.skin_points(state, rest)
    tensor = torch.from_numpy(state).clone()
    if kind == "nn.Parameter":
        tensor = torch.nn.Parameter(tensor, requires_grad=False)

    def free():
        tensor.untyped_storage().resize_(0)

    freeing = Meddling(rest, free)
    with refused(ka.DTypeError, "its storage was emptied", argument="skel_state"):
        character.skin_points(tensor, freeing)
    tensor.untyped_storage().resize_(state.nbytes)
    freeing = Meddling(np.zeros_like(expected), free)
    with refused(ka.DTypeError, "its storage was emptied", argument="skel_state"):
        character.skin_points(tensor, rest, out=freeing)
    assert not freeing.array.any()


def test_an_argument_moved_while_another_is_read_is_noticed(posed):
    character, state, rest = posed
    array = state.copy()
    moving = Meddling(rest, lambda: array.resize((10**6,), refcheck=False))
    with refused(ka.InvalidValueError, "was changed while", argument="skel_state"):
        character.skin_points(array, moving)


def test_an_argument_freed_while_out_is_read_is_noticed(posed):
    character, state, rest = posed
    expected = character.skin_points(state, rest)
    array = state.copy()
    moving = Meddling(np.zeros_like(expected), lambda: array.resize((10**6,), refcheck=False))
    with refused(ka.InvalidValueError, "was changed while", argument="skel_state"):
        character.skin_points(array, rest, out=moving)
    assert not moving.array.any()


def test_numbers_that_change_an_argument_are_noticed(posed):
    character, state, _ = posed
    array = state.copy()

    class Number:
        def __float__(self):
            array.resize((10**6,), refcheck=False)
            return 0.5

    with refused(ka.InvalidValueError, "was changed while", argument="skel_state"):
        character.skin_points(array, [[Number(), 0.0, 0.0]] * 600)


def test_an_argument_that_only_changes_its_numbers_is_read_as_it_is(posed):
    character, state, rest = posed
    writing = Meddling(rest, lambda: state.fill(np.nan))
    assert np.isnan(np.asarray(character.skin_points(state, writing))).all()


def test_lists_that_shrink_while_they_are_read(transform):
    class Shrinking(list):
        pass

    class Number:
        def __float__(self):
            row.clear()
            return 1.0

    row = Shrinking([Number(), *[0.0] * (transform.size - 1)])
    with refused(ka.ShapeError, "nested lists", "got 1 numbers"):
        transform.apply(row)
