"""Watching a run that another process trains: a Runner that tells what the run's metrics tell, and changes nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from chargru.config import TrainRequest
from chargru.events import Event, Failed, Finished, Notice, Progress, Started, from_record

EVERY = 0.5  # seconds between two looks into the file
MOST = 2000  # Progress events of what was before; the curve of a month needs no more


class WatchRunner:
    """Tails a run's metrics in a thread. It ends with Finished when the training does, or with Failed when the process
    that trained it is gone without a word. Words are answered with a notice: they are the other process's to hear.
    """

    def __init__(self, run: str, *, every: float = EVERY) -> None:
        """`run` is the directory of the run."""
        self._run = Path(run)
        self._every = every
        self._mail: list[Event] = []
        self._turn = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, request: TrainRequest) -> None:
        """Begin to read; the request is of no interest."""
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._thread.start()

    def send(self, word: str) -> None:
        """No word reaches the other process."""
        self._put([Notice(f"{self._run.name} is trained by another process, which alone can be told to {word}")])

    def drain(self) -> list[Event]:
        """What was told since the last call."""
        with self._turn:
            mail, self._mail = self._mail, []
        return mail

    def close(self, grace: float) -> None:
        """Stop reading."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(grace)

    def _put(self, events: Iterable[Event]) -> None:
        with self._turn:
            self._mail += events

    def _watch(self) -> None:
        from chargru.storage.follow import Follower
        from chargru.storage.lock import holder
        from chargru.storage.run import METRICS

        follower = Follower(self._run / METRICS)
        first = True
        while True:
            at_it = holder(self._run) is not None  # asked first: whoever lets go has written its last line
            try:
                lines, anew = follower.lines()
            except OSError as error:
                self._put([Failed(f"the metrics of {self._run.name} cannot be read: {error.strerror}", "")])
                return
            events = self._read(lines)
            if first or anew:
                events = _since_begun(events)
            self._put(events)
            if events and isinstance(events[-1], Finished) and not at_it:
                return
            if not at_it:
                self._put([Failed(f"the process that trained {self._run.name} has ended", "r on F6 goes on with it")])
                return
            first = False
            if self._over.wait(self._every):
                return

    def _read(self, lines: list[bytes]) -> list[Event]:
        events: list[Event] = []
        for line in lines:
            try:
                event = from_record(json.loads(line))
            except (ValueError, AttributeError, RecursionError):
                continue  # half a line, or an event of another version
            if isinstance(event, Started):
                event = replace(event, run=self._run.name, path=str(self._run))
            events.append(event)
        return events


def _since_begun(events: list[Event]) -> list[Event]:
    """From the last Started on (what was before it is the run's history), with few enough Progress events."""
    begun = max((index for index, event in enumerate(events) if isinstance(event, Started)), default=0)
    events = events[begun:]
    every = sum(isinstance(event, Progress) for event in events) // MOST + 1
    kept: list[Event] = []
    seen = 0
    for event in events:
        if isinstance(event, Progress):
            seen += 1
            if seen % every and event is not events[-1]:
                continue
        kept.append(event)
    return kept
