"""Plain torch, without gradients: what one writes by hand, in its faster forms."""

import numpy as np
import torch

from contestants.levels import Levels, forward

POSES_AT_ONCE = 16  # keeps the blended matrices in the cache


def version():
    return f"torch {torch.__version__}"


def to_numpy(tensor):
    return tensor.detach().numpy()


def array(values):
    return torch.from_numpy(values)


def set_up(threads):
    torch.set_num_threads(threads)


def prepare(workload, arrays, threads):
    set_up(threads)
    if isinstance(arrays.input, tuple):
        return None
    given = array(arrays.input)
    if workload.kind == "call":
        other = torch.ones(24, dtype=given.dtype)
        return lambda: torch.add(other, other)
    if workload.kind == "fk":
        return torch.no_grad()(forward_kinematics(arrays.character, given))
    if workload.kind == "skin":
        return torch.no_grad()(skinning(arrays.character, given))
    if workload.kind == "normals":
        return torch.no_grad()(normals(arrays.character, given))
    if workload.kind == "fk_grad":
        return gradient(forward_kinematics(arrays.character, given), arrays.input)
    if workload.kind == "pose_grad":
        states = forward_kinematics(arrays.character, given)
        skin = skinning(arrays.character, given)
        return gradient(lambda x: skin(states(x)), arrays.input)
    return None


def gradient(function, values):
    """The gradient of the sum of the squares of a function."""
    given = array(values).requires_grad_()

    def run():
        loss = function(given).square().sum()
        return torch.autograd.grad(loss, given)[0]

    return run


def constants(character, dtype):
    return torch.from_numpy(character.offsets).to(dtype), torch.from_numpy(
        character.pre_rotations
    ).to(dtype)


def forward_kinematics(character, poses):
    levels = Levels.of(character.parents)
    levels = Levels(
        [torch.from_numpy(j) for j in levels.joints],
        [None if p is None else torch.from_numpy(p) for p in levels.parents],
        torch.from_numpy(levels.order),
    )
    offsets, pre_rotations = constants(character, poses.dtype)
    # Rows of T as (7, J, P): the product comes out with the poses innermost.
    transform = torch.from_numpy(character.transform).to(poses.dtype)
    transform = transform.view(-1, 7, poses.shape[-1]).transpose(0, 1).reshape(-1, poses.shape[-1])
    transform = transform.to_sparse_csr()

    def run(poses=poses):
        batch = poses.reshape(-1, poses.shape[-1])
        joints = (transform @ batch.t().contiguous()).view(7, -1, batch.shape[0])
        states = forward(torch, levels, offsets, pre_rotations, joints)
        states = states.permute(2, 1, 0).contiguous()
        return states.reshape(*poses.shape[:-1], *states.shape[1:])

    return run


def bind_matrices(character, dtype):
    """World to joint in the rest pose, as columns `(J, 4, 3)`."""
    from reference import inverse_bind_pose

    inverse = inverse_bind_pose(character)[:, :3, :]
    return torch.from_numpy(np.ascontiguousarray(inverse)).to(dtype)


def skinning(character, states):
    bind = bind_matrices(character, states.dtype)
    index = torch.from_numpy(character.index.astype(np.int64))
    weight = torch.from_numpy(character.weight).to(states.dtype)
    rest = torch.from_numpy(character.vertices).to(states.dtype)
    rest = torch.cat([rest, torch.ones(len(rest), 1, dtype=rest.dtype)], 1)

    def matrices(state):
        x, y, z, w = state[..., 3:7].unbind(-1)
        s = state[..., 7]
        rotation = torch.stack(
            [
                s * (1 - 2 * (y * y + z * z)), s * 2 * (x * y - z * w), s * 2 * (x * z + y * w),
                s * 2 * (x * y + z * w), s * (1 - 2 * (x * x + z * z)), s * 2 * (y * z - x * w),
                s * 2 * (x * z - y * w), s * 2 * (y * z + x * w), s * (1 - 2 * (x * x + y * y)),
            ],
            -1,
        ).unflatten(-1, (3, 3))  # fmt: skip
        moved = rotation @ bind
        moved[..., 3] += state[..., :3]
        return moved  # (B, J, 3, 4)

    def run(states=states):
        points = torch.empty(len(states), len(rest), 3, dtype=states.dtype)
        for first in range(0, len(states), POSES_AT_ONCE):
            some = matrices(states[first : first + POSES_AT_ONCE])
            table = some.movedim(0, 1).reshape(some.shape[1], -1)
            blended = torch.nn.functional.embedding_bag(
                index, table, mode="sum", per_sample_weights=weight
            ).view(len(rest), -1, 3, 4)
            # in float64 and float32 alike: (V, b, 3, 4) . (V, 4)
            moved = torch.einsum("vbij,vj->bvi", blended, rest)
            points[first : first + POSES_AT_ONCE] = moved
        return points

    return run


def normals(character, vertices):
    faces = torch.from_numpy(character.faces.astype(np.int64))

    def run():
        a, b, c = (vertices[:, faces[:, k]] for k in range(3))
        area = torch.linalg.cross(b - a, c - a)
        total = torch.zeros_like(vertices)
        for k in range(3):
            total.index_add_(1, faces[:, k], area)
        return torch.nn.functional.normalize(total, dim=-1)

    return run
