"""Batched forward kinematics as one writes it for an array library: level by level of the tree."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Levels:
    """Joints grouped by depth: `parents[d]` are positions within level d - 1."""

    joints: list
    parents: list
    order: np.ndarray  # where each joint ended up when the levels are joined

    @classmethod
    def of(cls, parents):
        depth = np.zeros(len(parents), int)
        for joint, parent in enumerate(parents):
            depth[joint] = 0 if parent < 0 else depth[parent] + 1
        joints = [np.flatnonzero(depth == d) for d in range(depth.max() + 1)]
        place = np.zeros(len(parents), int)
        for level in joints:
            place[level] = np.arange(len(level))
        ups = [None] + [place[np.asarray(parents)[level]] for level in joints[1:]]
        return cls(joints, ups, np.argsort(np.concatenate(joints)))


def product(xp, a, b):
    """Quaternion product of tuples of components."""
    (ax, ay, az, aw), (bx, by, bz, bw) = a, b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def rotate(q, x, y, z):
    qx, qy, qz, qw = q
    tx, ty, tz = 2 * (qy * z - qz * y), 2 * (qz * x - qx * z), 2 * (qx * y - qy * x)
    return (
        x + qw * tx + (qy * tz - qz * ty),
        y + qw * ty + (qz * tx - qx * tz),
        z + qw * tz + (qx * ty - qy * tx),
    )


def forward(xp, levels, offsets, pre_rotations, joints):
    """`joints` is `(7, J, B)`: poses innermost, so that every operation runs over long rows.

    Returns `(J, 8, B)`.
    """
    half = joints[3:6] * 0.5
    s, c = xp.sin(half), xp.cos(half)
    euler = (
        c[2] * c[1] * s[0] - s[2] * s[1] * c[0],
        c[2] * s[1] * c[0] + s[2] * c[1] * s[0],
        s[2] * c[1] * c[0] - c[2] * s[1] * s[0],
        c[2] * c[1] * c[0] + s[2] * s[1] * s[0],
    )
    fixed = tuple(pre_rotations[:, k, None] for k in range(4))
    local = (
        *(joints[k] + offsets[:, k, None] for k in range(3)),
        *product(xp, fixed, euler),
        xp.exp2(joints[6]),
    )
    local = xp.stack(local, 0)  # (8, J, B)
    done = []
    for members, ups in zip(levels.joints, levels.parents):
        at = local[:, members]
        if ups is not None:
            up = done[-1][:, ups]
            moved = rotate(up[3:7], at[0], at[1], at[2])
            at = xp.stack(
                (
                    *(up[k] + up[7] * moved[k] for k in range(3)),
                    *product(xp, up[3:7], at[3:7]),
                    up[7] * at[7],
                ),
                0,
            )
        done.append(at)
    return xp.concatenate(done, 1)[:, levels.order]
