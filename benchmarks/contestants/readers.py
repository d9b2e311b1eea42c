"""Others that read the same files: trimesh for GLB (meshes only), bvhtoolbox for BVH (text to numbers)."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path

import numpy as np

import file_work

to_numpy = np.asarray


def version():
    found = []
    for package in ("trimesh", "bvhtoolbox"):
        try:
            found.append(f"{package} {installed(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found) or "none installed"


def prepare(workload, arrays, threads):
    if workload.kind not in ("load_bvh", "load_character"):
        return None
    path = str(file_work.path_of(workload))
    if workload.kind == "load_character":
        import trimesh

        return lambda: trimesh.load_mesh(path, process=False).faces
    from bvhtoolbox.bvh import Bvh

    def read():
        return np.asarray(Bvh(Path(path).read_text()).frames, dtype=np.float64)[:, 3:6]

    return read
