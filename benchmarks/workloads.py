"""What is measured: the work, its size, and the arrays it works on. Needs NumPy only."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from character_arrays import (
    CharacterArrays,
    random_joint_parameters,
    random_model_parameters,
    synthetic,
)
from file_work import KINDS as FILES

#: Kinds that measure the call more than the work.
CALLS = ("call", "call_fk")
#: Kinds that are a loss and its gradient: of states, of skinned points, by model parameters.
GRADIENTS = ("fk_grad", "pose_grad")
#: Numbers read and written for each item by the kinds that are quaternion algebra.
ALGEBRA = {"multiply": (8, 4), "slerp": (9, 4), "to_matrix": (4, 9)}
#: Kinds that look for the closest point; `batch` points against `n_vertices`, or against their triangles.
CLOSEST = ("closest_points", "closest_on_mesh")
N_SHAPES = 72


@dataclass(frozen=True)
class Workload:
    """One line of the table.

    `kind`: `fk` (model parameters to states), `inverse_fk` (states to joint parameters), `skin` (states
    to points), `normals`, `multiply`/`slerp`/`to_matrix` of `batch` quaternions, `blend_shapes` (coefficients of
    72 shapes to vertices), `fk_grad` and `pose_grad` (the sum of the squares of states, or of points skinned with them, and its
    gradient by model parameters), `closest_points`, `closest_on_mesh`, reading and writing of files (`file_work.py`); and for the cost of a call `call` (24 numbers
    through a parameter transform, some 30 multiplications) and `call_fk` (3 joints to 24 numbers).
    """

    kind: str
    batch: int
    dtype: str = "float32"
    n_joints: int = 127
    n_parameters: int = 136
    n_vertices: int = 0
    n_influences: int = 0

    @property
    def name(self) -> str:
        size = f"{self.n_joints} joints"
        if self.kind in CALLS:
            return {"call": "one call, 24 floats", "call_fk": "one call, 3 joints"}[self.kind]
        if self.kind in ALGEBRA:
            return f"{self.kind} {self.batch} quaternions {self.dtype}"
        if self.kind in CLOSEST:
            return f"{self.kind} {self.batch} x {self.n_vertices} {self.dtype}"
        if self.kind in FILES and not self.n_vertices:
            return f"{self.kind} {size} x {self.batch} frames"
        if self.kind in FILES:
            return f"{self.kind} {self.n_vertices // 1000}k vertices"
        if self.kind in ("skin", "normals", "blend_shapes", "pose_grad"):
            size = f"{self.n_vertices // 1000}k vertices"
            if self.kind in ("skin", "pose_grad"):
                size += f" x {self.n_influences}"
        return f"{self.kind} {size} x {self.batch} {self.dtype}"

    @property
    def output_bytes(self) -> int:
        per_pose = {
            "fk": self.n_joints * 8,
            "inverse_fk": self.n_joints * 7,
            "fk_grad": self.n_parameters,
            "pose_grad": self.n_parameters,
            "call": 28,
            "call_fk": 24,
            "closest_points": 3,
            "closest_on_mesh": 3,
            **{kind: written for kind, (_, written) in ALGEBRA.items()},
        }.get(self.kind, self.n_vertices * 3)
        return self.batch * per_pose * np.dtype(self.dtype).itemsize

    def to_dict(self) -> dict:
        return asdict(self)


@dataclass(frozen=True)
class Arrays:
    """A workload's character and its input, or inputs."""

    character: CharacterArrays | None
    input: np.ndarray | tuple[np.ndarray, ...]


def arrays(workload: Workload) -> Arrays:
    """The same arrays in every process: seeded."""
    if workload.kind == "call":
        character = synthetic(4, 24)
        return Arrays(character, random_model_parameters(character, (1,), workload.dtype)[0])
    if workload.kind == "call_fk":
        character = synthetic(3, 21, dense_transform=True)
        return Arrays(character, random_joint_parameters(character, (1,), workload.dtype)[0])
    if workload.kind in ALGEBRA:
        return Arrays(None, quaternions(workload))
    if workload.kind in CLOSEST:
        return Arrays(None, clouds(workload))
    if workload.kind == "blend_shapes":
        rng = np.random.default_rng(3)
        sizes = [(workload.n_vertices, 3), (N_SHAPES, workload.n_vertices, 3)]
        sizes.append((workload.batch, N_SHAPES))
        return Arrays(None, tuple(rng.normal(size=s).astype(workload.dtype) for s in sizes))
    character = synthetic(
        workload.n_joints,
        workload.n_parameters,
        workload.n_vertices,
        workload.n_influences or 4,
        seed=workload.n_joints,
    )
    if workload.kind in FILES:
        return Arrays(character, random_model_parameters(character, (workload.batch,), np.float32))
    if workload.kind in ("fk", *GRADIENTS):
        shape = (workload.batch,) if workload.batch > 1 else (1,)
        poses = random_model_parameters(character, shape, workload.dtype)
        return Arrays(character, poses if workload.batch > 1 else poses[0])
    if workload.kind == "normals":
        rng = np.random.default_rng(1)
        moved = rng.normal(scale=0.001, size=(workload.batch, *character.vertices.shape))
        return Arrays(character, (character.vertices + moved).astype(workload.dtype))
    joints = random_joint_parameters(character, (workload.batch,), np.float64)
    joints[..., 4] *= 0.8
    return Arrays(character, reference_states(character, joints).astype(workload.dtype))


def quaternions(workload: Workload) -> np.ndarray | tuple[np.ndarray, ...]:
    """Unit quaternions: one array for `to_matrix`, two for the others, and the times of `slerp`."""
    rng = np.random.default_rng(2)
    q = rng.normal(size=(2, workload.batch, 4))
    q /= np.linalg.norm(q, axis=-1, keepdims=True)
    a, b = q.astype(workload.dtype)
    if workload.kind == "to_matrix":
        return a
    if workload.kind == "multiply":
        return a, b
    return a, b, rng.uniform(size=(workload.batch, 1)).astype(workload.dtype)


def clouds(workload: Workload) -> tuple[np.ndarray, ...]:
    """Query points near a bumpy sphere, its vertices and its triangles."""
    rng = np.random.default_rng(4)
    columns = int(np.sqrt(workload.n_vertices * 2))
    rows = workload.n_vertices // columns
    u, v = np.meshgrid(np.linspace(0.05, 0.95, rows), np.arange(columns) / columns, indexing="ij")
    radius = 1 + 0.1 * np.sin(9 * u * np.pi) * np.cos(7 * v * 2 * np.pi)
    around = [np.cos(2 * np.pi * v) * np.sin(np.pi * u), np.cos(np.pi * u)]
    around.append(np.sin(2 * np.pi * v) * np.sin(np.pi * u))
    vertices = (radius[..., None] * np.stack(around, -1)).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns), indexing="ij")
    corner, right = i * columns + j, i * columns + (j + 1) % columns
    below, across = corner + columns, right + columns
    quads = [np.stack([corner, right, below], -1), np.stack([right, across, below], -1)]
    faces = np.concatenate([quad.reshape(-1, 3) for quad in quads]).astype(np.int32)
    spread = rng.normal(scale=0.2, size=(workload.batch, 3))
    points = vertices[rng.integers(len(vertices), size=workload.batch)] + spread
    return points.astype(workload.dtype), vertices.astype(workload.dtype), faces


def reference_states(character: CharacterArrays, joints: np.ndarray) -> np.ndarray:
    """States `(..., J, 8)` in float64 NumPy, to feed skinning and inverse kinematics."""
    state = np.zeros((*joints.shape[:-1], 8))
    half = joints[..., 3:6] / 2
    (sx, sy, sz), (cx, cy, cz) = np.moveaxis(np.sin(half), -1, 0), np.moveaxis(np.cos(half), -1, 0)
    euler = np.stack(
        [
            cz * cy * sx - sz * sy * cx,
            cz * sy * cx + sz * cy * sx,
            sz * cy * cx - cz * sy * sx,
            cz * cy * cx + sz * sy * sx,
        ],
        -1,
    )
    state[..., :3] = character.offsets + joints[..., :3]
    state[..., 3:7] = multiply(character.pre_rotations.astype(np.float64), euler)
    state[..., 7] = np.exp2(joints[..., 6])
    for joint, parent in enumerate(character.parents):
        if parent >= 0:
            up, at = state[..., parent, :], state[..., joint, :]
            t, q = at[..., :3].copy(), at[..., 3:7].copy()
            cross = 2 * np.cross(up[..., 3:6], t)
            turned = t + up[..., 6:7] * cross + np.cross(up[..., 3:6], cross)
            at[..., :3] = up[..., :3] + up[..., 7:] * turned
            at[..., 3:7] = multiply(up[..., 3:7], q)
            at[..., 7] *= up[..., 7]
    return state


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Quaternion products, xyzw."""
    ax, ay, az, aw = np.moveaxis(a, -1, 0)
    bx, by, bz, bw = np.moveaxis(b, -1, 0)
    return np.stack(
        [
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
            aw * bw - ax * bx - ay * by - az * bz,
        ],
        -1,
    )


def all_workloads(quick: bool) -> list[Workload]:
    """Everything, or what fits into a minute or so."""
    rigs = [(127, 136), (170, 200)]
    work = [Workload("call", 1), Workload("call_fk", 1)]
    for n_joints, n_parameters in rigs[:1] if quick else rigs:
        for dtype in ("float32",) if quick else ("float32", "float64"):
            for batch in (1, 256, 4096):
                work.append(Workload("fk", batch, dtype, n_joints, n_parameters))
    work.append(Workload("skin", 256, n_vertices=20_000, n_influences=4))
    if not quick:
        work.append(Workload("skin", 1, n_vertices=20_000, n_influences=4))
        work.append(Workload("skin", 64, n_vertices=50_000, n_influences=8))
        work.append(Workload("skin", 256, n_vertices=50_000, n_influences=8))
        work.append(Workload("skin", 64, "float64", n_vertices=20_000, n_influences=4))
    work.append(Workload("fk_grad", 256))
    work.append(Workload("pose_grad", 64, n_vertices=20_000, n_influences=4))
    work.append(Workload("normals", 64, n_vertices=20_000))
    work.append(Workload("inverse_fk", 1024))
    for kind in ALGEBRA:
        for dtype in ("float32",) if quick else ("float32", "float64"):
            work.append(Workload(kind, 1_000_000, dtype))
    work.append(Workload("blend_shapes", 64, n_vertices=20_000))
    for kind in CLOSEST:
        work.append(Workload(kind, 20_000, n_vertices=20_000))
    for kind in FILES:
        if kind.endswith("character"):
            work.append(Workload(kind, 1, n_vertices=50_000, n_influences=4))
        elif kind == "load_bvh":
            work.append(Workload(kind, 5_000, n_joints=31, n_parameters=36))
        else:
            work.append(Workload(kind, 1_000 if quick else 10_000))
    return work
