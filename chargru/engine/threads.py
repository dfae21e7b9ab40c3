"""A crew of threads and helper processes for one training loop, and the BLAS beneath it told to stay out of their way.

Work is split over Python threads, since NumPy and compiled loops let go of the interpreter lock; NumPy's loops over the
windows of a large network over processes, for they take it back too often (see `chargru.engine.helpers`). Each has a
BLAS of `blas_threads`; the limit holds while the crew is at work and is put back afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

from chargru.engine.arena import can_share
from chargru.engine.blas import limit_threads
from chargru.engine.helpers import Helpers

Item = TypeVar("Item")
Result = TypeVar("Result")

_LARGE = 3e8  # floating-point operations of an update


def available_cores() -> int:
    """Cores this process may use (its affinity, where the system knows one)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Crew:
    """Runs one function over a few items side by side; a context manager.

    `workers` items run at once; BLAS gets `blas_threads` in each. Results come back in the order of the items, so sums
    over them do not depend on who was first. With `processes` it has `workers` − 1 `helpers` while it is at work, for
    networks whose shards are to run in processes of their own; what they compute is the same to the bit.
    """

    def __init__(self, workers: int, blas_threads: int = 1, *, processes: bool = False) -> None:
        self.workers = workers
        self.blas_threads = blas_threads
        self.processes = processes and workers > 1
        self.helpers: Helpers | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._restore_blas: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        """Raises BackendError when a helper cannot be started."""
        if self.processes:
            self.helpers = Helpers(self.workers - 1)
        self._restore_blas = limit_threads(self.blas_threads)
        if self.workers > 1:
            self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="chargru")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.helpers is not None:
            self.helpers.close()
            self.helpers = None
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        if self._restore_blas is not None:
            self._restore_blas()
            self._restore_blas = None

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """`[function(item) for item in items]`, side by side while the crew is at work."""
        if self._pool is None or len(items) < 2:
            return [function(item) for item in items]
        return list(self._pool.map(function, items))


def crew_for(threads: int, batch_size: int, operations: float = 0.0, *, compiled: bool = False) -> Crew:
    """Workers for a batch.

    `operations` is what an update takes. From some 3e8 on (a few milliseconds), helper processes are worth the quarter
    of a second that they take to start, where the system can share memory with them; not for `compiled` loops, which
    leave the interpreter alone for a whole window. A short update's thread that gets fewer than eight rows costs more
    than it gains; with four, that of a long one still does three quarters of what one with sixteen does. This depends
    on the shapes and the number of threads alone, and so does what is computed.

    BLAS keeps to one thread in each, also where rows are few: its own threads wait for each other spinning, and on a
    machine that does anything else an update of 64 units and 14 rows took 130 to 410 ms with two of them, 10 with one.
    """
    large = operations >= _LARGE
    processes = large and not compiled and can_share()
    rows = 4 if large and (processes or compiled) else 8
    return Crew(max(1, min(threads, batch_size // rows)), processes=processes)
