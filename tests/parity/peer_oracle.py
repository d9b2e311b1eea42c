"""PyMomentum as an oracle: its own interpreter in a subprocess, arrays through npz files."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

RUNNER = Path(__file__).with_name("peer_runner.py")


class PeerError(Exception):
    """The peer raised; `kind` is the name of its exception class."""

    def __init__(self, kind: str, message: str):
        super().__init__(f"{kind}: {message}")
        self.kind = kind


class PeerCrashed(PeerError):
    """The peer's process died."""

    def __init__(self, status: int):
        super().__init__("crash", f"the process ended with status {status}")


@dataclass(frozen=True)
class CharacterItself:
    """Stands for the character among a call's arguments."""


CHARACTER = CharacterItself()


class PeerOracle:
    """Sends calls to one long-lived peer process; starts another where a call killed it."""

    def __init__(self, environment):
        self._environment = environment
        self._folder = tempfile.TemporaryDirectory(prefix="kinarray-parity-")
        self._process: subprocess.Popen | None = None
        self._count = 0

    def close(self) -> None:
        if self._process:
            self._process.stdin.close()
            self._process.wait(timeout=30)
            self._process.stdout.close()
        self._folder.cleanup()

    def calls(self, source, *calls: tuple) -> list[Any]:
        """Each call is `(path,)` for a property or `(path, *arguments)` for a function.

        A path that starts with `mesh.` is a method of the first argument; a dict is a mesh's arguments.

        `source` is a `CharacterArrays`, the path of a glTF file, or `None`. A result is an array, or
        a dict of arrays for a mesh or a tuple, or the `PeerError` that the call raised.
        """
        request: dict[str, np.ndarray] = {}
        if isinstance(source, Path):
            request["gltf"] = np.asarray(str(source))
        elif source is not None:
            request |= source.to_dict("character.")
        listed = []
        for path, *arguments in calls:
            args = [self._store(a, request) for a in arguments] if arguments else None
            listed.append({"path": path, "args": args})
        request["calls"] = np.asarray(json.dumps(listed))
        reply = self._exchange(request)
        if "failed" in reply:
            raise PeerError(*json.loads(str(reply["failed"])))
        errors = json.loads(str(reply["errors"]))
        return [self._result(n, reply, errors) for n in range(len(calls))]

    def call(self, source, path: str, *arguments) -> Any:
        """One call; raises where the peer raised."""
        (result,) = self.calls(source, (path, *arguments))
        if isinstance(result, PeerError):
            raise result
        return result

    @staticmethod
    def _store(argument, request):
        if isinstance(argument, CharacterItself):
            return {"is": "character"}
        if isinstance(argument, dict):
            return {"mesh": {k: PeerOracle._store(v, request) for k, v in argument.items()}}
        if isinstance(argument, np.ndarray):
            name = f"array{len(request)}"
            request[name] = argument
            return {"array": name}
        return argument

    @staticmethod
    def _result(number, reply, errors):
        if str(number) in errors:
            return PeerError(*errors[str(number)])
        prefix = f"{number}."
        parts = {k[len(prefix) :]: v for k, v in reply.items() if k.startswith(prefix)}
        return parts["value"] if list(parts) == ["value"] else parts

    def _exchange(self, request) -> dict[str, np.ndarray]:
        process = self._started()
        self._count += 1
        paths = [Path(self._folder.name) / f"{self._count}-{name}.npz" for name in ("in", "out")]
        np.savez(paths[0], **request)
        process.stdin.write(f"{paths[0]}\t{paths[1]}\n")
        process.stdin.flush()
        if process.stdout.readline().strip() != "done":
            raise self._died()
        with np.load(paths[1], allow_pickle=False) as answer:
            reply = {name: answer[name] for name in answer.files}
        for path in paths:
            path.unlink()
        return reply

    def _started(self) -> subprocess.Popen:
        if self._process is None:
            self._process = subprocess.Popen(
                [str(self._environment.python), str(RUNNER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=self._environment.variables(),
            )
            if self._process.stdout.readline().strip() != "ready":
                raise self._died()
        return self._process

    def _died(self) -> PeerCrashed:
        self._process.kill()
        status = self._process.wait(timeout=30)
        self._process.stdin.close()
        self._process.stdout.close()
        self._process = None
        return PeerCrashed(status)
