"""Which comparison a file of the shared data gets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from shared_files.compared import Agreement
from shared_files.recordings import amc, bvh, deepmimic, markers
from shared_files.robots import mjcf, urdf
from shared_files.scenes import fbx, gltf

#: The beginning of `format` in the expected files, and who compares it.
FORMATS: dict[str, Callable[[Path, dict], Agreement]] = {
    "glTF": gltf,
    "VRM": gltf,
    "BVH": bvh,
    "ASF/AMC": amc,
    "DeepMimic": deepmimic,
    "FBX": fbx,
    "URDF": urdf,
    "MJCF": mjcf,
    "C3D": markers,
    "TRC": markers,
}


def agreement(path: Path, wanted: dict) -> Agreement | None:
    """The comparison for a file; nothing where its format is not one that we read."""
    for begin, compare in FORMATS.items():
        if wanted["format"].startswith(begin):
            return compare(path, wanted)
    return None
