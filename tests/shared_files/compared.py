"""How far what we load is from what other libraries computed, through the public API: what all formats share.

Every comparison is relative to the size of the scene; names and hierarchy have to be the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

import kinarray as ka


@dataclass
class Agreement:
    """What was found in a file, and how it compares."""

    counts: str = ""
    compared: int = 0
    worst: float = 0.0
    problems: list[str] = field(default_factory=list)
    #: Of the size of the scene. Files are mostly in single precision.
    tolerance: float = 2e-6

    def compare(self, what: str, got, wanted, size: float) -> None:
        """Numbers of one thing, relative to `size`."""
        got, wanted = np.asarray(got, np.float64), np.asarray(wanted, np.float64)
        if got.size == wanted.size == 0:
            return
        if got.shape != wanted.shape:
            self.problems.append(f"{what}: shape {got.shape} instead of {wanted.shape}")
            return
        self.compared += got.size
        error = float(np.abs(got - wanted).max() / size)
        if not error <= self.worst:
            self.worst = error

    def same(self, what: str, got, wanted) -> None:
        """Something that has to be equal."""
        if got != wanted:
            self.problems.append(f"{what}: {got!r} instead of {wanted!r}")


def quietly(load: Callable, *args, **options):
    """Load without showing what was left out; that is not the question here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return load(*args, **options)


def matrices(states) -> np.ndarray:
    """Rows `tx ty tz qx qy qz qw s` to `(..., 3, 4)`, scale left out."""
    states = np.asarray(states, np.float64)
    x, y, z, w = np.moveaxis(states[..., 3:7], -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w), states[..., 0]],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w), states[..., 1]],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y), states[..., 2]],
    ]
    return np.moveaxis(
        np.array([[np.broadcast_to(c, w.shape) for c in row] for row in rows]), (0, 1), (-2, -1)
    )


def rest_states(character: ka.geometry.Character) -> np.ndarray:
    """States with all parameters zero, in float64."""
    zeros = np.zeros(character.parameter_transform.size)
    return ka.geometry.model_parameters_to_skeleton_state(character, zeros)


def counted(character: ka.geometry.Character) -> str:
    """What a character holds, in words."""
    parts = [f"{len(character.skeleton)} joints"]
    if character.mesh is not None:
        parts.append(f"{character.mesh.n_vertices} vertices")
    if character.blend_shape is not None:
        parts.append(f"{character.blend_shape.n_shapes} shapes")
    return ", ".join(parts)


def states_at(load: Callable[[float | None], tuple], time: float) -> np.ndarray | None:
    """States at one time of a clip: frames at a rate that has one there; outside the clip, its ends."""
    states, times = load(None)
    times = np.asarray(times, np.float64)
    if time <= times[0] or len(times) == 1:
        return states[0]
    near = int(np.abs(times - time).argmin())
    if abs(times[near] - time) < 1e-7:
        return states[near]
    states, times = load(16 / (time - times[0]))
    times = np.asarray(times, np.float64)
    near = int(np.abs(times - time).argmin())
    if abs(times[near] - time) < 1e-5:
        return states[near]
    return states[-1] if time > times[-1] else None
