"""A progress bar that appears only when the work takes longer than a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
WIDTH = 30


def progress(steps: Sequence[Item], title: str) -> Iterator[Item]:
    """Pass the steps on, and show on stderr how many are done."""
    start = time.monotonic()
    shown = False
    for done, step in enumerate(steps):
        if time.monotonic() - start > 1.0 and sys.stderr.isatty():
            bar = "#" * (WIDTH * done // len(steps))
            print(
                f"\r{title} [{bar:.<{WIDTH}}] {done}/{len(steps)}",
                end="",
                file=sys.stderr,
                flush=True,
            )
            shown = True
        yield step
    if shown:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
