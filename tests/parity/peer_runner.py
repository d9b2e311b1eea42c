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
import pymomentum.geometry as geometry

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from character_arrays import CharacterArrays


def resolve(path, character):
    """`geometry.Mesh`, `character.parameter_transform.inverse().apply`, ... : names and empty calls only."""
    names = path.split(".")
    value = {"geometry": geometry, "character": character}[names[0]]
    for name in names[1:]:
        value = getattr(value, name.removesuffix("()"))
        if name.endswith("()"):
            value = value()
    return value


def argument(given, character, arrays):
    if isinstance(given, dict) and "mesh" in given:
        return geometry.Mesh(**{k: argument(v, None, arrays) for k, v in given["mesh"].items()})
    if isinstance(given, dict):
        return character if given.get("is") == "character" else arrays[given["array"]]
    return given


def as_arrays(value):
    """What a call returned, as named arrays."""
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
    if isinstance(value, geometry.Character):
        return {f"mesh.{k}": v for k, v in as_arrays(value.mesh).items()} | as_arrays(
            value.skin_weights
        )
    if isinstance(value, geometry.SkinWeights):
        return {"index": value.index, "weight": value.weight}
    if isinstance(value, (tuple, list)) and not all(
        isinstance(v, (str, int, float)) for v in value
    ):
        return {f"item{i}": np.asarray(item) for i, item in enumerate(value)}
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
