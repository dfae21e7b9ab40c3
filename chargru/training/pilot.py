"""A pilot: what a small network makes of a text in two or three seconds, which tells what a larger one will.

Texts whose n-grams are alike differ by a tenth in what a network learns from them. A network of 64 units at a constant
rate shows it, by how far its loss has come and how fast it still falls; longer n-grams, and n-grams of a part of the
text, show how much of it is repeated and how alike its parts are (benchmarks/LOG.md, "Forecast").
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from chargru.config import ModelConfig, TrainingConfig
from chargru.engine import compiles, crew_for
from chargru.errors import ConfigError
from chargru.text.stream import fit_shape
from chargru.training.autotune import BATCH_SIZE, SEQ_LEN, STATE_RESET, regularization
from chargru.training.difficulty import COUNTED, MEASURED, ORDERS, ngram_losses, spread
from chargru.training.evaluation import evaluate, on_processor
from chargru.training.learner import Learner
from chargru.training.speed import operations, update_seconds

Array = npt.NDArray[Any]

UNITS = 64
EARLY, LATE = 200, 800  # updates after which it is scored
_RATE, _RISING, _AVERAGING = 8e-3, 10, 0.97
_SCORED = 20_000  # characters of the held-out part, spread over it


@dataclass(frozen=True)
class Pilot:
    """Losses in nats per character on the held-out part.

    `early` and `late` are the network's after `EARLY` and after `LATE` updates. `ninth` is that of the n-gram model
    with contexts of eight characters, `half` and `quarter` those of the best n-gram model that is counted only on so
    much of the text, next to the held-out part.
    """

    early: float
    late: float
    ninth: float
    half: float
    quarter: float

    @classmethod
    def recall(cls, losses: Sequence[float]) -> Pilot:
        """From its losses in their order, as a face hands them on. Raises ConfigError for what no pilot can be."""
        if len(losses) != len(fields(cls)) or not all(isinstance(each, int | float) for each in losses):
            raise ConfigError(f"a pilot has {len(fields(cls))} losses")
        if not all(math.isfinite(each) and each >= 0 for each in losses):
            raise ConfigError("the losses of a pilot are finite and not negative")
        return cls(*losses)


def pilot(
    train: Array, val: Array, vocab_size: int, threads: int, should_stop: Callable[[], bool] = lambda: False
) -> Pilot | None:
    """Let a small network learn the ids `train` (n,) and score it on `val` (m,).

    None where there is nothing to measure on, when `should_stop` said so, and when the losses are not finite.
    """
    if len(train) < 2 or len(val) < 2:
        return None
    trained = _trained(train, val, vocab_size, threads, should_stop)
    if trained is None or should_stop():
        return None
    counted, measured = train[-COUNTED:], spread(val, MEASURED)
    ninth = ngram_losses(counted, measured, vocab_size, 9)[-1]
    parts = (counted[-max(1, len(counted) // share) :] for share in (2, 4))
    half, quarter = (min(ngram_losses(part, measured, vocab_size, ORDERS)) for part in parts)
    return Pilot(*trained, ninth, half, quarter)


def pilot_seconds(vocab_size: int, speed: float) -> float:
    """About what it takes on a machine of this speed (`machine_speed`); with many distinct characters it is long."""
    return LATE * update_seconds(ModelConfig(vocab_size, UNITS, 1), BATCH_SIZE, SEQ_LEN, speed)


def _trained(
    train: Array, val: Array, vocab_size: int, threads: int, should_stop: Callable[[], bool]
) -> tuple[float, float] | None:
    """The losses after `EARLY` and after `LATE` updates."""
    model = ModelConfig(vocab_size, UNITS, 1)
    rows, steps = fit_shape(len(train), BATCH_SIZE, SEQ_LEN)
    # a short text is learned by heart in so many updates, and one where nothing is dropped would say little of others
    dropout, weight_drop = regularization(LATE * rows * steps / len(train), LATE)
    training = TrainingConfig(
        steps=LATE,
        batch_size=rows,
        seq_len=steps,
        averaging=_AVERAGING,
        dropout=dropout,
        weight_drop=weight_drop,
        state_reset=STATE_RESET,
    )
    losses: list[float] = []
    with crew_for(threads, rows, operations(model, rows, steps), compiled=compiles(UNITS, training.dtype)) as crew:
        learner, scorers = Learner(train, model, training, crew), on_processor(crew, training.dtype)
        while learner.step < LATE:
            if should_stop():
                return None
            rate = _RATE * min(1.0, (learner.step + 1) / _RISING)
            if not all(update.finite for update in learner.update(rate)):
                return None
            if learner.step in (EARLY, LATE):
                score = evaluate(learner.averaged, val, limit=_SCORED, scorers=scorers)
                assert score is not None
                losses.append(score.nats_per_char)
    early, late = losses
    return (early, late) if np.isfinite(losses).all() else None
