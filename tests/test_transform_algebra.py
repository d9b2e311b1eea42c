"""The transform algebra: laws, independent formulas (SciPy), delicate places, every kind of array."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np
import pytest

import kinarray as ka
from kinarray import quaternion, skel_state, trs
from kinds import FLOATS, KINDS, Kind

BATCHES = [(), (5,), (2, 3), (2, 1, 2), (0,)]
HALF = np.sqrt(0.5)
RNG = np.random.default_rng(11)

ORDERS = [
    "".join(order)
    for letters in ("xyz", "XYZ")
    for order in itertools.product(letters, repeat=3)
    if order[0] != order[1] != order[2]
]


def unit(*shape):
    q = np.random.default_rng(3).normal(size=(*shape, 4))
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


def states(*shape):
    rng = np.random.default_rng(4)
    scale = rng.uniform(0.5, 2.0, size=(*shape, 1))
    return np.concatenate([rng.normal(size=(*shape, 3)), unit(*shape), scale], -1)


def rotations(q):
    """SciPy's view of quaternions."""
    return pytest.importorskip("scipy.spatial.transform").Rotation.from_quat(q)


def same_rotation(got, want, tolerance=1e-12):
    """Up to sign."""
    got, want = np.asarray(got), np.asarray(want)
    sign = np.where((got * want).sum(-1, keepdims=True) < 0, -1, 1)
    np.testing.assert_allclose(got * sign, want, atol=tolerance)


# Every function, every kind of array --------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Function:
    """A function of arrays whose items have these shapes."""

    name: str
    cores: tuple[tuple[int, ...], ...]
    call: Callable[..., object]
    prepare: Callable[[np.ndarray], np.ndarray] = lambda x: x

    def __str__(self):
        return self.name


def of(module, name, *cores, **more):
    function = getattr(module, name)
    return Function(f"{module.__name__.rpartition('.')[2]}.{name}", cores, function, **more)


Q, V, M, S, A = (4,), (3,), (3, 3), (8,), (4, 4)


def _similarity(x):
    return skel_state.to_matrix(states(*x.shape[:-2])).astype(x.dtype)


FUNCTIONS = [
    *(
        of(quaternion, name, Q)
        for name in (
            "normalize",
            "conjugate",
            "inverse",
            "to_rotation_matrix",
            "to_rotation_matrix_assume_normalized",
            "to_axis_angle",
            "quaternion_to_xyz_euler",
        )
    ),
    *(
        of(quaternion, name, Q, Q)
        for name in (
            "multiply",
            "multiply_assume_normalized",
            "angular_distance",
            "normalize_backprop",
        )
    ),
    of(quaternion, "rotate_vector", Q, V),
    of(quaternion, "rotate_vector_assume_normalized", Q, V),
    of(quaternion, "from_rotation_matrix", M),
    *(
        of(quaternion, name, V)
        for name in (
            "from_axis_angle",
            "euler_xyz_to_quaternion",
            "euler_zyx_to_quaternion",
            "align_z_with",
        )
    ),
    of(quaternion, "from_two_vectors", V, V),
    of(quaternion, "slerp", Q, Q, ()),
    of(quaternion, "blend", (3, 4), (3,)),
    Function("from_euler", (V,), lambda x: quaternion.from_euler("zxz", x)),
    Function("to_euler", (Q,), lambda x: quaternion.to_euler("YZX", x)),
    Function("quaternion.split", (Q,), lambda x: quaternion.split(x)[1]),
    *(of(skel_state, name, S, S) for name in ("multiply", "multiply_assume_normalized")),
    *(of(skel_state, name, S) for name in ("inverse", "to_matrix")),
    of(skel_state, "transform_points", S, V),
    of(skel_state, "transform_points_assume_normalized", S, V),
    of(skel_state, "from_translation", V),
    of(skel_state, "from_quaternion", Q),
    of(skel_state, "from_scale", (1,)),
    of(skel_state, "from_matrix", A, prepare=_similarity),
    of(skel_state, "slerp", S, S, ()),
    of(skel_state, "blend", (3, 8), (3,)),
    Function("skel_state.split", (S,), lambda x: skel_state.split(x)[2]),
    of(trs, "rotmat_inverse", M),
    of(trs, "rotmat_multiply", M, M),
    of(trs, "rotmat_rotate_vector", M, V),
    of(trs, "rotmat_from_euler_xyz", V),
    Function(
        "trs.transform_points",
        (V, M, (1,), V),
        lambda t, r, s, p: trs.transform_points((t, r, s), p),
    ),
    Function("trs.to_matrix", (V, M, (1,)), lambda *x: trs.to_matrix(x)),
    Function("trs.to_skeleton_state", (V, M, (1,)), lambda *x: trs.to_skeleton_state(x)),
    *(
        Function(f"trs.inverse[{k}]", (V, M, (1,)), lambda *x, k=k: trs.inverse(x)[k])
        for k in range(3)
    ),
    *(
        Function(f"trs.multiply[{k}]", (V, M, (1,)), lambda *x, k=k: trs.multiply(x, x)[k])
        for k in range(3)
    ),
    *(
        Function(f"trs.from_matrix[{k}]", (A,), lambda x, k=k: trs.from_matrix(x)[k], _similarity)
        for k in range(3)
    ),
    *(
        Function(
            f"trs.from_skeleton_state[{k}]", (S,), lambda x, k=k: trs.from_skeleton_state(x)[k]
        )
        for k in range(3)
    ),
    *(
        Function(f"trs.slerp[{k}]", (V, M, (1,)), lambda *x, k=k: trs.slerp(x, x, 0.3)[k])
        for k in range(3)
    ),
    *(
        Function(f"trs.blend[{k}]", (V, M, (1,)), lambda *x, k=k: trs.blend([x, x])[k])
        for k in range(3)
    ),
    Function("trs.where", (V, M, (1,)), lambda *x: trs.where(np.array(True), x, x)[0]),
    *(
        Function(f"{m.__name__}.identity", (Q,), lambda x, m=m: m.identity((2,), like=x))
        for m in (quaternion, skel_state)
    ),
    Function("trs.from_translation", (V,), lambda x: trs.from_translation(x)[1]),
    Function("trs.from_rotation_matrix", (M,), lambda x: trs.from_rotation_matrix(x)[0]),
    Function("trs.from_scale", ((1,),), lambda x: trs.from_scale(x)[1]),
]


def arguments(function, batch, dtype):
    rng = np.random.default_rng(6)
    made = [rng.normal(size=(*batch, *core)).astype(dtype) for core in function.cores]
    made[0] = function.prepare(made[0])
    if "blend" in function.name and len(made) == 2:
        made[0][..., -2] += 4  # near each other
        made[1] = abs(made[1])
    if len(made) == 3 and function.cores[0] == V:
        made[2] = abs(made[2]) + dtype(0.5)
    return made


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("function", FUNCTIONS, ids=str)
def test_every_function_takes_and_gives_back_every_kind(function, kind: Kind, dtype):
    for batch in BATCHES:
        plain = arguments(function, batch, FLOATS[dtype])
        # A number by itself is a number in Python: few libraries have others.
        given = [
            kind.make(x, len(c)) if x.ndim else float(x)
            for x, c in zip(plain, function.cores, strict=True)
        ]
        if any(x is None for x in given):
            continue  # this kind cannot express this shape
        if kind.name == "list":
            plain = [np.asarray(x, np.float64) for x in plain]
        expected = function.call(*plain)
        got = function.call(*given)
        assert kind.is_same(got), f"{batch}: gave a {type(got)}"
        read = kind.read(got)
        if "split" in function.name:
            read = read.astype(read.dtype.newbyteorder("="))  # a view of what was given
        if expected.ndim == 0:
            read = read.reshape(())  # a column has an axis in any case
        assert read.dtype == expected.dtype == plain[0].dtype
        assert read.shape == expected.shape
        # Only how lanes are grouped may differ.
        close = 3e-5 if read.dtype == np.float32 else 1e-11
        np.testing.assert_allclose(read, expected, rtol=close, atol=close)


@pytest.mark.parametrize("function", FUNCTIONS, ids=str)
def test_single_precision_follows_double_precision(function):
    double = arguments(function, (40,), np.float64)
    single = function.call(*(x.astype(np.float32) for x in double))
    rounded = [x.astype(np.float32).astype(np.float64) for x in double]
    expected = function.call(*rounded)
    scale = 1 + np.abs(expected)
    # Where an inverse or an angle is ill-conditioned, rounding of the input counts more.
    assert np.median(np.abs(single - expected) / scale) < 1e-6
    assert np.max(np.abs(single - expected) / scale) < 2e-3


# Against SciPy ------------------------------------------------------------------------------------------


def test_products_inverses_and_rotated_vectors_are_scipys():
    a, b, v = unit(50), unit(51)[1:], RNG.normal(size=(50, 3))
    same_rotation(quaternion.multiply(3 * a, -b), (rotations(a) * rotations(b)).as_quat())
    same_rotation(quaternion.inverse(a), rotations(a).inv().as_quat())
    np.testing.assert_allclose(
        quaternion.rotate_vector(2 * a, v), rotations(a).apply(v), atol=1e-14
    )
    np.testing.assert_allclose(
        quaternion.to_rotation_matrix(5 * a), rotations(a).as_matrix(), atol=1e-14
    )
    same_rotation(quaternion.from_rotation_matrix(rotations(a).as_matrix()), a)
    np.testing.assert_allclose(
        quaternion.angular_distance(a, b),
        (rotations(a).inv() * rotations(b)).magnitude(),
        atol=1e-14,
    )


def test_axis_and_angle_are_scipys_from_tiny_angles_to_half_turns():
    axis = unit(60)[:, :3]
    axis /= np.linalg.norm(axis, axis=-1, keepdims=True)
    angle = np.concatenate([np.logspace(-18, 0, 30), np.linspace(0.9, np.pi - 1e-9, 30)])
    v = axis * angle[:, None]
    q = quaternion.from_axis_angle(v)
    vector = rotations(q).as_rotvec()
    np.testing.assert_allclose(quaternion.to_axis_angle(q), vector, rtol=1e-12, atol=1e-18)
    np.testing.assert_allclose(quaternion.to_axis_angle(-7 * q), v, rtol=1e-8, atol=1e-18)
    Rotation = pytest.importorskip("scipy.spatial.transform").Rotation
    same_rotation(q, Rotation.from_rotvec(v).as_quat(), 1e-15)
    many_turns = RNG.normal(size=(20, 3)) * 30
    same_rotation(
        quaternion.from_axis_angle(many_turns), Rotation.from_rotvec(many_turns).as_quat()
    )


@pytest.mark.parametrize("order", ORDERS)
def test_euler_angles_of_every_order_are_scipys(order):
    Rotation = pytest.importorskip("scipy.spatial.transform").Rotation
    angles = RNG.uniform(-np.pi, np.pi, size=(60, 3))
    same_rotation(
        quaternion.from_euler(order, angles), Rotation.from_euler(order, angles).as_quat()
    )
    q = unit(60)
    np.testing.assert_allclose(
        quaternion.to_euler(order, 2 * q), rotations(q).as_euler(order), atol=1e-12
    )


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("order", ORDERS)
def test_no_rotation_is_lost_in_gimbal_lock(order, dtype):
    Rotation = pytest.importorskip("scipy.spatial.transform").Rotation
    locks = [0.0, np.pi] if order[0] == order[2] else [np.pi / 2, -np.pi / 2]
    close = 2e-6 if dtype == "float32" else 1e-14
    for lock, beside in itertools.product(locks, [0.0, 1e-16, 1e-9, 1e-5, -1e-3]):
        angles = np.array([[a, lock + beside, 0.4 - a] for a in (0.0, 0.7, -2.5)])
        q = Rotation.from_euler(order, angles).as_quat().astype(dtype)
        read = quaternion.to_euler(order, q)
        assert np.isfinite(read).all()
        back = quaternion.to_rotation_matrix(quaternion.from_euler(order, read))
        np.testing.assert_allclose(back, rotations(q).as_matrix(), atol=close)
    # Exactly in the lock the rotation that is applied first is 0.
    exact = quaternion.from_euler(order, np.array([0.3, locks[0], 0.5]))
    first = 0 if order.islower() else 2
    assert abs(quaternion.to_euler(order, exact)[first]) < 1e-15


def test_named_euler_orders_are_those_of_their_names():
    Rotation = pytest.importorskip("scipy.spatial.transform").Rotation
    angles = RNG.uniform(-1.5, 1.5, size=(20, 3))
    xyz = quaternion.euler_xyz_to_quaternion(angles)
    same_rotation(xyz, Rotation.from_euler("xyz", angles).as_quat())
    same_rotation(
        quaternion.euler_zyx_to_quaternion(angles), Rotation.from_euler("zyx", angles).as_quat()
    )
    np.testing.assert_allclose(quaternion.quaternion_to_xyz_euler(xyz), angles, atol=1e-13)
    np.testing.assert_allclose(
        trs.rotmat_from_euler_xyz(angles),
        Rotation.from_euler("xyz", angles).as_matrix(),
        atol=1e-14,
    )


def test_interpolation_is_scipys_at_any_distance():
    transform = pytest.importorskip("scipy.spatial.transform")
    for distance in [0.0, 1e-12, 1e-5, 0.03, 1.0, np.pi - 1e-6]:
        a = unit(1)[0]
        b = quaternion.multiply(a, quaternion.from_axis_angle(np.array([0.6, 0.0, 0.8]) * distance))
        way = transform.Slerp([0, 1], rotations(np.stack([a, b])))
        t = np.linspace(0, 1, 7)
        for sign in (1, -1):
            same_rotation(quaternion.slerp(a, sign * b, t), way(t).as_quat(), 1e-9)


def test_the_blend_is_scipys_mean():
    q = unit(20, 5)
    weights = RNG.uniform(0, 1, size=(20, 5))
    got = quaternion.blend(q, weights)
    for one, rows, weight in zip(got, q, weights, strict=True):
        same_rotation(one, rotations(rows).mean(weight).as_quat(), 1e-11)
    same_rotation(quaternion.blend(q[0]), rotations(q[0]).mean().as_quat(), 1e-11)


# Laws ---------------------------------------------------------------------------------------------------


def test_rotations_are_a_group():
    a, b, c = unit(3, 10)
    one = quaternion.identity(dtype=np.float64)
    product = quaternion.multiply
    np.testing.assert_allclose(product(product(a, b), c), product(a, product(b, c)), atol=1e-14)
    np.testing.assert_allclose(product(a, one), a, atol=1e-15)
    np.testing.assert_allclose(product(a, quaternion.inverse(a)), np.tile(one, (10, 1)), atol=1e-15)
    np.testing.assert_allclose(quaternion.inverse(3 * a), quaternion.conjugate(a) / 3, atol=1e-15)
    v = RNG.normal(size=(10, 3))
    turned = quaternion.rotate_vector(a, quaternion.rotate_vector(b, v))
    np.testing.assert_allclose(quaternion.rotate_vector(product(a, b), v), turned, atol=1e-14)


def test_a_quaternion_and_its_negative_are_one_rotation():
    q, v = unit(20), RNG.normal(size=(20, 3))
    for function in (
        lambda q: quaternion.rotate_vector(q, v),
        quaternion.to_rotation_matrix,
        quaternion.to_axis_angle,
        quaternion.quaternion_to_xyz_euler,
        lambda q: quaternion.to_euler("zxz", q),
        lambda q: quaternion.angular_distance(q, q[::-1]),
        lambda q: abs(quaternion.blend(np.stack([q, np.roll(q, 1, 0)], 1))),
    ):
        np.testing.assert_allclose(function(q), function(-q), atol=1e-12)


@pytest.mark.parametrize("dtype", FLOATS)
def test_half_turns_and_identities_survive_every_round_trip(dtype):
    axes = np.array(list(itertools.product([-1, 0, 1], repeat=3)), dtype)
    axes = axes[np.abs(axes).sum(-1) > 0]
    close = 1e-6 if dtype == "float32" else 1e-14
    q = quaternion.normalize(np.concatenate([axes, np.zeros_like(axes[:, :1])], -1))
    q = np.concatenate([q, np.array([[0, 0, 0, 1], [0, 0, 0, -1]], dtype)])
    same_rotation(quaternion.from_rotation_matrix(quaternion.to_rotation_matrix(q)), q, close)
    same_rotation(quaternion.from_axis_angle(quaternion.to_axis_angle(q)), q, close)
    for order in ORDERS:
        same_rotation(quaternion.from_euler(order, quaternion.to_euler(order, q)), q, 2 * close)
    lengths = np.linalg.norm(quaternion.to_axis_angle(q), axis=-1)
    np.testing.assert_allclose(lengths[:-2], np.pi, atol=4 * close)
    np.testing.assert_array_equal(lengths[-2:], 0)


def test_lengths_do_not_matter_however_large_or_small():
    q = unit(8)
    for size in (1e-300, 1e-160, 1e160, 1e300):
        np.testing.assert_allclose(quaternion.normalize(q * size), q, atol=1e-15)
        np.testing.assert_allclose(
            quaternion.inverse(q * size) * size, quaternion.conjugate(q), atol=1e-14
        )
    zero = np.zeros(4)
    for function in (quaternion.normalize, quaternion.inverse, quaternion.to_axis_angle):
        np.testing.assert_array_equal(function(zero), 0)


@pytest.mark.parametrize("dtype", FLOATS)
def test_one_direction_is_turned_to_another_also_to_its_opposite(dtype):
    close = 2e-6 if dtype == "float32" else 1e-14
    rng = np.random.default_rng(9)
    a = rng.normal(size=(40, 3))
    beside = rng.normal(size=(40, 3)) * np.logspace(-20, 0, 40)[:, None]
    for b in (rng.normal(size=(40, 3)), a + beside, -2 * a + beside, -a):
        given = a.astype(dtype), b.astype(dtype)
        q = quaternion.from_two_vectors(*given)
        x, y = (v / np.linalg.norm(v, axis=-1, keepdims=True) for v in given)
        np.testing.assert_allclose(quaternion.rotate_vector(q, x), y, atol=close)
        np.testing.assert_allclose(np.linalg.norm(q, axis=-1), 1, atol=close)
        z = quaternion.rotate_vector(quaternion.align_z_with(given[1]), np.array([0, 0, 1], dtype))
        np.testing.assert_allclose(z, y, atol=close)
    np.testing.assert_array_equal(quaternion.align_z_with(np.zeros(3)), [0, 0, 0, 1])
    np.testing.assert_allclose(abs(quaternion.align_z_with(np.array([0, 0, -3.0]))), [1, 0, 0, 0])
    np.testing.assert_array_equal(quaternion.from_two_vectors(np.zeros(3), a[0]), [0, 0, 0, 1])


# Skeleton states ----------------------------------------------------------------------------------------


def test_states_and_their_matrices_do_the_same():
    a, b = states(2, 20)
    p = RNG.normal(size=(20, 3))
    A, B = skel_state.to_matrix(a), skel_state.to_matrix(b)
    np.testing.assert_allclose(skel_state.to_matrix(skel_state.multiply(a, b)), A @ B, atol=1e-13)
    np.testing.assert_allclose(
        skel_state.to_matrix(skel_state.inverse(a)), np.linalg.inv(A), atol=1e-13
    )
    moved = np.einsum("nij,nj->ni", A[:, :3, :3], p) + A[:, :3, 3]
    np.testing.assert_allclose(skel_state.transform_points(a, p), moved, atol=1e-13)
    for name in ("multiply", "transform_points"):
        usual, quick = (getattr(skel_state, name + end) for end in ("", "_assume_normalized"))
        other = b if name == "multiply" else p
        np.testing.assert_allclose(usual(a, other), quick(a, other), atol=1e-14)
        long = a * np.r_[1, 1, 1, 5, 5, 5, 5, 1]
        np.testing.assert_allclose(usual(long, other), usual(a, other), atol=1e-14)
    np.testing.assert_array_equal(A[:, 3], np.tile([0, 0, 0, 1], (20, 1)))


@pytest.mark.parametrize("dtype", FLOATS)
def test_matrices_give_their_states_back_also_turned_inside_out(dtype):
    close = 3e-6 if dtype == "float32" else 2e-14
    state = states(60)
    state[::2, 7] *= -1
    state[:, 7] *= np.logspace(-6, 6, 60)
    state[:, 3:7] *= np.where(state[:, 6:7] < 0, -1, 1)
    matrices = skel_state.to_matrix(state).astype(dtype)
    got = skel_state.from_matrix(matrices)
    np.testing.assert_allclose(got[:, 3:7], state[:, 3:7], atol=close)
    np.testing.assert_allclose(got[:, 7], state[:, 7], rtol=close)
    t, r, s = trs.from_matrix(matrices)
    np.testing.assert_allclose(r, quaternion.to_rotation_matrix(state[:, 3:7]), atol=2 * close)
    np.testing.assert_allclose(s, state[:, 7:], rtol=close)
    np.testing.assert_array_equal(t, matrices[:, :3, 3])


def test_other_matrices_give_the_nearest_rotation_and_the_largest_stretch():
    matrices = np.random.default_rng(2).normal(size=(80, 4, 4))
    u, stretch, vh = np.linalg.svd(matrices[:, :3, :3])
    improper = np.linalg.det(u @ vh) < 0
    sign = np.where(improper, -1, 1)[:, None]
    _, r, s = trs.from_matrix(matrices)
    np.testing.assert_allclose(r, u @ vh * sign[..., None], atol=1e-10)
    np.testing.assert_allclose(s, stretch[:, :1] * sign, atol=1e-12)
    flat = np.diag([1.0, 0.5, 0.0, 1.0])
    np.testing.assert_allclose(skel_state.from_matrix(flat), [0, 0, 0, 0, 0, 0, 1, 1], atol=1e-15)
    assert np.isfinite(skel_state.from_matrix(np.zeros((4, 4)))).all()


def test_states_are_made_of_parts_and_taken_apart():
    s = states(4)
    t, q, scale = skel_state.split(s)
    product = skel_state.multiply(
        skel_state.from_translation(t),
        skel_state.multiply(skel_state.from_quaternion(q), skel_state.from_scale(scale)),
    )
    np.testing.assert_allclose(product, s, atol=1e-15)
    assert all(np.shares_memory(part, s) for part in (t, q, scale))
    w, v = quaternion.split(q)
    assert w.shape == (4, 1) and v.shape == (4, 3) and np.shares_memory(v, s)
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(s.copy())
    assert skel_state.split(tensor)[0].data_ptr() == tensor.data_ptr()
    for bad in (np.zeros(7), np.zeros((8, 1)), [1.0, 2.0]):
        for function in (skel_state.split, skel_state.check):
            with pytest.raises(ka.ShapeError):
                function(bad)


def test_blends_and_ways_of_states_are_means_of_their_parts():
    s, weights = states(6, 4), RNG.uniform(size=(6, 4))
    share = weights / weights.sum(-1, keepdims=True)
    got = skel_state.blend(s, weights)
    mean = (share[..., None] * s).sum(-2)
    np.testing.assert_allclose(got[:, [0, 1, 2, 7]], mean[:, [0, 1, 2, 7]], atol=1e-14)
    np.testing.assert_array_equal(got[:, 3:7], quaternion.blend(s[..., 3:7], weights))
    a, b = states(2, 6)
    t = np.linspace(-0.2, 1.2, 6)
    way = skel_state.slerp(a, b, t)
    straight = a + t[:, None] * (b - a)
    np.testing.assert_allclose(way[:, [0, 1, 2, 7]], straight[:, [0, 1, 2, 7]], atol=1e-14)
    np.testing.assert_allclose(way[:, 3:7], quaternion.slerp(a[:, 3:7], b[:, 3:7], t), atol=1e-15)


# Arguments of several shapes ----------------------------------------------------------------------------


def test_t_may_be_a_number_a_batch_or_a_column():
    q0, q1 = unit(2, 5)
    t = np.linspace(0, 1, 5)
    want = np.stack([quaternion.slerp(a, b, x) for a, b, x in zip(q0, q1, t, strict=True)])
    np.testing.assert_allclose(quaternion.slerp(q0, q1, t), want, atol=1e-15)
    np.testing.assert_allclose(quaternion.slerp(q0, q1, t[:, None]), want, atol=1e-15)
    assert quaternion.slerp(q0[0], q1[0], t).shape == (5, 4)
    assert quaternion.slerp(q0[0], q1[0], t[:, None]).shape == (5, 4)
    assert quaternion.slerp(q0[:, None], q1[:, None], t[:, None]).shape == (5, 1, 4)
    assert quaternion.slerp(q0.astype(np.float32), q1.astype(np.float32), 0.5).dtype == np.float32


def test_weights_may_be_left_out_be_a_column_or_broadcast():
    q, w = unit(6, 3), np.array([1.0, 2.0, 0.0])
    np.testing.assert_allclose(quaternion.blend(q), quaternion.blend(q, np.ones(3)), atol=1e-15)
    many = np.tile(w, (6, 1))
    np.testing.assert_allclose(quaternion.blend(q, w), quaternion.blend(q, many), atol=1e-15)
    np.testing.assert_allclose(
        quaternion.blend(q, w), quaternion.blend(q, many[..., None]), atol=1e-15
    )
    negative = np.array([1.0, 2.0, -5.0])
    np.testing.assert_allclose(quaternion.blend(q, w), quaternion.blend(q, negative), atol=1e-15)
    np.testing.assert_allclose(
        quaternion.check_and_normalize_weights(q, negative), [1 / 3, 2 / 3, 0]
    )
    np.testing.assert_allclose(quaternion.check_and_normalize_weights(q), [1 / 3] * 3)
    assert quaternion.blend(q.astype(np.float16)).dtype == np.float16
    np.testing.assert_array_equal(quaternion.blend(q, np.zeros(3)), 0)
    for wrong in (np.ones(4), np.ones((5, 3))):
        with pytest.raises(ka.ShapeError):
            quaternion.blend(q, wrong)
    with pytest.raises(ka.ShapeError):
        quaternion.blend(np.zeros(4))


def test_identities_follow_what_they_shall_be_like():
    torch = pytest.importorskip("torch")
    np.testing.assert_array_equal(quaternion.identity((2, 1)), np.tile([0, 0, 0, 1], (2, 1, 1)))
    assert quaternion.identity().dtype == np.float32
    assert quaternion.identity(dtype=np.float64).dtype == np.float64
    like = skel_state.identity((3,), like=torch.zeros(2, dtype=torch.float64))
    assert isinstance(like, torch.Tensor) and like.dtype == torch.float64 and like.shape == (3, 8)
    assert skel_state.identity(dtype=torch.float64).dtype == np.float64
    np.testing.assert_array_equal(
        trs.to_matrix(trs.identity((2,), like=np.zeros(1))), np.tile(np.eye(4), (2, 1, 1))
    )
    with pytest.raises(ka.DTypeError):
        quaternion.identity(dtype=np.int32)


@pytest.mark.parametrize("order", ["", "xy", "xxy", "xyy", "xYz", "abc", "xyzx", "xyé"])
def test_an_order_that_is_none_is_refused(order):
    with pytest.raises(ka.InvalidValueError, match="three of the letters"):
        quaternion.from_euler(order, np.zeros(3))


# Transforms as tuples -----------------------------------------------------------------------------------


def tuples(*shape):
    return trs.from_skeleton_state(states(*shape))


def test_tuples_do_what_states_do():
    a, b = tuples(8), tuples(9)
    b = tuple(part[1:] for part in b)
    A, B = trs.to_matrix(a), trs.to_matrix(b)
    np.testing.assert_allclose(trs.to_matrix(trs.multiply(a, b)), A @ B, atol=1e-13)
    np.testing.assert_allclose(trs.to_matrix(trs.inverse(a)), np.linalg.inv(A), atol=1e-13)
    np.testing.assert_allclose(A, skel_state.to_matrix(states(8)), atol=1e-15)
    same_rotation(trs.to_skeleton_state(a)[:, 3:7], states(8)[:, 3:7])
    p = RNG.normal(size=(8, 3))
    np.testing.assert_allclose(
        trs.transform_points(a, p), skel_state.transform_points(states(8), p), atol=1e-14
    )
    np.testing.assert_allclose(trs.rotmat_multiply(a[1], b[1]), a[1] @ b[1], atol=1e-15)
    np.testing.assert_array_equal(trs.rotmat_inverse(a[1]), a[1].swapaxes(-1, -2))
    np.testing.assert_allclose(
        trs.rotmat_rotate_vector(a[1], p), np.einsum("nij,nj->ni", a[1], p), atol=1e-15
    )
    for made, part in (
        (trs.from_translation(a[0]), 0),
        (trs.from_rotation_matrix(a[1]), 1),
        (trs.from_scale(a[2]), 2),
    ):
        want = list(trs.identity((8,), np.float64))
        want[part] = a[part]
        for got, expected in zip(made, want, strict=True):
            np.testing.assert_array_equal(got, expected)


def test_ways_and_blends_of_tuples_are_those_of_states():
    a, b, t = tuples(2, 5), tuples(3, 5), np.linspace(0, 1, 5)
    a, b = tuple(p[0] for p in a), tuple(p[2] for p in b)
    states_a, states_b = trs.to_skeleton_state(a), trs.to_skeleton_state(b)
    for time in (t, t[:, None], 0.25):
        np.testing.assert_allclose(
            trs.to_matrix(trs.slerp(a, b, time)),
            skel_state.to_matrix(skel_state.slerp(states_a, states_b, time)),
            atol=1e-13,
        )
    both = np.stack([states_a, states_b], -2)
    for weights in (None, np.array([1.0, 3.0])):
        np.testing.assert_allclose(
            trs.to_matrix(trs.blend([a, b], weights)),
            skel_state.to_matrix(skel_state.blend(both, weights)),
            atol=1e-13,
        )
    for got, want in zip(trs.blend([a]), a, strict=True):
        np.testing.assert_allclose(got, want, atol=1e-14)
    with pytest.raises(ka.InvalidValueError):
        trs.blend([])


@pytest.mark.parametrize("kind", ["numpy", "torch", "jax", "pyarrow"])
def test_some_of_the_transforms_of_a_batch(kind):
    kinds = {str(k): k for k in KINDS}
    if kind not in kinds:
        pytest.skip(f"{kind} is not installed")
    make, read = kinds[kind].make, kinds[kind].read
    plain = tuple(part.astype(np.float32) for part in tuples(4))
    given = tuple(make(p, c) for p, c in zip(plain, (1, 2, 1), strict=True))
    got = trs.index_select(given, 0, [2, 2, 0])
    for one, want in zip(got, plain, strict=True):
        assert kinds[kind].is_same(one)
        np.testing.assert_array_equal(read(one), want[[2, 2, 0]])
    with pytest.raises(IndexError):
        trs.index_select(given, 0, [4])
    with pytest.raises(IndexError):
        trs.index_select(given, 1, [0])


def test_axes_of_a_batch_count_from_both_ends():
    a = tuples(2, 5)
    for dim, axis in ((1, 1), (-2, 1), (0, 0), (-3, 0)):
        for one, part in zip(trs.index_select(a, dim, np.array([1, 0])), a, strict=True):
            np.testing.assert_array_equal(one, np.take(part, [1, 0], axis=axis))
    with pytest.raises(IndexError):
        trs.index_select(a, -1, [0])


def test_choosing_between_transforms_broadcasts():
    a, b = tuples(3, 1), trs.identity(dtype=np.float64)
    condition = np.array([[True, False], [False, False], [True, True]])
    for got, one, other, rank in zip(trs.where(condition, a, b), a, b, (1, 2, 1), strict=True):
        wide = condition.reshape(condition.shape + (1,) * rank)
        np.testing.assert_array_equal(got, np.where(wide, one, other))


# Gradients ----------------------------------------------------------------------------------------------


def differences(function, arguments, cotangent):
    """The gradient of `sum(function · cotangent)` by central differences."""
    gradients = []
    for index, argument in enumerate(arguments):
        gradient = np.zeros_like(argument)
        for place in np.ndindex(argument.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = [x.copy() for x in arguments]
                moved[index][place] += step
                ends.append((function(*moved) * cotangent).sum())
            gradient[place] = (ends[0] - ends[1]) / 2e-6
        gradients.append(gradient)
    return gradients


@pytest.mark.parametrize(
    ("module", "name", "cores"),
    [
        (quaternion, "normalize", (Q,)),
        (quaternion, "multiply", (Q, Q)),
        (quaternion, "multiply_assume_normalized", (Q, Q)),
        (quaternion, "rotate_vector", (Q, V)),
        (quaternion, "rotate_vector_assume_normalized", (Q, V)),
        (skel_state, "multiply", (S, S)),
    ],
)
def test_gradients_are_those_of_differences_for_every_way_to_broadcast(module, name, cores):
    stem, end = (name.removesuffix("_assume_normalized"), "_assume_normalized")
    backprop = getattr(module, f"{stem}_backprop{end if name.endswith(end) else ''}")
    function = getattr(module, name)
    rng = np.random.default_rng(8)
    for batches in [((), ()), ((3,), (3,)), ((), (3,)), ((2, 1), (3,)), ((0,), (0,))]:
        given = [rng.normal(size=(*b, *c)) for b, c in zip(batches, cores, strict=False)]
        cotangent = rng.normal(size=function(*given).shape)
        got = backprop(*given, cotangent)
        got = [got] if len(given) == 1 else got
        for one, want in zip(got, differences(function, given, cotangent), strict=True):
            assert one.shape == want.shape
            np.testing.assert_allclose(one, want, atol=1e-7)


def test_what_requires_a_gradient_is_refused_not_dropped():
    torch = pytest.importorskip("torch")
    q = torch.ones(4, requires_grad=True)
    for function in (quaternion.normalize, quaternion.blend, lambda q: quaternion.slerp(q, q, 0.5)):
        with pytest.raises(ka.GradientError):
            function(q if function is not quaternion.blend else q[None])
    # A view is torch's own, with its gradient.
    assert quaternion.split(q)[0].requires_grad
