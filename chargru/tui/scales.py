"""How losses are told and where they stand on an axis: nats or bits, logarithmic or linear. Pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from chargru.tui.curves import log10, log_ticks
from chargru.tui.formatting import nats, quantity, whole

if TYPE_CHECKING:
    from chargru.tui.remembered import ChartChoices

FEWEST = 3  # ticks below which a logarithmic axis takes evenly spaced ones


@dataclass(frozen=True)
class Scale:
    """A unit of losses and the form of their axis. Losses come in as nats; heights on the axis are called places."""

    bits: bool = False
    log: bool = True

    @classmethod
    def of(cls, choices: ChartChoices) -> Scale:
        """The scale that the user chose."""
        return cls(choices.units == "bits", choices.axis == "log")

    @property
    def unit(self) -> str:
        """The unit's name."""
        return "bits" if self.bits else "nats"

    def value(self, loss: float) -> float:
        """A loss in this unit."""
        return loss / math.log(2) if self.bits else loss

    def place(self, loss: float) -> float:
        """Where a loss stands on the axis."""
        return log10(self.value(loss)) if self.log else self.value(loss)

    def ticks(self, low: float, high: float, most: int) -> list[float]:
        """At most `most` places of round values between the places `low` and `high`."""
        if not self.log:
            return round_ticks(low, high, most)
        bottom, top = 10**low, 10**high
        ticks = log_ticks(bottom, top, most)
        if len(ticks) < min(FEWEST, most):
            ticks = [tick for tick in round_ticks(bottom, top, most) if tick > 0]
        return [math.log10(tick) for tick in ticks]

    def labels(self, ticks: Sequence[float]) -> list[str]:
        """The values at these places, all with as many decimals as the one that needs most."""
        values = [10**tick if self.log else tick for tick in ticks]
        return [f"{value:.{max(map(decimals, values), default=0)}f}" for value in values]

    def told(self, loss: float | None, places: int = 3) -> str:
        """A loss in figures; a dash where there is none."""
        return nats(None if loss is None else self.value(loss), places)

    def difference(self, loss: float) -> str:
        """A difference of two losses with its sign."""
        value = self.value(loss)
        return f"{'−' if value < 0 else '+'}{abs(value):.3f}"


def round_ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` round numbers between `low` and `high`: steps of 1, 2 or 5 times a power of ten."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low or most < 1:
        return []
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    for factor in (1, 2, 5, 10, 20, 50):
        step = factor * power
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            break
    return [round(index * step, 12) for index in range(first, last + 1)]


def step_ticks(low: float, high: float, most: int) -> list[float]:
    """Round steps between `low` and `high`: whole numbers."""
    return [tick for tick in round_ticks(low, high, most) if tick == int(tick)]


def step_labels(ticks: Sequence[float]) -> list[str]:
    """0, 500, 1k, 1.5k; in full where short ones would not tell them apart."""
    short = [quantity(tick) for tick in ticks]
    gaps = {round(after - before) for before, after in pairwise(ticks)}
    exact = len(set(short)) == len(short) and not any(gap % 100 for gap in gaps if max(ticks) >= 1000)
    return short if exact else [whole(round(tick)) for tick in ticks]


def decimals(value: float) -> int:
    """How many decimals a round value needs, at most 4."""
    return next((places for places in range(4) if abs(value - round(value, places)) < 1e-6), 4)


def limits(
    curve: tuple[float, float], cloud: tuple[float, float], newest: float, landmarks: Sequence[float]
) -> tuple[float, float]:
    """The ends of the loss axis, as places, with a little room.

    The smoothed curve and the validation (`curve`: lowest, highest) are seen whole; the raw values (`cloud`) get up to
    as much again on each side; the landmark next above the newest loss, and the one next below it, come in where they
    are near: what is compared with must not squash what is looked at.
    """
    low, high = curve
    span = max(high - low, 0.02)
    low, high = max(min(low, cloud[0]), low - span), min(max(high, cloud[1]), high + span)
    span = max(high - low, 0.02)
    above = min((each for each in landmarks if each >= newest), default=high)
    below = max((each for each in landmarks if each < newest), default=low)
    if high < above <= high + 0.6 * span:
        high = above
    if low - 0.35 * span <= below < low:
        low = below
    room = max(0.05 * (high - low), 0.005)
    return low - room, high + room
