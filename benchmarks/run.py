"""kinarray beside PyMomentum, plain torch, jitted JAX and Warp, on the same work and the same cores.

    python benchmarks/run.py               # everything: some minutes
    python benchmarks/run.py --quick       # a minute or so
    python benchmarks/run.py --only fk,skin --threads 1 --skip warp

Each contestant is a process of its own; the rounds go round all of them, so that a slow moment of the
machine hits everybody. Figures are medians over the rounds. Results: a table here; CSV, JSON and a
chart under bench-results/.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(1, str(Path(__file__).resolve().parent.parent / "tests"))

import file_work
from imports import import_times
from report import print_imports, print_table, save
from session import CONTESTANTS, Session, Unavailable
from workloads import CALLS, FILES, Workload, all_workloads, arrays

RESULTS = Path(__file__).resolve().parent.parent / "bench-results"
#: Largest difference from the others, relative to the largest value, before a figure is marked.
SAME_WORK = {"float32": 1e-3, "float64": 1e-6}
YARDSTICKS = ("write", "stream", "numpy")


@dataclass(frozen=True)
class Measurement:
    """Seconds of one call: wall clock, and CPU summed over threads."""

    workload: Workload
    threads: int
    contestant: str
    version: str
    wall: float
    cpu: float
    first: float
    difference: float | None


def available_cpus() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def open_sessions(names: list[str], threads: int) -> list[Session]:
    cpus = available_cpus()[:threads]
    sessions = []
    for name in names:
        try:
            sessions.append(Session(name, threads, cpus))
        except Unavailable as why:
            print(f"  without {name}: {why}", file=sys.stderr)
    return sessions


def measure(workload: Workload, threads: int, sessions, rounds: int, seconds: float):
    """One workload with everyone who offers it, interleaved."""
    ready, samples, firsts = [], {}, {}
    if workload.kind in FILES:
        file_work.make(workload, arrays(workload))
    for session in sessions:
        reply = session.ask(prepare=workload.to_dict(), seconds=seconds)
        if "skipped" in reply:
            if reply["skipped"] != "does not offer this":
                print(f"  {session.name}: {workload.name}: {reply['skipped']}", file=sys.stderr)
            continue
        ready.append(session)
        samples[session.name], firsts[session.name] = reply["sample"], reply["first"]
    times = {session.name: [] for session in ready}
    for _ in range(rounds):
        for session in ready:
            reply = session.ask(time=True)
            times[session.name].append((reply["wall"], reply["cpu"]))
    for session in ready:
        wall, cpu = (statistics.median(t) for t in zip(*times[session.name]))
        yield Measurement(
            workload,
            threads,
            session.name,
            session.version,
            wall,
            cpu,
            firsts[session.name],
            difference(workload, session.name, samples),
        )


def difference(workload: Workload, name: str, samples: dict) -> float | None:
    """How far a result is from the peer's (ours where there is no peer); quaternions up to sign."""
    against = next((n for n in ("pymomentum", "kinarray", "torch") if n in samples), None)
    if against in (None, name) or name in YARDSTICKS or workload.kind in (*CALLS, "load_bvh"):
        return None
    ours, theirs = np.array(samples[name]), np.array(samples[against])
    if ours.shape != theirs.shape:
        return float("inf")
    apart = np.abs(ours - theirs)
    if workload.kind in ("fk", "call_fk", "multiply", "slerp"):
        apart = np.minimum(apart, np.abs(ours + theirs))
    return float(apart.max() / (np.abs(theirs).max() or 1.0))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer workloads, shorter")
    parser.add_argument("--threads", default=None, help="thread counts, e.g. 1,2")
    parser.add_argument("--rounds", type=int, default=None, help="rounds; figures are medians")
    parser.add_argument("--only", default="", help="kinds of work, e.g. fk,skin,call")
    parser.add_argument(
        "--skip", default="", help=f"contestants to leave out: {', '.join(CONTESTANTS)}"
    )
    return parser.parse_args()


def main() -> int:
    args = arguments()
    cores = len(available_cpus())
    counts = [int(n) for n in args.threads.split(",")] if args.threads else [1, 2]
    if args.quick and not args.threads:
        counts = [1]
    counts = [n for n in counts if n <= cores]
    rounds = args.rounds or (5 if args.quick else 7)
    names = [n for n in CONTESTANTS if n not in args.skip.split(",")]
    kinds = set(filter(None, args.only.split(",")))
    work = [w for w in all_workloads(args.quick) if not kinds or w.kind in kinds]

    measurements = []
    for threads in counts:
        print(f"\n{threads} thread{'s' * (threads > 1)} on {threads} of {cores} cores", flush=True)
        sessions = open_sessions(names, threads)
        for session in sessions:
            print(f"  {session.name}: {session.version}", file=sys.stderr)
        for workload in work:
            rows = list(measure(workload, threads, sessions, rounds, 0.05 if args.quick else 0.1))
            print_table(workload, rows, SAME_WORK[workload.dtype])
            measurements += rows
        for session in sessions:
            session.close()
    imports = import_times(skip_peer="pymomentum" in args.skip.split(","))
    print_imports(imports)
    for path in save(RESULTS, measurements, imports):
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
