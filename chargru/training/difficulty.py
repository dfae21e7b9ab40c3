"""How hard a text is to predict, from a bounded sample of it: n-gram losses, and how they fall with more text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chargru.training.landmarks import mean_loss, ngram_probabilities

COUNTED = 1_000_000  # characters that are counted, at most
MEASURED = 40_000  # characters that are scored, at most
ORDERS = 5
_STRETCHES = 8  # of a longer held-out part, so that all of it is represented

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Difficulty:
    """Losses in nats per character, counted on `counted` characters and measured on `measured` others.

    `unigram`, `bigram` and `trigram` are those of the single letters and of contexts of one and two, `best` that of the
    best of the n-gram models with contexts of 0 to 4 characters. `slope` is how much `best` falls when the text grows
    e-fold.
    """

    unigram: float
    bigram: float
    trigram: float
    best: float
    slope: float
    counted: int
    measured: int

    def best_at(self, characters: float) -> float:
        """The best n-gram loss to be expected with so many characters to learn from; never negative."""
        if self.best <= 0 or characters <= self.counted:
            return self.best
        return self.best * math.exp(-self.slope / self.best * math.log(characters / self.counted))


def difficulty(train: Array, val: Array, vocab_size: int, *, whole: bool = True) -> Difficulty | None:
    """The difficulty of a text of the training part `train` (n,) and the held-out part `val` (m,), both ids.

    None if it is too short to measure. Unless this is the `whole` text, it is also told how its n-gram loss falls with
    more text. It takes a few tenths of a second for a million characters.
    """
    if len(train) < 1 or len(val) < 2:
        return None
    counted, measured = train[-COUNTED:], spread(val, MEASURED)
    losses = ngram_losses(counted, measured, vocab_size, ORDERS)
    best, slope = min(losses), 0.0
    if not whole and len(counted) > 1:  # what the half next to the held-out part is worse by
        half = ngram_losses(counted[len(counted) // 2 :], measured, vocab_size, ORDERS)
        slope = max(0.0, min(half) - best) / math.log(2)
    return Difficulty(losses[0], losses[1], losses[2], best, slope, len(counted), len(measured))


def ngram_losses(train: Array, val: Array, vocab_size: int, orders: int) -> list[float]:
    """The losses on `val` (m,) of n-gram models counted on `train` (n,), with contexts of 0 to `orders` − 1."""
    return [mean_loss(each) for each in ngram_probabilities(train, val, vocab_size, orders)]


def spread(ids: Array, limit: int) -> Array:
    """About `limit` ids in stretches spread evenly over `ids` (n,); all of them if there are no more."""
    if len(ids) <= limit:
        return ids
    starts = [place * len(ids) // _STRETCHES for place in range(_STRETCHES)]
    return np.concatenate([ids[start : start + limit // _STRETCHES] for start in starts])
