"""Collision solids as plain arrays, made with the constructors of either library."""

import numpy as np


def _capsule(geometry, parent, transformation, numbers):
    return geometry.TaperedCapsule(parent, transformation, numbers[:2], float(numbers[2]))


def _ellipsoid(geometry, parent, transformation, numbers):
    return geometry.Ellipsoid(parent, transformation=transformation, radii=numbers)


def _box(geometry, parent, transformation, numbers):
    return geometry.Box(parent, transformation=transformation, half_extents=numbers)


#: Form 0, 1, 2 of three numbers each: two radii and a length, half axes, half edges.
SOLIDS = [_capsule, _ellipsoid, _box]


def random_solids(rng, n_joints, forms, size=0.3):
    """Forms, parents, transformations and numbers; every solid on another joint, far from the others."""
    n = len(forms)
    parents = rng.choice(n_joints, n, replace=False)
    transformations = np.tile(np.eye(4, dtype=np.float32), (n, 1, 1))
    for matrix in transformations:
        matrix[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        matrix[:3, 0] *= np.linalg.det(matrix[:3, :3])
        matrix[:3, 3] = rng.normal(size=3) * 0.1
    numbers = rng.uniform(0.5, 1.5, (n, 3)) * size
    return (
        np.asarray(forms),
        parents,
        transformations.astype(np.float32),
        numbers.astype(np.float32),
    )
