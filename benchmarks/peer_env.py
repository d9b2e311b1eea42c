"""The environment in which PyMomentum runs, apart from ours.

PyMomentum's wheel needs Python 3.12 or 3.13. Its geometry module does not use torch although the wheel
declares it, so torch (some 6 GB with what it brings) is left out: the environment takes 0.3 GB.

The wheel carries a renamed copy of libstdc++. With a second one in the process, ordinary calls crash;
so the loader path gets a folder in which `libstdc++.so.6` is that copy.

    python benchmarks/peer_env.py          # make .venv-peer, say how to start it

`KINARRAY_PEER=off` declines the peer; `KINARRAY_PEER=/some/environment` uses one that exists.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = ROOT / ".venv-peer"
# 0.1.114 was released as 0.1.114.post0.
REQUIREMENTS = ["pymomentum-cpu==0.1.114.*", "numpy", "scipy"]
VERSIONS = ("3.12", "3.13")
INSTALL_SECONDS = 900


class PeerUnavailable(Exception):
    """Why PyMomentum cannot be had here."""


@dataclass(frozen=True)
class PeerEnvironment:
    """An interpreter that can import PyMomentum, and the variables it must be started with."""

    python: Path
    library_path: Path | None

    def variables(self, **extra: str) -> dict[str, str]:
        """This process's environment, made fit for the peer's."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
        if self.library_path:
            others = kept.get("LD_LIBRARY_PATH")
            kept["LD_LIBRARY_PATH"] = f"{self.library_path}{':' + others if others else ''}"
        return kept | extra


def find_uv() -> str | None:
    """uv from this environment, the project's or the PATH."""
    places = [Path(sys.executable).parent / "uv", ROOT / ".venv" / "bin" / "uv"]
    return next((str(p) for p in places if p.is_file()), None) or shutil.which("uv")


def pythons() -> list[str]:
    """Interpreters of a version the wheel exists for: from the PATH, then pyenv."""
    found = [shutil.which(f"python{version}") for version in VERSIONS]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for version in VERSIONS:
        found += sorted(map(str, pyenv.glob(f"{version}.*/bin/python")))
    return [python for python in found if python and _version(python) in VERSIONS]


def _version(python: str) -> str:
    """`3.12` or whatever runs there; pyenv puts stubs on the PATH that only print an error."""
    command = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        raise PeerUnavailable(f"{Path(command[0]).name}: {error}") from None
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise PeerUnavailable(f"{' '.join(command[:4])} ... failed: {' '.join(last)}")


def create(where: Path) -> None:
    """Makes the environment, with uv where there is uv and with venv and pip otherwise."""
    uv, candidates = find_uv(), pythons()
    if not uv and not candidates:
        raise PeerUnavailable(
            "needs Python 3.12 or 3.13: none on the PATH or under pyenv, and no uv"
        )
    partial = where.with_name(f"{where.name}-{os.getpid()}.partial")
    python = str(partial / "bin" / "python")
    try:
        if uv:
            _run(
                [uv, "venv", "--quiet", "--python", (candidates or [VERSIONS[0]])[0], str(partial)]
            )
            _run([uv, "pip", "install", "--quiet", "--python", python, "--no-deps", *REQUIREMENTS])
        else:
            _run([candidates[0], "-m", "venv", str(partial)])
            _run([python, "-m", "pip", "install", "--quiet", "--no-deps", *REQUIREMENTS])
        partial.rename(where)
    except OSError as error:  # another process was quicker, or the disk is full
        if not (where / "bin" / "python").exists():
            raise PeerUnavailable(str(error)) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def open_environment(where: Path) -> PeerEnvironment:
    """The environment in that folder, checked by importing the peer in it."""
    peer = PeerEnvironment(where / "bin" / "python", _one_libstdcxx(where))
    check = [str(peer.python), "-c", "import pymomentum.geometry"]
    done = subprocess.run(check, capture_output=True, text=True, env=peer.variables())
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise PeerUnavailable(f"{where}: importing it failed: {' '.join(last) or done.returncode}")
    return peer


def _one_libstdcxx(where: Path) -> Path | None:
    """A folder whose `libstdc++.so.6` is the wheel's own copy; `None` where the wheel has none."""
    copies = sorted(where.glob("lib/python3*/site-packages/pymomentum*.libs/libstdc++*.so*"))
    if not copies:
        return None
    folder = where / "one-libstdcxx"
    link = folder / "libstdc++.so.6"
    folder.mkdir(exist_ok=True)
    if not (link.is_symlink() and link.resolve() == copies[0].resolve()):
        link.unlink(missing_ok=True)
        link.symlink_to(copies[0].resolve())
    return folder


def find(make: bool = True) -> PeerEnvironment:
    """The peer's environment, made where it is missing.

    Raises `PeerUnavailable` with the reason where it cannot be had.
    """
    wanted = os.environ.get("KINARRAY_PEER", "")
    if wanted == "off":
        raise PeerUnavailable("declined by KINARRAY_PEER=off")
    where = Path(wanted) if wanted else DEFAULT
    if not (where / "bin" / "python").exists():
        if wanted or not make:
            raise PeerUnavailable(f"{where} holds no environment")
        if sys.platform != "linux":
            raise PeerUnavailable("set up for Linux only")
        print(f"making PyMomentum's environment in {where} (once; 0.3 GB)", file=sys.stderr)
        create(where)
    return open_environment(where)


def main() -> int:
    try:
        peer = find()
    except PeerUnavailable as error:
        print(f"PyMomentum is not available here: {error}")
        return 1
    prefix = f"LD_LIBRARY_PATH={peer.library_path} " if peer.library_path else ""
    print(f"PyMomentum: {prefix}{peer.python}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
