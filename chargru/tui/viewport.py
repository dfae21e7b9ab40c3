"""Which part of the steps a chart shows: all of them, the newest part, or a part that stands still. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

LAST_THIRD = 1 / 3
ZOOM = 0.7  # of the width stays at one zoom
NARROWEST = 12.0  # steps; less has nothing to see


@dataclass(frozen=True)
class Viewport:
    """A part of the x axis.

    `share` follows the newest step with that share of all steps; `fixed` stands still from one step to another; with
    neither everything is shown. Every change gives a new one.
    """

    share: float | None = None
    fixed: tuple[float, float] | None = None

    @property
    def whole(self) -> bool:
        """Whether all steps are shown."""
        return self.share is None and self.fixed is None

    @property
    def following(self) -> bool:
        """Whether it moves with the newest step, showing a part."""
        return self.share is not None

    def window(self, first: float, last: float) -> tuple[float, float]:
        """(low, high) of what is shown of the steps from `first` to `last`."""
        if self.fixed is not None:
            return self.fixed
        if self.share is not None:
            return min(first, last) + (last - first) * (1 - self.share), last
        return first, last

    def zoom(self, factor: float, around: float | None, first: float, last: float) -> Viewport:
        """`factor` times as many steps, the step `around` (None: the newest shown) staying where it is."""
        low, high = self.window(first, last)
        if around is None or not low <= around <= high:
            around = high
        width = max((high - low) * factor, min(NARROWEST, max(last - first, 1.0)))
        left = around - (around - low) / max(high - low, 1e-9) * width
        return _fitted(left, left + width, first, last)

    def pan(self, part: float, first: float, last: float) -> Viewport:
        """Moved by `part` of the width, to later steps if positive, never past the ends."""
        low, high = self.window(first, last)
        width = high - low
        left = min(max(low + part * width, first), last - width)
        return self if self.whole else _fitted(left, left + width, first, last)

    def reach(self, step: float, first: float, last: float) -> Viewport:
        """Moved as little as needed for `step` to be shown."""
        low, high = self.window(first, last)
        if low <= step <= high or self.whole:
            return self
        left = step if step < low else step - (high - low)
        return _fitted(left, left + high - low, first, last)


def _fitted(left: float, right: float, first: float, last: float) -> Viewport:
    """The window moved inside of the steps; everything if it is as wide, following if it ends with the newest."""
    whole, width = last - first, right - left
    if whole <= 0 or width >= whole * 0.999:
        return Viewport()
    left = min(max(left, first), last - width)
    if left + width >= last - 1e-6 * whole:
        return Viewport(share=width / whole)
    return Viewport(fixed=(left, left + width))
