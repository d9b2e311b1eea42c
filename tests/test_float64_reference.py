"""Ours against plain NumPy in float64 (`reference.py`): needs no other library."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import reference
from character_arrays import (
    random_joint_parameters,
    random_model_parameters,
    synthetic,
)
from kinarray import geometry
from reference import relative_difference, state_matrices

TOLERANCE = {np.float32: 1e-5, np.float64: 1e-12}
# Around the widths of SIMD groups: one short of, equal to, one past.
BATCHES = [1, 3, 4, 7, 8, 9, 15, 16, 17, 33]

pytestmark = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@pytest.fixture(scope="module", params=[1, 12, 127], ids=lambda n: f"{n}joints")
def arrays(request):
    return synthetic(
        request.param, request.param + 9, 203, 8, n_roots=min(2, request.param), seed=request.param
    )


@pytest.fixture(scope="module")
def character(arrays):
    return arrays.build(geometry)


def agrees(ours, expected, dtype, factor=1.0):
    assert ours.dtype == dtype
    return relative_difference(ours, expected) <= TOLERANCE[dtype] * factor


@pytest.mark.parametrize("batch", BATCHES)
def test_states(arrays, character, batch, dtype):
    poses = random_joint_parameters(arrays, (batch,), dtype)
    world = geometry.joint_parameters_to_skeleton_state(character, poses)
    local = geometry.joint_parameters_to_local_skeleton_state(character, poses)
    close = TOLERANCE[dtype]
    expected = reference.world_matrices(arrays, poses)
    assert relative_difference(state_matrices(world), expected) <= close
    expected = reference.local_matrices(arrays, poses)
    assert relative_difference(state_matrices(local), expected) <= close


@pytest.mark.parametrize("batch", BATCHES)
def test_model_parameters_to_states(arrays, character, batch, dtype):
    poses = random_model_parameters(arrays, (batch,), dtype)
    joints = reference.joint_parameters(arrays, poses)
    ours = geometry.apply_parameter_transform(character, poses, flatten=False)
    assert agrees(ours, joints, dtype)
    states = geometry.model_parameters_to_skeleton_state(character, poses)
    expected = reference.world_matrices(arrays, joints)
    assert relative_difference(state_matrices(states), expected) <= TOLERANCE[dtype]


@pytest.mark.parametrize("n_influences", [1, 2, 3, 4, 6, 8])
@pytest.mark.parametrize("batch", [1, 5, 16, 19])
def test_skinning(arrays, n_influences, batch, dtype):
    weight = arrays.weight[:, :n_influences] * np.float32(0.7)
    fewer = replace(arrays, index=arrays.index[:, :n_influences], weight=weight)
    world = reference.world_matrices(fewer, random_joint_parameters(fewer, (batch,), dtype))
    ours = fewer.build(geometry).skin_points(world.astype(dtype))
    assert agrees(ours, reference.skin_points(fewer, world), dtype)


@pytest.mark.parametrize("batch", [1, 5, 16, 19])
def test_normals(arrays, batch, dtype):
    rng = np.random.default_rng(batch)
    vertices = arrays.vertices + rng.normal(scale=0.03, size=(batch, *arrays.vertices.shape))
    vertices = vertices.astype(dtype)
    ours = geometry.compute_vertex_normals(vertices, arrays.faces)
    # Sums of cross products cancel on a wavy sheet; normals are of length 1 whatever is left.
    assert agrees(ours, reference.vertex_normals(vertices, arrays.faces), dtype, factor=100)


def test_positions(arrays, character, dtype):
    rng = np.random.default_rng(2)
    parents = rng.integers(0, arrays.n_joints, 7)
    offsets = rng.normal(size=(7, 3)).astype(dtype)
    poses = random_joint_parameters(arrays, (5,), dtype)
    world = reference.world_matrices(arrays, poses)
    points = np.concatenate([offsets, np.ones((7, 1))], -1)
    expected = np.einsum("bnij,nj->bni", world[:, parents, :3, :], points)
    ours = geometry.joint_parameters_to_positions(character, poses, parents, offsets)
    assert agrees(ours, expected, dtype)
