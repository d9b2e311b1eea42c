"""Writes ``docs/gradients.md``: which function passed which check of its derivatives, in torch and in JAX.

Run it in the repository's root: ``.venv/bin/python tests/gradients_table.py``. It runs the tests of both
bridges and tells what they found; nothing in the table is written by hand.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as Tree
from importlib.metadata import version
from pathlib import Path

from differentiable import cases

ROOT = Path(__file__).resolve().parent.parent
HEAD = """\
# Derivatives

Written by `tests/gradients_table.py` from a run of `tests/test_autograd_torch.py` and
`tests/test_autograd_jax.py`{versions}. All in float64, on a character of three joints and five vertices with
shapes, limits and locators. **yes**: every test of that kind passed; **no**: one failed.

* first derivatives: `gradcheck`, backward and forward mode, with and without a batch axis, batched gradients
* second derivatives: `gradgradcheck`, backward over backward and forward over backward; in JAX both against each other and
  against differences of the gradient
* transforms: `torch.func` `jacrev`, `jacfwd`, `grad`, `hessian`; in JAX `grad`, `jvp`, `hessian`, `jit` of them
* vmap: beside a loop, of the function and of its gradient, batch axes first, last and missing
* compiled: `torch.compile(fullgraph=True)`, `torch.export`, `opcheck`, for some of every kind; in JAX `jit`

A third derivative is refused by name. `find_closest_points` and `find_closest_points_on_mesh` have no
derivative here and say so.

"""


def run(file: str, report: Path) -> None:
    """Runs the tests of one bridge."""
    command = [sys.executable, "-m", "pytest", "-q", file, f"--junitxml={report}"]
    subprocess.run(command, cwd=ROOT, check=False)


def results(report: Path) -> dict[str, dict[str, bool]]:
    """Of each function, whether each test passed."""
    found: dict[str, dict[str, bool]] = {}
    for case in Tree.parse(report).iter("testcase"):
        match = re.fullmatch(r"(test_\w+)\[([\w.]+)(?:-.*)?\]", case.get("name", ""))
        if match and match[2] in cases() and case.find("skipped") is None:
            test, name = match.groups()
            passed = case.find("failure") is None and case.find("error") is None
            row = found.setdefault(name, {})
            row[test] = row.get(test, True) and passed
    return found


def columns(test: str, headings: list[str]) -> list[str]:
    """The headings of a test's columns; JAX has one test for all of them."""
    return headings if test == "test_every_function" else [column(test)]


def column(test: str) -> str:
    """The heading of a test's column."""
    words = {
        "first": "first derivatives",
        "second": "second derivatives",
        "check_grads": "second derivatives",
        "transforms": "transforms",
        "vmap": "vmap",
        "compile": "compiled",
        "export": "compiled",
        "operators": "compiled",
        "scan": "compiled",
        "jit": "compiled",
        "remat": "compiled",
        "hessian": "transforms",
    }
    return next(
        (heading for word, heading in words.items() if word in test), "as the plain function"
    )


def main() -> None:
    """Runs both bridges' tests and writes the table."""
    headings = [
        "first derivatives",
        "second derivatives",
        "transforms",
        "vmap",
        "compiled",
        "as the plain function",
    ]
    versions = f" (torch {version('torch')}, JAX {version('jax')})"
    text = HEAD.format(versions=versions)
    with tempfile.TemporaryDirectory() as folder:
        for library in ("torch", "jax"):
            report = Path(folder) / f"{library}.xml"
            run(f"tests/test_autograd_{library}.py", report)
            found = results(report)
            text += f"## {library}\n\n| function | {' | '.join(headings)} |\n"
            text += "| --- " * (1 + len(headings)) + "|\n"
            for name in sorted(found):
                cells: dict[str, bool] = {}
                for test, passed in found[name].items():
                    for heading in columns(test, headings):
                        cells[heading] = cells.get(heading, True) and passed
                row = ("" if h not in cells else "yes" if cells[h] else "**no**" for h in headings)
                text += f"| `{name}` | {' | '.join(row)} |\n"
            text += "\n"
    (ROOT / "docs" / "gradients.md").write_text(text.rstrip() + "\n")


if __name__ == "__main__":
    main()
