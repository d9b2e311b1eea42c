"""The demo: one character, one call, any array."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import kinarray as ka

from ._demo_kinds import Kind, installed
from ._progress import progress

REPEATS = 5
# One chunk of poses at a time keeps the results of large meshes within memory.
MOST_NUMBERS = 200_000_000
FIGURES = 5


@dataclass
class Row:
    """What one array library showed."""

    kind: Kind
    result: str
    milliseconds: float
    difference: float
    copied: int
    in_place: bool


def run(file: Path | None, n_frames: int, output: Path) -> None:
    """Pose, compare, print, draw."""
    character, poses, origin = _subject(file, n_frames)
    if character.mesh is None:
        raise ka.CharacterError(f"character '{character.name}': it has no mesh to pose")
    n_vertices = character.mesh.n_vertices
    poses = poses[: max(1, MOST_NUMBERS // (3 * n_vertices))]
    print(
        f"{origin}: {character.skeleton.size} joints, {n_vertices} vertices, "
        f"{character.parameter_transform.size} parameters"
    )
    print(
        f"{len(poses)} poses -> skeleton states {(len(poses), character.skeleton.size, 8)} "
        f"-> skinned points {(len(poses), n_vertices, 3)}, float32\n"
    )

    kinds, missing = installed()
    exact = _pose(character, poses.astype(np.float64))
    size = float(np.abs(exact).max()) or 1.0
    steps = [kind for kind in kinds for _ in range(REPEATS)]
    seconds: dict[str, list[float]] = {kind.name: [] for kind in kinds}
    inputs = {kind.name: kind.from_numpy(poses) for kind in kinds}
    results: dict[str, Any] = {}
    copied = dict.fromkeys(inputs, 0)
    for kind in progress(steps, "posing"):
        results.pop(kind.name, None)
        before = ka.interop.copies().bytes
        start = time.perf_counter()
        results[kind.name] = kind.wait(_pose(character, inputs[kind.name]))
        seconds[kind.name].append(time.perf_counter() - start)
        copied[kind.name] += ka.interop.copies().bytes - before
    rows = []
    for kind in kinds:
        points = results[kind.name]
        rows.append(
            Row(
                kind,
                f"{type(points).__module__.split('.')[0]}.{type(points).__name__}",
                1e3 * statistics.median(seconds[kind.name]),
                float(np.abs(kind.to_numpy(points) - exact).max()) / size,
                copied[kind.name],
                all(
                    kind.address(array) == ka.interop.address(array)
                    for array in (inputs[kind.name], points)
                ),
            )
        )
    _table(rows)
    for name in missing:
        print(f"{name} is not installed: pip install {name}")

    picture = output / f"{character.name or 'character'}.png".replace("/", "_")
    _draw(character, poses, picture)
    print(f"\nOpen {picture} to see {min(FIGURES, len(poses))} of the frames,")
    print("then notebooks/01_any_array.ipynb, and README.md for the rest.")


def _subject(file: Path | None, n_frames: int) -> tuple[Any, Any, str]:
    """The character, its poses (n_frames, n_parameters) in float32, and what to call it."""
    if file is None:
        character = ka.testing.create_humanoid(n_vertices=10_000)
        return (
            character,
            ka.testing.walk_cycle(character, n_frames).astype(np.float32),
            "built-in humanoid",
        )
    try:
        character, motion, _, fps = ka.geometry.Character.load_gltf_with_motion(file)
        frames = np.arange(n_frames) % len(motion)
        return (
            character,
            np.ascontiguousarray(motion[frames]),
            f"{file.name}, its motion at {fps:g} fps",
        )
    except ka.FormatError:
        # No motion in it, or no character at all: in that case this raises again.
        character = ka.load_character(file)
    sway = np.sin(np.linspace(0.0, 40.0, n_frames, dtype=np.float32))[:, None]
    weights = np.random.default_rng(0).normal(0.0, 0.15, character.parameter_transform.size)
    turns = np.array(
        [name.endswith(("_rx", "_ry", "_rz")) for name in character.parameter_transform.names]
    )
    poses = (sway * np.where(turns, weights, 0.0)).astype(np.float32)
    return character, poses, f"{file.name}, made to sway"


def _pose(character: Any, poses: Any) -> Any:
    """The main job. Nothing in here knows what kind of array it is."""
    states = ka.geometry.model_parameters_to_skeleton_state(character, poses)
    return character.skin_points(states)


def _table(rows: list[Row]) -> None:
    titles = [
        "kind",
        "version",
        "result",
        "ms",
        "largest difference",
        "bytes copied",
        "read and written in place",
    ]
    lines = [
        [
            row.kind.name,
            row.kind.version,
            row.result,
            f"{row.milliseconds:.1f}",
            f"{row.difference:.1e}",
            str(row.copied),
            "yes, same addresses" if row.in_place else "no",
        ]
        for row in rows
    ]
    widths = [max(len(line[at]) for line in [titles, *lines]) for at in range(len(titles))]
    for line in [titles, ["-" * width for width in widths], *lines]:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )
    print(
        "\nms: median for all poses. Largest difference: against NumPy in float64, as a part of the "
        "largest coordinate."
    )


def _draw(character: Any, poses: Any, picture: Path) -> None:
    # Over the first second or so, where a walk shows all its phases.
    last = min(len(poses) - 1, 28)
    chosen = np.linspace(0, last, min(FIGURES, len(poses))).astype(int)
    states = ka.geometry.model_parameters_to_skeleton_state(
        character, np.ascontiguousarray(poses[chosen])
    )
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(ka.testing.render(character, states))
