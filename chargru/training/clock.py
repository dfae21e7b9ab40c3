"""Time spent training, pauses left out; and the memory it takes."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path


class Clock:
    """A stopwatch that can go on from where an earlier process stopped. Seconds."""

    def __init__(self, already: float = 0.0, now: Callable[[], float] = time.monotonic) -> None:
        self._already = already
        self._now = now
        self._since: float | None = None

    @property
    def elapsed(self) -> float:
        return self._already + (0.0 if self._since is None else self._now() - self._since)

    def start(self) -> None:
        if self._since is None:
            self._since = self._now()

    def stop(self) -> None:
        self._already, self._since = self.elapsed, None


class Pace:
    """Units a second over the last few seconds; `note` what is done now, read `rate`."""

    def __init__(self, window: float = 3.0) -> None:
        self._window = window
        self._marks: list[tuple[float, float]] = []

    def note(self, when: float, done: float) -> None:
        self._marks.append((when, done))
        while len(self._marks) > 2 and when - self._marks[1][0] >= self._window:
            del self._marks[0]

    def restart(self) -> None:
        """Forget: what follows a pause or a recovery is not measured against what came before."""
        self._marks.clear()

    @property
    def rate(self) -> float:
        if len(self._marks) < 2:
            return 0.0
        (start, before), (end, after) = self._marks[0], self._marks[-1]
        return (after - before) / (end - start) if end > start else 0.0


def resident_memory(helpers: Iterable[int] = ()) -> int:
    """Bytes in memory of this process and of what its `helpers` (process ids) have for themselves.

    0 where the system does not say.
    """
    try:
        total = _pages("self")[1]
        for pid in helpers:
            with contextlib.suppress(OSError):  # it has just ended
                resident, shared = _pages(str(pid))[1:3]
                total += max(0, resident - shared)
        return total * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        pass
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # the peak is the best that is left
    return peak if sys.platform == "darwin" else peak * 1024


def _pages(process: str) -> list[int]:
    """Pages of memory: virtual, resident, of the resident ones those that others may share, ..."""
    return [int(word) for word in Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()]
