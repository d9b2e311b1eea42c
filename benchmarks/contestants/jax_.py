"""Jitted JAX: the same forms, compiled."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np

from contestants.levels import Levels, forward

POSES_AT_ONCE = 256  # keeps what one level of the tree needs in the cache
to_numpy = np.asarray


def version():
    return f"jax {jax.__version__}, jit"


def array(values):
    return jax.device_put(values)


def set_up(threads):
    jax.config.update("jax_enable_x64", True)


def prepare(workload, arrays, threads):
    set_up(threads)
    if workload.kind in SMALL:
        given = arrays.input if isinstance(arrays.input, tuple) else (arrays.input,)
        given = [array(values) for values in given]
        compiled = jax.jit(SMALL[workload.kind])
        return lambda: compiled(*given).block_until_ready()
    if isinstance(arrays.input, tuple):
        return None
    given = array(arrays.input)
    function = {
        "call": lambda c: lambda x: x * 2 + 1,
        "fk": forward_kinematics,
        "skin": skinning,
        "fk_grad": lambda c: gradient(forward_kinematics(c)),
        "pose_grad": lambda c: gradient(posed_points(c)),
        "normals": normals,
    }.get(workload.kind)
    if function is None:
        return None
    if workload.kind == "call":
        given = array(np.ones(24, workload.dtype))
    compiled = jax.jit(function(arrays.character))
    return lambda: compiled(given).block_until_ready()


def gradient(function):
    """The gradient of the sum of the squares of a function."""
    return jax.grad(lambda x: jnp.sum(function(x) ** 2))


def posed_points(character):
    states, points = forward_kinematics(character), skinning(character)
    return lambda poses: points(states(poses))


def unit(q):
    return q / jnp.maximum(jnp.linalg.norm(q, axis=-1, keepdims=True), 1e-12)


def multiply(a, b):
    (ax, ay, az, aw), (bx, by, bz, bw) = (jnp.moveaxis(unit(q), -1, 0) for q in (a, b))
    return jnp.stack(
        [
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ],
        -1,
    )


def slerp(a, b, t):
    a, b = unit(a), unit(b)
    dot = jnp.sum(a * b, -1, keepdims=True)
    b, dot = jnp.where(dot < 0, -b, b), jnp.abs(dot)
    near = dot > 0.9995
    angle = jnp.arccos(jnp.where(near, 0.5, dot))
    sine = jnp.sin(angle)
    wa = jnp.where(near, 1 - t, jnp.sin((1 - t) * angle) / sine)
    wb = jnp.where(near, t, jnp.sin(t * angle) / sine)
    return unit(wa * a + wb * b)


def to_matrix(q):
    x, y, z, w = jnp.moveaxis(unit(q), -1, 0)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
        2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
        2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return jnp.stack(rows, -1).reshape(*q.shape[:-1], 3, 3)


def blend_shapes(base, shapes, coefficients):
    return base + jnp.tensordot(coefficients, shapes, 1)


SMALL = {
    "multiply": multiply,
    "slerp": slerp,
    "to_matrix": to_matrix,
    "blend_shapes": blend_shapes,
}


def forward_kinematics(character):
    levels = Levels.of(character.parents)
    rows = character.transform.reshape(-1, 7, character.n_parameters).transpose(1, 0, 2)
    rows = rows.reshape(-1, character.n_parameters)
    # At most two parameters move one joint parameter: a gather, not a product with zeros.
    width = max(1, int((rows != 0).sum(1).max()))
    column = np.argsort(rows == 0, axis=1, kind="stable")[:, :width]
    value = np.take_along_axis(rows, column, 1)

    def run(poses):
        if poses.ndim == 2 and len(poses) > POSES_AT_ONCE and len(poses) % POSES_AT_ONCE == 0:
            parts = jax.lax.map(run, poses.reshape(-1, POSES_AT_ONCE, poses.shape[-1]))
            return parts.reshape(-1, *parts.shape[2:])
        batch = poses.reshape(-1, poses.shape[-1]).T
        joints = sum(
            value[:, k, None].astype(poses.dtype) * batch[column[:, k]] for k in range(width)
        ).reshape(7, -1, batch.shape[1])
        offsets = jnp.asarray(character.offsets, poses.dtype)
        pre_rotations = jnp.asarray(character.pre_rotations, poses.dtype)
        states = forward(jnp, levels, offsets, pre_rotations, joints).transpose(2, 1, 0)
        return states.reshape(*poses.shape[:-1], *states.shape[1:])

    return run


def skinning(character):
    """One pose after the other: the blended matrices of a whole batch would not fit the cache."""
    from reference import inverse_bind_pose

    inverse = inverse_bind_pose(character)[:, :3, :]
    index = character.index.astype(np.int32)

    def one(state):
        dtype = state.dtype
        x, y, z, w = state[:, 3:7].T
        rotation = jnp.stack(
            [
                1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
                2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
                2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y),
            ],
            -1,
        ).reshape(-1, 3, 3)  # fmt: skip
        moved = state[:, 7, None, None] * rotation @ jnp.asarray(inverse, dtype)
        moved = moved.at[..., 3].add(state[:, :3]).reshape(-1, 12)
        weight = jnp.asarray(character.weight, dtype)
        blended = sum(weight[:, k, None] * moved[index[:, k]] for k in range(index.shape[1]))
        rest = jnp.asarray(character.vertices, dtype)
        rest = jnp.concatenate([rest, jnp.ones((len(rest), 1), dtype)], 1)
        return jnp.einsum("vij,vj->vi", blended.reshape(-1, 3, 4), rest)

    return lambda states: jax.lax.map(one, states)


def normals(character):
    faces = character.faces

    def run(vertices):
        a, b, c = (vertices[:, faces[:, k]] for k in range(3))
        area = jnp.cross(b - a, c - a)
        total = jnp.zeros_like(vertices)
        for k in range(3):
            total = total.at[:, faces[:, k]].add(area)
        length = jnp.linalg.norm(total, axis=-1, keepdims=True)
        return total / jnp.maximum(length, 1e-12)

    return run
