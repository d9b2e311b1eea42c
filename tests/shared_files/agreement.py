"""How far what we load is from what other libraries computed, through the public API, format by format.

Every comparison is relative to the size of the scene; names and hierarchy have to be the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

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


def by_name(nodes: list[dict], character: ka.geometry.Character, default: str) -> dict[int, int]:
    """Place in the other's list to our joint, by names that occur once; nameless ones have ours."""
    names = [node["name"] or default.format(node["index"]) for node in nodes]
    joints = {name: joint for joint, name in enumerate(character.skeleton.joint_names)}
    return {
        node["index"]: joints[name]
        for node, name in zip(nodes, names, strict=True)
        if names.count(name) == 1 and name in joints
    }


def check_hierarchy(
    result: Agreement, nodes: list[dict], character, places: dict[int, int]
) -> None:
    """The closest ancestors that both have have to be the same."""
    parents = {node["index"]: node["parent"] for node in nodes}
    known = set(places.values())
    for node, joint in places.items():
        above = parents[node]
        while above >= 0 and above not in places:
            above = parents[above]
        own = character.skeleton.joint_parents[joint]
        while own >= 0 and own not in known:
            own = character.skeleton.joint_parents[own]
        wanted = places.get(above, -1)
        if wanted >= 0:
            result.same(f"parent of joint {joint}", own, wanted)


def gltf(path: Path, wanted: dict) -> Agreement:
    character = quietly(ka.load_character, path)
    result = Agreement(counted(character))
    # Others use quaternions as stored; one that is longer than 1 by e scales by about 1 + 2e.
    result.tolerance += 3 * wanted.get("non_unit_quaternions", {}).get("max_norm_error", 0.0)
    size = wanted["magnitude"] or 1.0
    nodes = wanted["nodes"]
    places = by_name(nodes, character, "node_{}")
    check_hierarchy(result, nodes, character, places)
    morphs = any("weights" in clip["paths"] for clip in wanted["animations"])
    for pose in wanted["poses"]:
        clip = pose["animation"]
        if clip is None:
            states = rest_states(character)
        else:

            def load(fps, clip=clip):
                return quietly(
                    ka.geometry.Character.load_gltf_with_skel_states, path, clip=clip, fps=fps
                )[1:]

            states = states_at(load, pose["time"])
        if states is None:
            continue
        rows = list(places)
        got = states[[places[row] for row in rows], :3]
        what = f"positions in clip {clip} at {pose['time']}"
        result.compare(what, got, [pose["world_positions"][row] for row in rows], size)
        boxes = [part for part in pose["geometry"] if part.get("bbox_min")]
        if boxes and not (morphs and clip is not None) and len(boxes) == len(pose["geometry"]):
            points = np.asarray(character.skin_points(states))
            low = np.min([part["bbox_min"] for part in boxes], 0)
            high = np.max([part["bbox_max"] for part in boxes], 0)
            what = f"skinned points in clip {clip} at {pose['time']}"
            result.compare(what, [points.min(0), points.max(0)], [low, high], size)
    return result


def bvh(path: Path, wanted: dict) -> Agreement:
    result = Agreement()
    readings = {"offset_plus_channels": "add", "channels_replace_offset": "replace"}
    for key, option in readings.items():
        if key not in wanted["poses"][0]:
            continue
        motion = quietly(ka.load_motion, path, "cm", position_channels=option)
        character = motion.character
        result.counts = f"{len(character.skeleton)} joints, {len(motion)} frames"
        names = [joint["name"] for joint in wanted["joints"]]
        places = [character.skeleton.joint_names.index(name) for name in names]
        result.same("number of frames", len(motion), wanted["counts"]["frames"])
        for joint in wanted["joints"]:
            own = character.skeleton.joint_parents[places[joint["index"]]]
            parent = joint["parent"]
            result.same(f"parent of {joint['name']}", own, places[parent] if parent >= 0 else -1)
        states = np.asarray(motion.skeleton_states)
        for pose in wanted["poses"]:
            points = np.asarray(pose[key])
            size = np.abs(points).max()
            own = states[pose["frame"]][places]
            result.compare(f"{key} in frame {pose['frame']}", own[:, :3], points, size)
            for joint, rotation in pose["world_rotations"].items():
                turned = matrices(own[int(joint)])[:, :3]
                result.compare(f"rotation of {joint} in frame {pose['frame']}", turned, rotation, 1)
    return result


def urdf(path: Path, wanted: dict) -> Agreement:
    character = quietly(ka.load_character, path)
    result = Agreement(
        f"{wanted['counts']['links']} links, {character.parameter_transform.size} parameters"
    )
    names = character.parameter_transform.names
    joints = character.skeleton.joint_names
    for pose in wanted["poses"]:
        parameters = np.zeros(len(names))
        for name, value in pose["joint_values"].items():
            parameters[names.index(name)] = value
        states = ka.geometry.model_parameters_to_skeleton_state(character, parameters)
        what = f"links, {pose['configuration']}"
        links = list(pose["link_positions"])
        got = states[[joints.index(link) for link in links], :3]
        result.compare(what, got, list(pose["link_positions"].values()), 1)
        links = list(pose["link_matrices"])
        got = matrices(states[[joints.index(link) for link in links]])
        result.compare(what, got, list(pose["link_matrices"].values()), 1)
    return result


#: The beginning of `format` in the expected files, and who compares it.
FORMATS: dict[str, Callable[[Path, dict], Agreement]] = {
    "glTF": gltf,
    "VRM": gltf,
    "BVH": bvh,
    "URDF": urdf,
}


def agreement(path: Path, wanted: dict) -> Agreement | None:
    """The comparison for a file; nothing where its format is not one that we read."""
    for begin, compare in FORMATS.items():
        if wanted["format"].startswith(begin):
            return compare(path, wanted)
    return None
