"""What the tests of whole trainings share: looking through events, and controls that speak by themselves."""

from __future__ import annotations

import threading

import numpy as np

from chargru.training.control import Control


def kinds(events):
    return [type(event) for event in events]


def only(events, kind):
    return [event for event in events if isinstance(event, kind)]


class InterruptAt(Control):
    """Says "interrupt" by itself once the trainer has made so many updates."""

    def __init__(self, trainer, control, step):
        super().__init__()
        self._trainer, self._at = trainer, step

    @property
    def ending(self):
        return "interrupted" if self._trainer.step >= self._at else None


class HalfWay(Control):
    def __init__(self, trainer):
        super().__init__()
        self._trainer = trainer

    @property
    def ending(self):
        return "interrupted" if self._trainer.fraction >= 0.5 else None


def memorising(**changes):
    """Settings of a training that learns noise by heart, so that validation soon turns."""
    rng = np.random.default_rng(0)
    settings = {
        "hidden_size": 48,
        "num_layers": 1,
        "dropout": 0.0,
        "weight_drop": 0.0,
        "state_reset": 0.0,
        "learning_rate": 0.02,
    }
    return settings | {"text": "".join(rng.choice(list("abcd"), 900)), "evaluations": 26, "steps": 260} | changes


def trainer_thread_has_time():
    """Let the thread that counts n-grams come to its end before training goes on."""
    for thread in threading.enumerate():
        if thread.name == "aside":
            thread.join(20)
