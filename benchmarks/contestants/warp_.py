"""NVIDIA Warp on the CPU: forward kinematics, one thread a pose."""

import numpy as np
import warp as wp

to_numpy = np.asarray


def version():
    return f"warp {wp.config.version}"


@wp.func
def euler(angles: wp.vec3f) -> wp.quatf:
    x = wp.quat_from_axis_angle(wp.vec3f(1.0, 0.0, 0.0), angles[0])
    y = wp.quat_from_axis_angle(wp.vec3f(0.0, 1.0, 0.0), angles[1])
    z = wp.quat_from_axis_angle(wp.vec3f(0.0, 0.0, 1.0), angles[2])
    return z * y * x


@wp.kernel
def forward(
    poses: wp.array2d(dtype=wp.float32),
    parents: wp.array(dtype=wp.int32),
    pre_rotations: wp.array(dtype=wp.quatf),
    offsets: wp.array(dtype=wp.vec3f),
    starts: wp.array(dtype=wp.int32),
    columns: wp.array(dtype=wp.int32),
    values: wp.array(dtype=wp.float32),
    states: wp.array3d(dtype=wp.float32),
):
    pose = wp.tid()
    for joint in range(parents.shape[0]):
        p = wp.vector(length=7, dtype=wp.float32)
        for k in range(7):
            row = 7 * joint + k
            total = wp.float32(0.0)
            for entry in range(starts[row], starts[row + 1]):
                total += values[entry] * poses[pose, columns[entry]]
            p[k] = total
        t = offsets[joint] + wp.vec3f(p[0], p[1], p[2])
        q = pre_rotations[joint] * euler(wp.vec3f(p[3], p[4], p[5]))
        s = wp.pow(2.0, p[6])
        up = parents[joint]
        if up >= 0:
            tu = wp.vec3f(states[pose, up, 0], states[pose, up, 1], states[pose, up, 2])
            qu = wp.quatf(
                states[pose, up, 3], states[pose, up, 4], states[pose, up, 5], states[pose, up, 6]
            )
            su = states[pose, up, 7]
            t = tu + su * wp.quat_rotate(qu, t)
            q = qu * q
            s = su * s
        for k in range(3):
            states[pose, joint, k] = t[k]
        for k in range(4):
            states[pose, joint, 3 + k] = q[k]
        states[pose, joint, 7] = s


def prepare(workload, arrays, threads):
    if workload.kind != "fk" or workload.dtype != "float32" or workload.batch == 1 or threads > 1:
        return None  # its CPU device runs on one thread
    wp.config.quiet = True
    wp.init()
    character = arrays.character
    rows = [np.flatnonzero(row) for row in character.transform]
    values = np.concatenate([r[at] for r, at in zip(character.transform, rows)])

    def on_cpu(array, dtype):
        return wp.array(np.ascontiguousarray(array), dtype=dtype, device="cpu")

    given = [
        on_cpu(arrays.input, wp.float32),
        on_cpu(character.parents.astype(np.int32), wp.int32),
        on_cpu(character.pre_rotations, wp.quatf),
        on_cpu(character.offsets, wp.vec3f),
        on_cpu(np.cumsum([0, *map(len, rows)]).astype(np.int32), wp.int32),
        on_cpu(np.concatenate(rows).astype(np.int32), wp.int32),
        on_cpu(values.astype(np.float32), wp.float32),
    ]

    def run():
        states = wp.empty((workload.batch, character.n_joints, 8), dtype=wp.float32, device="cpu")
        wp.launch(forward, dim=workload.batch, inputs=[*given, states], device="cpu")
        return states.numpy()

    return run
