"""Settings that must be there before a framework is imported, and what the tests of the seam share."""

import os

# Half of the contract is about float64, which JAX has only when asked.
os.environ.setdefault("JAX_ENABLE_X64", "1")

# TensorFlow talks when it is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
import numpy as np
import pytest

import kinarray as ka


@pytest.fixture(scope="session")
def transform():
    return ka.testing.create_humanoid(n_vertices=600).parameter_transform


@pytest.fixture
def values(transform):
    return np.random.default_rng(1).normal(size=(5, transform.size)).astype(np.float32)


@pytest.fixture
def nothing_copied():
    with ka.interop.count_copies() as copied:
        yield
    assert copied.count == 0


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.fixture
def jax():
    return pytest.importorskip("jax")


@pytest.fixture
def pa():
    return pytest.importorskip("pyarrow")
