"""How long validation has not improved, and when that is worth a word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ENOUGH = 4  # evaluations
_FALLING = 0.99  # the training loss goes on falling if it is below this part of what it was at the best evaluation


class Patience:
    """Counts the evaluations since the best one. Losses are nats per character."""

    def __init__(self) -> None:
        self.stale = 0
        self._train_then: float | None = None  # training loss at the best evaluation
        self._train_now: float | None = None

    @classmethod
    def recall(cls, history: Sequence[Mapping[str, Any]]) -> Patience:
        """As the last evaluation left it, from the records of a checkpoint (see `record`)."""
        patience = cls()
        for record in reversed(history):
            stale, then = record.get("stale"), record.get("train_at_best")
            if isinstance(stale, int) and stale >= 0:
                patience.stale = stale
                patience._train_then = float(then) if isinstance(then, int | float) else None
                break
        return patience

    def record(self) -> dict[str, Any]:
        """What a checkpoint has to remember."""
        return {"stale": self.stale, "train_at_best": self._train_then}

    def note(self, *, improved: bool, train_loss: float | None) -> None:
        """One more evaluation, the best one or not; with the training loss at that point."""
        self.stale = 0 if improved else self.stale + 1
        self._train_now = train_loss
        if improved:
            self._train_then = train_loss

    def warning(self, best_step: int) -> str:
        """One line at the evaluation that makes it enough, and at no other; empty otherwise."""
        if self.stale != ENOUGH:
            return ""
        told = f"validation has not improved for {ENOUGH} evaluations; the best model, of step {best_step:,}, is kept"
        then, now = self._train_then, self._train_now
        if then is not None and now is not None and now < _FALLING * then:
            told += " (the training loss still falls: it begins to learn by heart)"
        return told
