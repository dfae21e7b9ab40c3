"""Looking at the held-out text during a training: what the loss is there, whether it still falls, where it will end."""

from __future__ import annotations

import functools

from chargru.engine import Parameters
from chargru.events import Evaluated
from chargru.training.budget import Budget
from chargru.training.clock import Clock
from chargru.training.evaluation import Score
from chargru.training.judge import Judge
from chargru.training.outlook import Outlook
from chargru.training.patience import Patience
from chargru.training.prospect import Prospect

_CHEAP = 0.06  # of the characters of a whole budget: scoring so many is a fiftieth of the work


class Validation:
    """Has averaged weights scored by `judge`, and tells of each evaluation all that the faces want to know.

    Every method takes the weights, the updates done and the last training loss; None without validation text.
    """

    def __init__(self, judge: Judge, patience: Patience, budget: Budget, clock: Clock, prospect: Prospect) -> None:
        self.judge, self.patience = judge, patience
        self._budget, self._clock, self._prospect = budget, clock, prospect
        self._outlook = Outlook()

    def begin(self, averaged: Parameters, step: int) -> Evaluated | None:
        """Find out what an evaluation costs. Told is only the curve's first point: a run that goes on has that."""
        if self._budget.for_the_end is not None:
            self.judge.score(averaged)  # the first one also finds memory and compiles, as no other does
        before = self._clock.elapsed
        evaluated = None
        if step == 0:
            evaluated = self.look(averaged, step, None)
        else:
            self.judge.score(averaged)
            self._budget.evaluated(self._clock.elapsed - before)
        seconds = self._clock.elapsed - before
        self.judge.afford(self._budget.for_the_end, seconds)
        self._budget.keep_back(self.judge.seconds_to_decide(seconds))
        return evaluated

    def look(self, averaged: Parameters, step: int, train_loss: float | None) -> Evaluated | None:
        """An evaluation on the way."""
        before = self._clock.elapsed
        score = self.judge.look(averaged, step)
        self._budget.evaluated(self._clock.elapsed - before)
        if score is None:
            return None
        cheap = score.chars < self.judge.chars <= _CHEAP * self._budget.characters(step)
        whole = functools.partial(self.judge.whole, averaged)
        self._outlook.follow(self._budget.fraction(step), score.nats_per_char, cheap=cheap, whole=whole)
        return self._told(score, step, train_loss)

    def decide(self, averaged: Parameters, step: int, train_loss: float | None) -> Evaluated | None:
        """The last word, of which `best_step` and `best_loss` are the winner's. Raises BackendError."""
        score = self.judge.decide(averaged, step)
        return None if score is None else self._told(score, step, train_loss)

    def _told(self, score: Score, step: int, train_loss: float | None) -> Evaluated:
        judge = self.judge
        assert judge.loss is not None
        assert judge.best_loss is not None
        self.patience.note(improved=judge.best_step == step, train_loss=train_loss)
        fraction = self._budget.fraction(step)
        foreseen = self._prospect.foreseen(step / fraction) if fraction > 0 else None
        return Evaluated(
            step=step,
            fraction=fraction,
            val_loss=judge.loss,
            train_loss=train_loss,
            best_loss=judge.best_loss,
            best_step=judge.best_step,
            chars=score.chars,
            complete=score.chars == judge.chars,
            elapsed=self._clock.elapsed,
            stale=self.patience.stale,
            expected=self._outlook.expected(foreseen),
        )
