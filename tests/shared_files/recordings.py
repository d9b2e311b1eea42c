"""Motion capture: hierarchies that move, and markers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import kinarray as ka
from shared_files.compared import Agreement, matrices, quietly


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


def amc(path: Path, wanted: dict) -> Agreement:
    motion = quietly(ka.load_motion, path)
    character = motion.character
    result = Agreement(f"{len(wanted['bones'])} bones, {len(motion)} frames")
    result.same("number of frames", len(motion), wanted["counts"]["frames"])
    # A number of the file, divided by its `length`, is inches.
    metres = 0.0254 / float(wanted["units"]["length"])
    names = list(character.skeleton.joint_names)
    locators = {locator.name: locator for locator in character.locators}
    for pose in wanted["frames"]:
        states = np.asarray(motion.skeleton_states)[pose["frame"]]
        found = []
        for bone in pose["positions"]:
            # The end of a bone; the root has none.
            end = locators.get(f"{bone}_end")
            joint = names.index(bone) if end is None else end.parent
            offset = np.zeros(3) if end is None else np.asarray(end.offset)
            found.append(matrices(states[joint]) @ [*offset, 1])
        points = np.array(list(pose["positions"].values())) * metres
        result.compare(f"ends in frame {pose['frame']}", found, points, np.abs(points).max())
    return result


def deepmimic(path: Path, wanted: dict) -> Agreement:
    motion = quietly(ka.load_motion, path)
    result = Agreement(f"{len(motion.character.skeleton)} joints, {len(motion)} frames")
    result.same("number of frames", len(motion), wanted["counts"]["frames"])
    for pose in wanted["frames"]:
        states = np.asarray(motion.skeleton_states)[pose["frame"]]
        points = np.asarray(pose["positions"])
        what = f"joints in frame {pose['frame']}"
        result.compare(what, states[:, :3], points, np.abs(points).max())
    return result


def markers(path: Path, wanted: dict) -> Agreement:
    unit = wanted.get("point_units") or wanted.get("header", {}).get("Units") or "mm"
    sequences = quietly(ka.load_markers, path, unit, main_subject_only=False)
    result = Agreement(
        f"{sum(len(s.frames[0]) for s in sequences)} markers, {len(sequences[0])} frames"
    )
    frames = [sequence.frames for sequence in sequences]
    result.same("number of frames", len(frames[0]), wanted["counts"]["frames"])
    box = np.abs(wanted["bbox_of_valid_points"]).max()
    missing = sum(marker.occluded for sequence in frames for frame in sequence for marker in frame)
    result.same("missing samples", missing, wanted["missing_samples"])
    for pose in wanted["frames"]:
        found = {marker.name: marker for sequence in frames for marker in sequence[pose["frame"]]}
        for label, point in pose["points"].items():
            marker = found.get(label) or found.get(label.split(":")[-1])
            if marker is None:
                result.problems.append(f"no marker {label!r}")
            elif point is None or None in point:
                result.same(f"{label} is hidden", marker.occluded, True)
            else:
                result.compare(f"{label} in frame {pose['frame']}", marker.pos, point, box)
    return result
