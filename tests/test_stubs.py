"""The type stubs say what the compiled module has."""

from __future__ import annotations

import subprocess
import sys

import pytest

# The module lists its names by itself; the stub's public names are its list. The algebra's modules have
# stubs of their own, under their public names.
ALLOWED = "\n".join(
    f"kinarray._core.{name}" for name in ("__all__", "quaternion", "skel_state", "trs")
)

MODULES = ["_core", "quaternion", "skel_state", "trs"]


@pytest.mark.parametrize("module", MODULES)
def test_stubs_match_the_module(module, tmp_path):
    pytest.importorskip("mypy")
    allowed = tmp_path / "allowed"
    allowed.write_text(ALLOWED if module == "_core" else "")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy.stubtest",
            f"kinarray.{module}",
            "--concise",
            "--allowlist",
            str(allowed),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
