"""Curves of training in bounded memory, thinned to what a screen can show, on a logarithmic axis. Pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence

Point = tuple[float, float]

LIMIT = 4096  # points kept of one segment; a day of training must not grow the app


class Curve:
    """Points in the order they came, in segments: between two segments the curve has a gap.

    A segment that outgrows `LIMIT` is thinned to half by its envelope, so spikes stay visible.
    """

    def __init__(self) -> None:
        self._segments: list[list[Point]] = []
        self._broken = True

    def add(self, x: float, y: float) -> None:
        """Add a point; what is not a finite number leaves a gap instead."""
        if not (math.isfinite(x) and math.isfinite(y)):
            self.gap()
            return
        if self._broken:
            self._segments.append([])
            self._broken = False
        segment = self._segments[-1]
        segment.append((x, y))
        if len(segment) > LIMIT:
            self._segments[-1] = envelope(segment, LIMIT // 4, segment[0][0], segment[-1][0])

    def gap(self) -> None:
        """The next point begins a new segment."""
        self._broken = True

    @property
    def segments(self) -> list[list[Point]]:
        """The segments that hold points."""
        return [segment for segment in self._segments if segment]

    @property
    def last(self) -> Point | None:
        """The newest point."""
        return self._segments[-1][-1] if self._segments else None

    def __len__(self) -> int:
        return sum(len(segment) for segment in self._segments)


def envelope(points: Sequence[Point], columns: int, low: float, high: float) -> list[Point]:
    """The points thinned to at most two a column: the lowest and the highest, in the order they came.

    `low` and `high` are the ends of the x axis that the columns divide evenly; points outside go to the end columns.
    """
    if columns < 1:
        return []
    if len(points) <= 2:
        return list(points)
    width = (high - low) / columns
    kept: list[Point] = []
    lowest = highest = first = 0
    current: int | None = None

    def close() -> None:
        if current is not None:
            kept.extend(points[index] for index in sorted({lowest, highest}))

    for index in range(first, len(points)):
        x, y = points[index]
        column = min(max(int((x - low) / width), 0), columns - 1) if width > 0 else 0
        if column != current:
            close()
            current, lowest, highest = column, index, index
            continue
        if y < points[lowest][1]:
            lowest = index
        if y > points[highest][1]:
            highest = index
    close()
    return kept


def log10(value: float) -> float:
    """log10, with everything at or below zero at the bottom of any loss (a model that knows its text by heart)."""
    return math.log10(max(value, 1e-4))


_NICE = (1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0, 2.2, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0)
_SPARSE = (
    (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0),
    (1.0, 1.5, 2.0, 3.0, 5.0),
    (1.0, 2.0, 5.0),
    (1.0, 3.0),
    (1.0,),
)


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` round losses between `low` and `high` (both > 0), spread as evenly as round numbers allow."""
    if not 0 < low <= high or most < 1:
        return []
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for mantissas in (_NICE[:-1], *_SPARSE):
        ticks = [m * 10.0**e for e in range(first, last + 1) for m in mantissas]
        inside = [round(tick, 10) for tick in ticks if low <= tick <= high]
        if len(inside) <= most:
            return inside
    return inside[:: -(-len(inside) // most)]


def linear_ticks(high: float, most: int) -> list[float]:
    """At most `most` round numbers from 0 to `high`: steps of 1, 2 or 5 times a power of ten, whole numbers only."""
    if not high > 0 or most < 2:
        return [0.0]
    power = 10.0 ** max(math.floor(math.log10(high / most)), 0)
    for factor in (1, 2, 5, 10, 20, 50):
        step = factor * power
        if high / step <= most - 1:
            break
    return [index * step for index in range(int(high / step) + 1)]
