"""Modules of characters: the plain functions in the shape that torch.nn and PyMomentum's torch.character have."""

from __future__ import annotations

import copy
import doctest
import inspect
import io
import pickle
import subprocess
import sys

import numpy as np
import pytest

import kinarray as ka
from differentiable import N_JOINTS, N_VERTICES, small, states
from kinarray import geometry

torch = pytest.importorskip("torch")

from kinarray.autograd import nn

pytestmark = pytest.mark.filterwarnings(
    "ignore::FutureWarning:torch", "ignore::DeprecationWarning:torch"
)

LEADS = [(), (4,), (2, 3), (0,)]
F64 = torch.float64


def branching() -> geometry.Character:
    """Two roots, and branches whose joints are not in the order of their depth."""
    rng = np.random.default_rng(5)
    parents = [-1, 0, 1, 0, -1, 3, 4, 2]
    turns = rng.normal(size=(len(parents), 4))
    turns /= np.linalg.norm(turns, axis=1, keepdims=True)
    joints = [
        geometry.Joint(f"j{i}", parent, turn, rng.normal(size=3))
        for i, (parent, turn) in enumerate(zip(parents, turns))
    ]
    skeleton = geometry.Skeleton(joints)
    return geometry.Character("branching", skeleton, geometry.ParameterTransform.identity(skeleton))


@pytest.fixture(scope="module")
def character():
    return nn.Character(small(), dtype=F64)


def poses(lead, n=None, seed=3):
    n = small().parameter_transform.size if n is None else n
    return torch.tensor(np.random.default_rng(seed).normal(size=(*lead, n)) * 0.4)


def plain(name, x, *more, of=None):
    """The plain function of NumPy arrays, as a tensor."""
    result = getattr(geometry, name)(of or small(), x.numpy(), *more)
    return torch.from_numpy(np.ascontiguousarray(result))


def close(one, other, **more):
    torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12, **more)


# --- The numbers of the plain functions


@pytest.mark.parametrize("lead", LEADS, ids=str)
@pytest.mark.parametrize(
    "name",
    [
        "model_parameters_to_joint_parameters",
        "model_parameters_to_skeleton_state",
        "model_parameters_to_local_skeleton_state",
    ],
)
def test_model_parameters_lead_where_the_plain_functions_lead(character, name, lead):
    x = poses(lead)
    close(getattr(character, name)(x), plain(name, x).reshape(*lead, *_tail(name)))


def _tail(name):
    return (7 * N_JOINTS,) if name.endswith("joint_parameters") else (N_JOINTS, 8)


@pytest.mark.parametrize("lead", LEADS, ids=str)
@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize(
    "name", ["joint_parameters_to_skeleton_state", "joint_parameters_to_local_skeleton_state"]
)
def test_joint_parameters_lead_where_the_plain_functions_lead(character, name, flat, lead):
    x = poses(lead, 7 * N_JOINTS)
    x = x if flat else x.unflatten(-1, (N_JOINTS, 7))
    for module in (character, character.skeleton):
        close(getattr(module, name)(x), plain(name, x))
    close(character.skeleton(x), plain("joint_parameters_to_skeleton_state", x))


@pytest.mark.parametrize("lead", LEADS, ids=str)
def test_states_lead_back_to_joint_parameters_and_these_are_flat(character, lead):
    skeleton, joints = character.skeleton, poses(lead, 7 * N_JOINTS)
    for name in ("skeleton_state_to_joint_parameters", "local_skeleton_state_to_joint_parameters"):
        there = name.replace("skeleton_state_to_joint_parameters", "")
        back = getattr(skeleton, name)(
            getattr(skeleton, f"joint_parameters_to_{there}skeleton_state")(joints)
        )
        close(back, joints)


@pytest.mark.parametrize("lead", LEADS, ids=str)
@pytest.mark.parametrize("make", [small, branching])
def test_composing_local_states_is_what_the_core_does_from_joint_parameters(make, lead):
    skeleton = nn.Skeleton(make(), dtype=F64)
    joints = poses(lead, 7 * len(skeleton.joint_names))
    local = plain("joint_parameters_to_local_skeleton_state", joints, of=make())
    world = plain("joint_parameters_to_skeleton_state", joints, of=make())
    close(skeleton.local_skeleton_state_to_skeleton_state(local), world)
    close(skeleton.skeleton_state_to_local_skeleton_state(world), local)


@pytest.mark.parametrize("lead", LEADS, ids=str)
@pytest.mark.parametrize("make", [small, branching])
def test_trs_says_the_same_as_states(make, lead):
    skeleton = nn.Skeleton(make(), dtype=F64)
    joints = poses(lead, 7 * len(skeleton.joint_names))
    local = plain("joint_parameters_to_local_skeleton_state", joints, of=make())
    world = plain("joint_parameters_to_skeleton_state", joints, of=make())
    local = ka.trs.from_skeleton_state(local)
    world = ka.trs.from_skeleton_state(world)
    for got, want in (
        (skeleton.joint_parameters_to_local_trs(joints), local),
        (skeleton.joint_parameters_to_trs(joints), world),
        (skeleton.local_trs_to_global_trs(local), world),
        (skeleton.global_trs_to_local_trs(world), local),
    ):
        assert isinstance(got, tuple)
        close(got, want)


def test_parts_of_a_trs_broadcast(character):
    t, r, s = character.skeleton.joint_parameters_to_local_trs(poses((3,), 7 * N_JOINTS))
    got = character.skeleton.local_trs_to_global_trs((t, r[0], s[:1]))
    each = [character.skeleton.local_trs_to_global_trs((x, r[0], s[0])) for x in t]
    close(got, tuple(torch.stack(parts) for parts in zip(*each)))


@pytest.mark.parametrize("lead", LEADS, ids=str)
def test_points_are_skinned_as_by_the_plain_function(character, lead):
    skin, rest = character.linear_blend_skinning, torch.tensor(small().mesh.vertices)
    state = character.model_parameters_to_skeleton_state(poses(lead))
    want = plain("skin_points", state)
    close(character.skin_points(state), want)
    close(skin(state, rest), want)
    world = ka.trs.from_skeleton_state(state)
    close(skin.skin_with_trs(world, rest), want)
    close(skin.skin_with_transforms(*world, rest), want)
    close(character.skin_points(state, rest * 2), plain("skin_points", state, rest.numpy() * 2))


@pytest.mark.parametrize("lead", LEADS, ids=str)
def test_unpose_takes_points_back(character, lead):
    state = character.model_parameters_to_skeleton_state(poses(lead))
    rest = torch.tensor(small().mesh.vertices).expand(*lead, -1, -1)
    for module in (character, character.linear_blend_skinning):
        torch.testing.assert_close(
            module.unpose(state, character.skin_points(state)), rest, rtol=1e-9, atol=1e-9
        )


def test_unpose_broadcasts_both_ways(character):
    state = character.model_parameters_to_skeleton_state(poses((2, 1)))
    points = torch.tensor(np.random.default_rng(0).normal(size=(3, N_VERTICES, 3)))
    got = character.unpose(state, points)
    assert got.shape == (2, 3, N_VERTICES, 3)
    close(got[1, 2], character.unpose(state[1, 0], points[2]))
    close(character.unpose(state[1, 0], points)[2], got[1, 2])


@pytest.mark.parametrize("lead", LEADS, ids=str)
def test_shapes_follow_model_parameters(character, lead):
    x = poses(lead)
    blend = character.model_parameters_to_blendshape_coefficients(x)
    face = character.model_parameters_to_face_expression_coefficients(x)
    close(blend, plain("model_parameters_to_blend_shape_coefficients", x))
    close(face, plain("model_parameters_to_face_expression_coefficients", x))
    rest = character.blend_shape(blend) + character.face_expression_blend_shape(face)
    close(character.model_parameters_to_rest_vertices(x), rest)
    close(character(x), plain("model_parameters_to_skinned_points", x))


def test_expressions_move_the_mesh_that_the_module_has():
    expressions = small().face_expression_blend_shape
    character = small(shapes=False).with_face_expression_blend_shape(expressions)
    module = nn.Character(character, dtype=F64)
    x = poses((2,), character.parameter_transform.size)
    close(module.model_parameters_to_rest_vertices(x), character.rest_vertices(x))
    moved = module.mesh.rest_vertices + 1
    want = module.model_parameters_to_rest_vertices(x) + 1
    module.mesh.rest_vertices = moved
    close(module.model_parameters_to_rest_vertices(x), want)


@pytest.mark.parametrize("lead", LEADS, ids=str)
def test_limits_are_the_energy_of_the_core(character, lead):
    x = poses(lead) * 4
    got = character.parameter_limits(x)
    assert got.shape == (*lead, len(small().parameter_limit_indices))
    close(got.square().sum(-1), plain("parameter_limit_energy", x).reshape(lead))


def test_every_type_of_limit_is_in_the_buffers():
    limit = geometry.ParameterLimit
    limits = [
        *small().parameter_limits,
        limit.create_minmax_joint_passive(1, 2, -3, 4),
        limit.create_linear_joint(0, 1, 1, 2, 2.0, 0.5, 1.0, -1.0, 1.0),
    ]
    module = nn.ParameterLimits(small().with_parameter_limits(limits))
    assert module.minmax_joint_min.tolist() == [pytest.approx(-0.1)]
    assert module.minmax_joint_passive_max.tolist() == [4]
    assert module.linear_range_min.tolist() == [-torch.inf]
    assert module.linear_joint_target_joint_parameter.tolist() == [2]
    assert module.ellipsoid_ellipsoid.shape == (1, 4, 4)


def test_the_inverse_transform_finds_what_drives_joints():
    bare = small(shapes=False)
    transform = nn.ParameterTransform(bare, dtype=F64)
    x = poses((2, 3), bare.parameter_transform.size)
    for inverse in (nn.InverseParameterTransform(transform), nn.InverseParameterTransform(bare)):
        close(inverse.joint_parameters_to_model_parameters(transform(x)), x)
        close(inverse(transform(x).unflatten(-1, (N_JOINTS, 7))), x)


def test_buffers_are_numbers_of_the_character(character):
    c = small()
    want = {
        "skeleton.joint_translation_offsets": c.skeleton.offsets,
        "skeleton.joint_prerotations": c.skeleton.pre_rotations,
        "skeleton.joint_parents": c.skeleton.joint_parents,
        "mesh.rest_vertices": c.mesh.vertices,
        "mesh.faces": c.mesh.faces,
        "parameter_transform.parameter_transform": c.parameter_transform.transform,
        "parameter_transform.scaling_parameters": c.parameter_transform.scaling_parameters,
        "linear_blend_skinning.inverse_bind_pose": c.inverse_bind_pose,
        "linear_blend_skinning.skin_indices": c.skin_weights.index,
        "linear_blend_skinning.skin_weights": c.skin_weights.weight,
        "blend_shape.shape_vectors": c.blend_shape.shape_vectors,
        "blend_shape.base_shape": c.blend_shape.base_shape,
        "face_expression_blend_shape.shape_vectors": c.face_expression_blend_shape.shape_vectors,
    }
    state = character.state_dict()
    for name, values in want.items():
        np.testing.assert_array_equal(state[name].numpy(), values, err_msg=name)
    assert character.parameter_transform.active_joints.tolist() == [True] * 3
    assert state["skeleton.joint_parents"].dtype == torch.int32
    assert not list(character.parameters())


def test_bind_pose_is_that_of_joint_parameters_zero(character):
    close(character.bind_pose(), character.skeleton(torch.zeros(N_JOINTS, 7, dtype=F64)))


# --- Derivatives


def arguments(name):
    rng = np.random.default_rng(7)
    (state,) = states(N_JOINTS)(rng)
    state = torch.tensor(np.stack([state, *states(N_JOINTS)(rng)]), requires_grad=True)
    points = torch.tensor(rng.normal(size=(2, N_VERTICES, 3)), requires_grad=True)
    world = tuple(x.detach().requires_grad_() for x in ka.trs.from_skeleton_state(state.detach()))
    return {"state": (state,), "points": (state, points), "trs": world}[name]


COMPOSED = {
    "local_skeleton_state_to_skeleton_state": ("skeleton", "state"),
    "skeleton_state_to_local_skeleton_state": ("skeleton", "state"),
    "local_trs_to_global_trs": ("skeleton", "trs"),
    "global_trs_to_local_trs": ("skeleton", "trs"),
    "unpose": ("linear_blend_skinning", "points"),
    "forward": ("linear_blend_skinning", "points"),
}


def composed(name, character):
    part, kind = COMPOSED[name]
    method = getattr(getattr(character, part), name)
    return (lambda *parts: method(parts)) if kind == "trs" else method, arguments(kind)


@pytest.mark.parametrize("name", COMPOSED)
def test_what_is_composed_has_derivatives_of_both_orders(character, name):
    function, xs = composed(name, character)
    assert torch.autograd.gradcheck(function, xs, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(
        function, tuple(x[:1].detach().requires_grad_() for x in xs)
    )


@pytest.mark.parametrize("name", COMPOSED)
def test_what_is_composed_can_be_mapped(character, name):
    function, xs = composed(name, character)
    xs = tuple(x.detach() for x in xs)
    close(torch.func.vmap(function)(*xs), function(*xs))


@pytest.mark.parametrize("name", COMPOSED)
def test_what_is_composed_compiles_into_one_graph(character, name):
    torch._dynamo.reset()
    function, xs = composed(name, character)
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    close(compiled(*xs), function(*xs))


@pytest.mark.parametrize("name", ["parameter_limits", "parameter_transform", "character"])
def test_modules_of_model_parameters_have_gradients(character, name):
    module = character if name == "character" else getattr(character, name)
    # Beyond the limits and not at them, where they have no derivative.
    assert torch.autograd.gradcheck(module, (poses((2,)).requires_grad_(),))


# --- States of modules


def saved(module):
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("dtype", [torch.float32, F64])
@pytest.mark.parametrize("into", [torch.float32, F64])
@pytest.mark.parametrize("assign", [False, True])
def test_a_state_comes_back_in_each_precision(dtype, into, assign):
    module = nn.Character(small(), dtype=into)
    before = module.state_dict()
    module.load_state_dict(saved(nn.Character(small(), dtype=dtype)), assign=assign)
    for name, buffer in module.state_dict().items():
        if name.startswith("mesh") and (assign or dtype != into):
            continue  # loaded as it is
        assert torch.equal(buffer, before[name]) and buffer.dtype == before[name].dtype, name


@pytest.mark.parametrize(
    "name",
    [
        "skeleton.joint_translation_offsets",
        "skeleton.joint_parents",
        "parameter_transform.parameter_transform",
        "linear_blend_skinning.inverse_bind_pose",
        "linear_blend_skinning.skin_weights",
        "blend_shape.shape_vectors",
        "face_expression_blend_shape.shape_vectors",
        "parameter_limits.minmax_max",
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_a_state_of_another_character_is_an_error_that_names_the_buffer(name, strict):
    module = nn.Character(small())
    kept = {key: x.clone() for key, x in module.state_dict().items()}
    state = saved(module)
    state[name].view(-1)[0] += 1
    with pytest.raises(RuntimeError, match=rf"{name}: .*another character"):
        module.load_state_dict(state, strict=strict)
    for key, x in module.state_dict().items():
        assert torch.equal(x, kept[key]), key


def test_a_missing_and_an_unknown_buffer_are_still_errors():
    module = nn.Skeleton(small())
    state = saved(module)
    state["more"] = state.pop("joint_parents")
    with pytest.raises(RuntimeError, match=r"(?s)Missing.*joint_parents.*|Unexpected.*more"):
        module.load_state_dict(state)
    module.load_state_dict(state, strict=False)


def test_a_state_of_another_size_is_an_error():
    with pytest.raises(RuntimeError, match="joint_translation_offsets"):
        nn.Skeleton(small()).load_state_dict(nn.Skeleton(branching()).state_dict())


def test_another_mesh_is_loaded_and_computed_with():
    module = nn.Character(small(shapes=False), dtype=F64)
    state = saved(module)
    state["mesh.rest_vertices"] *= 2
    module.load_state_dict(state)
    pose = module.bind_pose()
    want = plain("skin_points", pose, 2 * small().mesh.vertices)
    close(module.skin_points(pose), want)
    close(module(poses((), 6) * 0), want)


@pytest.mark.parametrize("move", [lambda m: m.double(), lambda m: m.to(F64)])
def test_modules_move_between_precisions_without_loss(move):
    module = nn.Character(small(), dtype=torch.float32)
    assert module.skeleton.joint_translation_offsets.dtype == torch.float32
    assert module.bind_pose().dtype == torch.float32
    assert move(module) is module
    assert module.bind_pose().dtype == F64
    exact = nn.Character(small(), dtype=F64).state_dict()
    for name, buffer in module.state_dict().items():
        assert buffer.dtype == exact[name].dtype
        if not name.startswith("mesh"):
            assert torch.equal(buffer, exact[name]), name


@pytest.mark.parametrize("dtype", [torch.float32, F64])
@pytest.mark.parametrize("other", [torch.float32, F64])
def test_results_have_the_precision_of_what_is_passed(dtype, other):
    module = nn.Character(small(), dtype=other)
    x = poses((2,)).to(dtype)
    state = module.model_parameters_to_skeleton_state(x)
    points = module.skin_points(state)
    local = module.skeleton.skeleton_state_to_local_skeleton_state(state)
    back = module.unpose(state, points)
    for result in (state, points, local, back, module(x), module.parameter_limits(x)):
        assert result.dtype == dtype


def test_a_module_may_lie_nowhere_and_come_back():
    module = nn.Character(small()).to("meta").to_empty(device="cpu")
    fresh = nn.Character(small()).state_dict()
    for name, buffer in module.skeleton.named_buffers():
        if not name.startswith("levels"):
            assert torch.equal(buffer, fresh[f"skeleton.{name}"])
    states = module.skeleton(torch.zeros(N_JOINTS, 7))
    local = module.skeleton.skeleton_state_to_local_skeleton_state(states)
    torch.testing.assert_close(
        module.skeleton.local_skeleton_state_to_skeleton_state(local), states
    )


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"]
)
def test_modules_are_copied_and_pickled(character, again):
    x = poses((2,))
    assert torch.equal(again(character)(x), character(x))
    inverse = nn.InverseParameterTransform(small())
    joints = poses((2,), 7 * N_JOINTS)
    assert torch.equal(again(inverse)(joints), inverse(joints))


# --- Training


def test_rest_vertices_can_be_trained():
    module = nn.Character(small(shapes=False), dtype=F64)
    module.mesh.rest_vertices = torch.nn.Parameter(module.mesh.rest_vertices.clone())
    assert [name for name, _ in module.named_parameters()] == ["mesh.rest_vertices"]
    pose = poses((), 6)
    target = module.skin_points(module.model_parameters_to_skeleton_state(pose)).detach() + 0.1
    module(pose).sub(target).square().sum().backward()
    assert module.mesh.rest_vertices.grad.abs().min() > 0
    other = nn.Character(small(shapes=False), dtype=F64)
    other.load_state_dict(module.state_dict())


def test_skin_weights_can_be_trained():
    module = nn.Character(small(shapes=False), dtype=F64)
    state = module.model_parameters_to_skeleton_state(poses((2,), 6))
    want = module.skin_points(state)
    skin = module.linear_blend_skinning
    skin.skin_weights = torch.nn.Parameter(skin.skin_weights.clone())
    close(module.skin_points(state), want)
    with torch.no_grad():
        skin.skin_weights *= 2
    close(module.skin_points(state), 2 * want)
    rest = module.mesh.rest_vertices.expand(2, -1, -1)
    torch.testing.assert_close(module.unpose(state, 2 * want), rest, rtol=1e-9, atol=1e-9)
    module.skin_points(state).square().sum().backward()
    assert skin.skin_weights.grad.abs().min() > 0
    # A state goes where weights are a parameter, and not where they are a constant.
    again = copy.deepcopy(module)
    again.load_state_dict(module.state_dict())
    with pytest.raises(RuntimeError, match=r"linear_blend_skinning\.skin_weights: .*another"):
        nn.Character(small(shapes=False), dtype=F64).load_state_dict(module.state_dict())


def test_a_constant_cannot_become_a_parameter():
    skeleton = nn.Skeleton(small())
    offsets = skeleton.joint_translation_offsets
    with pytest.raises(ka.CharacterError, match=r"Skeleton\.joint_translation_offsets.*constant"):
        skeleton.joint_translation_offsets = torch.nn.Parameter(offsets + 1)
    assert torch.equal(skeleton.joint_translation_offsets, offsets)


def test_a_network_that_predicts_poses_learns():
    torch.manual_seed(0)
    character = nn.Character(small(shapes=False))
    network = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 6))
    model = torch.nn.Sequential(network, character)
    inputs = torch.randn(8, 2)
    target = character(inputs @ torch.randn(2, 6))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(100):
        optimizer.zero_grad()
        loss = (model(inputs) - target).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


# --- The compiler


@pytest.mark.parametrize("shapes", [True, False])
def test_posing_compiles_into_one_graph(shapes):
    torch._dynamo.reset()
    module = nn.Character(small(shapes=shapes), dtype=F64)

    def posed(x):
        return module.skin_points(module.model_parameters_to_skeleton_state(x))

    x = poses((2,), small(shapes=shapes).parameter_transform.size)
    for function in (posed, module):
        eager, compiled = x.clone().requires_grad_(), x.clone().requires_grad_()
        function(eager).square().sum().backward()
        made = torch.compile(function, fullgraph=True, backend="aot_eager")
        made(compiled).square().sum().backward()
        close(compiled.grad, eager.grad)


def test_a_character_is_exported(character):
    x = poses((2,))
    program = torch.export.export(character, (x,))
    close(program.module()(x), character(x))


# --- Wrong use


def test_a_part_that_is_not_there_is_named():
    bare = branching()
    module = nn.Character(bare)
    assert module.has_skeleton and module.has_parameter_transform and module.has_limits
    assert not module.has_rest_mesh and not module.has_skinning
    state = module.bind_pose()
    for call, part in (
        (lambda: module.skin_points(state), "linear_blend_skinning"),
        (lambda: module.unpose(state, state), "linear_blend_skinning"),
        (lambda: module.model_parameters_to_blendshape_coefficients(state), "blend_shape"),
    ):
        with pytest.raises(ka.CharacterError, match=f"branching.*no {part}"):
            call()
    for made in (nn.Mesh, nn.LinearBlendSkinning, nn.BlendShape):
        with pytest.raises(ka.CharacterError, match="branching"):
            made(bare)


@pytest.mark.parametrize(
    ("flag", "part"),
    [
        ("has_skeleton", "skeleton"),
        ("has_rest_mesh", "mesh"),
        ("has_parameter_transform", "parameter_transform"),
        ("has_skinning", "linear_blend_skinning"),
    ],
)
def test_a_module_is_built_without_a_part(flag, part):
    module = nn.Character(small(), **{flag: False})
    assert getattr(module, flag) is False
    assert not any(name.startswith(part + ".") for name in module.state_dict())
    with pytest.raises(ka.CharacterError, match=f"no {part}"):
        module(torch.zeros(10))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda c: c.skeleton.local_skeleton_state_to_skeleton_state(torch.zeros(2, 8)),
            r"local_skel_state: expected \(..., n_joints=3, 8\), got \(2, 8\)",
        ),
        (
            lambda c: c.skeleton.skeleton_state_to_local_skeleton_state(torch.zeros(3, 7)),
            r"skel_state: expected \(..., n_joints=3, 8\), got \(3, 7\)",
        ),
        (
            lambda c: c.skeleton.local_trs_to_global_trs(
                (torch.zeros(3, 3), torch.zeros(3, 3), torch.zeros(3, 1))
            ),
            r"local_trs: rotation: expected \(..., n_joints=3, 3, 3\), got \(3, 3\)",
        ),
        (lambda c: c.unpose(c.bind_pose(), torch.zeros(3)), r"verts: expected \(..., n_vertices=5"),
        (lambda c: c.model_parameters_to_skeleton_state(torch.zeros(2)), "model_parameters"),
        (lambda c: c.skin_points(torch.zeros(2, 8)), "skel_state"),
    ],
)
def test_wrong_shapes_are_said(character, call, message):
    with pytest.raises(ka.ShapeError, match=message):
        call(character)


def test_a_vertex_that_comes_from_nowhere_is_an_error():
    weights = np.array(small().skin_weights.weight)
    weights[2] = 0
    bare = small(shapes=False)
    character = bare.with_mesh_and_skin_weights(
        bare.mesh, geometry.SkinWeights(bare.skin_weights.index, weights)
    )
    module = nn.Character(character, dtype=F64)
    with pytest.raises(torch.linalg.LinAlgError, match="singular"):
        module.unpose(module.bind_pose(), module.skin_points(module.bind_pose()))


# --- The package


@pytest.mark.parametrize("name", ["", *nn.__all__])
def test_examples_run(name):
    item = getattr(nn, name) if name else nn
    test = doctest.DocTestParser().get_doctest(inspect.cleandoc(item.__doc__), {}, name, None, 0)
    assert test.examples
    report = []
    assert doctest.DocTestRunner().run(test, out=report.append).failed == 0, "".join(report)
    for attribute, member in vars(item).items():
        if name and inspect.isfunction(member) and not attribute.startswith("_"):
            assert member.__doc__, attribute


def test_only_the_modules_import_torch():
    code = (
        "import sys, kinarray.autograd; assert 'torch' not in sys.modules;"
        "import kinarray.autograd.nn; assert 'torch' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
