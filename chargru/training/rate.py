"""The learning rate: the plan's, times a scale that recoveries and the user change."""

from __future__ import annotations

import math

from chargru.config import TrainingConfig
from chargru.engine import learning_rate_at

NOTCH = 1.25  # what "faster" multiplies by
LOWEST, HIGHEST = 1 / 64, 64.0  # of the plan; as far as words reach


class Rate:
    """`scale` times the schedule of `training`; a checkpoint holds the scale."""

    def __init__(self, training: TrainingConfig, scale: float = 1.0) -> None:
        self._training = training
        self.scale = scale

    def at(self, fraction: float) -> float:
        """The rate at this fraction (0 to 1) of the budget."""
        return self.scale * learning_rate_at(fraction, self._training)

    def halve(self) -> None:
        """After a recovery: what was too fast is not tried again."""
        self.scale *= 0.5

    def turn(self, notches: int) -> bool:
        """Faster by so many notches, or slower by so many if they are negative; False when the scale is at its end."""
        wanted = self.scale * NOTCH**notches
        bounded = min(wanted, max(self.scale, HIGHEST)) if notches > 0 else max(wanted, min(self.scale, LOWEST))
        power = 2.0 ** round(math.log2(bounded))  # what the scale was before any word: 1, or halved by recoveries
        before, self.scale = self.scale, power if math.isclose(bounded, power, rel_tol=1e-9) else bounded
        return self.scale != before
