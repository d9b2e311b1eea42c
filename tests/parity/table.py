"""Every public name of PyMomentum's `geometry`, `diff_geometry`, `quaternion`, `skel_state` and `trs`, and ours.

    python tests/parity/table.py        # writes docs/parity.md

The figures are the largest differences of what `shared_program.py` returns under the two imports, relative to
the largest value.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
for _folder in (HERE, ROOT / "tests", ROOT / "benchmarks"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

import shared_program

import kinarray
from peer_env import find

PAGE = ROOT / "docs" / "parity.md"
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}

#: `diff_geometry` needs torch to import; its names are those of its documentation.
DIFF_GEOMETRY = [
    "apply_inverse_parameter_transform",
    "apply_model_param_limits",
    "apply_parameter_transform",
    "compute_blend_shape",
    "compute_vertex_normals",
    "find_closest_points",
    "find_closest_points_on_mesh",
    "joint_parameters_to_local_skeleton_state",
    "joint_parameters_to_positions",
    "joint_parameters_to_skeleton_state",
    "local_skeleton_state_to_joint_parameters",
    "map_joint_parameters",
    "map_model_parameters",
    "model_parameters_to_blend_shape_coefficients",
    "model_parameters_to_face_expression_coefficients",
    "model_parameters_to_local_skeleton_state",
    "model_parameters_to_positions",
    "model_parameters_to_skeleton_state",
    "reduce_to_selected_model_parameters",
    "skeleton_state_to_joint_parameters",
    "skin_points",
    "skin_skinned_locators",
    "uniform_random_to_model_parameters",
]

#: Why a name of theirs is not ours.
REASONS: dict[str, str] = {}
GARBAGE = (
    "float64 is read as float32 there: `test_peer_differences.py`, `test_peer_closest_points.py`"
)
#: Where the two differ on purpose; each is shown by a test of the parity tests.
DIFFERENCES: dict[str, str] = {
    "geometry.InverseParameterTransform.apply": GARBAGE,
    "geometry.find_closest_points": GARBAGE,
    "geometry.uniform_random_to_model_parameters": GARBAGE,
}
ROUNDED = "float32 there, whatever goes in"


@dataclass(frozen=True)
class Row:
    """One name: where it is, what our name is, how far the results are apart."""

    name: str
    ours: str
    float32: float | None
    float64: float | None
    remark: str


def peer_names(peer) -> dict[str, dict[str, list[str] | None]]:
    command = [str(peer.python), str(HERE / "peer_names.py")]
    done = subprocess.run(command, env=peer.variables(), capture_output=True, text=True, check=True)
    names = json.loads(done.stdout)
    names["diff_geometry"] = dict.fromkeys(DIFF_GEOMETRY)
    return names


def peer_results(peer):
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "peer.npz"
        command = [str(peer.python), str(HERE / "shared_program.py"), str(out), "pymomentum"]
        subprocess.run(command, env=peer.variables(), capture_output=True, check=True)
        with np.load(out) as loaded:
            arrays = {key: loaded[key] for key in loaded.files if key != "errors"}
            return arrays, json.loads(str(loaded["errors"]))


def apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest difference, relative to the largest value."""
    if ours.shape != theirs.shape:
        return float("inf")
    if ours.size == 0:
        return 0.0
    ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
    if np.isnan(ours).any() or np.isnan(theirs).any():
        return float("inf")
    return float(np.abs(ours - theirs).max() / max(1.0, np.abs(theirs).max()))


def lookup(dotted: str):
    """Our object of a name of theirs, or None."""
    module, *path = dotted.split(".")
    module = {"diff_geometry": "geometry"}.get(module, module).removesuffix("_np")
    found = getattr(kinarray, module, None)
    for part in path:
        found = getattr(found, part, None)
    return found


def reason(dotted: str) -> str | None:
    for pattern, why in REASONS.items():
        if dotted == pattern or (pattern.endswith("*") and dotted.startswith(pattern[:-1])):
            return why
    return None


def rows() -> list[Row]:
    peer = find()
    theirs, their_errors = peer_results(peer)
    ours, our_errors = shared_program.results(shared_program.library("kinarray"))
    figures: dict[str, dict[str, float]] = {}
    remarks: dict[str, str] = {}
    for key in [*ours, *theirs]:
        name, dtype, _ = key.split()
        if dtype == "float64" and key in theirs and theirs[key].dtype == np.float32:
            remarks[name] = ROUNDED
        one = apart(ours[key], theirs[key]) if key in ours and key in theirs else float("inf")
        figures.setdefault(name, {})
        figures[name][dtype] = max(one, figures[name].get(dtype, 0.0))
    for errors, who in ((their_errors, "theirs"), (our_errors, "ours")):
        for key, text in errors.items():
            remarks[key.split()[0]] = f"{who} raises {text}"

    listed = []
    for module, names in peer_names(peer).items():
        for name, members in names.items():
            dotted = [f"{module}.{name}", *(f"{module}.{name}.{m}" for m in members or ())]
            for each in dotted:
                key = each.replace("_np.", ".").replace("diff_geometry.", "geometry.")
                if module == "diff_geometry" and key not in figures:
                    key = key.replace("geometry.", "geometry.Character.")
                of = figures.get(key, {})
                has = lookup(each) is not None
                remark = DIFFERENCES.get(key) or remarks.get(key, "")
                if not has:
                    remark = reason(each) or "MISSING"
                listed.append(
                    Row(each, "yes" if has else "no", of.get("float32"), of.get("float64"), remark)
                )
    return listed


def is_apart(row: Row) -> bool:
    """Whether a difference is larger than rounding, and not one that is meant."""
    double = TOLERANCE["float32" if row.remark == ROUNDED else "float64"]
    far = (row.float32 or 0) > TOLERANCE["float32"] or (row.float64 or 0) > double
    return far and row.remark in ("", ROUNDED)


def page(listed: list[Row]) -> str:
    def figure(value):
        return "" if value is None else f"{value:.0e}"

    lines = [
        "# PyMomentum's names and ours",
        "",
        "Made by `python tests/parity/table.py` with pymomentum 0.1.114; do not edit. A figure is the largest difference",
        "between the two libraries on the same program (`tests/parity/shared_program.py`), relative to the largest value;",
        "names without one are shown by the tests of `tests/parity/` or are plain data.",
        "",
        "| PyMomentum | here | float32 | float64 | remark |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in listed:
        lines.append(
            f"| `{row.name}` | {row.ours} | {figure(row.float32)} | {figure(row.float64)} | {row.remark} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    table = rows()
    PAGE.write_text(page(table))
    missing = [row.name for row in table if row.remark == "MISSING"]
    far = [row for row in table if is_apart(row)]
    print(f"{len(table)} names; {len(missing)} missing without a reason; {len(far)} apart")
    for name in missing:
        print("missing", name)
    for row in far:
        print("apart", row.name, row.float32, row.float64)
