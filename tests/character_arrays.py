"""A character as plain NumPy arrays, so that two libraries can be given exactly the same one.

Needs NumPy only: the peer's interpreter imports this file too.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import numpy as np

#: The 24 unit quaternions whose components are 0, ±1/2 or ±1. They are of unit length exactly, in
#: float32 as well, so libraries that do and do not normalise pre-rotations compute the same.
EXACT_ROTATIONS = np.array(
    [sign * axis for axis in np.eye(4) for sign in (1.0, -1.0)]
    + [
        [a, b, c, d]
        for a in (0.5, -0.5)
        for b in (0.5, -0.5)
        for c in (0.5, -0.5)
        for d in (0.5, -0.5)
    ],
    dtype=np.float32,
)


@dataclass(frozen=True)
class CharacterArrays:
    """Everything both libraries need; constants are float32, as the peer stores them."""

    parents: np.ndarray  # (J,) int64, -1 for a root
    pre_rotations: np.ndarray  # (J, 4) float32, xyzw
    offsets: np.ndarray  # (J, 3) float32
    parameter_names: list[str]
    transform: np.ndarray  # (7 J, P) float32
    vertices: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    faces: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), np.int32))
    index: np.ndarray = field(default_factory=lambda: np.zeros((0, 1), np.uint32))
    weight: np.ndarray = field(default_factory=lambda: np.zeros((0, 1), np.float32))
    blend_base: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    blend_vectors: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 3), np.float32))
    face_vectors: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 3), np.float32))

    @property
    def n_joints(self) -> int:
        return len(self.parents)

    @property
    def n_parameters(self) -> int:
        return len(self.parameter_names)

    @property
    def n_vertices(self) -> int:
        return len(self.vertices)

    def joint_name(self, joint: int) -> str:
        return f"joint_{joint:03d}"

    def to_dict(self, prefix: str = "") -> dict[str, np.ndarray]:
        """As arrays for `np.savez`."""
        return {
            prefix + f.name: np.asarray(
                getattr(self, f.name), dtype="U64" if f.name == "parameter_names" else None
            )
            for f in fields(self)
        }

    @classmethod
    def from_dict(cls, arrays, prefix: str = "") -> CharacterArrays:
        """From what `to_dict` wrote."""
        values = {f.name: np.asarray(arrays[prefix + f.name]) for f in fields(cls)}
        values["parameter_names"] = [str(name) for name in values["parameter_names"]]
        return cls(**values)

    def build(self, geometry, **options):
        """The character made with the constructors of `geometry`: ours or the peer's."""
        skeleton = geometry.Skeleton(
            [
                geometry.Joint(
                    self.joint_name(joint),
                    int(self.parents[joint]),
                    self.pre_rotations[joint],
                    self.offsets[joint],
                )
                for joint in range(self.n_joints)
            ]
        )
        transform = geometry.ParameterTransform(
            list(self.parameter_names), skeleton, np.ascontiguousarray(self.transform, np.float32)
        )
        character = geometry.Character("character", skeleton, transform, **options)
        if self.n_vertices == 0:
            return character
        mesh = geometry.Mesh(self.vertices, self.faces)
        weights = geometry.SkinWeights(self.index, self.weight)
        character = character.with_mesh_and_skin_weights(mesh, weights)
        if len(self.blend_vectors):
            shape = geometry.BlendShape.from_tensors(self.blend_base, self.blend_vectors)
            character = character.with_blend_shape(shape)
        if len(self.face_vectors):
            face = geometry.BlendShapeBase.from_tensors(self.face_vectors)
            character = character.with_face_expression_blend_shape(face)
        return character


def parameter_tree(rng, n_joints: int, n_parameters: int) -> tuple[np.ndarray, list[str]]:
    """A transform as real rigs have: 6 root parameters, joint angles (some shared by two joints), scales.

    Returns `(7 J, P)` float32 and the names.
    """
    transform = np.zeros((7 * n_joints, n_parameters), np.float32)
    names = ["root_tx", "root_ty", "root_tz", "root_rx", "root_ry", "root_rz"][:n_parameters]
    transform[np.arange(len(names)), np.arange(len(names))] = 1
    n_scales = (n_parameters - len(names)) // 6
    n_angles = n_parameters - len(names) - n_scales
    angle_rows = [7 * joint + k for joint in range(1, n_joints) for k in (3, 4, 5)]
    chosen = rng.choice(angle_rows, size=min(n_angles, len(angle_rows)), replace=False)
    for row in chosen:
        column = len(names)
        names.append(f"joint_{row // 7:03d}_r{'xyz'[row % 7 - 3]}_{column}")
        transform[row, column] = 1
        if rng.random() < 0.2 and row + 7 < len(transform):
            transform[row + 7, column] = 0.5
    while len(names) < n_parameters:
        column = len(names)
        names.append(f"scale_part_{column}")
        for joint in rng.choice(n_joints, size=min(2, n_joints), replace=False):
            transform[7 * joint + 6, column] = 1
    return transform, names


def synthetic(
    n_joints: int = 127,
    n_parameters: int = 136,
    n_vertices: int = 0,
    n_influences: int = 4,
    *,
    n_roots: int = 1,
    exact: bool = False,
    dense_transform: bool = False,
    seed: int = 0,
) -> CharacterArrays:
    """A random character: branching chains, pre-rotations, offsets, a skinned grid of triangles.

    `exact` chooses pre-rotations and offsets with which float32 arithmetic of the rest pose is exact, so
    that the peer's float32 constants do not limit a comparison in float64.
    """
    rng = np.random.default_rng(seed)
    parents = np.full(n_joints, -1, np.int64)
    for joint in range(n_roots, n_joints):
        chain = rng.random() < 0.75
        parents[joint] = joint - 1 if chain else rng.integers(0, joint)
    if exact:
        pre_rotations = EXACT_ROTATIONS[rng.integers(0, len(EXACT_ROTATIONS), n_joints)]
    else:
        pre_rotations = rng.normal(size=(n_joints, 4))
        pre_rotations /= np.linalg.norm(pre_rotations, axis=1, keepdims=True)
    offsets = rng.uniform(-0.2, 0.2, (n_joints, 3))
    if exact:
        offsets = np.round(offsets * 64) / 64
    if dense_transform:
        n_parameters = 7 * n_joints
        transform, names = (
            np.eye(n_parameters, dtype=np.float32),
            [f"p{i}" for i in range(n_parameters)],
        )
    else:
        transform, names = parameter_tree(rng, n_joints, n_parameters)
    character = CharacterArrays(
        parents=parents,
        pre_rotations=pre_rotations.astype(np.float32),
        offsets=offsets.astype(np.float32),
        parameter_names=names,
        transform=transform,
    )
    return with_mesh(character, n_vertices, n_influences, seed) if n_vertices else character


def with_mesh(
    character: CharacterArrays, n_vertices: int, n_influences: int, seed: int = 0
) -> CharacterArrays:
    """The same character with a wavy sheet of vertices, each near a joint and its neighbours."""
    rng = np.random.default_rng(seed + 1)
    columns = max(2, int(np.sqrt(n_vertices)))
    at = np.arange(n_vertices)
    grid = np.stack([at % columns, at // columns], -1) / columns
    vertices = np.stack(
        [grid[:, 0], np.sin(7 * grid[:, 0]) * np.cos(5 * grid[:, 1]), grid[:, 1]], -1
    ) + rng.normal(scale=0.002, size=(n_vertices, 3))
    corner = at[(at % columns < columns - 1) & (at + columns + 1 < n_vertices)]
    faces = np.concatenate(
        [
            np.stack([corner, corner + columns, corner + 1], -1),
            np.stack([corner + 1, corner + columns, corner + columns + 1], -1),
        ]
    )
    # Neighbouring vertices follow neighbouring joints, as on a real body.
    first = at * character.n_joints // n_vertices
    spread = rng.permuted(np.tile(np.arange(2 * n_influences), (n_vertices, 1)), axis=1)
    index = (first[:, None] + spread[:, :n_influences]) % character.n_joints
    weight = rng.uniform(0.05, 1, (n_vertices, n_influences))
    weight = -np.sort(-weight / weight.sum(1, keepdims=True), axis=1)
    return replace(
        character,
        vertices=vertices.astype(np.float32),
        faces=faces.astype(np.int32),
        index=index.astype(np.uint32),
        weight=weight.astype(np.float32),
    )


def random_model_parameters(character: CharacterArrays, batch, dtype, seed: int = 0) -> np.ndarray:
    """Poses `(*batch, P)` of moderate size: angles up to about a radian, scales near 1."""
    rng = np.random.default_rng(seed + 2)
    poses = rng.uniform(-1, 1, (*np.atleast_1d(batch), character.n_parameters))
    scaling = np.array(["scale_" in name for name in character.parameter_names], bool)
    poses[..., scaling] *= 0.2
    return poses.astype(dtype)


def random_joint_parameters(character: CharacterArrays, batch, dtype, seed: int = 0) -> np.ndarray:
    """Joint parameters `(*batch, J, 7)`, all seven non-zero: angles up to 1.5, log2 scales up to 0.2."""
    rng = np.random.default_rng(seed + 3)
    size = np.array([0.3, 0.3, 0.3, 1.5, 1.5, 1.5, 0.2])
    shape = (*tuple(np.atleast_1d(batch)), character.n_joints, 7)
    return (rng.uniform(-1, 1, shape) * size).astype(dtype)
