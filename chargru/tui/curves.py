"""Curves of training in bounded memory, thinned to what a screen can show, on a logarithmic axis. Pure arithmetic."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

Point = tuple[float, float]

LIMIT = 4096  # points kept of one segment; a day of training must not grow the app
SEGMENTS = 64  # kept; training goes back a few times at most, a curve of nothing but gaps is not worth more
SMOOTHING = 0.05  # of all steps, the memory of the smoothed curve


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
            if len(self._segments) > SEGMENTS:
                del self._segments[1]  # the beginning stays
        segment = self._segments[-1]
        segment.append((x, y))
        if len(segment) > LIMIT:
            self._segments[-1] = envelope(segment, LIMIT // 4, segment[0][0], segment[-1][0])

    def gap(self) -> None:
        """The next point begins a new segment."""
        self._broken = True

    def extend(self, later: Curve) -> None:
        """Add another curve's points behind these, its gaps too."""
        for index, segment in enumerate(later.segments):
            if index:
                self.gap()
            for x, y in segment:
                self.add(x, y)

    @property
    def segments(self) -> list[list[Point]]:
        """The segments that hold points."""
        return [segment for segment in self._segments if segment]

    @property
    def last(self) -> Point | None:
        """The newest point."""
        return self._segments[-1][-1] if self._segments else None

    @property
    def first(self) -> Point | None:
        """The oldest point."""
        return self._segments[0][0] if self._segments else None

    def __len__(self) -> int:
        return sum(len(segment) for segment in self._segments)

    def near(self, x: float) -> Point | None:
        """The point nearest to `x`. Where training went back, the newer segment that reaches `x` counts."""
        nearest: Point | None = None
        for segment in reversed(self._segments):
            index = bisect_left(segment, (x, -math.inf))
            for point in segment[max(index - 1, 0) : index + 1]:
                if nearest is None or abs(point[0] - x) < abs(nearest[0] - x):
                    nearest = point
            if segment[0][0] <= x <= segment[-1][0]:
                break
        return nearest


class Smoother:
    """An exponential mean that looks back a share of all steps: quick at first, where the loss falls fast, calm later.

    Its weights are corrected for what it has seen, so it begins at the first value and not at zero.
    """

    def __init__(self, share: float = SMOOTHING) -> None:
        self._share = share
        self.reset()

    def reset(self) -> None:
        """Begin anew, after a gap."""
        self._mean = self._weight = 0.0
        self._x: float | None = None

    def add(self, x: float, y: float) -> float:
        """Take in a value at step `x`; gives the mean there. What is not finite resets and comes back as it is."""
        if not math.isfinite(y):
            self.reset()
            return y
        kept = 0.0 if self._x is None else math.exp(-max(x - self._x, 0.0) / max(self._share * x, 1.0))
        self._x = x
        self._mean = kept * self._mean + (1 - kept) * y
        self._weight = kept * self._weight + (1 - kept)
        return self._mean / self._weight


def cut(points: Sequence[Point], low: float, high: float) -> list[Point]:
    """The part of a line from `low` to `high`, cut through where it crosses the ends. Points are in order of x."""
    begin, end = bisect_left(points, (low, -math.inf)), bisect_right(points, (high, math.inf))
    kept = list(points[begin:end])
    if begin > 0 and begin < len(points) and points[begin][0] > low:
        kept.insert(0, _between(points[begin - 1], points[begin], low))
    if 0 < end < len(points) and points[end - 1][0] < high:
        kept.append(_between(points[end - 1], points[end], high))
    return [point for point in kept if low <= point[0] <= high]


def inside(points: Sequence[Point], low: float, high: float) -> Sequence[Point]:
    """The points from `low` to `high`."""
    return points[bisect_left(points, (low, -math.inf)) : bisect_right(points, (high, math.inf))]


def _between(left: Point, right: Point, x: float) -> Point:
    return x, left[1] + (right[1] - left[1]) * (x - left[0]) / (right[0] - left[0])


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


def averaged(points: Sequence[Point], columns: int, low: float, high: float) -> list[Point]:
    """The points thinned to one a column, their mean; the first and the last stay what they are."""
    if len(points) <= columns or columns < 2 or high <= low:
        return list(points)
    kept: list[Point] = [points[0]]
    width = (high - low) / columns
    column, xs, ys, count = -1, 0.0, 0.0, 0
    for x, y in points[1:-1]:
        if (here := int((x - low) / width)) != column:
            if count:
                kept.append((xs / count, ys / count))
            column, xs, ys, count = here, 0.0, 0.0, 0
        xs, ys, count = xs + x, ys + y, count + 1
    if count:
        kept.append((xs / count, ys / count))
    return [*kept, points[-1]]


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
