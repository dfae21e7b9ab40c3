"""BLAS on one thread while single characters are computed.

The products of one step are so small that a second BLAS thread gains little even on an idle machine. On a busy one it
costs dearly: each product waits for a thread that the training next door keeps from running (2 × 512 units, eight rows,
both cores training: 7.8 ms a step instead of 1.3). The number of BLAS threads belongs to the whole process, so it is
lowered only while somebody computes and put back when the last one is through.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any

from chargru.engine.blas import controllers


class _OneThread:
    """A re-entrant context manager that any number of threads may be in at once; a few microseconds to pass."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._libraries: list[Any] | None = None
        self._before: list[int] = []

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                if self._libraries is None:  # a look at what the process has loaded, about a millisecond, once
                    self._libraries = controllers()
                self._before = [each.get_num_threads() for each in self._libraries]
                for each in self._libraries:
                    _set(each, 1)
            self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                for each, threads in zip(self._libraries or [], self._before, strict=True):
                    _set(each, threads)


def _set(library: Any, threads: int) -> None:
    # Newer releases of threadpoolctl let only the first thread that ever asked set the number, until that thread ends;
    # here whoever leaves last must put it back, so the function beneath is called where there is one.
    getattr(library, "_real_set_num_threads", library.set_num_threads)(threads)


one_blas_thread = _OneThread()
