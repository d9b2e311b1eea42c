"""Times calls by turns: whatever disturbs the machine meets all of them alike.

Two clocks run: the wall's, and the time that the calling thread was on a processor. On a quiet machine they
agree; on a busy one the second still says what a call costs.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
import timeit
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

#: A repeat runs at least this long, so that the clock's own step does not matter.
LEAST_SECONDS = 0.005


def both_clocks() -> complex:
    """Wall time and the thread's processor time in one number, for `timeit` to subtract."""
    return complex(time.perf_counter(), time.thread_time())


@dataclass
class Call:
    """One thing to time: a statement, the names it uses, and what must come out of it."""

    framework: str
    contestant: str
    form: str  # "1 array", "3 arrays", "1 array, out=", ...
    statement: str
    names: dict[str, Any]
    check: Callable[[Any], None] | None = None
    #: Run after each repeat, outside the clock: waits for what a call only started.
    settle: Callable[[], None] | None = None
    loops: int = 0
    #: Of each repeat, in seconds: the wall's (real part) and the thread's (imaginary part).
    times: list[complex] = field(default_factory=list)

    def _ns(self, pick: Callable[[Iterable[float]], float], seconds: Iterable[float]) -> float:
        return pick(seconds) / self.loops * 1e9

    @property
    def least(self) -> float:
        """Nanoseconds of a call: the thread's time, the smallest repeat."""
        return self._ns(min, (both.imag for both in self.times))

    @property
    def median(self) -> float:
        """Nanoseconds of a call: the thread's time, the median of the repeats."""
        return self._ns(statistics.median, (both.imag for both in self.times))

    @property
    def least_wall(self) -> float:
        """Nanoseconds of a call by the wall's clock, the smallest repeat."""
        return self._ns(min, (both.real for both in self.times))

    @property
    def median_wall(self) -> float:
        """Nanoseconds of a call by the wall's clock, the median of the repeats."""
        return self._ns(statistics.median, (both.real for both in self.times))


def verify(calls: Iterable[Call]) -> None:
    """Runs every call a few times and looks at what it returns, before anything is timed."""
    for call in calls:
        for _ in range(3):
            result = eval(call.statement, dict(call.names))
            if call.check is not None:
                try:
                    call.check(result)
                except AssertionError as error:
                    raise AssertionError(
                        f"{call.framework}: {call.contestant} ({call.form}): {error}"
                    ) from None


def run(calls: list[Call], repeats: int, least_seconds: float = LEAST_SECONDS) -> None:
    """Sizes the loops, then goes round all calls `repeats` times, each time in another order."""
    timers = [timeit.Timer(call.statement, timer=both_clocks, globals=call.names) for call in calls]
    for call, timer in zip(calls, timers):
        call.loops = _loops(call, timer, least_seconds)
    order = list(range(len(calls)))
    dice = random.Random(0)
    for repeat in range(repeats):
        dice.shuffle(order)
        for index in order:
            calls[index].times.append(_once(calls[index], timers[index], calls[index].loops))
        print(f"\r{repeat + 1} of {repeats} rounds", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def _once(call: Call, timer: timeit.Timer, loops: int) -> complex:
    both = timer.timeit(loops)
    if call.settle is not None:
        call.settle()
    return both


def _loops(call: Call, timer: timeit.Timer, least_seconds: float) -> int:
    loops = 64
    while True:
        # The quickest of three: one disturbed run must not make the loops too short.
        seconds = min(_once(call, timer, loops).imag for _ in range(3))
        if seconds >= least_seconds:
            return loops
        factor = 1.2 * least_seconds / max(seconds, 1e-9)
        loops = max(loops + 1, int(loops * min(factor, 64)))
