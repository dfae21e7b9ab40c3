"""A second thread for work that is too short to be handed out: it waits in compiled code, ready within a moment.

It takes part in one thing at a time, leaves by itself when nothing has been asked of it for a while, and costs nothing
but a sleeping thread until it is called again.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable

from chargru.engine.threads import available_cores

_TRIED = 32  # steps with and without it that are compared
_BORNE = 0.02  # seconds that may be lost in a trial: the companion's core is busy with something else
_PAUSE, _LONGEST = 2.0, 60.0  # seconds without it after that; doubled each time


_allowed = False


class Companion:
    """The thread; one of them serves a whole process."""

    def __init__(self) -> None:
        self._called = threading.Event()
        self._busy = False
        self._work: Callable[[], None] | None = None
        self._thread: threading.Thread | None = None

    def call(self, work: Callable[[], None]) -> None:
        """Have it do `work`, which takes as long as it is of use, unless it is busy with something else."""
        if self._busy:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="chargru companion", daemon=True)
            self._thread.start()
        self._busy, self._work = True, work
        self._called.set()

    def _run(self) -> None:
        while True:
            self._called.wait()
            self._called.clear()
            work, self._work = self._work, None
            if work is not None:
                work()
            del work  # and with it whatever arrays it knows
            self._busy = False


class Worth:
    """Whether a companion is worth it: on a machine that is busy otherwise waiting for it takes longer than its part.

    Times are in seconds, of any clock.
    """

    def __init__(self) -> None:
        self._alone, self._together = list[float](), list[float]()
        self._lost = 0.0  # since it was called on trial, beyond what steps take alone
        self._again, self._pause = 0.0, _PAUSE

    def wanted(self, now: float) -> bool:
        """Whether to call it for the next step."""
        return now >= self._again and len(self._alone) > 0

    def took(self, seconds: float, *, together: bool, now: float) -> None:
        """What a step took, alone or with a companion, its being called included."""
        alone = min(self._alone, default=seconds)
        if together:
            self._together.append(seconds)
        else:
            self._alone = [*self._alone[1 - _TRIED :], seconds]
        if now >= self._again:  # alone too: the companion's thread may keep the interpreter while its core is taken
            self._lost += max(0.0, seconds - alone)
        tried = len(self._together) >= _TRIED
        if self._lost > _BORNE or (tried and sorted(self._together)[_TRIED // 2] > alone):
            self._again, self._pause = now + self._pause, min(2 * self._pause, _LONGEST)
        elif tried:
            self._pause = _PAUSE
        else:
            return
        self._lost = 0.0
        self._together.clear()


def allow_companion() -> None:
    """Let steps use a second core from now on: for a process that has the machine to itself, and does little else."""
    global _allowed
    _allowed = True


def companion() -> Companion | None:
    """The one of this process; None where it is not allowed, or where there is no second core for it."""
    return _companion() if _allowed and available_cores() > 1 else None


@functools.cache
def _companion() -> Companion:
    return Companion()
