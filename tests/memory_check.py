"""The edge-case tests under valgrind: `make test-memory`, or `python tests/memory_check.py [file ...]`.

Fails where memory is read or written that is not ours to read or write, where something is released
twice, and where our code depends on a value that nobody set. Large frameworks are left out unless
named with `--with torch`: under valgrind they take very long to import.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
FILES = [
    "test_edges_numpy.py",
    "test_edges_arrow.py",
    "test_hostile_producers.py",
    "test_hostile_columns.py",
    "test_our_buffer.py",
    "test_out.py",
    "test_lifetime.py",
    "test_threads_and_processes.py",
]
SLOW = ["torch", "jax", "polars", "pandas"]
# Children have no debugger of their own; arrays larger than memory are larger than valgrind's too.
LEFT_OUT = (
    "not (shutdown or children or fork or process or first_use or loader or virtual or devices)"
)
OURS = re.compile(r"\w+\.rs:\d+\)|_core\.abi3\.so")


def inside(frameworks: list[str], files: list[str]) -> int:
    """What valgrind watches: the tests, where the frameworks left out count as not installed."""

    class Absent:
        def find_spec(self, name, path=None, target=None):
            if name in SLOW and name not in frameworks:
                raise ModuleNotFoundError(f"{name} is left out here", name=name)

    sys.meta_path.insert(0, Absent())
    import pytest

    tests = [str(HERE / name) for name in files]
    return pytest.main(["-q", "-p", "no:cacheprovider", "-k", LEFT_OUT, *tests])


def findings(log: str) -> list[str]:
    """The errors that count."""
    records = re.sub(r"(?m)^==\d+== ?", "", log).split("\n\n")
    found = []
    for record in records:
        if "   at 0x" not in record:
            continue
        # glibc's loader compares strings a word at a time; CPython's integers and its evaluation of
        # them look uninitialised to valgrind from the first import on.
        uninitialised = "ninitialised" in record.splitlines()[0] or "Conditional" in record
        if "(dl-load.c:" in record or (uninitialised and not OURS.search(record)):
            continue
        found.append(record)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--with", dest="frameworks", action="append", default=[], choices=SLOW)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("files", nargs="*")
    given = parser.parse_args()
    files = given.files or FILES
    if given.inside:
        return inside(given.frameworks, files)
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        print("valgrind is missing", file=sys.stderr)
        return 2
    log = Path(tempfile.mkdtemp()) / "valgrind.log"
    tool = [valgrind, "-q", "--leak-check=no", "--num-callers=40", f"--log-file={log}"]
    frameworks = [f"--with={name}" for name in given.frameworks]
    run = subprocess.run(
        [*tool, sys.executable, str(Path(__file__)), "--inside", *frameworks, *files],
        env=os.environ
        | {
            "PYTHONMALLOC": "malloc",  # so that valgrind sees every object
            "KINARRAY_ISA": "baseline",  # it does not know AVX-512
            "KINARRAY_CALLS": "50",
            "OPENBLAS_NUM_THREADS": "1",
        },
        check=False,
    )
    found = findings(log.read_text())
    for record in found:
        print(record, end="\n\n")
    print(
        f"tests: exit code {run.returncode}; valgrind: {len(found)} errors (all of its log: {log})"
    )
    return run.returncode or int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
