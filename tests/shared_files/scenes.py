"""Scenes: nodes, skins and animations."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

import kinarray as ka
from shared_files.compared import Agreement, counted, quietly, rest_states, states_at


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


def fbx(path: Path, wanted: dict) -> Agreement:
    character = quietly(ka.load_character, path, "cm")
    result = Agreement(counted(character))
    scale = wanted["settings"]["unit_meters"] * 100
    nodes = wanted["nodes"]
    places = by_name(nodes, character, "node_{}")
    check_hierarchy(result, nodes, character, places)
    for pose in wanted["poses"]:
        if pose["stack"] is None:
            states = rest_states(character)
        else:
            # What plays where nobody chooses is the first one.
            at = 0 if pose["stack"] == "default" else pose["stack"]
            stack = wanted["stacks"][at]
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                ka.load_motion(path, "cm", clip=at)
            if any("sheared" in str(warning.message) for warning in said):
                # Squash and stretch, which no joint can hold: that is what the warning says.
                continue

            def load(fps, at=at):
                motion = quietly(ka.load_motion, path, "cm", clip=at, fps=fps)
                return np.asarray(motion.skeleton_states), motion.times

            # Behind the last key everything stays as it is there.
            states = states_at(load, min(pose["time"], stack["end"]))
        if states is None:
            continue
        rows = list(places)
        wanted_points = np.asarray([pose["world_positions"][row] for row in rows]) * scale
        size = max(1.0, float(np.abs(wanted_points).max())) if rows else 1.0
        what = f"positions in {pose['stack']} at {pose['time']}"
        result.compare(what, states[[places[row] for row in rows], :3], wanted_points, size)
    return result
