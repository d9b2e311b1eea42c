"""Loading a file that may be hostile: in a process of its own, with limits on time and memory.

Run as a program it loads the files whose paths it is given, one a line, each in a fork of itself, and answers
in JSON: the tests themselves must not fork, since they have frameworks with threads.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import multiprocessing
import resource
import subprocess
import sys
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

import kinarray as ka

SECONDS = 2.0
ALLOWED = 200 << 20
PER_BYTE = 20


@dataclass(frozen=True)
class Outcome:
    """What became of a file."""

    #: `loaded`, `refused` (a FormatError), or what else happened.
    result: str
    message: str
    seconds: float
    peak_bytes: int
    #: What was loaded as what.
    counts: str = ""


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def load_anything(path: Path) -> str:
    """Load a file as whatever it is; raises what loading raises."""
    attempts = {
        "character": lambda: ka.load_character(path),
        "motion": lambda: ka.load_motion(path),
        "markers": lambda: ka.load_markers(path),
    }
    found, refused = [], None
    for name, attempt in attempts.items():
        try:
            loaded = attempt()
        except ka.FormatError as error:
            refused = refused or error
        else:
            found.append(f"{name} {describe(loaded)}")
    if not found and refused is not None:
        raise refused
    return "; ".join(found)


def describe(loaded) -> str:
    if isinstance(loaded, list):
        return f"({len(loaded)} subjects, {sum(len(one) for one in loaded)} frames)"
    if isinstance(loaded, ka.motion.Motion):
        return f"({len(loaded)} frames)"
    return f"({len(loaded.skeleton)} joints)"


def child(path: Path, answer) -> None:
    """Load the file and say what happened."""
    before = peak_bytes()
    limit = max(ALLOWED, PER_BYTE * path.stat().st_size)
    with contextlib.suppress(ValueError, OSError):
        # Address space is more than memory in use; the sum is checked by the peak.
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, resource.RLIM_INFINITY))
    started = time.perf_counter()
    counts = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            counts = load_anything(path)
        result, message = "loaded", ""
    except ka.FormatError as error:
        result, message = "refused", str(error)
    except Exception as error:
        result, message = type(error).__name__, str(error)
    seconds = time.perf_counter() - started
    peak = peak_bytes() - before
    if peak > limit:
        result, message = "too much memory", f"{peak >> 20} MB"
    answer.send(Outcome(result, message, seconds, peak, counts))


def forked(path: Path, patience: float = 10 * SECONDS) -> Outcome:
    """What becomes of a file in a fork of this process, which may die."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=child, args=(path, theirs))
    started = time.perf_counter()
    process.start()
    theirs.close()
    try:
        if not ours.poll(patience):
            return Outcome("hang", "", time.perf_counter() - started, 0)
        return ours.recv()
    except EOFError:
        process.join()
        return Outcome("crash", f"exit code {process.exitcode}", time.perf_counter() - started, 0)
    finally:
        process.kill()
        process.join()


@functools.cache
def server() -> subprocess.Popen:
    """This file as a program; it ends with the input that it reads."""
    command = [sys.executable, str(Path(__file__).resolve())]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(process.communicate)
    return process


def outcome(path: Path) -> Outcome:
    """What becomes of a file."""
    process = server()
    print(path, file=process.stdin, flush=True)
    return Outcome(**json.loads(process.stdout.readline()))


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(asdict(forked(Path(line.removesuffix("\n"))))), flush=True)


if __name__ == "__main__":
    main()
