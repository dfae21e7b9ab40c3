"""Events on their way to someone who may be slow: only the newest Progress waits, everything else is kept.

Progress comes many times a second for as long as training lasts, so a queue of it would grow without end behind a
reader that has stopped; only the last one is of any use. All other events are few (their number is fixed by the
number of evaluations and saves) and none of them may be lost.
"""

from __future__ import annotations

import threading
from collections import deque

from chargru.events import Event, Progress


class Mailbox:
    """A thread-safe queue of events with a latest-value slot for Progress; `put` never waits.

    Events come out in the order in which they went in; a Progress that was replaced is gone, and the one that
    replaced it stands at its own, later, place.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._kept: deque[tuple[int, Event]] = deque()
        self._newest: tuple[int, Progress] | None = None
        self._count = 0
        self._closed = False

    def put(self, event: Event) -> None:
        """Add an event; after `close` it is dropped."""
        with self._changed:
            if self._closed:
                return
            self._count += 1
            if isinstance(event, Progress):
                self._newest = (self._count, event)
            else:
                self._kept.append((self._count, event))
            self._changed.notify()

    def take(self) -> Event | None:
        """The oldest event, waiting for one; None once the box is closed and empty."""
        with self._changed:
            while True:
                event = self._pop()
                if event is not None or self._closed:
                    return event
                self._changed.wait()

    def drain(self) -> list[Event]:
        """Everything that has arrived since the last time, without waiting."""
        with self._changed:
            events = []
            while (event := self._pop()) is not None:
                events.append(event)
            return events

    def close(self) -> None:
        """No more events will come; what is inside can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _pop(self) -> Event | None:
        newest = self._newest
        if self._kept and (newest is None or self._kept[0][0] < newest[0]):
            return self._kept.popleft()[1]
        self._newest = None
        return None if newest is None else newest[1]
