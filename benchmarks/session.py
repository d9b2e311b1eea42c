"""One worker process for each contestant, started with the right interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from peer_env import PeerUnavailable, find

WORKER = Path(__file__).with_name("worker.py")

#: Shown in this order; the name is the module under contestants/.
CONTESTANTS = {
    "kinarray": "kinarray_",
    "kinarray on torch": "kinarray_torch",
    "kinarray on jax": "kinarray_jax",
    "kinarray, out=": "kinarray_out",
    "pymomentum": "pymomentum_",
    "torch": "torch_",
    "jax": "jax_",
    "warp": "warp_",
    "roma": "roma_",
    "scipy": "scipy_",
    "other readers": "readers",
    "numpy": "numpy_",
    "limit": "limit",
    "write": "write",
    "stream": "stream",
}


class Unavailable(Exception):
    """Why a contestant is left out."""


class Session:
    """A contestant's process: prepares work and times it on request."""

    def __init__(self, name: str, threads: int, cpus: list[int]):
        self.name = name
        python, environment = sys.executable, None
        if name == "pymomentum":
            try:
                peer = find()
            except PeerUnavailable as error:
                raise Unavailable(str(error)) from None
            python, environment = str(peer.python), peer.variables()
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed with the session)
        self._process = subprocess.Popen(
            [python, str(WORKER), CONTESTANTS[name], str(threads), ",".join(map(str, cpus))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=environment,
        )
        self.version = self._answer()["version"]

    def _answer(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait()
            self._errors.seek(0)
            last = self._errors.read().strip().splitlines()[-1:]
            raise Unavailable(f"{' '.join(last) or 'its process ended'} (status {status})")
        return json.loads(line)

    def ask(self, **request) -> dict:
        """Sends a request, waits for the answer."""
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Unavailable("its process ended") from None
        return self._answer()

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()
        self._errors.close()
