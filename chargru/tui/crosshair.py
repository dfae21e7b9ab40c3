"""What the curves say at one step: the chart's crosshair, in numbers. Pure look-ups in a training's state."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from chargru.tui.state import TrainingState


@dataclass(frozen=True)
class Crosshair:
    """Losses (nats) at a step: raw and smoothed training loss, and the newest validation known by then."""

    step: int
    raw: float | None
    smooth: float | None
    val_loss: float | None
    val_step: int | None

    @property
    def gap(self) -> float | None:
        """How far the validation is above the training loss."""
        if self.val_loss is None or self.smooth is None:
            return None
        return self.val_loss - self.smooth


def steps_of(state: TrainingState, low: float, high: float) -> list[float]:
    """The steps from `low` to `high` at which something is known, rising."""
    curve = state.train if len(state.train) else state.validation
    return sorted({x for segment in curve.segments for x, _ in segment if low <= x <= high})


def crosshair_at(state: TrainingState, step: float) -> Crosshair | None:
    """The losses at the known step nearest to `step`; None while nothing is known."""
    nearest = state.train.near(step) or state.validation.near(step)
    if nearest is None:
        return None
    smooth = state.smooth.near(nearest[0])
    by_then = [point for segment in state.validation.segments for point in segment if point[0] <= nearest[0]]
    held_out = by_then[-1] if by_then else state.validation.first
    return Crosshair(
        step=round(nearest[0]),
        raw=nearest[1] if len(state.train) else None,
        smooth=smooth[1] if smooth else None,
        val_loss=held_out[1] if held_out else None,
        val_step=round(held_out[0]) if held_out else None,
    )


def next_step(known: list[float], step: float | None, direction: int, stride: float) -> float | None:
    """The known step about `stride` further in the direction (-1 or 1), another one if there is any; `known` rises.

    From nowhere (None) it goes to the end that the direction comes from.
    """
    if not known:
        return None
    if step is None:
        return known[-1] if direction < 0 else known[0]
    if direction > 0:
        index = max(bisect_right(known, step + stride) - 1, bisect_right(known, step))
    else:
        index = min(bisect_left(known, step - stride), bisect_left(known, step) - 1)
    return known[min(max(index, 0), len(known) - 1)]
