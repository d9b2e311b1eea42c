"""`out=`: results computed into memory of the caller's, of any kind that can be written."""

from __future__ import annotations

import numpy as np
import pytest

import kinarray as ka
from kinarray import interop
from refusals import refused


def test_any_writable_array_is_filled_in_place(torch, transform, values, nothing_copied):
    expected = transform.apply(values)
    tensor = torch.zeros(expected.shape)
    assert transform.apply(values, out=tensor) is tensor
    np.testing.assert_array_equal(tensor.numpy(), expected)
    room = bytearray(expected.nbytes)
    view = memoryview(room).cast("f", expected.shape)
    assert transform.apply(values, out=view) is view
    np.testing.assert_array_equal(np.asarray(view), expected)


def test_our_own_buffer_can_be_filled(transform, values, nothing_copied):
    expected = transform.apply(values)
    room = np.zeros_like(expected)
    buffer = transform.apply(
        type("P", (), {"__dlpack__": lambda s, **k: room[:, :67].copy().__dlpack__(**k)})()
    )
    address = np.asarray(buffer).ctypes.data
    assert transform.apply(values, out=buffer) is buffer
    assert np.asarray(buffer).ctypes.data == address
    np.testing.assert_array_equal(np.asarray(buffer), expected)


def test_other_layouts_are_written_through_a_counted_copy(transform, values):
    expected = transform.apply(values)
    wide = np.zeros((*expected.shape, 2), np.float32)
    raw = np.zeros(expected.nbytes + 1, np.uint8)
    layouts = {
        "steps": wide[..., 0],
        "Fortran order": np.asfortranarray(np.zeros_like(expected)),
        "byte-swapped": np.zeros(expected.shape, ">f4"),
        "misaligned": raw[1:].view(np.float32).reshape(expected.shape),
        "rows backwards": np.zeros_like(expected)[::-1],
        "columns backwards": np.zeros_like(expected)[:, ::-1],
    }
    for name, out in layouts.items():
        with interop.count_copies() as copied:
            assert transform.apply(values, out=out) is out
        np.testing.assert_array_equal(out, expected, err_msg=name)
        assert (copied.count, copied.bytes) == (1, expected.nbytes), name
    assert not wide[..., 1].any()


def test_torch_layouts_are_written_through_a_counted_copy(torch, transform, values):
    expected = torch.from_numpy(transform.apply(values))
    wide = torch.zeros(*expected.shape, 2)
    for out in (wide[..., 1], torch.zeros(expected.shape[::-1]).t()):
        with interop.count_copies() as copied:
            assert transform.apply(torch.from_numpy(values), out=out) is out
        assert torch.equal(out, expected)
        assert copied.count == 1
    assert not wide[..., 0].any()


@pytest.mark.parametrize("shift", [-1, 0, 1, 200])
def test_it_may_overlap_the_input(transform, values, shift):
    expected = transform.apply(values)
    memory = np.zeros(expected.size + values.size + 400, np.float32)
    given = memory[200 : 200 + values.size].reshape(values.shape)
    given[:] = values
    out = memory[200 + shift :][: expected.size].reshape(expected.shape)
    transform.apply(given, out=out)
    np.testing.assert_array_equal(out, expected)


def test_it_may_be_the_input_itself():
    character = ka.testing.create_humanoid(n_vertices=600)
    local = ka.geometry.model_parameters_to_local_skeleton_state(
        character, np.random.default_rng(3).normal(size=(4, 67)) * 0.1
    )
    joints = ka.geometry.local_skeleton_state_to_joint_parameters(character, local)
    points = np.random.default_rng(4).normal(size=(4, character.mesh.n_vertices, 3))
    expected = ka.geometry.compute_vertex_normals(points, character.mesh.faces)
    with interop.count_copies() as copied:
        result = ka.geometry.compute_vertex_normals(points, character.mesh.faces, out=points)
    assert result is points
    np.testing.assert_array_equal(points, expected)
    assert copied.count == 1
    assert joints.shape[0] == 4


def test_it_must_fit(transform, values):
    shape = transform.apply(values).shape
    with refused(ka.ShapeError, str((2, *shape)), argument="out"):
        transform.apply(values, out=np.zeros((2, *shape), np.float32))
    with refused(ka.ShapeError, "()", argument="out"):
        transform.apply(values, out=np.zeros((), np.float32))
    for dtype in ("float64", "float16", "int32", "bool"):
        with refused(ka.DTypeError, "float32", dtype, argument="out"):
            transform.apply(values, out=np.zeros(shape, dtype))
    frozen = np.zeros(shape, np.float32)
    frozen.flags.writeable = False
    for wrong in (frozen, frozen[:], memoryview(frozen)):
        with refused(ka.InvalidValueError, "read-only", argument="out"):
            transform.apply(values, out=wrong)
    with refused(ka.InvalidValueError, "numbers", argument="out"):
        transform.apply(values, out=[0.0])
    with refused(ka.DTypeError, "expected an array", argument="out"):
        transform.apply(values, out=object())


def test_jax_arrays_are_never_written(jax, transform, values):
    out = jax.numpy.zeros(transform.apply(values).shape, "float32")
    with refused(ka.InvalidValueError, "JAX", argument="out"):
        transform.apply(values, out=out)
    assert not np.asarray(out).any()
    # A view of JAX memory says that it is read-only, in whatever protocol.
    for view in (np.asarray(out), memoryview(out)):
        with refused(ka.InvalidValueError, "read-only", argument="out"):
            transform.apply(values, out=view)


def test_tensors_that_require_grad_are_never_written(torch, transform, values):
    shape = transform.apply(values).shape
    tracked = torch.zeros(shape, requires_grad=True)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode(), refused(ka.InvalidValueError, "requires grad", argument="out"):
            transform.apply(values, out=tracked)
    with refused(ka.GradientError, "requires grad", argument="out"):
        transform.apply(values, out=tracked)
    assert not tracked.any()


def test_elements_that_share_a_place_are_never_written(torch, transform, values):
    shape = transform.apply(values).shape
    with refused(ka.InvalidValueError, "stride of zero", argument="out"):
        transform.apply(values, out=torch.zeros(shape[-1]).expand(shape))
    one = np.zeros((1, shape[-1]), np.float32)
    shared = np.lib.stride_tricks.as_strided(one, shape, (0, 4))
    with refused(ka.InvalidValueError, "stride of zero", argument="out"):
        transform.apply(values, out=shared)


def test_nothing_is_written_where_the_input_is_wrong(transform, values):
    out = np.full(transform.apply(values).shape, 7, np.float32)
    with refused(ka.DTypeError, "int64"):
        transform.apply(values.astype(int), out=out)
    with refused(ka.ShapeError, "66"):
        transform.apply(values[:, 1:], out=out)
    assert (out == 7).all()


def test_size_zero_is_nothing_to_write(torch, transform):
    n, m = transform.size, len(transform.apply(np.zeros(transform.size)))
    for out in (np.zeros((0, m), np.float32), torch.zeros(0, m)):
        assert transform.apply(np.zeros((0, n), np.float32), out=out) is out
