"""The training process as the app sees it: start, say a word, take what it told, close; and the pump between the two.

One training at a time. A reader inside WorkerClient drains the pipe; the pump asks for what has gathered at most ten
times a second, so the screen never hurries after a fast trainer and the trainer never waits for a slow screen.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from chargru.config import TrainRequest
from chargru.errors import ChargruError
from chargru.events import Event, Failed
from chargru.tui.messages import TrainingEvents

if TYPE_CHECKING:
    from chargru.worker.client import WorkerClient

TICK = 0.1  # seconds between two looks into the mailbox
# Seconds between two pictures of a training that simply goes on, at least: over ssh each is traffic. And they may take
# this share of a core, no more: training runs on the same processor, and all its threads wait for the slowest.
REDRAW = 1.0 if "SSH_CONNECTION" in os.environ else 0.4
SHARE = 0.02
SLOWEST = 2.0


class Runner(Protocol):
    """What the app needs of whoever trains; tests bring one that plays recorded events."""

    def start(self, request: TrainRequest) -> None:
        """Begin; comes back at once. Raises ChargruError."""

    def send(self, word: str) -> None:
        """Say "pause", "resume", "save", "faster", "slower" or "stop"."""

    def drain(self) -> list[Event]:
        """The events since the last call, without waiting; the last one of a training is Finished or Failed."""

    def close(self, grace: float) -> None:
        """End the process, saving, within about `grace` seconds; may wait that long. Nothing to do is no error."""


class WorkerRunner:
    """A Runner on `chargru.worker.client`: a fresh client, and so a fresh process, for each training."""

    def __init__(self) -> None:
        self._client: WorkerClient | None = None

    def start(self, request: TrainRequest) -> None:
        from chargru.worker.client import WorkerClient

        self.close(grace=0.5)
        self._client = WorkerClient()
        self._client.start(request)

    def send(self, word: str) -> None:
        if self._client is not None:
            self._client.send(word)

    def drain(self) -> list[Event]:
        return [] if self._client is None else self._client.drain()

    def close(self, grace: float) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close(grace)


class Pump:
    """Moves events from the runner to the app as messages, when `tick` is called."""

    def __init__(self, runner: Runner, post: Callable[[TrainingEvents], object]) -> None:
        self._runner = runner
        self._post = post
        self._ended = True

    def start(self, request: TrainRequest) -> None:
        """Start a training; a failure to start is told as the event that a worker would have told."""
        self._ended = False
        try:
            self._runner.start(request)
        except ChargruError as error:
            self._ended = True
            self._post(TrainingEvents((Failed(error.message, error.hint),)))

    def say(self, word: str) -> None:
        """Pass a word on to the worker."""
        self._runner.send(word)

    def tick(self) -> None:
        """Post what has gathered, if anything has."""
        if self._ended:
            return
        if events := self._runner.drain():
            self._post(TrainingEvents(tuple(events)))
