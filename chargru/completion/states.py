"""Hidden states along a prompt: all of the recent ones, fewer and fewer of the older ones, never more than a budget."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

BUDGET = 8 << 20  # bytes of the states that are kept without a gap; up to three times as much is held in all
MOST, LEAST = 1024, 32  # of those states, whatever they weigh
STRIDE = 64  # between the older states, at first; it doubles as often as their number demands


class States:
    """States (L, H) by how many characters had been read.

    The last `dense` ones at least are all there (up to twice as many between two clearings); of the older ones every
    `stride`-th, at most `dense` of them. So an edit among the last thousand characters finds the very state before it,
    and one far back re-reads fewer than `stride` characters more than it must re-read anyway.
    """

    def __init__(self, nbytes: int) -> None:
        """`nbytes`: of one state."""
        self.dense = max(LEAST, min(MOST, BUDGET // max(1, nbytes)))
        self.stride = STRIDE
        self._positions: list[int] = []  # increasing
        self._states: list[Array] = []
        self._cleared = 0  # up to here only every `stride`-th is left

    def __len__(self) -> int:
        return len(self._positions)

    def nearest(self, position: int) -> tuple[int, Array | None]:
        """The last state kept at or before `position` and where it stands; (0, None) if there is none."""
        place = bisect_right(self._positions, position)
        return (self._positions[place - 1], self._states[place - 1]) if place else (0, None)

    def truncate(self, position: int) -> None:
        """Forget the states beyond `position`."""
        place = bisect_right(self._positions, position)
        del self._positions[place:], self._states[place:]
        self._cleared = min(self._cleared, position)
        if not self._positions:
            self.stride = STRIDE

    def append(self, position: int, state: Array) -> None:
        """Keep a copy of `state`, whose position is beyond all others'."""
        self._positions.append(position)
        self._states.append(np.array(state))  # a copy of its own: a view would keep a whole window alive
        if position - self._cleared >= 2 * self.dense:
            self._clear(position - self.dense)

    def _clear(self, upto: int) -> None:
        """Thin the states out up to the position `upto`, as far as they must be."""
        kept = [place for place, at in enumerate(self._positions) if at > upto or at % self.stride == 0]
        while sum(self._positions[place] <= upto for place in kept) > self.dense:
            self.stride *= 2
            kept = [each for each in kept if self._positions[each] > upto or self._positions[each] % self.stride == 0]
        self._positions = [self._positions[place] for place in kept]
        self._states = [self._states[place] for place in kept]
        self._cleared = upto
