"""The figures as Markdown and CSV."""

from __future__ import annotations

import csv
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from calls import FORMS, GROUPS, ONE
from measure import Call

PACKAGES = ("numpy", "torch", "jax", "nanobind", "pybind11", "apache-tvm-ffi")
TITLES = {
    "floor": "The floor: calls that do nothing",
    "numpy": "NumPy",
    "torch": "torch, CPU",
    "jax": "JAX, CPU, eager",
    "unknown": "An unknown DLPack producer (a Python class)",
}


def machine() -> str:
    """The processor, how busy it is, and the versions."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), model)
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    versions = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    return f"{model}, {os.cpu_count()} cores, {load}, {sys.platform}; {', '.join(versions)}"


def quiet(calls: Sequence[Call]) -> str:
    """What the clocks are, and how far they were apart."""
    least = statistics.median(call.least_wall / call.least for call in calls)
    median = statistics.median(call.median_wall / call.median for call in calls)
    return (
        f"Time of the calling thread on the processor, {len(calls[0].times)} repeats by turns. The wall's "
        f"clock shows {least:.2f} times as much for the smallest repeat and {median:.2f} times for the "
        "median one; on a quiet machine both are 1."
    )


def base_of(calls: Sequence[Call], framework: str) -> Call | None:
    """The call that the ratios of a framework are to."""
    name = GROUPS[framework][1]
    wanted = (framework, name, ONE)
    return next((x for x in calls if (x.framework, x.contestant, x.form) == wanted), None)


def _number(ns: float) -> str:
    return f"{ns:.1f}" if ns < 100 else f"{ns:,.0f}".replace(",", " ")


def _cell(call: Call | None, base: Call | None) -> str:
    if call is None:
        return ""
    text = f"{_number(call.least)} / {_number(call.median)}"
    return text if base is None else f"{text} ({call.least / base.least:.2f})"


def markdown(calls: Sequence[Call]) -> str:
    """A table per framework: min / median, and the ratio of the minima in brackets."""
    lines = []
    for framework in GROUPS:
        group = [call for call in calls if call.framework == framework]
        if not group:
            continue
        base = base_of(calls, framework)
        forms = [form for form in FORMS if any(call.form == form for call in group)]
        note = f"; in brackets as a multiple of {base.contestant}" if base else ""
        lines += [f"### {TITLES[framework]}", "", f"ns, min / median{note}", ""]
        lines.append("| contestant | " + " | ".join(forms) + " |")
        lines.append("|---|" + "---:|" * len(forms))
        for name in dict.fromkeys(call.contestant for call in group):
            found = {call.form: call for call in group if call.contestant == name}
            cells = [_cell(found.get(form), base) for form in forms]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def write_csv(path: Path, calls: Sequence[Call]) -> None:
    """One line per call, with everything that was measured."""
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        head = [
            "framework",
            "contestant",
            "form",
            "min_ns",
            "median_ns",
            "ratio_of_min",
            "ratio_to",
        ]
        table.writerow([*head, "min_wall_ns", "median_wall_ns", "loops", "repeats"])
        for call in calls:
            base = base_of(calls, call.framework)
            row = [call.framework, call.contestant, call.form]
            row += [f"{call.least:.2f}", f"{call.median:.2f}"]
            row += [f"{call.least / base.least:.4f}", base.contestant] if base else ["", ""]
            row += [f"{call.least_wall:.2f}", f"{call.median_wall:.2f}"]
            table.writerow([*row, call.loops, len(call.times)])
