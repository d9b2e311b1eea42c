"""The examples in README.md run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_python_blocks_run_one_after_the_other(tmp_path):
    pytest.importorskip("numpy")
    pytest.importorskip("torch")
    blocks = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) >= 2
    # In a process of its own: the first block claims that no copy was made since the start.
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_files_that_it_names_exist():
    text = (ROOT / "README.md").read_text()
    for name in re.findall(r"`((?:notebooks|tests)/[\w./]+|[A-Z]+\.md)`", text):
        assert (ROOT / name).exists(), name
