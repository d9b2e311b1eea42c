"""Reading and writing files: the same file for everybody who reads, the same arrays for everybody who writes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

FPS = 120.0
#: What is done, and the file that it is done with.
KINDS = {
    "load_motion": "motion.glb",
    "save_motion": None,
    "load_states": "motion.glb",
    "save_states": None,
    "load_character": "character.glb",
    "save_character": None,
    "load_bvh": "motion.bvh",
}
FOLDER = Path(tempfile.gettempdir()) / "kinarray-bench-files"


def path_of(workload) -> Path:
    """The file that a workload reads."""
    size = f"{workload.n_joints}-{workload.n_vertices}-{workload.batch}"
    return FOLDER / f"{size}-{KINDS[workload.kind]}"


def make(workload, arrays) -> None:
    """Write the file that a workload reads, unless it is there; in the process that starts the others."""
    if KINDS.get(workload.kind) is None or path_of(workload).exists():
        return
    FOLDER.mkdir(exist_ok=True)
    if workload.kind == "load_bvh":
        path_of(workload).write_text(bvh(workload, arrays))
        return
    from kinarray import geometry

    character = arrays.character.build(geometry)
    names = list(arrays.character.parameter_names)
    motion = None if workload.kind == "load_character" else (names, arrays.input)
    geometry.Character.save_gltf(str(path_of(workload)), character, FPS, motion)


def bvh(workload, arrays) -> str:
    """A hierarchy of joints that turn, and a root that moves too; written by nobody's library."""
    parents, offsets = arrays.character.parents, arrays.character.offsets
    lines = ["HIERARCHY"]

    def joint(at: int, indent: str) -> None:
        lines.append(f"{indent}{'ROOT' if at == 0 else 'JOINT'} joint_{at:03d}")
        lines.append(indent + "{")
        inner = indent + "\t"
        lines.append(f"{inner}OFFSET " + " ".join(f"{x:.6f}" for x in offsets[at]))
        turns = "Zrotation Yrotation Xrotation"
        moves = "6 Xposition Yposition Zposition" if at == 0 else "3"
        lines.append(f"{inner}CHANNELS {moves} {turns}")
        children = [child for child, parent in enumerate(parents) if parent == at]
        for child in children:
            joint(child, inner)
        if not children:
            lines.append(f"{inner}End Site\n{inner}{{\n{inner}\tOFFSET 0 1 0\n{inner}}}")
        lines.append(indent + "}")

    joint(0, "")
    rng = np.random.default_rng(5)
    values = rng.normal(scale=20, size=(workload.batch, 3 * workload.n_joints + 3))
    lines += ["MOTION", f"Frames: {workload.batch}", f"Frame Time: {1 / FPS:.7f}"]
    lines += [" ".join(f"{x:.6f}" for x in row) for row in values]
    return "\n".join(lines) + "\n"


def prepare(geometry, workload, arrays):
    """The work in the names that kinarray and PyMomentum share; nothing where they share none."""
    load = geometry.Character
    path = str(path_of(workload)) if KINDS[workload.kind] else None
    # PyMomentum knows centimetres only.
    unit = {"unit": "cm"} if geometry.__name__.startswith("kinarray") else {}
    if workload.kind == "load_motion":
        return lambda: load.load_gltf_with_motion(path, **unit)[1]
    if workload.kind == "load_states":
        return lambda: load.load_gltf_with_skel_states(path, **unit)[1]
    if workload.kind == "load_character":
        return lambda: load.load_gltf(path, **unit).mesh.faces
    if workload.kind == "load_bvh":
        return None
    folder = tempfile.mkdtemp(prefix="kinarray-bench-")
    target = str(Path(folder) / "saved.glb")
    character = arrays.character.build(geometry)
    names = list(arrays.character.parameter_names)
    save = geometry.Character

    def size(*_):
        return np.zeros(1)

    if workload.kind == "save_motion":
        return lambda: size(save.save_gltf(target, character, FPS, (names, arrays.input)))
    if workload.kind == "save_states":
        states = np.asarray(geometry.model_parameters_to_skeleton_state(character, arrays.input))
        return lambda: size(save.save_gltf_from_skel_states(target, character, FPS, states))
    return lambda: size(save.save_gltf(target, character))
