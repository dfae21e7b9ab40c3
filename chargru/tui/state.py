"""What the app knows of the training it watches: events folded into one plain object that every screen reads.

No widget is known here, so a test feeds events and looks; texts in it are raw and pass `shown` where they are shown.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import assert_never

from chargru.config import TrainRequest
from chargru.events import (
    Evaluated,
    Event,
    Failed,
    Finished,
    Landmarks,
    Notice,
    Paused,
    Progress,
    RateChanged,
    Recovered,
    Resumed,
    Sampled,
    Saved,
    Started,
)
from chargru.tui.curves import Curve
from chargru.tui.formatting import nats, plural, small, whole

LOG_LINES = 200


class Phase(Enum):
    """Where a training stands; the value is the word that people read."""

    IDLE = "idle"
    STARTING = "starting"
    TRAINING = "training"
    PAUSED = "paused"
    STOPPING = "stopping"
    FINISHED = "finished"
    FAILED = "failed"


ACTIVE = frozenset({Phase.STARTING, Phase.TRAINING, Phase.PAUSED, Phase.STOPPING})


@dataclass(frozen=True)
class LogLine:
    """One line of the event log; `kind` chooses its mark: saved, recovered, notice, failed, done."""

    kind: str
    text: str


@dataclass
class TrainingState:
    """One training from the moment it was asked for; empty while nothing was."""

    phase: Phase = Phase.IDLE
    request: TrainRequest | None = None
    started: Started | None = None
    progress: Progress | None = None
    evaluated: Evaluated | None = None
    landmarks: Landmarks | None = None
    sampled: Sampled | None = None
    saved: Saved | None = None
    finished: Finished | None = None
    failed: Failed | None = None
    recoveries: list[Recovered] = field(default_factory=list)
    marks: list[tuple[float, float]] = field(default_factory=list)  # (step, loss) at which training had to go back
    train: Curve = field(default_factory=Curve)
    validation: Curve = field(default_factory=Curve)
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=LOG_LINES))

    @classmethod
    def begin(cls, request: TrainRequest) -> TrainingState:
        """The state right after a training was asked for, before the first event."""
        return cls(phase=Phase.STARTING, request=request)

    @property
    def active(self) -> bool:
        """A worker is at it, even if it waits."""
        return self.phase in ACTIVE

    @property
    def corpus(self) -> str:
        """The short name of the text (raw), as far as it is known."""
        if self.started is not None:
            return self.started.corpus
        if self.request is None:
            return ""
        return self.request.corpus or Path(self.request.resume or "").name

    @property
    def fraction(self) -> float:
        """How much of the budget is used, 0 to 1."""
        if self.finished is not None and self.finished.reason == "done":
            return 1.0
        if self.progress is not None:
            return self.progress.fraction
        return self.started.fraction if self.started else 0.0

    @property
    def steps_total(self) -> int | None:
        """Updates in the whole budget: known for a budget of steps, otherwise estimated once 1 % has passed."""
        if self.started is not None and self.started.budget == "steps":
            return round(self.started.budget_amount)
        if self.progress is None or self.progress.fraction < 0.01:
            return None
        return round(self.progress.step / self.progress.fraction)

    @property
    def can_go_on(self) -> bool:
        """Training is over, and something is saved from which it can go on."""
        over = self.phase in (Phase.FINISHED, Phase.FAILED)
        return over and self.started is not None and self.checkpoint is not None

    @property
    def checkpoint(self) -> str | None:
        """Path of the newest saved model of this training."""
        if self.finished is not None and self.finished.checkpoint:
            return self.finished.checkpoint
        return self.saved.path if self.saved else None

    def stopping(self) -> None:
        """The user asked to stop; the worker finishes its step and saves."""
        if self.active:
            self.phase = Phase.STOPPING

    def apply(self, event: Event) -> None:
        """Fold one event in."""
        match event:
            case Started():
                self.started = event
                self._going()
            case Progress():
                self.progress = event
                self.train.add(event.step, event.loss)
            case Evaluated():
                self.evaluated = event
                self.validation.add(event.step, event.val_loss)
            case Landmarks():
                self.landmarks = event
            case RateChanged():
                self._note("notice", f"learning rate {small(event.learning_rate)} from step {whole(event.step)} on")
            case Sampled():
                self.sampled = event
            case Saved():
                self.saved = event
                self._note("saved", f"saved at step {whole(event.step)}" + (", the best so far" if event.best else ""))
            case Recovered():
                self._recovered(event)
            case Paused():
                if self.phase is not Phase.STOPPING:
                    self.phase = Phase.PAUSED
                self._note("notice", f"paused at step {whole(event.step)}")
            case Resumed():
                self._going()
                self._note("notice", f"goes on from step {whole(event.step)}")
            case Notice():
                self._note("notice", event.message)
            case Failed():
                self.failed = event
                self.phase = Phase.FAILED
                self._note("failed", event.message)
            case Finished():
                self.finished = event
                self.phase = Phase.FINISHED
                self._note("done", self.ending())
            case _:
                assert_never(event)

    def remember(self, history: Iterable[Event]) -> None:
        """Put the curves of an earlier part of the run, up to where this one began, in front of these."""
        begin = self.started.step if self.started is not None else 0
        before: Evaluated | None = None
        train, validation = Curve(), Curve()
        for event in history:
            match event:
                case Progress() if event.step <= begin:
                    train.add(event.step, event.loss)
                case Evaluated() if event.step <= begin:
                    validation.add(event.step, event.val_loss)
                    before = event
                case Recovered() if event.step <= begin:
                    train.gap()
                    validation.gap()
        for old, new in ((train, self.train), (validation, self.validation)):
            for segment in new.segments:
                for x, y in segment:
                    old.add(x, y)
                if segment is not new.segments[-1]:
                    old.gap()
        self.train, self.validation = train, validation
        self.evaluated = self.evaluated or before

    def ending(self) -> str:
        """How it ended, in one line; empty while it has not."""
        if self.finished is None:
            return ""
        word = {"done": "done", "stopped": "stopped and saved", "interrupted": "interrupted and saved"}
        told = f"{word.get(self.finished.reason, self.finished.reason)} after {plural(self.finished.steps, 'step')}"
        return f"{told}, validation loss {nats(self.finished.val_loss)}" if self.finished.val_loss is not None else told

    def _going(self) -> None:
        if self.phase is not Phase.STOPPING:
            self.phase = Phase.TRAINING

    def _recovered(self, event: Recovered) -> None:
        self.recoveries.append(event)
        last = self.train.last
        self.marks.append((event.step, last[1] if last and math.isfinite(last[1]) else math.nan))
        self.train.gap()
        self.validation.gap()
        self._note(
            "recovered",
            f"{event.reason} at step {whole(event.step)}: back to step {whole(event.back_to)}, "
            f"learning rate {small(event.learning_rate)} (attempt {event.attempt})",
        )

    def _note(self, kind: str, text: str) -> None:
        self.log.append(LogLine(kind, text))
