"""The validation loss that a training is expected to reach, from what its text and a pilot on it say.

**From the text alone**: a training goes a share q of the way from the loss h of single letters to the loss b of the
best n-gram model (and beyond it, q > 1),

    q = reach − pace · (500 / U)^0.8 − context · r + capacity

after U updates, where r is the part of that way which only contexts of more than two characters gain: long contexts are
learned late.

**With a pilot** (`chargru.training.pilot`) the logarithm of the loss over the pilot's last one is a weighted sum of
`clues`: how much further than the pilot the training goes, how fast the pilot's loss still fell, how far n-gram models
of short and of long contexts are from it, how alike the parts of the text are, and how long it is.

The coefficients are fitted to real trainings by benchmarks/forecast.py, what more layers and units add to those of the
recipe; benchmarks/LOG.md tells how well both hold for texts that they were not fitted to: `margin` is made from that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from chargru.config import ModelConfig
from chargru.training.difficulty import Difficulty
from chargru.training.pilot import LATE, Pilot
from chargru.training.prior import Prior

COEFFICIENTS = (1.3, -0.244, -0.505)  # of `features`
WEIGHTS = (-0.074, 0.06, 0.082, 0.15, -0.74, 0.312, 0.221, -0.133, -0.129, -0.09, -0.007)  # of `clues`
_FITTED = (30.0, 10_000.0)  # updates, about: of the trainings that a forecast was ever held against
WAY = 1.2  # from h to b, over the loss, about
SHORT = 150  # updates: of so short a training a pilot, which goes further itself, says little
_ENOUGH = 16  # times that a text was read: from there on it teaches ever less
_COPIED = -0.25  # a text that holds whole passages twice is easy for long n-grams, not so for a network


def likely_loss(
    prior: Prior,
    model: ModelConfig,
    n_train: int,
    updates: float,
    characters: float,
    *,
    coefficients: Sequence[float] = COEFFICIENTS,
    weights: Sequence[float] = WEIGHTS,
) -> float:
    """The loss to be expected after so many `updates` that read `characters` of a text with `n_train` to learn from."""
    hard, pilot = prior.hard, prior.piloted
    more = capacity(model.hidden_size, model.num_layers)
    if pilot is not None and updates >= SHORT:
        told = float(np.dot(weights, clues(hard, pilot, n_train, updates, characters))) - WAY * more
        return min(math.log(model.vocab_size), pilot.late * math.exp(told))
    best = hard.best_at(min(n_train, characters))
    share = float(np.dot(coefficients, features(hard, best, updates))) + more
    return min(math.log(model.vocab_size), loss_after(max(0.0, share), hard.unigram, best))


def clues(hard: Difficulty, pilot: Pilot, n_train: int, updates: float, characters: float) -> tuple[float, ...]:
    """What the logarithm of the loss over `pilot.late` is a weighted sum of; all losses must be positive."""
    passes = characters / n_train
    further = math.log(updates / (1 + passes / _ENOUGH)) - math.log(LATE / (1 + LATE / updates * passes / _ENOUGH))
    shorter = min(0.0, math.log(updates / LATE))
    fall = math.log(pilot.early / pilot.late)
    copied = max(_COPIED, math.log(pilot.ninth / pilot.late))
    pairs = math.log(hard.bigram / pilot.late)
    alike = math.log(pilot.quarter / pilot.half)
    both = (value for clue in (fall, copied, pairs) for value in (clue, clue * further))
    return (1.0, further, shorter**2, *both, alike, math.log(n_train / 1e6))


def features(hard: Difficulty, best: float, updates: float) -> tuple[float, float, float]:
    """1, (500 / U)^0.8, r: what the share q is a weighted sum of."""
    way = max(hard.unigram - best, 1e-9)
    late = min(1.0, max(0.0, (hard.trigram - best) / way))
    return 1.0, (500 / updates) ** 0.8, late


def capacity(hidden_size: int, num_layers: int) -> float:
    """What a second layer, and weights beyond those of 192 units, add to the share."""
    larger = math.log2(hidden_size**2 * (2 * num_layers - 1) / 192**2)
    return 0.036 * min(num_layers - 1, 1) + 0.012 * min(max(0.0, larger), 4.0)


def share_after(loss: float, unigram: float, best: float) -> float:
    """The share q of the way from `unigram` to `best` that a training with this loss has gone."""
    way = max(unigram - best, 1e-9)
    return (unigram - loss) / way if loss >= best else 1 - math.log(loss / best) * best / way


def loss_after(share: float, unigram: float, best: float) -> float:
    """The inverse of `share_after`: beyond the best n-gram model the loss falls ever slower, and never below 0."""
    way = max(unigram - best, 1e-9)
    if share <= 1 or best <= 0:
        return max(best if share > 1 else 0.0, unigram - share * way)
    return best * math.exp(-(share - 1) * way / best)


def margin(prior: Prior, likely: float, n_train: int, updates: float, characters: float) -> float:
    """How far off the loss may be, in nats: nine of ten of the trainings in benchmarks/LOG.md were nearer."""
    hard = prior.hard
    few, many = _FITTED
    outside = max(0.0, math.log(few / updates), math.log(updates / many))  # beyond what was ever tried
    if prior.piloted is not None and updates >= SHORT:
        part = likely * (0.045 + 0.02 * abs(math.log(updates / LATE)) + 0.02 * outside)
    else:
        way = hard.unigram - hard.best_at(min(n_train, characters))
        part = way * (0.06 + 0.04 * math.sqrt(500 / updates) + 0.02 * outside)
    unseen = 0.0 if prior.whole else 0.05 * (hard.unigram - hard.best)
    return part + unseen + 2.5 / math.sqrt(hard.measured)
