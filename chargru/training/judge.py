"""Which weights are worth keeping: validation on the way, and the last word at the end.

On the way a part of a long held-out tail is scored, always the same part, so that the curve is smooth and cheap; at
the end the whole of it, or of a very long one as much, spread evenly over it, as the budget bears. The weights that
scored best on the way are kept, and compete with the last ones on that.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from chargru.engine import Parameters
from chargru.training.evaluation import WARM_UP, Score, Scorers, evaluate

Array = npt.NDArray[Any]

QUICK = 4_096  # characters scored on the way; a tail of three times as many or fewer is always scored whole
# Characters scored at the end: so many whatever they cost, and never more. The loss of a text is then known to a
# hundredth and to a thousandth of a nat; what scoring more would take is better spent on training.
LEAST, MOST = 1 << 18, 1 << 22
_SCORES = 1.5  # of the last weights always, of the best ones before them sometimes


class Judge:
    """Scores averaged weights on `val` (n,) and remembers the best. Losses are nats per character."""

    def __init__(self, val: Array, scorers: Scorers | None = None) -> None:
        self._val = val
        self._scorers = scorers
        self.chars = max(0, len(val) - 1)
        self.limit = QUICK if self.chars > 3 * QUICK else None
        self.last_limit: int | None = None  # of the last word; None: the whole tail
        self.loss: float | None = None  # of the last evaluation
        self.best_loss: float | None = None
        self.best_step = 0
        self.best_weights: Array | None = None

    def recall(self, loss: float | None, best_loss: float | None, best_step: int, weights: Array | None) -> None:
        """Take up where an earlier process stopped."""
        self.loss, self.best_loss, self.best_step, self.best_weights = loss, best_loss, best_step, weights

    def score(self, parameters: Parameters) -> Score | None:
        """A score as on the way, of which nothing is remembered; None without validation text."""
        return evaluate(parameters, self._val, limit=self.limit, scorers=self._scorers)

    def whole(self, parameters: Parameters) -> float | None:
        """The loss on the whole tail; nothing of it is remembered."""
        score = evaluate(parameters, self._val, scorers=self._scorers)
        return None if score is None else score.nats_per_char

    def look(self, parameters: Parameters, step: int) -> Score | None:
        """An evaluation on the way; None without validation text."""
        score = self.score(parameters)
        if score is not None:
            self.loss = score.nats_per_char
            if self.best_loss is None or score.nats_per_char < self.best_loss:
                self.best_loss, self.best_step = score.nats_per_char, step
                self.best_weights = parameters.flat.copy()
        return score

    def decide(self, parameters: Parameters, step: int) -> Score | None:
        """The last word: the score of the better one of these weights and the best so far.

        On the whole tail, or on the part of it that `afford` allowed. Afterwards `best_step` and `best_loss` are the
        winner's; None without validation text.
        """
        self.look(parameters, step)
        last = evaluate(parameters, self._val, limit=self.last_limit, scorers=self._scorers)
        if last is None:
            return None
        winner = last
        if self.best_step != step and self.best_weights is not None:
            rival = Parameters(parameters.config, parameters.flat.dtype, self.best_weights)
            found = evaluate(rival, self._val, limit=self.last_limit, scorers=self._scorers)
            if found is not None and found.nats_per_char < last.nats_per_char:
                winner = found
        self.loss = last.nats_per_char
        if winner is last:
            self.best_step, self.best_weights = step, parameters.flat.copy()
        self.best_loss = winner.nats_per_char
        return winner

    def afford(self, seconds: float | None, look_seconds: float) -> None:
        """Let `decide` take about so many seconds, of which a `look` took `look_seconds`.

        None: the budget does not depend on the clock, nor must what is scored.
        """
        most = MOST
        if seconds is not None:
            borne = int((seconds / max(1e-9, look_seconds) - 1.0) / _SCORES * self._looked())
            most = min(MOST, max(LEAST, borne))
        self.last_limit = most if self.chars > most else None

    def seconds_to_decide(self, look_seconds: float) -> float:
        """What `decide` will take, from the time of one `look`."""
        chars = self.last_limit or self.chars
        read = chars + min(64, chars // WARM_UP) * WARM_UP
        return look_seconds * (1.0 + _SCORES * read / self._looked())

    def _looked(self) -> int:
        """Characters that a `look` reads, those that only warm it up among them."""
        return max(1, self.chars + min(64, self.chars // WARM_UP) * WARM_UP if self.limit is None else 2 * self.limit)
