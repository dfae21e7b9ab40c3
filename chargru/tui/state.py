"""What the app knows of the training it watches: events folded into one plain object that every screen reads.

No widget is known here, so a test feeds events and looks; texts in it are raw and pass `shown` where they are shown.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
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
from chargru.tui.curves import Curve, Smoother
from chargru.tui.formatting import plural, small, whole
from chargru.tui.samples import SampleHistory
from chargru.tui.scales import Scale

LOG_LINES = 200
MARKS = 200  # places marked in the chart, of each kind
STALE = 4  # evaluations without a better one, from which on it is told as learning by heart


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
    """One line of the event log; `kind` chooses its mark: saved, recovered, rate, paused, notice, unsaved,
    failed, done.

    `step` is where it happened, None where that says nothing; `elapsed` is the time of training, in seconds, at which
    it came, None before the first progress.
    """

    kind: str
    text: str
    step: int | None = None
    elapsed: float | None = None


@dataclass
class TrainingState:
    """One training from the moment it was asked for; empty while nothing was."""

    phase: Phase = Phase.IDLE
    request: TrainRequest | None = None
    recording: str = ""  # what is played, where a recording takes the place of a training
    watching: str = ""  # who trains it, where that is another process
    started: Started | None = None
    progress: Progress | None = None
    evaluated: Evaluated | None = None
    landmarks: Landmarks | None = None
    sampled: Sampled | None = None
    saved: Saved | None = None
    unsaved: str = ""  # why the newest model could not be saved
    finished: Finished | None = None
    failed: Failed | None = None
    recoveries: list[Recovered] = field(default_factory=list)
    marks: list[tuple[float, float]] = field(default_factory=list)  # (step, loss) at which training had to go back
    rates: deque[RateChanged] = field(default_factory=lambda: deque(maxlen=MARKS))
    resumed_at: deque[int] = field(default_factory=lambda: deque(maxlen=MARKS))  # steps at which the run went on
    notes: list[str] = field(default_factory=list)  # told before the first progress: about text, sizes, device
    samples: SampleHistory = field(default_factory=SampleHistory)
    train: Curve = field(default_factory=Curve)
    smooth: Curve = field(default_factory=Curve)  # `train`, smoothed
    validation: Curve = field(default_factory=Curve)
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    began: float = 0.0  # seconds of training at the first progress: of a run that goes on, what it had before
    logged: int = 0  # lines ever logged, of which `log` keeps the last
    _smoother: Smoother = field(default_factory=Smoother)

    @classmethod
    def begin(cls, request: TrainRequest, recording: str = "") -> TrainingState:
        """The state right after a training was asked for, before the first event."""
        return cls(phase=Phase.STARTING, request=request, recording=recording)

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
    def rate_scale(self) -> float:
        """How many times the planned learning rate the user asked for; 1 where nothing was changed."""
        return self.rates[-1].scale if self.rates else 1.0

    @property
    def overfitting(self) -> int:
        """Evaluations since the best one, once they are so many that the model seems to learn by heart; else 0."""
        told = self.evaluated
        return told.stale if told is not None and told.stale >= STALE else 0

    @property
    def can_go_on(self) -> bool:
        """Training is over, and something is saved from which it can go on."""
        over = self.phase in (Phase.FINISHED, Phase.FAILED)
        return over and self.started is not None and self.checkpoint is not None

    @property
    def checkpoint(self) -> str | None:
        """Path of the newest saved model of this training; a recording has none."""
        if self.recording:
            return None
        if self.finished is not None and self.finished.checkpoint:
            return self.finished.checkpoint
        return self.saved.path if self.saved else None

    def moved(self, was: str, now: str) -> None:
        """A run was renamed: if it is this training's, what it saved is found where it is now."""
        if self.started is None or Path(self.started.path) != Path(was):
            return
        self.started = replace(self.started, path=now)
        if self.saved is not None:
            self.saved = replace(self.saved, path=str(Path(now, Path(self.saved.path).name)))
        if self.finished is not None and self.finished.checkpoint:
            self.finished = replace(self.finished, checkpoint=str(Path(now, Path(self.finished.checkpoint).name)))

    def stopping(self) -> None:
        """The user asked to stop; the worker finishes its step and saves."""
        if self.active:
            self.phase = Phase.STOPPING

    def apply(self, event: Event) -> None:
        """Fold one event in."""
        match event:
            case Started():
                self.started = event
                self.notes.clear()  # what was told before is how far the reading of a large text was
                if event.step > 0:
                    self.resumed_at.append(event.step)
                self._going()
            case Progress():
                if self.progress is None:
                    self.began = event.elapsed
                self.progress = event
                self._add(event.step, event.loss)
            case Evaluated():
                self.evaluated = event
                self.validation.add(event.step, event.val_loss)
            case Landmarks():
                self.landmarks = event
            case RateChanged():
                self.rates.append(event)
                told = f"learning rate {small(event.learning_rate)}, {event.compared}"
                self._note("rate", told, event.step)
            case Sampled():
                self.sampled = event
                self.samples.add(event, self.evaluated.val_loss if self.evaluated else None)
            case Saved():
                self.saved, self.unsaved = event, ""
                self._note("saved", "saved as best" if event.best else "saved", event.step)
            case Recovered():
                self._recovered(event)
            case Paused():
                if self.phase is not Phase.STOPPING:
                    self.phase = Phase.PAUSED
                self._note("paused", "paused", event.step)
            case Resumed():
                self._going()
                self._note("paused", "goes on", event.step)
            case Notice():
                if self.progress is None:
                    self.notes.append(event.message)
                    del self.notes[:-8]
                if event.unsaved:
                    self.unsaved = event.message
                self._note("unsaved" if event.unsaved else "notice", event.message)
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
        """Put what an earlier part of the run told, up to where this one began, in front of what came since."""
        begin = self.started.step if self.started is not None else 0
        past = TrainingState()
        for event in history:
            match event:
                case Started() if 0 < event.step < begin:
                    past.resumed_at.append(event.step)
                case Landmarks():
                    past.landmarks = event
                case Progress() | Evaluated() | Sampled() | RateChanged() | Recovered() if event.step <= begin:
                    past.apply(event)
        for segment in self.train.segments:
            for x, y in segment:
                past._add(x, y)
            if segment is not self.train.segments[-1]:
                past._gap()
        past.validation.extend(self.validation)
        for kept in self.samples:
            past.samples.add(kept.sampled, kept.val_loss)
        self.train, self.smooth, self.validation, self._smoother = (
            past.train,
            past.smooth,
            past.validation,
            past._smoother,
        )
        self.samples = past.samples
        self.rates.extendleft(reversed(past.rates))
        self.resumed_at.extendleft(reversed(past.resumed_at))
        self.marks[:0] = past.marks
        self.evaluated = self.evaluated or past.evaluated
        self.landmarks = self.landmarks or past.landmarks
        self.sampled = self.sampled or past.sampled

    def ending(self, scale: Scale | None = None) -> str:
        """How it ended, in one line, its loss in the unit of `scale`; empty while it has not."""
        if self.finished is None:
            return ""
        word = {"done": "done", "stopped": "stopped and saved", "interrupted": "interrupted and saved"}
        if self.recording:
            word = {"done": "the recording is over: done", "stopped": "the recording was stopped"}
        told = f"{word.get(self.finished.reason, self.finished.reason)} after {plural(self.finished.steps, 'step')}"
        if self.finished.val_loss is None:
            return told
        unit = f" {scale.unit}" if scale is not None and scale.bits else ""  # nats are what is expected
        return f"{told}, validation loss {(scale or Scale()).told(self.finished.val_loss)}{unit}"

    def _going(self) -> None:
        if self.phase is not Phase.STOPPING:
            self.phase = Phase.TRAINING

    def _add(self, step: float, loss: float) -> None:
        self.train.add(step, loss)
        self.smooth.add(step, self._smoother.add(step, loss))

    def _gap(self) -> None:
        self.train.gap()
        self.smooth.gap()
        self._smoother.reset()

    def _recovered(self, event: Recovered) -> None:
        self.recoveries.append(event)
        last = self.train.last
        self.marks.append((event.step, last[1] if last and math.isfinite(last[1]) else math.nan))
        del self.marks[:-MARKS]
        self._gap()
        self.validation.gap()
        self._note(
            "recovered",
            f"{event.reason}: back to step {whole(event.back_to)}, "
            f"learning rate {small(event.learning_rate)} (attempt {event.attempt})",
            event.step,
        )

    def _note(self, kind: str, text: str, step: int | None = None) -> None:
        self.log.append(LogLine(kind, text, step, self.progress.elapsed if self.progress else None))
        self.logged += 1
