"""What the parity tests share: tolerances, characters, both libraries' answers side by side."""

from __future__ import annotations

import numpy as np

from character_arrays import random_joint_parameters, random_model_parameters, synthetic
from reference import relative_difference, state_matrices

#: float32 against float32: rounding over some twenty joints in two different orders of operations.
FLOAT32 = 1e-5
#: float64 against float64 where the peer's constants are exact in float32.
FLOAT64 = 1e-12
#: float64 against float64 where the peer's constants were rounded to float32 along the way.
FLOAT64_ROUNDED_CONSTANTS = 1e-6

BATCHES = [(), (3,), (2, 3), (1, 2, 1, 3)]


def assert_close(ours, theirs, tolerance):
    """Shapes equal, and the largest difference below `tolerance` of the largest value."""
    difference = relative_difference(ours, theirs)
    assert difference <= tolerance, f"differs by {difference:.2e} of the largest value"


def assert_states_close(ours, theirs, tolerance):
    """As `assert_close` on matrices: the sign of a quaternion means nothing."""
    assert np.shape(ours) == np.shape(theirs)
    assert_close(state_matrices(ours), state_matrices(theirs), tolerance)


def tolerance(dtype, exact: bool) -> float:
    if np.dtype(dtype) == np.float32:
        return FLOAT32
    return FLOAT64 if exact else FLOAT64_ROUNDED_CONSTANTS


def chain(exact: bool, seed: int = 0, **options):
    """Two roots, branches, pre-rotations, offsets; one model parameter for each joint parameter."""
    return synthetic(12, 0, n_roots=2, exact=exact, dense_transform=True, seed=seed, **options)


def rig(seed: int = 0, **options):
    """Shared, scaling and root parameters over 40 joints."""
    return synthetic(40, 60, exact=True, seed=seed, **options)


def joint_poses(character, batch, dtype, seed: int = 0):
    return (
        random_joint_parameters(character, batch, dtype, seed)
        if batch
        else (random_joint_parameters(character, (1,), dtype, seed)[0])
    )


def model_poses(character, batch, dtype, seed: int = 0):
    return (
        random_model_parameters(character, batch, dtype, seed)
        if batch
        else (random_model_parameters(character, (1,), dtype, seed)[0])
    )
