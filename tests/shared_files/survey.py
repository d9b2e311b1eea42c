"""Writes `docs/files-read.md`: every shared file, what became of it, and how it compares with other libraries.

python tests/shared_files/survey.py
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from shared_files.agreement import agreement
from shared_files.folder import all_files, data_folder, expected, expected_files, invalid_files
from shared_files.guarded import Outcome, outcome

PAGE = Path(__file__).resolve().parents[2] / "docs" / "files-read.md"
HEAD = """# Real files, read

Written by `python tests/shared_files/survey.py`; `tests/test_shared_files.py` holds it. The files are the shared test
data (`../shared/data`, not part of this repository; its README names origin and licence of each); the figures that
they are compared with were computed by other libraries (three.js, ufbx, pinocchio, mujoco, usd-core, ezc3d, NumPy).
"Difference" is the largest one of joint positions, rotations and skinned points, relative to the size of the scene,
through the Python API; the Rust tests (`tests/formats`) compare more, point by point.
"""


def shown(text: str) -> str:
    """Text for a cell."""
    return text.replace("|", "\\|").replace("\n", " ")


def short(message: str, data: Path) -> str:
    """A message without the folder that the files lie in."""
    return shown(message.replace(f"{data}/", ""))


def read_table(data: Path) -> list[str]:
    lines = ["| file | holds | numbers compared | difference |", "| --- | --- | ---: | ---: |"]
    for file in expected_files(data):
        found = agreement(data / file, expected(data, file))
        if found is not None:
            worst = "; ".join(found.problems) or f"{found.worst:.1e}"
            lines.append(f"| `{file}` | {found.counts} | {found.compared} | {shown(worst)} |")
    return lines


def other_table(data: Path) -> list[str]:
    lines = ["| file | result | message |", "| --- | --- | --- |"]
    known = {file for file in expected_files(data) if agreement_known(data, file)}
    for file in all_files(data):
        if file.parts[0] != "invalid" and file not in known:
            found = outcome(data / file)
            text = found.counts or short(found.message, data)
            lines.append(f"| `{file}` | {found.result} | {text} |")
    return lines


def agreement_known(data: Path, file: Path) -> bool:
    from shared_files.agreement import FORMATS

    return any(expected(data, file)["format"].startswith(begin) for begin in FORMATS)


def invalid_table(data: Path) -> tuple[list[str], list[Outcome]]:
    lines = ["| file | result | ms | MB | message |", "| --- | --- | ---: | ---: | --- |"]
    found = []
    for file in invalid_files(data):
        one = outcome(data / file)
        found.append(one)
        text = one.counts or short(one.message, data)
        cells = [f"`{file.relative_to('invalid')}`", one.result, f"{1e3 * one.seconds:.0f}"]
        cells += [f"{one.peak_bytes / 2**20:.0f}", text]
        lines.append("| " + " | ".join(cells) + " |")
    return lines, found


def main() -> int:
    data = data_folder()
    if data is None:
        print("no shared test data (set KINARRAY_SHARED)", file=sys.stderr)
        return 1
    invalid, outcomes = invalid_table(data)
    results = sorted({one.result for one in outcomes})
    counts = ", ".join(f"{sum(o.result == r for o in outcomes)} {r}" for r in results)
    slowest = max(one.seconds for one in outcomes)
    largest = max(one.peak_bytes for one in outcomes)
    parts = [
        HEAD,
        "## Compared with other libraries\n",
        *read_table(data),
        "\n## Without figures to compare\n",
        "Parts of other files, files of other kinds, and oddities: they load, or are refused in words. USD files are compared "
        "by `tests/formats/usd_expected.rs`: all eight with figures agree to 2e-6 (`skinnedArm`, whose quaternion is not of "
        "unit length, to 4e-5).\n",
        *other_table(data),
        "\n## Broken files\n",
        f"{len(outcomes)} files: {counts}; the slowest took {1e3 * slowest:.0f} ms, the largest {largest >> 20} MB more "
        "than the process had before.\n",
        *invalid,
    ]
    PAGE.write_text("\n".join(parts) + "\n")
    print(f"wrote {PAGE}: {counts}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
