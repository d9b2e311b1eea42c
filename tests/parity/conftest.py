"""Fixtures for the comparison with PyMomentum."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
for folder in (ROOT / "tests", ROOT / "benchmarks", Path(__file__).parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from peer_oracle import PeerOracle

from peer_env import PeerUnavailable, find


@pytest.fixture(scope="session")
def peer():
    """PyMomentum; the tests that ask for it skip, saying why, where it cannot be had."""
    try:
        oracle = PeerOracle(find())
    except PeerUnavailable as error:
        pytest.skip(f"PyMomentum: {error}")
    yield oracle
    oracle.close()


# Programs for the peer's interpreter, not modules of the tests.
collect_ignore = ["peer_runner.py", "peer_parts.py"]
