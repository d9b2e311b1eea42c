"""Gradients in torch: every differentiable function under every way that torch has to differentiate."""

from __future__ import annotations

import gc
import re
import warnings
import weakref

import numpy as np
import pytest

import kinarray as ka
from differentiable import N_JOINTS, cases, small
from kinarray import autograd as ka_grad
from kinarray import geometry

torch = pytest.importorskip("torch")

# torch warns of its own use of what it deprecates, when forward mode and the compiler are first used.
pytestmark = pytest.mark.filterwarnings(
    "ignore::FutureWarning:torch", "ignore::DeprecationWarning:torch"
)

NAMES = sorted(cases())
LEADS = [(), (2,)]
SOME = [
    "model_parameters_to_skeleton_state",
    "per_character_states",
    "skin_points_rest",
    "model_parameters_to_skinned_points",
    "compute_vertex_normals",
    "quaternion.rotate_vector",
    "quaternion.slerp",
    "trs.blend",
]
"""Of every kind one: an operation of a character, of a list, of several inputs, of constants, composite."""


def tensors(case, lead=(), **more):
    return [torch.tensor(x, requires_grad=True) for x in case.arguments(lead, **more)]


@pytest.mark.parametrize("lead", LEADS, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_first_derivatives_backward_and_forward(name, lead):
    case = cases()[name]
    if name == "per_character_states" and lead:
        lead = (1,)
    assert torch.autograd.gradcheck(
        case.function,
        tensors(case, lead),
        check_forward_ad=True,
        check_batched_grad=True,
        check_batched_forward_grad=False,
    )


@pytest.mark.parametrize("name", NAMES)
def test_second_derivatives_backward_and_forward_over_backward(name):
    case = cases()[name]
    assert torch.autograd.gradgradcheck(
        case.function, tensors(case), check_fwd_over_rev=True, check_rev_over_rev=True
    )


@pytest.mark.parametrize("name", NAMES)
def test_function_transforms_agree_with_each_other(name):
    case = cases()[name]
    primals = [torch.tensor(x) for x in case.arguments()]
    places = tuple(range(len(primals)))
    back = torch.func.jacrev(case.function, places)(*primals)
    ahead = torch.func.jacfwd(case.function, places)(*primals)
    for one, other in zip(back, ahead, strict=True):
        torch.testing.assert_close(one, other)

    def energy(*xs):
        return (case.function(*xs).square() * 0.5).sum()

    gradient = torch.func.grad(energy, places)(*primals)
    leaves = tensors(case)
    energy(*leaves).backward()
    for got, leaf in zip(gradient, leaves, strict=True):
        torch.testing.assert_close(got, torch.zeros_like(leaf) if leaf.grad is None else leaf.grad)

    forward_over_back = torch.func.hessian(energy, places)(*primals)
    back_over_back = torch.func.jacrev(torch.func.grad(energy, places), places)(*primals)
    for row, other_row in zip(forward_over_back, back_over_back, strict=True):
        for one, other in zip(row, other_row, strict=True):
            torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_vmap_is_a_loop(name):
    case = cases()[name]
    rows = [torch.tensor(x) for x in case.arguments((4,))]
    loop = torch.stack([case.function(*row) for row in zip(*rows, strict=True)])
    torch.testing.assert_close(torch.func.vmap(case.function)(*rows), loop)
    # The batch axis last, and one argument shared by all rows.
    last = [row.movedim(0, -1) for row in rows]
    torch.testing.assert_close(torch.func.vmap(case.function, in_dims=-1)(*last), loop)
    if len(rows) > 1:
        shared = torch.stack(
            [case.function(rows[0][0], *row[1:]) for row in zip(*rows, strict=True)]
        )
        dims = (None, *[0] * (len(rows) - 1))
        got = torch.func.vmap(case.function, in_dims=dims)(rows[0][0], *rows[1:])
        torch.testing.assert_close(got, shared)

    def gradient(*xs):
        return torch.func.grad(
            lambda *ys: case.function(*ys).square().sum(), tuple(range(len(xs)))
        )(*xs)

    each = [gradient(*row) for row in zip(*rows, strict=True)]
    for got, want in zip(torch.func.vmap(gradient)(*rows), zip(*each, strict=True), strict=True):
        torch.testing.assert_close(got, torch.stack(want))


@pytest.mark.parametrize("name", NAMES)
def test_without_derivatives_it_is_the_plain_function(name):
    case = cases()[name]
    arrays = case.arguments((2,) if name != "per_character_states" else (1,))
    plain = case.function(*(torch.tensor(x) for x in arrays))
    assert not plain.requires_grad and plain.grad_fn is None
    recorded = case.function(*(torch.tensor(x, requires_grad=True) for x in arrays))
    assert recorded.requires_grad
    assert torch.equal(plain, recorded.detach())
    numpy = case.function(*arrays)
    assert type(numpy) is np.ndarray
    np.testing.assert_array_equal(numpy, plain.numpy())


@pytest.mark.parametrize("name", SOME)
def test_compile_makes_one_graph_and_the_same_numbers(name):
    case = cases()[name]
    torch._dynamo.reset()

    def energy(*xs):
        return case.function(*xs).square().sum()

    eager, compiled = tensors(case), tensors(case)
    energy(*eager).backward()
    torch.compile(energy, fullgraph=True, backend="aot_eager")(*compiled).backward()
    for one, other in zip(eager, compiled, strict=True):
        torch.testing.assert_close(one.grad, other.grad)


@pytest.mark.parametrize("name", SOME)
def test_export(name):
    case = cases()[name]

    class Module(torch.nn.Module):
        def forward(self, *xs):
            return case.function(*xs)

    arguments = tuple(torch.tensor(x) for x in case.arguments())
    program = torch.export.export(Module(), arguments)
    torch.testing.assert_close(program.module()(*arguments), case.function(*arguments))


@pytest.mark.parametrize("name", SOME)
def test_the_operators_in_graphs_pass_their_own_check(name):
    case = cases()[name]
    seen = []
    # The operation that the function hands over, with its arrays.
    from kinarray.autograd import torch as bridge

    original = bridge._Eager.apply
    try:
        bridge._Eager.apply = lambda operation, *xs: (
            seen.append((operation, xs)) or original(operation, *xs)
        )
        result = case.function(*tensors(case))
    finally:
        bridge._Eager.apply = original
    operation, xs = seen[-1]
    xs = [x.detach().requires_grad_() for x in xs]
    all_of_them = [True] * len(xs)
    result = operation.forward([x.detach() for x in xs])
    c = torch.randn_like(result).requires_grad_()
    number = operation.id
    ops = torch.ops.kinarray
    # torch's own check looks at gradients of tensors that have none.
    warnings.filterwarnings("ignore", "The .grad attribute")
    for op, arguments in {
        ops.value: (number, xs),
        ops.vjp: (number, xs, c, all_of_them),
        ops.jvp: (number, xs, xs, all_of_them),
    }.items():
        torch.library.opcheck(op, arguments)


# --- Beside the same in plain torch


def rotation_matrix(q):
    x, y, z, w = (q / q.norm(dim=-1, keepdim=True)).unbind(-1)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
        2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
        2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(rows, -1).unflatten(-1, (3, 3))


def about(axis, angle):
    """Rotation matrices about a coordinate axis."""
    one, zero, (c, s) = torch.ones_like(angle), torch.zeros_like(angle), (angle.cos(), angle.sin())
    rows = {
        0: [one, zero, zero, zero, c, -s, zero, s, c],
        1: [c, zero, s, zero, one, zero, -s, zero, c],
        2: [c, -s, zero, s, c, zero, zero, zero, one],
    }[axis]
    return torch.stack(rows, -1).unflatten(-1, (3, 3))


def plain_matrices(character, parameters):
    """World-from-joint matrices `(..., J, 3, 4)`, joint after joint."""
    transform = torch.tensor(np.asarray(character.parameter_transform.transform, np.float64))
    joints = (parameters @ transform.T).unflatten(-1, (-1, 7))
    world = []
    for j, joint in enumerate(character.skeleton.joints):
        tx, r, scale = joints[..., j, :3], joints[..., j, 3:6], joints[..., j, 6].exp2()
        turn = about(2, r[..., 2]) @ about(1, r[..., 1]) @ about(0, r[..., 0])
        turn = rotation_matrix(torch.tensor(np.asarray(joint.pre_rotation, np.float64))) @ turn
        at = tx + torch.tensor(np.asarray(joint.translation_offset, np.float64))
        linear = turn * scale[..., None, None]
        if joint.parent >= 0:
            up = world[joint.parent]
            at = (up[..., :3] @ at[..., None])[..., 0] + up[..., 3]
            linear = up[..., :3] @ linear
        world.append(torch.cat([linear, at[..., None]], -1))
    return torch.stack(world, -3)


def plain_points(character, parameters):
    """Skinned points `(..., V, 3)`."""
    world = plain_matrices(character, parameters)
    bind = torch.tensor(np.asarray(character.inverse_bind_pose, np.float64))
    rest = torch.tensor(np.asarray(character.mesh.vertices, np.float64))
    rest = torch.cat([rest, torch.ones(len(rest), 1, dtype=rest.dtype)], -1)
    index = torch.tensor(character.skin_weights.index.astype(np.int64))
    weight = torch.tensor(np.asarray(character.skin_weights.weight, np.float64))
    moved = (world @ bind)[..., index, :, :]
    points = (moved @ rest[:, None, :, None])[..., 0]
    return (points * weight[..., None]).sum(-2)


def test_gradients_are_those_of_plain_torch():
    character = small(shapes=False)
    pose = torch.tensor(np.random.default_rng(3).normal(size=(2, 6)) * 0.5)
    direction = torch.tensor(np.random.default_rng(4).normal(size=pose.shape))

    def ours(x):
        return ka_grad.model_parameters_to_skinned_points(character, x)

    def two_steps(x):
        state = ka_grad.model_parameters_to_skeleton_state(character, x)
        return ka_grad.skin_points(character, state)

    def plain(x):
        return plain_points(character, x)

    for function in (ours, two_steps):
        torch.testing.assert_close(function(pose), plain(pose), rtol=1e-10, atol=1e-10)
        for way in (torch.func.jacrev, torch.func.jacfwd):
            torch.testing.assert_close(
                way(function)(pose), way(plain)(pose), rtol=1e-10, atol=1e-10
            )
        for energy in (
            lambda f: lambda x: f(x).square().sum(),
            lambda f: lambda x: f(x).sin().sum(),
        ):
            got, want = (
                torch.autograd.functional.hvp(energy(f), pose, direction)[1]
                for f in (function, plain)
            )
            torch.testing.assert_close(got, want, rtol=1e-9, atol=1e-9)


# --- What people do


def test_a_pose_is_fitted():
    character = small()
    goal = ka_grad.model_parameters_to_skinned_points(
        character, torch.full((character.parameter_transform.size,), 0.3)
    )
    pose = torch.zeros(character.parameter_transform.size, requires_grad=True)
    optimizer = torch.optim.LBFGS([pose], max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = (ka_grad.model_parameters_to_skinned_points(character, pose) - goal).square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert closure() < 1e-8


def test_a_mean_over_a_batch_reaches_shared_arguments():
    case = cases()["skin_points_rest"]
    states, _ = case.arguments((4, 3))
    rest = torch.tensor(case.arguments((3,))[1], requires_grad=True)
    assert torch.autograd.gradcheck(lambda r: case.function(torch.tensor(states), r), (rest,))


def test_kinds_may_be_mixed():
    character = small()
    state, rest = cases()["skin_points_rest"].arguments()
    tracked = torch.tensor(state, requires_grad=True)
    points = ka_grad.skin_points(character, tracked, rest)
    assert isinstance(points, torch.Tensor) and points.requires_grad
    points = ka_grad.skin_points(character, state, torch.tensor(rest, requires_grad=True))
    assert isinstance(points, torch.Tensor) and points.requires_grad
    assert type(ka_grad.skin_points(character, state, rest)) is np.ndarray


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_other_precisions_come_back_in_their_own(dtype):
    x = torch.randn(4, dtype=torch.float64).to(dtype).requires_grad_()
    y = ka_grad.quaternion.normalize(x)
    assert y.dtype == dtype
    y[0].backward()
    assert x.grad.dtype == dtype and x.grad.abs().sum() > 0


def test_single_beside_double_is_double_and_each_gradient_in_its_own():
    q = torch.randn(4, requires_grad=True)
    v = torch.randn(3, dtype=torch.float64, requires_grad=True)
    y = ka_grad.quaternion.rotate_vector(q, v)
    assert y.dtype == torch.float64
    y.sum().backward()
    assert q.grad.dtype == torch.float32 and v.grad.dtype == torch.float64


def test_parameters_of_modules_are_tensors_too():
    q = torch.nn.Parameter(torch.randn(4))
    ka_grad.quaternion.normalize(q)[0].backward()
    assert q.grad is not None


def test_no_grad_and_inference_mode_record_nothing():
    q = torch.randn(4, requires_grad=True)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            assert not ka_grad.quaternion.normalize(q).requires_grad


def test_what_is_saved_is_freed_with_the_result():
    pose = torch.zeros(1000, small().parameter_transform.size, requires_grad=True)
    states = ka_grad.model_parameters_to_skeleton_state(small(), pose)
    gone = weakref.ref(pose)
    del pose, states
    gc.collect()
    assert gone() is None


# --- Wrong use


def test_a_plain_function_names_its_twin():
    pose = torch.zeros(small().parameter_transform.size, requires_grad=True)
    with pytest.raises(ka.GradientError, match=re.escape("kinarray.autograd.")):
        geometry.model_parameters_to_skeleton_state(small(), pose)


def test_a_change_in_place_of_what_was_saved_is_an_error():
    q = torch.randn(4, requires_grad=True)
    saved = q * 1
    result = ka_grad.quaternion.normalize(saved)
    saved.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        result.sum().backward()


def test_out_takes_no_recorded_result():
    q = torch.randn(4, requires_grad=True)
    with pytest.raises(ka.GradientError, match="out="):
        ka_grad.quaternion.normalize(q, out=torch.empty(4))


def test_whole_numbers_have_no_derivative():
    v = torch.randn(3, requires_grad=True)
    with pytest.raises(ka.DTypeError, match=r"rotate_vector.*q.*int64"):
        ka_grad.quaternion.rotate_vector(torch.ones(4, dtype=torch.int64), v)


def test_a_function_without_derivative_says_so():
    points = torch.randn(4, 3, requires_grad=True)
    with pytest.raises(ka.GradientError, match=r"find_closest_points.*no derivative"):
        ka_grad.find_closest_points(points, torch.randn(5, 3))


def test_a_third_derivative_is_refused_by_name():
    q = torch.randn(4, dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(ka_grad.quaternion.normalize(q)[0], q, create_graph=True)
    (second,) = torch.autograd.grad(first[0], q, create_graph=True)
    with pytest.raises(ka.GradientError, match=r"normalize.*third derivative"):
        torch.autograd.grad(second[0], q)


def test_wrong_shapes_are_said_in_the_words_of_the_plain_function():
    pose = torch.zeros(3, requires_grad=True)
    with pytest.raises(ka.ShapeError, match="model_parameters"):
        ka_grad.model_parameters_to_skeleton_state(small(), pose)


@pytest.mark.parametrize("name", ["quaternion.to_axis_angle", "quaternion.from_axis_angle"])
def test_gradients_at_rest_are_finite(name):
    x = torch.zeros(4 if name.endswith("to_axis_angle") else 3, dtype=torch.float64)
    if len(x) == 4:
        x[3] = 1
    x.requires_grad_()
    assert torch.autograd.gradcheck(cases()[name].function, (x,))
    hessian = torch.autograd.functional.hessian(
        lambda y: cases()[name].function(y).square().sum(), x
    )
    assert torch.isfinite(hessian).all()


def test_gradients_where_joints_lie_on_each_other_are_finite():
    state = torch.zeros(N_JOINTS, 8, dtype=torch.float64)
    state[:, 6:] = 1
    state.requires_grad_()
    ka_grad.skeleton_state_to_joint_parameters(small(), state).sum().backward()
    assert torch.isfinite(state.grad).all()
