"""Forward kinematics, skinning and normals in plain float64 NumPy: slow, short, independent.

Written with 4x4 matrices and SciPy-free Euler matrices on purpose: nothing is shared with the way the
library computes (quaternions, fused kernels), so that agreement means something.
"""

from __future__ import annotations

import numpy as np


def rotation_matrix(quaternion: np.ndarray) -> np.ndarray:
    """`(..., 4)` xyzw, normalised here, to `(..., 3, 3)`."""
    x, y, z, w = np.moveaxis(quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def euler_matrix(angles: np.ndarray) -> np.ndarray:
    """`(..., 3)` angles rx, ry, rz to `Rz(rz) Ry(ry) Rx(rx)`, `(..., 3, 3)`."""
    cx, cy, cz = np.moveaxis(np.cos(angles), -1, 0)
    sx, sy, sz = np.moveaxis(np.sin(angles), -1, 0)
    one, zero = np.ones_like(cx), np.zeros_like(cx)

    def matrix(*rows):
        return np.stack([np.stack(row, -1) for row in rows], -2)

    rot_x = matrix((one, zero, zero), (zero, cx, -sx), (zero, sx, cx))
    rot_y = matrix((cy, zero, sy), (zero, one, zero), (-sy, zero, cy))
    rot_z = matrix((cz, -sz, zero), (sz, cz, zero), (zero, zero, one))
    return rot_z @ rot_y @ rot_x


def joint_parameters(character, model_parameters: np.ndarray) -> np.ndarray:
    """`(..., P)` to `(..., J, 7)`."""
    flat = np.asarray(model_parameters, np.float64) @ character.transform.astype(np.float64).T
    return flat.reshape(*flat.shape[:-1], character.n_joints, 7)


def local_matrices(character, joints: np.ndarray) -> np.ndarray:
    """`(..., J, 7)` to joint-to-parent matrices `(..., J, 4, 4)`."""
    joints = np.asarray(joints, np.float64)
    matrices = np.zeros((*joints.shape[:-1], 4, 4))
    rotation = rotation_matrix(character.pre_rotations.astype(np.float64)) @ euler_matrix(
        joints[..., 3:6]
    )
    matrices[..., :3, :3] = rotation * np.exp2(joints[..., 6])[..., None, None]
    matrices[..., :3, 3] = character.offsets.astype(np.float64) + joints[..., :3]
    matrices[..., 3, 3] = 1
    return matrices


def world_matrices(character, joints: np.ndarray) -> np.ndarray:
    """`(..., J, 7)` to joint-to-world matrices `(..., J, 4, 4)`."""
    world = local_matrices(character, joints)
    for joint, parent in enumerate(character.parents):
        if parent >= 0:
            world[..., joint, :, :] = world[..., parent, :, :] @ world[..., joint, :, :]
    return world


def state_matrices(state: np.ndarray) -> np.ndarray:
    """Skeleton states `(..., 8)` to matrices `(..., 4, 4)`: the form in which states are compared."""
    state = np.asarray(state, np.float64)
    matrices = np.zeros((*state.shape[:-1], 4, 4))
    matrices[..., :3, :3] = rotation_matrix(state[..., 3:7]) * state[..., 7, None, None]
    matrices[..., :3, 3] = state[..., :3]
    matrices[..., 3, 3] = 1
    return matrices


def inverse_bind_pose(character) -> np.ndarray:
    """World to joint at zero parameters, `(J, 4, 4)`."""
    return np.linalg.inv(world_matrices(character, np.zeros((character.n_joints, 7))))


def skin_points(character, world: np.ndarray, rest: np.ndarray | None = None) -> np.ndarray:
    """World matrices `(..., J, 4, 4)` to skinned vertices `(..., V, 3)`; weights as they are given."""
    rest = np.asarray(character.vertices if rest is None else rest, np.float64)
    rest = np.concatenate([rest, np.ones((*rest.shape[:-1], 1))], -1)
    relative = world @ inverse_bind_pose(character)
    points = 0.0
    for slot in range(character.index.shape[1]):
        joint, weight = character.index[:, slot], character.weight[:, slot].astype(np.float64)
        moved = np.einsum("...vij,...vj->...vi", relative[..., joint, :3, :], rest)
        points = points + weight[:, None] * moved
    return points


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals `(..., V, 3)`; zero where no triangle with area meets the vertex."""
    vertices = np.asarray(vertices, np.float64)
    corners = [vertices[..., faces[:, corner], :] for corner in range(3)]
    area = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, (..., faces[:, corner], slice(None)), area)
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)


def relative_difference(ours: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference, relative to the largest expected value."""
    ours, expected = np.asarray(ours, np.float64), np.asarray(expected, np.float64)
    assert ours.shape == expected.shape, f"shape {ours.shape}, expected {expected.shape}"
    scale = np.abs(expected).max(initial=0.0)
    return float(np.abs(ours - expected).max(initial=0.0) / (scale or 1.0))
