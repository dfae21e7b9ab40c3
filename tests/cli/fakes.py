"""Scripted trainers and captured terminals for the command line's tests."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

from chargru.config import TrainRequest
from chargru.events import Evaluated, Event, Finished, Progress, Sampled, Saved, Started

CHECKPOINT = "/runs/tales/step-000120.safetensors"
HOSTILE = "\x1b[31mred\x9b0m\x07\u202eoverride\x7f\x00"


def started(**changes: Any) -> Started:
    values: dict[str, Any] = {
        "run": "tales",
        "path": "/runs/tales",
        "corpus": "tales",
        "characters": 1000,
        "train_chars": 900,
        "val_chars": 99,
        "vocab_size": 40,
        "hidden_size": 64,
        "num_layers": 2,
        "parameters": 66_000,
        "batch_size": 32,
        "seq_len": 64,
        "budget": "time",
        "budget_amount": 90.0,
        "device": "cpu",
        "backend": "numpy",
        "threads": 2,
        "seed": 1,
        "step": 0,
        "fraction": 0.0,
    }
    return Started(**{**values, **changes})


def progress(step: int = 60, loss: float = 1.62, fraction: float = 0.5) -> Progress:
    return Progress(step, fraction, 0.7, loss, 0.9, 6e-3, 58_000.0, 31.0, 20.0, 1 << 27)


def evaluated(step: int = 60, val_loss: float = 1.71) -> Evaluated:
    return Evaluated(step, 0.5, val_loss, 1.62, val_loss, step, 99, True, 31.0)


def sampled(text: str = "the king said") -> Sampled:
    return Sampled(60, "And ", text, 0.8)


def finished(reason: str = "done") -> Finished:
    return Finished(reason, CHECKPOINT, 1.7, 120, 61.0, 58_000.0)


class Script:
    """A trainer that yields these events, and raises what is an error among them."""

    def __init__(self, *events: Event | BaseException) -> None:
        self.events = events
        self.control: Any = None

    def run(self, control: Any = None) -> Iterator[Event]:
        self.control = control
        for event in self.events:
            if isinstance(event, BaseException):
                raise event
            yield event


class Obedient:
    """Steps until it is told to end; a second `interrupt` is never heard because saving takes its time."""

    def __init__(self, saving: float = 0.0) -> None:
        self.saving = saving

    def run(self, control: Any = None) -> Iterator[Event]:
        yield started()
        step = 0
        while control.ending is None:
            step += 1
            time.sleep(0.005)
            yield progress(step)
        time.sleep(self.saving)
        yield Saved(step, CHECKPOINT, True)
        yield finished(control.ending)


def main() -> int:
    """A process that trains obediently: `fakes.py quick|slow|opening`, then the arguments of chargru."""
    from chargru.cli import train
    from chargru.cli.main import run

    def opener(_: TrainRequest) -> Obedient:
        if sys.argv[1] == "opening":
            os.write(2, b"opening\n")
            time.sleep(60)
        return Obedient(60.0 if sys.argv[1] == "slow" else 0.0)

    train.open_trainer = opener
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored until now if pytest is a background job
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    return run(sys.argv[2:], lambda _: 0)


if __name__ == "__main__":
    sys.exit(main())
