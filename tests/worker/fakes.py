"""A trainer that trains nothing, and a process around it, for tests of the worker's plumbing."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from chargru.config import TrainRequest
from chargru.events import Event, Finished, Paused, Progress, RateChanged, Resumed, Saved


def progress(step: int) -> Progress:
    return Progress(step, 0.5, 0.1, 2.0, 1.0, 6e-3, 1000.0, 1.0, 1.0, 0)


def finished(reason: str, steps: int = 0) -> Finished:
    return Finished(reason, "/runs/a/step-000001.safetensors", 1.5, steps, 1.0, 1000.0)


class FakeControl:
    """Remembers the words it heard; `interrupt` and `stop` can be waited for."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.ended = threading.Event()

    @property
    def ending(self) -> str | None:
        return "interrupted" if self.ended.is_set() else None

    def pause(self) -> None:
        self.heard.append("pause")

    def resume(self) -> None:
        self.heard.append("resume")

    def save(self) -> None:
        self.heard.append("save")

    def faster(self) -> None:
        self.heard.append("faster")

    def slower(self) -> None:
        self.heard.append("slower")

    def stop(self) -> None:
        self.heard.append("stop")
        self.ended.set()

    def interrupt(self) -> None:
        self.heard.append("interrupt")
        self.ended.set()


class FakeTrainer:
    """Steps every few milliseconds until told to end, then saves; answers every word with an event."""

    def __init__(self, limit: int = 10**9, hang: bool = False) -> None:
        self.limit = limit
        self.hang = hang

    def run(self, control: Any = None) -> Iterator[Event]:
        yield Saved(1, "/runs/a/step-000001.safetensors", True)
        answered = 0
        step = 1
        if self.hang:
            time.sleep(60)
        while not control.ended.is_set() and step < self.limit:
            step += 1
            time.sleep(0.002)
            yield progress(step)
            for word in control.heard[answered:]:
                answered += 1
                if word == "pause":
                    yield Paused(step)
                elif word == "resume":
                    yield Resumed(step)
                elif word in ("faster", "slower"):
                    yield RateChanged(step, 7.5e-3, 1.25 if word == "faster" else 0.8)
                elif word == "save":
                    yield Saved(step, "/runs/a/step.safetensors", False)
        yield Saved(step, "/runs/a/last.safetensors", False)
        if "interrupt" in control.heard:
            yield finished("interrupted", step)
        else:
            yield finished("stopped" if control.ended.is_set() else "done", step)


def open_fake(request: TrainRequest, reading: object) -> FakeTrainer:
    """The request's `name` chooses how the process behaves."""
    if request.name == "segv":
        signal.raise_signal(signal.SIGSEGV)
    if request.name == "exit":
        os.write(1, b"the last words\n")
        os._exit(7)
    if request.name == "unfinished":
        return FakeTrainer(hang=True)
    if request.name == "slow to open":
        time.sleep(60)
    return FakeTrainer()


def command() -> list[str]:
    """The command line of a worker process with the fake trainer."""
    return [sys.executable, __file__]


if __name__ == "__main__":
    from chargru.worker.__main__ import main

    sys.exit(main(open_fake, FakeControl()))  # type: ignore[arg-type]
