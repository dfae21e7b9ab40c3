"""A budget and a text in, sizes for a GPU out. NONE OF THESE RULES HAS BEEN MEASURED: no GPU was at hand.

The rungs up to 512 units need the updates that `autotune` found on processors, with half as many rows each; those above
continue the row. A GPU is idle for most of a small update, so rows are doubled while an update hardly takes longer for
it, but only where the text is not read over and over for that.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chargru.training.autotune import LADDER, SEQ_LEN, STATE_RESET, Sizes, regularization, weight_decay

ROWS = 64
MOST_ROWS = 256

# as autotune's; what is below 128 units costs a GPU as much
_LADDER = (
    (128, 1, 1e-2, 0),
    *(rung for rung in LADDER if rung[:2] > (128, 1)),
    (768, 2, 2e-3, 20_000),
    (1024, 2, 1.5e-3, 40_000),
)
_LONGER = 1.25  # times as long an update may take for twice the rows
_FRESH = 3.0  # readings of the text, up to which more rows are more text and not the same text again

Updates = Callable[[int, int, int], float]
"""How many updates the budget holds, by units, layers and rows."""


def choose(
    train_chars: int,
    updates: Updates,
    fits: Callable[[int, int, int], bool] = lambda hidden_size, num_layers, rows: True,
    *,
    timed: bool = True,
) -> Sizes:
    """Sizes for a text of `train_chars` characters.

    `fits` says whether the device has the memory, by units, layers and rows. `timed`: the budget is one of time, so
    rows that cost nothing are worth having; with a budget of updates or passes they stay as they are.
    """
    best = 0
    for rung, (hidden, layers, _, needed) in enumerate(_LADDER):
        too_large_for_text = 3 * hidden * hidden * (2 * layers - 1) > 12 * max(train_chars, 400)
        if rung and (too_large_for_text or updates(hidden, layers, ROWS) < needed or not fits(hidden, layers, ROWS)):
            break
        best = rung
    hidden, layers, rate, _ = _LADDER[best]
    rows = ROWS
    while timed and 2 * rows <= MOST_ROWS and fits(hidden, layers, 2 * rows):
        now, then = updates(hidden, layers, rows), updates(hidden, layers, 2 * rows)
        if now > _LONGER * then or then * 2 * rows * SEQ_LEN > _FRESH * train_chars:
            break
        rows *= 2
    count = max(1.0, updates(hidden, layers, rows))
    passes = count * rows * SEQ_LEN / max(train_chars, 1)
    dropout, weight_drop = regularization(passes, count, hidden)
    return Sizes(
        hidden_size=hidden,
        num_layers=layers,
        batch_size=rows,
        seq_len=SEQ_LEN,
        learning_rate=rate,
        dropout=dropout,
        weight_drop=weight_drop,
        weight_decay=weight_decay(count),
        state_reset=STATE_RESET,
        averaging=round(float(np.clip(1 - 12 / count, 0.9, 0.9995)), 4),
    )
