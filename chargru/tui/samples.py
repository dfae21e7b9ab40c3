"""Samples of a whole training in bounded memory, thinned evenly, so that one can look back at how the text grew up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chargru.events import Sampled

LIMIT = 200


@dataclass(frozen=True)
class KeptSample:
    """A sample, its number in the training (from 0), and the validation loss (nats) known when it was written."""

    number: int
    sampled: Sampled
    val_loss: float | None

    @property
    def step(self) -> int:
        """The step at which it was written."""
        return self.sampled.step


class SampleHistory:
    """Samples in the order they came. The first and the newest are always kept, of the others every n-th.

    When there are more than `limit`, n doubles: what is kept lies evenly over the training, however long it is.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        if limit < 3:
            raise ValueError("a history keeps at least three samples")
        self._limit = limit
        self._every = 1
        self._count = 0
        self._kept: list[KeptSample] = []

    def add(self, sampled: Sampled, val_loss: float | None = None) -> None:
        """Take in the newest sample."""
        if self._kept and self._kept[-1].number % self._every:
            self._kept.pop()  # it was kept as the newest only
        self._kept.append(KeptSample(self._count, sampled, val_loss))
        self._count += 1
        while len(self._kept) > self._limit:
            self._every *= 2
            newest = self._kept[-1]
            self._kept = [each for each in self._kept if each.number % self._every == 0 or each is newest]

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[KeptSample]:
        return iter(self._kept)

    @property
    def newest(self) -> KeptSample | None:
        """The newest sample."""
        return self._kept[-1] if self._kept else None

    def position(self, sample: KeptSample | None) -> int:
        """Where a sample stands among the kept ones, from 0; of one no longer kept, its neighbour; None: the newest."""
        if sample is None:
            return len(self._kept) - 1
        return next((n for n, kept in enumerate(self._kept) if kept.number >= sample.number), len(self._kept) - 1)

    def at(self, position: int) -> KeptSample | None:
        """The sample at a position, the nearest end for one outside; None where there is no sample at all."""
        return self._kept[min(max(position, 0), len(self._kept) - 1)] if self._kept else None

    def earlier(self, sample: KeptSample, most: int) -> list[KeptSample]:
        """Up to `most` samples that show how the text grew up to this one, the latest first: each at about half the
        step of the one after it, as a text changes with the logarithm of the steps; the first one always closes."""
        before = [each for each in self._kept if each.number < sample.number]
        if most < 1 or not before:
            return []
        first, bound, chosen = before[0], sample.step / 2, list[KeptSample]()
        ratio = 2.0
        while before and len(chosen) < most - 1:
            fitting = [each for each in before[1:] if each.step <= bound]
            if not fitting:
                break
            chosen.append(fitting[-1])
            bound = fitting[-1].step / ratio
        if len(chosen) < most - 1 and len(before) - 1 > len(chosen):  # room is left: the ones between
            rest = [each for each in reversed(before[1:]) if each not in chosen]
            spare = most - 1 - len(chosen)
            every = max(len(rest) // spare, 1)
            chosen = sorted([*chosen, *rest[::every][:spare]], key=lambda each: -each.number)
        return [*chosen, first]
