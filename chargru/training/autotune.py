"""A budget and a text in, sizes and regularisation out.

The rule comes from the experiments in benchmarks/LOG.md: given how many characters each size reads on this machine in
the budget (see chargru.training.speed), take the largest network that still sees enough
characters, and drop out the more, the more often the text is read over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

BATCH_SIZE, SEQ_LEN = 32, 64
STATE_RESET = 0.03  # so that a network also learns to begin: prompts begin from an empty state


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
    state_reset: float
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


def choose(train_chars: int, seen: Callable[[int, int], float]) -> Sizes:
    """Sizes for a text of `train_chars` characters.

    `seen(H, L)` says how many characters the budget lets L layers of H units read: with a time budget that depends on
    them, with a budget of steps or passes it does not.
    """
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
        state_reset=STATE_RESET,
        averaging=round(float(np.clip(1 - 12 / updates, 0.9, 0.9995)), 4),
    )
