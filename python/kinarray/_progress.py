"""A progress bar for work that takes longer than a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")
WIDTH = 30
STEPS = 1000


class Bar:
    """Shows a fraction: with tqdm where that is installed, else as text on a terminal, else not at all.

    >>> bar = Bar("reading walk.glb")
    >>> bar.update(0.5)
    >>> bar.close()
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.bar: Any = None
        self.shown = False
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return
        self.bar = tqdm(
            total=STEPS, desc=title, bar_format="{desc} {percentage:3.0f}% |{bar}| {elapsed}"
        )

    def update(self, fraction: float) -> None:
        """Show how much is done, 0 to 1."""
        if self.bar is not None:
            self.bar.update(int(fraction * STEPS) - self.bar.n)
        elif sys.stderr is not None and sys.stderr.isatty():
            bar = "#" * int(WIDTH * fraction)
            print(
                f"\r{self.title} [{bar:.<{WIDTH}}] {fraction:4.0%}",
                end="",
                file=sys.stderr,
                flush=True,
            )
            self.shown = True

    def close(self) -> None:
        """Take it away."""
        if self.bar is not None:
            self.bar.close()
        elif self.shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def progress(steps: Sequence[Item], title: str) -> Iterator[Item]:
    """Pass the steps on, and show how many are done once they take longer than a second."""
    start = time.monotonic()
    bar = None
    for done, step in enumerate(steps):
        if bar is None and time.monotonic() - start > 1.0:
            bar = Bar(title)
        if bar is not None:
            bar.update(done / len(steps))
        yield step
    if bar is not None:
        bar.close()
