"""Robots: links and bodies in configurations."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import kinarray as ka
from shared_files.compared import Agreement, matrices, quietly


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


def mjcf(path: Path, wanted: dict) -> Agreement:
    character = quietly(ka.load_character, path)
    bodies = wanted["bodies"][1:]
    result = Agreement(f"{len(bodies)} bodies, {character.parameter_transform.size} parameters")
    joints = character.skeleton.joint_names
    names = character.parameter_transform.names
    places = [joints.index(body["name"]) for body in bodies]
    for pose in wanted["poses"]:
        parameters = np.zeros(len(names))
        for joint in wanted["joints"]:
            at = joint["qpos_address"]
            if joint["type"] in ("hinge", "slide"):
                parameters[names.index(joint["name"])] = pose["qpos"][at]
            else:
                free = joint["type"] == "free"
                quat = pose["qpos"][at + 3 : at + 7] if free else pose["qpos"][at : at + 4]
                own = [f"{joint['name']}_{axis}" for axis in ("rx", "ry", "rz")]
                parameters[[names.index(name) for name in own]] = euler(quat)
                if free:
                    own = [f"{joint['name']}_{axis}" for axis in ("tx", "ty", "tz")]
                    parameters[[names.index(name) for name in own]] = pose["qpos"][at : at + 3]
        states = ka.geometry.model_parameters_to_skeleton_state(character, parameters)[places]
        what = f"bodies, {pose['configuration']}"
        result.compare(what, states[:, :3], pose["body_positions"][1:], 1)
        quats = np.asarray(pose["body_quats_wxyz"][1:])
        rows = np.concatenate([np.zeros((len(quats), 3)), quats[:, 1:], quats[:, :1]], -1)
        wanted_turns = matrices(np.concatenate([rows, np.ones((len(rows), 1))], -1))[..., :3]
        result.compare(what, matrices(states)[..., :3], wanted_turns, 1)
    return result


def euler(quat_wxyz) -> np.ndarray:
    """Angles with `R = Rz Ry Rx`."""
    from scipy.spatial.transform import Rotation

    w, x, y, z = quat_wxyz
    if not (w or x or y or z):
        w = 1.0
    return Rotation.from_quat([x, y, z, w]).as_euler("xyz")
