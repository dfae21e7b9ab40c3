"""How much of a training's budget is spent, and when it is time to look how good the model is."""

from __future__ import annotations

import math

from chargru.config import TrainingConfig
from chargru.training.clock import Clock

_EVALUATION_SHARE = 0.05  # of a time budget, at most
_RESERVE_SHARE = 0.25


class Budget:
    """The budget of one training of `train_chars` characters, at the point that `steps` and `clock` have reached.

    A budget of steps or passes depends on the updates alone, so that a training can be repeated to the bit; one of time
    depends on the clock.
    """

    def __init__(self, training: TrainingConfig, train_chars: int, clock: Clock, step: int) -> None:
        self._training, self._clock = training, clock
        self._begin = (step, clock.elapsed)  # of this process
        self._reserve = 0.0  # seconds of a time budget kept back for the last evaluation
        self._looked, self._look_seconds = -math.inf, 0.0
        self.total_steps = training.steps
        if training.epochs is not None:
            per_step = training.batch_size * training.seq_len
            self.total_steps = max(1, math.ceil(training.epochs * train_chars / per_step))

    @property
    def kind(self) -> str:
        """ "time", "steps" or "epochs"."""
        return next(name for name in ("time", "steps", "epochs") if getattr(self._training, name) is not None)

    @property
    def amount(self) -> float:
        """Seconds, updates or passes."""
        return float(getattr(self._training, self.kind))

    def fraction(self, step: int) -> float:
        """How much is spent after so many updates, 0 to 1."""
        if self.total_steps is not None:
            return min(1.0, step / self.total_steps)
        return min(1.0, self._clock.elapsed / max(1e-9, self.amount - self._reserve))

    def remaining(self, step: int) -> float:
        """Seconds that are left; estimated where the budget is one of updates."""
        if self.total_steps is None:
            return max(0.0, self.amount - self._clock.elapsed)
        before, seconds = self._begin
        return (self.total_steps - step) * (self._clock.elapsed - seconds) / max(1, step - before)

    def chars_per_second(self, step: int) -> float:
        """Characters read a second, in the mean over what this process has done."""
        before, seconds = self._begin
        chars = (step - before) * self._training.batch_size * self._training.seq_len
        return chars / max(1e-9, self._clock.elapsed - seconds)

    def characters(self, step: int) -> float:
        """About how many characters the whole budget reads."""
        done = step * self._training.batch_size * self._training.seq_len
        return done / max(1e-9, self.fraction(step))

    def keep_back(self, seconds: float) -> None:
        """Let a time budget end early by what the last evaluation will take.

        It may take a quarter of the budget; the rest is overtime.
        """
        if self.for_the_end is not None:
            self._reserve = min(seconds, self.for_the_end)

    @property
    def for_the_end(self) -> float | None:
        """Seconds of a time budget that the last evaluation may take; None where the budget is one of updates."""
        return None if self._training.time is None else _RESERVE_SHARE * self._training.time

    def evaluations_due(self, step: int) -> int:
        """How many evaluations should have been made by now: closer together at first, where the loss falls fast."""
        return int(self._training.evaluations * self.fraction(step) ** 0.7)

    def evaluated(self, seconds: float) -> None:
        """An evaluation has just been made, in so many seconds."""
        self._looked, self._look_seconds = self._clock.elapsed, seconds

    def bears_evaluation(self) -> bool:
        """Whether a time budget bears another evaluation yet; a budget of updates must not depend on the clock."""
        waited = self._clock.elapsed - self._looked
        return self._training.time is None or _EVALUATION_SHARE * waited >= self._look_seconds
