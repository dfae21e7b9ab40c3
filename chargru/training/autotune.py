"""A budget and a text in, sizes and regularisation out.

The rule comes from the experiments in benchmarks/LOG.md: given how many floating-point operations this machine does in
the budget (see chargru.training.speed), take the largest network that still sees enough
characters, and drop out the more, the more often the text is read over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chargru.engine import flops_per_character

BATCH_SIZE, SEQ_LEN = 32, 64


@dataclass(frozen=True)
class Sizes:
    """What the budget is spent on."""

    hidden_size: int
    num_layers: int
    batch_size: int
    seq_len: int
    learning_rate: float
    dropout: float
    weight_drop: float
    averaging: float


# (hidden size, layers, learning rate), from small to large
_LADDER = (
    (64, 1, 1.2e-2),
    (96, 1, 1e-2),
    (128, 1, 1e-2),
    (192, 1, 8e-3),
    (256, 1, 8e-3),
    (256, 2, 6e-3),
    (320, 2, 5e-3),
    (384, 2, 4e-3),
    (512, 2, 3e-3),
)


def by_time(seconds: float, speed: float) -> Callable[[float], float]:
    """How many characters a time budget reads at this speed (operations a second), by what one costs: for `choose`."""
    return lambda flops: speed * seconds / flops


def choose(train_chars: int, vocab_size: int, seen_at: Callable[[float], float]) -> Sizes:
    """Sizes for a text of `train_chars` characters.

    `seen_at(F)` says how many characters the budget lets a network read whose characters cost F operations each: with
    a time budget that depends on F, with a budget of steps or passes it does not.
    """

    def seen(hidden: int, layers: int) -> float:
        return seen_at(flops_per_character(hidden, layers, vocab_size))

    best = 0
    for rung, (hidden, layers, _) in enumerate(_LADDER):
        weights = 3 * hidden * hidden * (2 * layers - 1)
        too_large_for_text = weights > 12 * max(train_chars, 400) and hidden > 64
        if seen(hidden, layers) < 7 * weights + 400_000 or too_large_for_text:
            break
        best = rung
    hidden, layers, rate = _LADDER[best]
    characters = seen(hidden, layers)
    dropout = float(np.interp(characters / max(train_chars, 1), (2, 4, 8, 20, 60), (0.0, 0.15, 0.25, 0.4, 0.5)))
    updates = max(1.0, characters / (BATCH_SIZE * SEQ_LEN))
    return Sizes(
        hidden_size=hidden,
        num_layers=layers,
        batch_size=BATCH_SIZE,
        seq_len=SEQ_LEN,
        learning_rate=rate,
        dropout=round(dropout, 2),
        weight_drop=round(0.35 * dropout, 2),
        averaging=round(float(np.clip(1 - 12 / updates, 0.9, 0.9995)), 4),
    )
