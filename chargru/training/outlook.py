"""Where a training is going: the loss at its end, told on the way from the evaluations so far.

With a rate that falls along a cosine and averaged weights, what is still to be gained at a fraction f of the budget has
nearly the same shape for all texts and sizes,

    L(f) − L(1) ≈ s · (1 − f)² / √f,

with s a few hundredths of the loss (benchmarks/LOG.md, "Outlook"). So s is fitted to the evaluations of the last two
thirds, held near its usual value while they say little about it, and the last one is followed along the curve.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_FROM = 0.1  # of the budget: before that nothing is told
_COMPARED = 0.4  # earlier the two are not yet as far apart as they will be
_ALONE = 0.6  # from here on the evaluations alone count, before that as the square of the way to it
_POINTS = 3  # evaluations that are needed at least
_USUAL = 0.07  # s over the loss
_WEIGHT = 1.5  # of the usual s, against squares of the shape


class Outlook:
    """`follow` every evaluation, read `expected`. Losses are nats per character."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, float]] = []
        self._offset: float | None = None

    def follow(self, fraction: float, loss: float, *, cheap: bool, whole: Callable[[], float | None]) -> None:
        """The loss on the part that is scored on the way, after this fraction (0..1) of the budget.

        That part may be easier than the whole tail. Where scoring the tail is `cheap`, `whole` does it once for the
        same weights, and the difference counts from then on.
        """
        if fraction > 0:
            self._seen.append((fraction, loss))
        if cheap and fraction >= _COMPARED and self._offset is None and (found := whole()) is not None:
            self._offset = found - loss

    def expected(self, foreseen: float | None = None) -> float | None:
        """The loss of the best weights on the whole tail at the end of the budget; None while it is too early.

        `foreseen` is what was to be expected without these evaluations, if that is known.
        """
        if len(self._seen) < _POINTS or self._seen[-1][0] < _FROM:
            return None
        now, loss = self._seen[-1]
        recent = np.array([each for each in self._seen if each[0] >= now / 3])
        left, losses = _left(recent[:, 0]), recent[:, 1]
        usual = _USUAL * loss
        spread = left - left.mean()
        s = (float(spread @ losses) + _WEIGHT * usual) / (float(spread @ spread) + _WEIGHT)
        offset = self._offset or 0.0
        end = loss - max(0.0, s) * float(_left(np.array(now))) + offset
        if foreseen is not None:
            told = min(1.0, now / _ALONE) ** 2
            end = told * end + (1 - told) * foreseen
        return max(0.0, min(end, min(each[1] for each in self._seen) + offset))


def _left(fraction: Array) -> Array:
    """What is still to be gained, but for the factor s."""
    through = np.minimum(fraction, 1.0)
    result: Array = (1 - through) ** 2 / np.sqrt(through)
    return result
