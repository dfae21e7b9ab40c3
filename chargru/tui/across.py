"""Curves of different runs side by side: by steps, by time, or by the characters that were read. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

from chargru.tui.archive import CurvePoint
from chargru.tui.curves import Point

WAYS = ("steps", "time", "characters")
TOLD = {"steps": "steps", "time": "time of training", "characters": "characters read"}


def placed(segments: Sequence[Sequence[CurvePoint]], way: str, window: int) -> list[list[Point]]:
    """The segments as (x, nats) points; `window` is the characters that one step reads.

    By characters, a run whose window is not known has no points. By time, points that came without one are left out.
    """
    if way == "time":
        return [[(seconds, loss) for step, seconds, loss in part if seconds > 0 or not step] for part in segments]
    if way == "characters":
        return [[(step * float(window), loss) for step, _, loss in part] for part in segments] if window else []
    return [[(float(step), loss) for step, _, loss in part] for part in segments]


def unit(way: str, most: float) -> tuple[str, float]:
    """The name of the x axis and what its numbers are to be divided by, when `most` is the highest."""
    if way != "time":
        return ("step" if way == "steps" else "chars"), 1.0
    for name, seconds in (("s", 1.0), ("min", 60.0), ("h", 3600.0)):
        if most < 300 * seconds or name == "h":
            break
    return name, seconds
