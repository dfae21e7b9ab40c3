"""What is known of a text before a training: how hard it is, and what a pilot said, if there was one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass

from chargru.engine import available_cores
from chargru.text.stream import split
from chargru.text.vocabulary import Vocabulary
from chargru.training.difficulty import Difficulty, difficulty
from chargru.training.pilot import Pilot, pilot

VAL_FRACTION = 0.1
_LEAST = 0.02  # nats: what is easier than this is known by heart, and its logarithm says nothing


@dataclass(frozen=True)
class Prior:
    """`whole` tells whether all of the text was seen, or only its beginning."""

    hard: Difficulty
    pilot: Pilot | None = None
    whole: bool = True

    @property
    def piloted(self) -> Pilot | None:
        """The pilot, if its losses say anything."""
        return self.pilot if self.pilot and min(*astuple(self.pilot), self.hard.bigram) > _LEAST else None


def prior_of(
    text: str, *, whole: bool, closely: bool, threads: int | None, should_stop: Callable[[], bool] = lambda: False
) -> Prior | None:
    """A look at a text, split as a training would split it; None where there is nothing to measure on.

    `whole`: this is all of it, or its beginning. `closely`: a pilot is part of it, on so many threads or one a core.
    """
    vocabulary = Vocabulary.from_text(text)
    train, val = split(vocabulary.encode(text), VAL_FRACTION)
    hard = difficulty(train, val, vocabulary.size, whole=whole)
    if hard is None or not closely:
        return None if hard is None else Prior(hard, whole=whole)
    found = pilot(train, val, vocabulary.size, threads or available_cores(), should_stop)
    return Prior(hard, found, whole)
