"""One event that is worked out beside the training, in a thread, and told when it is there."""

from __future__ import annotations

import threading
from collections.abc import Callable

from chargru.events import Event, Notice


class Aside:
    """Works out an event while something else goes on; a context manager.

    `work(should_stop)` gives the event, or None when there is nothing to tell; it looks at `should_stop()` now and
    then and may give up once it says so. Should it fail, the event is a Notice that begins with `trouble`. Leaving
    tells it to stop and waits for it, so no thread stays behind.
    """

    def __init__(self, work: Callable[[Callable[[], bool]], Event | None], trouble: str) -> None:
        self._work = work
        self._trouble = trouble
        self._stop = threading.Event()
        self._event: Event | None = None
        self._thread = threading.Thread(target=self._run, name="aside", daemon=True)

    def __enter__(self) -> Aside:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def take(self, *, wait: bool = False) -> Event | None:
        """The event, once, as soon as it is there; with `wait` it is waited for."""
        if wait:
            self._thread.join()
        elif self._thread.is_alive():
            return None
        event, self._event = self._event, None
        return event

    def _run(self) -> None:
        try:
            self._event = self._work(self._stop.is_set)
        except Exception as error:  # whatever it is, training is worth more
            self._event = Notice(f"{self._trouble}: {type(error).__name__}: {error}")
