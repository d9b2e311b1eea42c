"""Runs the tests of the array seam beside old and new versions of the libraries, and makes a table.

    python tests/versions.py                 every environment; the table goes to docs/versions.md
    python tests/versions.py oldest newest   these only; the table is printed
    python tests/versions.py --list          what there is

It builds one wheel (or takes --wheel FILE, or --in-place: python/ as it lies), and for each environment
makes a virtual environment with uv, installs the wheel and the libraries, and runs the tests there.
Interpreters are looked for in the PATH and among pyenv's; uv fetches what is missing, where it can.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "versions.md"
TESTS = [
    "test_contract.py",
    "test_asarray.py",
    "test_c_exchange.py",
    "test_frameworks.py",
    "test_edges_*.py",
    "test_hostile_*.py",
    "test_our_buffer.py",
    "test_out.py",
    "test_lifetime.py",
    "test_random_arrays.py",
]
SHOWN = ["numpy", "torch", "jax", "polars", "pandas", "pyarrow"]
RUNNER = ["pytest>=8.2", "hypothesis>=6.100", "setuptools"]


@dataclasses.dataclass(frozen=True)
class Environment:
    """An interpreter, and what is installed beside the wheel."""

    name: str
    python: str
    libraries: tuple[str, ...]


LIGHT = ("arro3-core", "nanoarrow", "duckdb")
NEWEST = ("numpy", "torch", "jax", "polars", "pandas", "pyarrow", *LIGHT)

ENVIRONMENTS = [
    Environment(
        "oldest",
        "3.11",
        (
            "numpy==1.26.*",
            "torch==2.4.*",
            "jax==0.4.31",
            "polars==1.10.*",
            "pandas==2.2.*",
            "pyarrow==16.*",
        ),
    ),
    Environment(
        "numpy-2.0",
        "3.11",
        (
            "numpy==2.0.*",
            "torch==2.9.*",
            "jax==0.4.34",
            "polars==1.20.*",
            "pandas==2.2.*",
            "pyarrow==18.*",
        ),
    ),
    Environment(
        "numpy-2.2",
        "3.12",
        (
            "numpy==2.2.*",
            "torch==2.10.*",
            "jax==0.6.*",
            "polars==1.30.*",
            "pandas==2.3.*",
            "pyarrow==20.*",
            *LIGHT,
        ),
    ),
    Environment(
        "pandas-3.0",
        "3.13",
        ("numpy==2.3.*", "jax==0.7.*", "polars==1.35.*", "pandas==3.0.*", "pyarrow==22.*", *LIGHT),
    ),
    Environment("newest-3.11", "3.11", NEWEST),
    Environment("newest-3.12", "3.12", NEWEST),
    Environment("newest-3.13", "3.13", NEWEST),
    Environment("numpy-alone", "3.13", ("numpy",)),
]


@dataclasses.dataclass
class Result:
    """What came of an environment."""

    environment: Environment
    versions: dict[str, str] = dataclasses.field(default_factory=dict)
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0
    problems: list[str] = dataclasses.field(default_factory=list)


def uv() -> str:
    """The uv to use: that of the environment variable UV, of the PATH, or of make's environment."""
    found = os.environ.get("UV") or shutil.which("uv") or str(ROOT / ".venv" / "bin" / "uv")
    if not shutil.which(found):
        sys.exit("uv is missing: pip install uv, or run make once")
    return found


def interpreter(version: str) -> str:
    """An interpreter of this version that runs; else the version, for uv to fetch."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [str(path) for path in sorted(pyenv.glob(f"{version}.*/bin/python"), reverse=True)]
    for candidate in [*candidates, shutil.which(f"python{version}")]:
        if candidate:
            probe = subprocess.run([candidate, "-c", "import venv"], capture_output=True)
            if probe.returncode == 0:
                return candidate
    return version


def build() -> Path:
    """One wheel for all of them."""
    subprocess.run(["make", "wheel"], cwd=ROOT, check=True)
    return max((ROOT / "dist").glob("*.whl"), key=lambda wheel: wheel.stat().st_mtime)


def versions(python: Path) -> dict[str, str]:
    """What is installed."""
    script = (
        "import importlib.metadata as m, json, platform;"
        "print(json.dumps({d.metadata['Name'].lower(): d.version for d in m.distributions()}"
        " | {'python': platform.python_version()}))"
    )
    output = subprocess.run([python, "-c", script], check=True, capture_output=True, text=True)
    return json.loads(output.stdout)


def run(environment: Environment, wheel: Path | None, folder: Path) -> Result:
    """Makes the environment and runs the tests in it."""
    result = Result(environment)
    start = time.monotonic()
    home = folder / environment.name
    python = home / "bin" / "python"
    clean = {
        key: value
        for key, value in os.environ.items()
        if key not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX")
    }
    installs = [*environment.libraries, *RUNNER, *([str(wheel)] if wheel else [])]
    for command in (
        [uv(), "venv", "--quiet", "--python", interpreter(environment.python), str(home)],
        [uv(), "pip", "install", "--quiet", "--python", str(python), *installs],
    ):
        done = subprocess.run(command, env=clean, capture_output=True, text=True)
        if done.returncode != 0:
            result.problems.append(f"not installed: {done.stderr.strip()[-500:]}")
            return result
    result.versions = versions(python)
    if wheel is None:
        clean["PYTHONPATH"] = str(ROOT / "python")
    report = folder / f"{environment.name}.xml"
    tests = [str(path) for pattern in TESTS for path in sorted((ROOT / "tests").glob(pattern))]
    # Old libraries warn about things that are none of our business; here only results count.
    options = ["-q", "-W", "default", "-p", "no:cacheprovider", f"--junitxml={report}"]
    done = subprocess.run(
        [python, "-m", "pytest", *options, *tests],
        cwd=ROOT,
        env=clean,
        capture_output=True,
        text=True,
    )
    result.seconds = time.monotonic() - start
    if not report.exists():
        result.problems.append(
            f"pytest ended with {done.returncode}: {(done.stderr or done.stdout)[:800]}"
        )
        return result
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            result.failed += 1
            message = next(child.get("message", "") for child in case if child.tag != "system-out")
            name = f"{case.get('classname', '')}::{case.get('name', '')}"
            result.problems.append(f"`{name}`: {' '.join(message.split())[:200]}")
        elif "skipped" in kinds:
            result.skipped += 1
        else:
            result.passed += 1
    return result


def commit() -> str:
    """The commit that is tested; "+" where files differ from it."""
    git = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(git, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(
            line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def table(results: list[Result], what: str) -> str:
    """The results as Markdown."""
    head = ["environment", "Python", *SHOWN, "passed", "failed", "skipped"]
    lines = [
        "# Versions that were run",
        "",
        "The tests of the array seam beside these versions of the libraries,",
        f"made by `make test-versions` (`tests/versions.py`) from {what}.",
        "",
        f"{datetime.date.today()}, {platform.system()} {platform.machine()}, {processor()}, "
        f"{os.cpu_count()} processors.",
        "",
        f"| {' | '.join(head)} |",
        f"| {' | '.join(['---'] * 8 + ['---:'] * 3)} |",
    ]
    for result in results:
        shown = [result.versions.get(name, "-") for name in ["python", *SHOWN]]
        counts = [str(count) for count in (result.passed, result.failed, result.skipped)]
        if not any((result.passed, result.failed, result.skipped)):
            counts = ["-"] * 3  # it did not come to an end
        lines.append(f"| {' | '.join([result.environment.name, *shown, *counts])} |")
    lines += ["", "Tests are skipped where a library, or the feature tested, is not there.", ""]
    for result in results:
        if result.problems:
            lines += [f"## {result.environment.name}", ""]
            lines += [f"* {problem}" for problem in result.problems[:40]] + [""]
    return "\n".join(lines)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    names = [environment.name for environment in ENVIRONMENTS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--list", action="store_true", help="say what each environment holds")
    parser.add_argument("--wheel", type=Path, help="a wheel that is built already")
    parser.add_argument("--in-place", action="store_true", help="test python/ as it lies there")
    parser.add_argument("--keep", type=Path, help="leave the environments in this folder")
    parser.add_argument("--jobs", type=int, default=1, help="environments to run at a time")
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.name} in any case")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(names)
    if unknown:
        parser.error(f"no such environment: {', '.join(sorted(unknown))}")
    if arguments.list:
        for environment in ENVIRONMENTS:
            print(
                f"{environment.name}: Python {environment.python}, {', '.join(environment.libraries)}"
            )
        return 0
    chosen = [it for it in ENVIRONMENTS if not arguments.names or it.name in arguments.names]
    wheel = None if arguments.in_place else (arguments.wheel or build()).resolve()
    what = f"one wheel, `{wheel.name}`" if wheel else "`python/` as it lay there (`--in-place`)"
    what += f" at commit {commit()}"  # looked at now, for files may change meanwhile
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)

        def one(environment: Environment) -> Result:
            result = run(environment, wheel, folder)
            print(
                f"{environment.name}: {result.passed} passed, {result.failed} failed, "
                f"{result.skipped} skipped in {result.seconds:.0f} s",
                *result.problems,
                sep="\n  ",
                flush=True,
            )
            if not arguments.keep:
                shutil.rmtree(folder / environment.name, ignore_errors=True)
            return result

        with ThreadPoolExecutor(arguments.jobs) as pool:
            results = list(pool.map(one, chosen))
    text = table(results, what)
    if arguments.write or not arguments.names:
        TABLE.write_text(text)
    print(text)
    return int(any(result.problems for result in results))


if __name__ == "__main__":
    sys.exit(main())
