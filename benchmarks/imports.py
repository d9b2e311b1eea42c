"""How long it takes until a library can be used: a fresh interpreter, with less the bare interpreter."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from peer_env import PeerUnavailable, find

ROUNDS = 3


def seconds(python: str, code: str, environment) -> float | None:
    started = time.perf_counter()
    done = subprocess.run([python, "-c", code], env=environment, capture_output=True)
    return time.perf_counter() - started if done.returncode == 0 else None


def import_times(skip_peer: bool = False) -> dict[str, float]:
    """Median seconds by what is imported; what cannot be imported is left out."""
    cases = {
        "import kinarray": (sys.executable, None),
        "import numpy": (sys.executable, None),
        "import torch": (sys.executable, None),
        "import jax": (sys.executable, None),
    }
    if not skip_peer:
        try:
            peer = find()
            # Without torch in its environment; with torch it imports that first (some 3 s more).
            cases["import pymomentum.geometry"] = (str(peer.python), peer.variables())
        except PeerUnavailable:
            pass
    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for code, (python, environment) in cases.items():
            bare, full = seconds(python, "pass", environment), seconds(python, code, environment)
            if bare is not None and full is not None:
                times.setdefault(code, []).append(full - bare)
    return {code: statistics.median(t) for code, t in times.items()}
