"""Maps, limits and pose priors: the same as PyMomentum, energies and gradients too.

Characters are in centimetres, which is what PyMomentum's hidden constants are in.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
from comparison import FLOAT32, assert_close, model_poses, rig
from peer_oracle import CHARACTER

from kinarray import geometry

PLANE = ("create_halfplane", [7, 9, [3.0, 4.0], 2.0, 1.5])
ELLIPSOID = [[2.0, 0.1, 0, 0.3], [0, 1.5, 0.2, 0.1], [0.1, 0, 3.0, -0.4], [0, 0, 0, 1.0]]

#: Every type that PyMomentum's constructors make, some beyond, some within, some on inactive joints.
LIMITS = {
    "MinMax": [("create_minmax", [0, -0.1, 0.1, 0.5]), ("create_minmax", [8, 0.3, 0.4])],
    "MinMaxJoint": [
        ("create_minmax_joint", [0, 0, -0.2, 0.2, 2.0]),
        ("create_minmax_joint", [5, 3, 0.1, 0.2]),
        ("create_minmax_joint", [0, 6, 1.0, 2.0]),  # no parameter drives it
    ],
    "Linear": [
        ("create_linear", [6, 10, 1.5, 0.2, 0.7]),
        ("create_linear", [6, 11, -0.5, 0.1, 1.0, -0.5, 0.5]),
        ("create_linear", [12, 11, 2.0, 0.1, 1.0, 0.5, 0.9]),
    ],
    "LinearJoint": [
        ("create_linear_joint", [0, 3, 0, 4, 0.8, 0.1, 1.2]),
        ("create_linear_joint", [0, 3, 0, 4, 0.8, 0.1, 1.2, -0.3, 0.3]),
        ("create_linear_joint", [0, 6, 0, 6, 0.8, 0.5]),
    ],
    "HalfPlane": [PLANE, ("create_halfplane", [7, 9, [1.0, -1.0], -3.0])],
}
ON_ELLIPSOID = [("create_ellipsoid", [1, 4, [0.1, -0.2, 0.3], ELLIPSOID, 50.0])]


def limited(arrays, described):
    limits = [getattr(geometry.ParameterLimit, name)(*given) for name, given in described]
    return arrays.build(geometry, unit="cm").with_parameter_limits(limits)


def gradient(character, poses, **options):
    """Central differences of our energy."""
    steps = 1e-5 * np.eye(poses.shape[-1])
    ahead, behind = (
        geometry.parameter_limit_energy(character, poses[:, None] + sign * steps, **options)
        for sign in (1, -1)
    )
    return (ahead - behind) / 2e-5


@pytest.mark.parametrize("kind", LIMITS)
def test_limits_have_the_same_energy_and_gradient(peer, kind):
    arrays = rig()
    poses = model_poses(arrays, (6,), np.float32)
    theirs = peer.call(
        arrays, "parameters.limit_errors", CHARACTER, json.dumps(LIMITS[kind]), poses
    )
    character = limited(arrays, LIMITS[kind])
    energies = geometry.parameter_limit_energy(character, poses.astype(np.float64))
    assert energies.max() > 0.1
    assert_close(energies, theirs["item0"], FLOAT32)
    slopes = gradient(character, poses.astype(np.float64))
    assert_close(slopes, theirs["item1"], 1e-4)
    assert_close(slopes, theirs["item2"], 1e-4)


def test_an_ellipsoid_has_the_same_energy_but_the_true_gradient(peer):
    arrays = rig()
    poses = model_poses(arrays, (6,), np.float32)
    theirs = peer.call(
        arrays, "parameters.limit_errors", CHARACTER, json.dumps(ON_ELLIPSOID), poses
    )
    character = limited(arrays, ON_ELLIPSOID)
    energies = geometry.parameter_limit_energy(character, poses.astype(np.float64))
    assert energies.min() > 0
    assert_close(energies, theirs["item0"], 1e-4)
    slopes = gradient(character, poses.astype(np.float64))
    assert np.abs(slopes - theirs["item1"]).max() > 0.1 * np.abs(slopes).max()


def test_all_types_together_and_in_the_order_of_the_residuals(peer):
    arrays = rig()
    poses = model_poses(arrays, (4,), np.float32)
    everything = [limit for some in LIMITS.values() for limit in some] + ON_ELLIPSOID
    mixed = everything[::2] + everything[1::2]
    theirs = peer.call(arrays, "parameters.limit_errors", CHARACTER, json.dumps(mixed), poses)
    character = limited(arrays, mixed)
    residuals = geometry.parameter_limit_residuals(character, poses.astype(np.float64))
    energies = 10 * (character.parameter_limit_weights * residuals**2).sum(-1)
    assert_close(energies, theirs["item0"], 1e-4)
    types = [
        character.parameter_limits[index].type.name for index in character.parameter_limit_indices
    ]
    order = [*LIMITS, "Ellipsoid"]
    assert types == sorted(types, key=order.index)
    assert types.count("Ellipsoid") == 3


@pytest.mark.parametrize("few", [[0, 6, 7], [11], []], ids=str)
def test_limits_that_no_enabled_parameter_can_change_do_not_count(peer, few):
    arrays = rig()
    poses = model_poses(arrays, (4,), np.float32)
    enabled = np.isin(np.arange(arrays.n_parameters), few)
    described = [limit for some in LIMITS.values() for limit in some]
    theirs = peer.call(
        arrays, "parameters.limit_errors", CHARACTER, json.dumps(described), poses, enabled
    )
    character = limited(arrays, described)
    ours = geometry.parameter_limit_energy(character, poses.astype(np.float64), enabled)
    np.testing.assert_allclose(ours, theirs["item0"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_clamping_and_the_tables_of_limits(peer, dtype):
    arrays = rig()
    described = LIMITS["MinMax"] + LIMITS["MinMaxJoint"]
    poses = model_poses(arrays, (2, 3), dtype)
    theirs = peer.call(arrays, "parameters.clamped", CHARACTER, json.dumps(described), poses)
    character = limited(arrays, described)
    assert_close(character.apply_model_param_limits(poses), theirs["item0"], FLOAT32)
    ours = (*character.model_parameter_limits, *character.joint_parameter_limits)
    for number, table in enumerate(ours, start=1):
        free = np.isinf(table)
        given = theirs[f"item{number}"]
        assert np.array_equal(free, np.abs(given) > 1e38)
        np.testing.assert_allclose(table[~free], given[~free], rtol=1e-6)


def test_fewer_parameters(peer):
    arrays = rig()
    mask = np.arange(arrays.n_parameters) % 3 != 1
    described = LIMITS["MinMax"] + LIMITS["Linear"]
    theirs = peer.call(arrays, "parameters.reduced", CHARACTER, json.dumps(described), mask)
    few = geometry.reduce_to_selected_model_parameters(limited(arrays, described), mask)
    transform = few.parameter_transform
    assert transform.names == list(theirs["item0"])
    assert np.array_equal(transform.transform, theirs["item1"])
    low, high = few.model_parameter_limits
    free = np.isinf(low)
    assert np.array_equal(free, theirs["item2"] < -1e38)
    np.testing.assert_allclose(low[~free], theirs["item2"][~free], rtol=1e-6)
    np.testing.assert_allclose(high[~free], theirs["item3"][~free], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parameters_are_mapped_by_name(peer, dtype):
    arrays = rig()
    names = [arrays.joint_name(5), "unknown", arrays.parameter_names[8], arrays.joint_name(2)]
    poses = model_poses(arrays, (2, 3), dtype)
    joints = np.random.default_rng(1).normal(size=(3, arrays.n_joints, 7)).astype(dtype)
    theirs = peer.call(arrays, "parameters.mapped", CHARACTER, poses, joints, names)
    source = arrays.build(geometry)
    skeleton = geometry.Skeleton(
        [geometry.Joint(name, at - 1, [0, 0, 0, 1], [0, 0, 0]) for at, name in enumerate(names)]
    )
    nothing = np.zeros((7 * len(names), len(names)))
    transform = geometry.ParameterTransform(names, skeleton, nothing)
    target = geometry.Character("target", skeleton, transform)
    ours = geometry.map_model_parameters(poses, source, target, False)
    assert np.array_equal(ours, theirs["item0"]) and ours.any()
    ours = geometry.map_joint_parameters(joints, source, target)
    assert np.array_equal(ours, theirs["item1"]) and ours.any()
    flat = geometry.map_joint_parameters(joints.reshape(3, -1), source, target)
    assert np.array_equal(flat, theirs["item1"].reshape(3, -1))


def test_random_poses_have_the_same_ranges(peer):
    arrays = rig()
    names = ["a_tx", "scale_b", "root_ty", "my_scale_tz", "bend", *arrays.parameter_names[5:]]
    arrays = replace(arrays, parameter_names=names)
    noise = np.random.default_rng(2).random((5, arrays.n_parameters)).astype(np.float32)
    theirs = peer.call(arrays, "geometry.uniform_random_to_model_parameters", CHARACTER, noise)
    # A parameter that is no length keeps its range in every unit.
    ours = geometry.uniform_random_to_model_parameters(arrays.build(geometry, unit="cm"), noise)
    assert_close(ours, theirs, FLOAT32)


def a_prior(arrays):
    rng = np.random.default_rng(3)
    names = [arrays.parameter_names[7], "absent", *arrays.parameter_names[2:4]]
    mu = rng.normal(size=(3, 4))
    mu[:, 1] *= 0.1
    return (
        np.array([0.2, 0.5, 0.3]),
        mu,
        rng.normal(size=(3, 2, 4)),
        np.array([0.4, 0.6, 0.5]),
        names,
    )


def test_a_pose_prior_says_the_same(peer):
    """Also between its modes, where the best one changes."""
    arrays = rig()
    pi, mu, axes, sigma, names = a_prior(arrays)
    poses = model_poses(arrays, (40,), np.float32)
    theirs = peer.call(
        arrays, "parameters.prior", CHARACTER, pi, mu, axes, sigma, json.dumps(names), poses
    )
    ours = geometry.Mppca(pi, mu, axes, sigma, names)
    transform = arrays.build(geometry).parameter_transform
    assert_close(ours.to_arrays()[0], theirs["item0"], FLOAT32)
    assert_close(ours.to_arrays()[1], theirs["item1"], FLOAT32)
    assert_close(ours.to_arrays()[3], theirs["item3"], FLOAT32)
    assert np.array_equal(ours.to_arrays(transform)[4], theirs["item4"])
    assert_close([ours.get_mixture(i)[3] for i in range(3)], theirs["item9"], FLOAT32)
    # Theirs are the principal axes: the same up to a rotation of them.
    products = np.einsum("nqd,nqe->nde", axes, axes)
    assert_close(np.einsum("nqd,nqe->nde", theirs["item2"], theirs["item2"]), products, 1e-5)

    exact = poses.astype(np.float64)
    likely = ours.log_probability(exact, transform)
    assert_close(likely, theirs["item5"], FLOAT32)
    assert_close(-1e-3 * likely, theirs["item6"], FLOAT32)
    residuals = ours.residuals(exact, transform)
    assert_close(np.sqrt(0.5e-3) * residuals, theirs["item8"], FLOAT32)
    best = {tuple(np.round(row - residuals[0], 6)) for row in residuals}
    assert len(best) > 1
    step = 1e-6 * np.eye(arrays.n_parameters)
    slopes = [
        (
            ours.log_probability(pose + step, transform)
            - ours.log_probability(pose - step, transform)
        )
        / 2e-6
        for pose in exact
    ]
    assert_close(-1e-3 * np.asarray(slopes), theirs["item7"], 1e-4)


def test_prior_files_are_read_on_both_sides(peer, tmp_path):
    pi, mu, axes, sigma, names = a_prior(rig())
    ours = geometry.Mppca(pi, mu, axes, sigma, names)
    path = str(tmp_path / "ours.mppca")
    geometry.Mppca.save(ours, path)
    theirs = peer.call(None, "parameters.load_prior", path)
    assert list(theirs["item0"]) == names
    assert_close(pi, theirs["item1"], FLOAT32)
    assert_close(mu, theirs["item2"], FLOAT32)
    assert_close(sigma, theirs["item4"], 1e-4)

    path = tmp_path / "theirs.mppca"
    peer.call(None, "parameters.save_prior", pi, mu, axes, sigma, json.dumps(names), str(path))
    again = geometry.Mppca.load(path)
    assert again.names == names
    points = np.random.default_rng(4).normal(size=(20, 4))
    assert_close(again.log_probability(points), ours.log_probability(points), 1e-4)
    assert geometry.Mppca.from_bytes(path.read_bytes()) == again


def test_shape_parameters_and_their_coefficients(peer):
    arrays = rig(n_vertices=50)
    poses = np.random.default_rng(6).normal(size=(2, 3, arrays.n_parameters + 5))
    mask = np.ones(arrays.n_parameters + 5, bool)
    mask[[1, arrays.n_parameters + 1]] = False
    theirs = peer.call(arrays, "parameters.with_shapes", CHARACTER, 3, 2, poses, mask)
    character = arrays.build(geometry)
    deltas = np.zeros((8, 50, 3), np.float32)
    shaped = character.with_blend_shape(
        geometry.BlendShape.from_tensors(arrays.vertices, deltas), 3
    ).with_face_expression_blend_shape(geometry.BlendShapeBase.from_tensors(deltas), 2)
    few = geometry.reduce_to_selected_model_parameters(shaped, mask)
    transform = shaped.parameter_transform
    ours = (
        transform.names,
        transform.blend_shape_parameters,
        transform.face_expression_parameters,
        transform.pose_parameters,
        geometry.model_parameters_to_blend_shape_coefficients(shaped, poses),
        geometry.model_parameters_to_face_expression_coefficients(shaped, poses),
        geometry.model_parameters_to_blend_shape_coefficients(few, poses[..., mask]),
    )
    for number, mine in enumerate(ours):
        assert np.array_equal(np.asarray(mine), theirs[f"item{number}"]), number
    # Shapes drive no joint, so joint parameters say nothing about their coefficients.
    joints = geometry.apply_parameter_transform(shaped, poses)
    back = geometry.apply_inverse_parameter_transform(transform.inverse(), joints)
    assert not back[..., transform.blend_shape_parameters].any()
