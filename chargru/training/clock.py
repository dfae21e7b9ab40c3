"""Time spent training, pauses left out; and the memory it takes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
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


def resident_memory() -> int:
    """Bytes of this process in memory, 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * 4096
    except (OSError, IndexError, ValueError):
        pass
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # the peak is the best that is left
    return peak if sys.platform == "darwin" else peak * 1024
