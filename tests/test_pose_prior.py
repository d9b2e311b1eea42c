"""Pose priors: a mixture of Gaussians says what it should, and is a noun."""

from __future__ import annotations

import copy
import io
import pickle

import numpy as np
import pytest

import kinarray as ka
from kinarray.geometry import Joint, Mppca, ParameterTransform, Skeleton

NAMES = ["hip", "knee", "ankle"]


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    pi = np.array([0.2, 0.5, 0.3])
    sigma = np.array([0.4, 0.6, 0.5])
    return pi, rng.normal(size=(3, 3)), rng.normal(size=(3, 2, 3)), sigma


@pytest.fixture
def prior(arrays):
    return Mppca(*arrays, NAMES)


@pytest.fixture
def transform():
    skeleton = Skeleton([Joint("root", -1, [0, 0, 0, 1], [0, 0, 0])])
    return ParameterTransform(["ankle", "other", "hip"], skeleton, np.eye(7)[:, :3])


def best(arrays, point):
    """The squared Mahalanobis distance of the component with the greatest weighted density."""
    scores = []
    for pi, mu, axes, sigma in zip(*arrays, strict=True):
        covariance = sigma**2 * np.eye(3) + axes.T @ axes
        square = (point - mu) @ np.linalg.solve(covariance, point - mu)
        density = np.log(pi) - 0.5 * np.linalg.slogdet(covariance)[1] - 0.5 * square
        scores.append((density, square))
    return max(scores)[1]


def test_the_likelihood_is_that_of_the_best_component(prior, arrays):
    points = np.random.default_rng(1).normal(size=(4, 5, 3))
    expected = np.array([[-0.5 * best(arrays, point) for point in row] for row in points])
    np.testing.assert_allclose(prior.log_probability(points), expected, rtol=1e-12)
    residuals = prior.residuals(points)
    assert residuals.shape == points.shape
    np.testing.assert_allclose(-0.5 * (residuals**2).sum(-1), expected, rtol=1e-12)


def test_parameters_are_found_by_name_and_read_zero_where_missing(prior, transform):
    poses = np.random.default_rng(2).normal(size=(6, 3))
    points = np.stack([poses[:, 2], np.zeros(6), poses[:, 0]], -1)
    np.testing.assert_array_equal(
        prior.log_probability(poses, transform), prior.log_probability(points)
    )
    np.testing.assert_array_equal(
        prior.residuals(poses, parameter_transform=transform), prior.residuals(points)
    )
    assert prior.to_arrays(transform)[4].tolist() == [2, -1, 0]


def test_a_prior_is_a_noun(prior):
    for again in (pickle.loads(pickle.dumps(prior)), copy.deepcopy(prior)):
        assert again == prior
    assert repr(prior) == "Mppca(3 mixtures, 3 parameters)"
    assert (prior.n_mixtures, prior.n_dimension, prior.names) == (3, 3, NAMES)


def test_a_prior_gives_back_what_it_was_given(prior, arrays):
    for ours, given in zip(prior.to_arrays()[:4], arrays, strict=True):
        np.testing.assert_array_equal(ours, given)
        assert not ours.flags.writeable
    assert prior.to_arrays()[4].shape == (0,)
    pi, mu, axes, variance = prior.get_mixture(1)
    assert (pi, variance) == (0.5, 0.6**2)
    np.testing.assert_array_equal(mu, arrays[1][1])
    np.testing.assert_array_equal(axes, arrays[2][1].T)
    with pytest.raises(IndexError, match="3 mixtures"):
        prior.get_mixture(3)


def test_an_empty_prior_finds_everything_equally_likely():
    empty = Mppca()
    assert (empty.n_mixtures, empty.n_dimension, empty.names) == (0, 0, [])
    assert empty.log_probability(np.zeros((2, 0))).tolist() == [0, 0]
    assert Mppca.from_bytes(empty.to_bytes()) == empty


def test_a_file_holds_the_same_distribution_in_single_precision(prior, tmp_path):
    path = tmp_path / "prior.mppca"
    Mppca.save(prior, path)
    points = np.random.default_rng(3).normal(size=(20, 3))
    for source in (path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes())):
        again = Mppca.load(source)
        assert again.names == NAMES
        np.testing.assert_allclose(
            again.log_probability(points), prior.log_probability(points), rtol=1e-4
        )
    # What has been through a file goes through one again unchanged.
    np.testing.assert_allclose(
        Mppca.from_bytes(again.to_bytes()).to_arrays()[1], again.to_arrays()[1]
    )


def test_a_damaged_file_is_refused(prior, tmp_path):
    good = prior.to_bytes()
    for bad in (b"", good[:-1], good + b"\0", b"\xff" * 40):
        with pytest.raises(ka.FormatError, match="byte"):
            Mppca.from_bytes(bad)
    path = tmp_path / "bad.mppca"
    path.write_bytes(good[:30])
    with pytest.raises(ka.FormatError, match="bad.mppca"):
        Mppca.load(path)
    with pytest.raises(FileNotFoundError):
        Mppca.load(tmp_path / "missing.mppca")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda a: {**a, "sigma": [0.4, 0.0, 0.5]}, "sigma"),
        (lambda a: {**a, "sigma": [0.4, 0.5]}, "sigma"),
        (lambda a: {**a, "pi": [0.4, -0.1, 0.5]}, "pi"),
        (lambda a: {**a, "mu": np.full((3, 3), np.nan)}, "mu"),
        (lambda a: {**a, "W": np.swapaxes(a["W"], 1, 2)}, "n_pca"),
        (lambda a: {**a, "names": ["a", "b", "a"]}, "twice"),
        (lambda a: {**a, "mu": None}, "missing"),
    ],
)
def test_what_is_no_distribution_is_refused(arrays, change, match):
    given = dict(zip(("pi", "mu", "W", "sigma"), arrays, strict=True)) | {"names": NAMES}
    with pytest.raises(ValueError, match=match):
        Mppca(**change(given))


def test_wrong_poses_are_refused(prior, transform):
    for call in (prior.log_probability, prior.residuals):
        with pytest.raises(ka.ShapeError, match="n_dimension"):
            call(np.zeros((2, 4)))
        with pytest.raises(ka.ShapeError, match="n_parameters"):
            call(np.zeros((2, 2)), transform)
        with pytest.raises(ka.DTypeError):
            call(np.zeros((2, 3), np.int64))
