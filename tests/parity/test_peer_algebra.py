"""Quaternions and skeleton states: the same as PyMomentum's NumPy modules, and where they are not."""

import numpy as np
import pytest
from peer_oracle import PeerError

import kinarray as ka
from kinarray import quaternion, skel_state

BATCHES = [(), (4,), (2, 3)]
DTYPES = [np.float32, np.float64]


def vectors(batch, dtype, seed=1):
    return np.random.default_rng(seed).normal(size=(*batch, 3)).astype(dtype)


def quaternions(batch, dtype, seed=2, length=None):
    q = np.random.default_rng(seed).normal(size=(*batch, 4))
    if length:
        q *= length / np.linalg.norm(q, axis=-1, keepdims=True)
    return q.astype(dtype)


def states(batch, dtype, seed=3, length=1):
    rng = np.random.default_rng(seed)
    t, q = rng.normal(size=(*batch, 3)), quaternions(batch, np.float64, seed, length)
    scale = rng.uniform(0.5, 2, size=(*batch, 1))
    return np.concatenate([t, q, scale], -1).astype(dtype)


def close(ours, theirs, scale=1.0):
    # Theirs is float64 where a number in Python is among the arguments.
    single = np.float32 in (np.asarray(ours).dtype, np.asarray(theirs).dtype)
    np.testing.assert_allclose(ours, theirs, atol=scale * (3e-6 if single else 1e-12))


def up_to_sign(q, of):
    return q * np.where((q * of).sum(-1, keepdims=True) < 0, -1, 1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", BATCHES, ids=str)
def test_quaternions_agree(peer, batch, dtype):
    q, p, v, w = (
        quaternions(batch, dtype),
        quaternions(batch, dtype, 5),
        vectors(batch, dtype),
        vectors(batch, dtype, 6),
    )
    u, o = quaternions(batch, dtype, 7, length=1), quaternions(batch, dtype, 8, length=1)
    matrices = np.asarray(quaternion.to_rotation_matrix(u))
    calls = [
        ("normalize", q),
        ("conjugate", q),
        ("inverse", q),
        ("multiply", q, p),
        ("multiply_assume_normalized", q, p),
        ("rotate_vector", q, v),
        ("rotate_vector_assume_normalized", u, v),
        ("to_rotation_matrix", q),
        ("to_rotation_matrix_assume_normalized", u),
        ("from_axis_angle", v),
        ("euler_xyz_to_quaternion", v),
        ("euler_zyx_to_quaternion", v),
        ("quaternion_to_xyz_euler", q),
        ("from_rotation_matrix", matrices),
        ("from_two_vectors", v, w),
        ("angular_distance", u, o),
        ("split", q),
        ("slerp", u, o, 0.3),
        ("slerp", u, o, 1.0),
    ]
    theirs = peer.calls(None, *((f"quaternion.{name}", *given) for name, *given in calls))
    for (name, *given), want in zip(calls, theirs, strict=True):
        ours = getattr(quaternion, name)(*given)
        if name == "split":
            ours, want = np.concatenate(ours, -1), np.concatenate(list(want.values()), -1)
        assert np.asarray(ours).dtype == dtype, name
        close(ours, want, 10)


@pytest.mark.parametrize("dtype", DTYPES)
def test_blended_quaternions_agree(peer, dtype):
    q = quaternions((6, 5), dtype, length=1)
    weights = np.random.default_rng(9).uniform(-0.2, 1, size=(6, 5)).astype(dtype)
    for given in ((q,), (q, weights), (q, weights[..., None])):
        theirs = peer.call(None, "quaternion.blend", *given)
        ours = quaternion.blend(*given)
        np.testing.assert_allclose(
            up_to_sign(ours, theirs), theirs, atol=2e-4 if dtype == np.float32 else 1e-10
        )
        shares = peer.call(None, "quaternion.check_and_normalize_weights", *given)
        close(quaternion.check_and_normalize_weights(*given) + 0 * shares, shares)


def test_z_is_aligned_the_same(peer):
    for direction in ([0.0, 0, 0], [0, 0, 2.0], [0, 0, -3.0], [1.0, 2, -3]):
        theirs = peer.call(None, "quaternion.align_z_with", np.array(direction))
        close(quaternion.align_z_with(np.array(direction)), theirs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", BATCHES, ids=str)
def test_skeleton_states_agree(peer, batch, dtype):
    a, b, v = states(batch, dtype), states(batch, dtype, 4), vectors(batch, dtype)
    long = states(batch, dtype, 3, length=3)
    matrices = np.asarray(skel_state.to_matrix(a))
    calls = [
        ("multiply", long, b),
        ("multiply_assume_normalized", a, b),
        ("inverse", long),
        ("transform_points", long, v),
        ("transform_points_assume_normalized", a, v),
        ("to_matrix", long),
        ("from_matrix", matrices),
        ("from_translation", v),
        ("from_quaternion", a[..., 3:7]),
        ("from_scale", a[..., 7:]),
        ("slerp", a, b, 0.4),
    ]
    theirs = peer.calls(None, *((f"skel_state.{name}", *given) for name, *given in calls))
    for (name, *given), want in zip(calls, theirs, strict=True):
        ours = np.asarray(getattr(skel_state, name)(*given))
        assert ours.dtype == dtype, name
        if name == "from_matrix":
            ours = np.concatenate(
                [ours[..., :3], up_to_sign(ours[..., 3:7], want[..., 3:7]), ours[..., 7:]], -1
            )
        close(ours, want, 10)


def test_blended_states_agree(peer):
    s, weights = states((6, 5), np.float64), np.random.default_rng(9).uniform(0, 1, (6, 5))
    for given in ((s,), (s, weights)):
        theirs, ours = peer.call(None, "skel_state.blend", *given), skel_state.blend(*given)
        close(ours[:, [0, 1, 2, 7]], theirs[:, [0, 1, 2, 7]])
        close(up_to_sign(ours[:, 3:7], theirs[:, 3:7]), theirs[:, 3:7], 100)


def test_identities_agree(peer):
    for module, ours in (("quaternion", quaternion), ("skel_state", skel_state)):
        theirs = peer.call(None, f"{module}.identity", [2, 3])
        np.testing.assert_array_equal(ours.identity((2, 3)), theirs)
        assert ours.identity().dtype == theirs.dtype


# Differences on purpose -----------------------------------------------------------------------------------


def test_the_inverse_of_a_short_quaternion_is_one(peer):
    q = np.array([0.0, 0.0, 0.0, 1e-5])
    assert peer.call(None, "quaternion.inverse", q)[3] == pytest.approx(100)
    assert quaternion.inverse(q)[3] == pytest.approx(1e5)


def test_euler_angles_keep_the_rotation_in_gimbal_lock(peer):
    q = quaternion.euler_xyz_to_quaternion(np.array([0.3, np.pi / 2, 0.8]))
    want = quaternion.to_rotation_matrix(q)
    errors = []
    for angles in (
        peer.call(None, "quaternion.quaternion_to_xyz_euler", q),
        quaternion.quaternion_to_xyz_euler(q),
    ):
        back = quaternion.to_rotation_matrix(quaternion.euler_xyz_to_quaternion(angles))
        errors.append(abs(back - want).max())
    assert errors[0] > 1e-3
    assert errors[1] < 1e-15


def test_interpolation_does_not_depend_on_lengths(peer):
    a, b = quaternions((2,), np.float64, length=1)
    want = quaternion.slerp(a, b, 0.5)
    close(quaternion.slerp(a, 3 * b, 0.5), want)
    assert abs(peer.call(None, "quaternion.slerp", a, 3 * b, 0.5) - want).max() > 0.01
    # An arc of 0.03 in steps: equal ones here, chords there.
    b = quaternion.multiply(a, quaternion.from_axis_angle(np.array([0.06, 0.0, 0.0])))
    third = quaternion.slerp(a, b, 0.3)
    assert quaternion.angular_distance(a, third) == pytest.approx(0.018, abs=1e-15)
    theirs = peer.call(None, "quaternion.slerp", a, b, 0.3)
    assert 1e-8 < abs(quaternion.angular_distance(a, theirs) - 0.018) < 1e-5


def test_interpolation_takes_one_number_an_item(peer):
    a, b = quaternions((2, 3), np.float64, length=1)
    t = np.array([0.1, 0.5, 0.9])
    with pytest.raises(PeerError):
        peer.call(None, "quaternion.slerp", a, b, t)
    close(quaternion.slerp(a, b, t), peer.call(None, "quaternion.slerp", a, b, t[:, None]), 1e7)
    assert quaternion.slerp(a, b, t).shape == (3, 4)


def test_a_long_quaternion_weighs_no_more(peer):
    q = quaternions((2,), np.float64, length=1)
    want = quaternion.blend(q)
    long = q * np.array([[5.0], [1.0]])
    close(up_to_sign(quaternion.blend(long), want), want)
    theirs = peer.call(None, "quaternion.blend", long)
    assert abs(up_to_sign(theirs, want) - want).max() > 0.01


def test_no_weight_is_no_rotation(peer):
    q = quaternions((3,), np.float64, length=1)
    theirs = peer.calls(None, ("quaternion.blend", q, np.zeros(3)))[0]
    assert isinstance(theirs, PeerError) or np.isnan(theirs).any()
    np.testing.assert_array_equal(quaternion.blend(q, np.zeros(3)), 0)


def test_weights_broadcast(peer):
    q, weights = quaternions((4, 3), np.float64, length=1), np.array([1.0, 2.0, 3.0])
    with pytest.raises(PeerError):
        peer.call(None, "quaternion.blend", q, weights)
    assert quaternion.blend(q, weights).shape == (4, 4)


def test_a_matrix_that_mirrors_has_a_negative_scale(peer):
    mirror = np.diag([-2.0, 2.0, 2.0, 1.0])
    theirs = skel_state.to_matrix(peer.call(None, "skel_state.from_matrix", mirror))
    assert abs(theirs - mirror).max() > 1
    ours = skel_state.from_matrix(mirror)
    assert ours[7] == pytest.approx(-2)
    close(skel_state.to_matrix(ours), mirror)


def test_nothing_is_between_a_rotation_and_itself(peer):
    q = quaternions((50,), np.float64, length=1)
    assert peer.call(None, "quaternion.angular_distance", q, q).max() > 0
    np.testing.assert_array_equal(quaternion.angular_distance(q, q), 0)


def test_z_is_aligned_with_a_batch_of_directions(peer):
    directions = vectors((5,), np.float32)
    with pytest.raises(PeerError):
        peer.call(None, "quaternion.align_z_with", directions)
    assert quaternion.align_z_with(directions).dtype == np.float32


def test_a_wrong_last_axis_is_a_value_error(peer):
    with pytest.raises(PeerError, match="Assertion"):
        peer.call(None, "quaternion.normalize", np.zeros(3))
    with pytest.raises(ka.ShapeError):
        quaternion.normalize(np.zeros(3))
