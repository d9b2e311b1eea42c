"""Runs calls on PyMomentum for `peer_oracle.py`; started by the peer's own interpreter.

Each line on stdin names a request file and an answer file. A request (npz, no pickle) holds the JSON
text `calls` and the arrays it refers to. The answer holds one entry a call: arrays, or the error.
"""

import json
import os
import sys
from pathlib import Path

# The peer prints warnings on stdout: replies go to a copy of it, whatever else is printed to stderr.
replies = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import numpy as np
import peer_parameters
import pymomentum.geometry as geometry
from pymomentum import quaternion_np, skel_state_np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import peer_parts

from character_arrays import CharacterArrays


def resolve(path, character):
    """`geometry.Mesh`, `character.parameter_transform.inverse().apply`, ... : names and empty calls only."""
    names = path.split(".")
    roots = {
        "geometry": geometry,
        "quaternion": quaternion_np,
        "skel_state": skel_state_np,
        "character": character,
        "parameters": peer_parameters,
        "parts": peer_parts,
    }
    value = roots[names[0]]
    for name in names[1:]:
        value = getattr(value, name.removesuffix("()"))
        if name.endswith("()"):
            value = value()
    return value


def operated(what, character, operation, poses, *arguments):
    """Something about the character that an operation on `character` gives: its names, its states, ..."""
    place = next(
        place for place in (character, geometry.Character, geometry) if hasattr(place, operation)
    )
    bound = () if place is character and operation != "add_rigid_transform_node" else (character,)
    result = getattr(place, operation)(*bound, *arguments)
    result, joint, parameter = result if isinstance(result, tuple) else (result, 0, 0)

    def states():
        return geometry.model_parameters_to_skeleton_state(result, poses)

    return {
        "names": lambda: list(result.skeleton.joint_names),
        "parents": lambda: list(result.skeleton.joint_parents),
        "parameters": lambda: list(result.parameter_transform.names),
        "limits": lambda: [str(limit) for limit in result.parameter_limits],
        "transform": lambda: result.parameter_transform.transform,
        "bind": lambda: result.inverse_bind_pose,
        "states": states,
        "points": lambda: result.skin_points(states()),
        "joint": lambda: joint,
        "parameter": lambda: parameter,
    }[what]()


def argument(given, character, arrays):
    if isinstance(given, dict) and "mesh" in given:
        return geometry.Mesh(**{k: argument(v, None, arrays) for k, v in given["mesh"].items()})
    if isinstance(given, dict):
        if given.get("is") == "character":
            return character
        array = arrays[given["array"]]
        return array.tobytes() if array.dtype.kind == "V" else array
    return given


def as_arrays(value):
    """What a call returned, as named arrays."""
    if isinstance(value, geometry.Character):
        shape = value.blend_shape
        described = {
            "parameter_names": np.asarray(value.parameter_transform.names),
            "n_shapes": np.asarray(shape.n_shapes if shape else 0),
        }
        mesh = as_arrays(value.mesh)
        weights = as_arrays(value.skin_weights) if value.skin_weights else {}
        return described | mesh | {f"mesh.{k}": v for k, v in mesh.items()} | weights
    if isinstance(value, geometry.BlendShapeBase):
        base = {"base": value.base_shape} if isinstance(value, geometry.BlendShape) else {}
        return base | {"vectors": value.shape_vectors, "names": np.asarray(value.shape_names)}
    if isinstance(value, bytes):
        return {"value": np.frombuffer(value, np.uint8)}
    if isinstance(value, geometry.Mesh):
        names = [
            "vertices",
            "normals",
            "faces",
            "colors",
            "confidence",
            "texcoords",
            "texcoord_faces",
        ]
        names += ["poly_faces", "poly_face_sizes", "poly_texcoord_faces"]
        return {name: np.asarray(getattr(value, name)) for name in names}
    if isinstance(value, geometry.SkinWeights):
        return {"index": value.index, "weight": value.weight}
    if isinstance(value, (tuple, list)) and not all(
        isinstance(v, (str, int, float)) for v in value
    ):
        parts = enumerate(value)
        # A character among them is no array.
        return {
            f"item{i}": np.asarray(item)
            for i, item in parts
            if not isinstance(item, geometry.Character)
        }
    return {"value": np.asarray(value)}


def answer(request):
    arrays = {name: request[name] for name in request.files}
    character = None
    if "character.parents" in arrays:
        character = CharacterArrays.from_dict(arrays, "character.").build(geometry)
    elif "gltf" in arrays:
        character = geometry.Character.load_gltf(str(arrays["gltf"]))
    results, errors = {}, {}
    for number, call in enumerate(json.loads(str(arrays["calls"]))):
        try:
            given = [argument(a, character, arrays) for a in call["args"] or []]
            if call["path"].startswith("operated:"):
                value = operated(call["path"].removeprefix("operated:"), character, *given)
            else:
                if call["path"].startswith("mesh."):
                    value = getattr(given.pop(0), call["path"].removeprefix("mesh."))
                else:
                    value = resolve(call["path"], character)
                if call["args"] is not None:
                    value = value(*given)
            for name, array in as_arrays(value).items():
                results[f"{number}.{name}"] = array
        except Exception as error:  # reported to the caller, whatever it is
            errors[number] = [type(error).__name__, str(error)]
    return results | {"errors": np.asarray(json.dumps(errors))}


def main():
    print("ready", file=replies, flush=True)
    for line in sys.stdin:
        request_path, answer_path = line.rstrip("\n").split("\t")
        try:
            with np.load(request_path, allow_pickle=False) as request:
                result = answer(request)
        except Exception as error:  # the character itself could not be made
            result = {"failed": np.asarray(json.dumps([type(error).__name__, str(error)]))}
        np.savez(answer_path, **result)
        print("done", file=replies, flush=True)


if __name__ == "__main__":
    main()
