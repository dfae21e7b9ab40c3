"""A curve in a few cells: numbers to levels. What is drawn for a level is the face's business."""

from __future__ import annotations

import math
from collections.abc import Sequence

LEVELS = 8
_LEAST = 1e-6  # a loss of zero has no logarithm


def levels(losses: Sequence[float], cells: int, heights: int = LEVELS) -> list[int]:
    """At most `cells` heights, 0 to `heights` - 1, from the lowest loss to the highest on a logarithmic scale.

    One value a cell when there are fewer, else the mean of as many as fall on a cell. A flat curve lies in the middle;
    what is not a finite number is left out.
    """
    logs = [math.log(max(loss, _LEAST)) for loss in losses if math.isfinite(loss)]
    cells = min(cells, len(logs))
    if cells < 1 or heights < 1:
        return []
    means: list[float] = []
    for cell in range(cells):
        part = logs[cell * len(logs) // cells : (cell + 1) * len(logs) // cells]
        means.append(sum(part) / len(part))
    low, high = min(means), max(means)
    if high - low < 1e-9:
        return [(heights - 1) // 2] * cells
    return [round((mean - low) / (high - low) * (heights - 1)) for mean in means]
