"""A budget and a text in, sizes and regularisation out.

The rules come from the experiments in benchmarks/LOG.md, "Recipe": take the largest network that still gets the updates
it needs in the budget (see chargru.training.speed). Drop out the more, the more often the text is read over, and less
in a short training, which has no time to learn it by heart; in a long one let weights decay. Two layers beat one of
the same cost as soon as there are some thousand updates, unless the text is short for its many distinct characters;
single recurrent weights are what to drop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

BATCH_SIZE, SEQ_LEN = 32, 64
STATE_RESET = 0.1  # so that a network also learns to begin: prompts begin from an empty state


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
    weight_decay: float
    state_reset: float
    averaging: float


# (hidden size, layers, learning rate, updates it needs to be better than the one before), from small to large
LADDER = (
    (64, 1, 1.2e-2, 0),
    (96, 1, 1e-2, 290),
    (128, 1, 1e-2, 400),
    (128, 2, 8e-3, 1_000),
    (192, 2, 7e-3, 1_300),
    (256, 2, 6e-3, 1_900),
    (320, 2, 5e-3, 2_800),
    (384, 2, 4e-3, 3_700),
    (512, 2, 3e-3, 10_000),
)

# the same where a character turns up a few hundred times or less (Korean, say): a second layer learns nothing from that
_ONE_LAYER = (
    (64, 1, 1.2e-2, 0),
    (96, 1, 1e-2, 290),
    (128, 1, 1e-2, 400),
    (192, 1, 9e-3, 800),
    (256, 1, 8e-3, 1_300),
    (384, 1, 6e-3, 4_000),
)
_SELDOM = 200

# by how often the text is read over
_PASSES = (1, 4, 7, 11, 24, 80)
_DROPOUT = (0.0, 0.0, 0.0, 0.03, 0.1, 0.6)
_WEIGHT_DROP = (0.0, 0.018, 0.05, 0.115, 0.22, 0.5)
_ENOUGH = 1_600  # updates; with fewer a network has not yet learned what it could remember instead
_DECAY, _DECAYS = 0.1, (1_000, 2_500)  # none up to the first number of updates, all of it from the second on


def regularization(passes: float, updates: float, hidden_size: int = 256) -> tuple[float, float]:
    """Dropout before the output and of recurrent weights for a text that is read so often, in so many updates.

    A large network remembers more of every pass: 512 units are treated as if they read the text 1.2 times as often.
    """
    passes *= max(1.0, hidden_size / 256) ** 0.25
    learned = min(1.0, updates / _ENOUGH)
    dropout, weight_drop = (learned * float(np.interp(passes, _PASSES, each)) for each in (_DROPOUT, _WEIGHT_DROP))
    return round(dropout, 2), round(weight_drop, 3)


def weight_decay(updates: float) -> float:
    """Decay of the weights in a training of so many updates, however often it reads its text."""
    return round(float(np.interp(updates, _DECAYS, (0.0, _DECAY))), 3)


def choose(train_chars: int, vocab_size: int, seen: Callable[[int, int], float]) -> Sizes:
    """Sizes for a text of `train_chars` characters, `vocab_size` of them distinct.

    `seen(H, L)` says how many characters the budget lets L layers of H units read: with a time budget that depends on
    them, with a budget of steps or passes it does not.
    """
    window = BATCH_SIZE * SEQ_LEN
    ladder = _ONE_LAYER if train_chars < _SELDOM * vocab_size else LADDER
    best = 0
    for rung, (hidden, layers, _, needed) in enumerate(ladder):
        weights = 3 * hidden * hidden * (2 * layers - 1)
        too_large_for_text = weights > 12 * max(train_chars, 400) and hidden > 64
        if seen(hidden, layers) < needed * window or too_large_for_text:
            break
        best = rung
    hidden, layers, rate, _ = ladder[best]
    characters = seen(hidden, layers)
    updates = max(1.0, characters / window)
    passes = characters / max(train_chars, 1)
    dropout, weight_drop = regularization(passes, updates, hidden)
    return Sizes(
        hidden_size=hidden,
        num_layers=layers,
        batch_size=BATCH_SIZE,
        seq_len=SEQ_LEN,
        learning_rate=rate,
        dropout=dropout,
        weight_drop=weight_drop,
        weight_decay=weight_decay(updates),
        state_reset=STATE_RESET,
        averaging=round(float(np.clip(1 - 12 / updates, 0.9, 0.9995)), 4),
    )
