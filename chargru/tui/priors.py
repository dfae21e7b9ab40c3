"""What was found out about texts for the sake of a forecast, so that another budget costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chargru.training.prior import Prior

_KEPT = 24
_READ_WHOLE = 8_000_000  # characters of a text that is read to its end for a close look


@dataclass(frozen=True)
class Seen:
    """The beginning of a text of about so many `characters`, or all of it; `read` reads the whole."""

    text: str
    characters: int
    whole: bool
    read: Callable[[], str]

    @property
    def key(self) -> tuple[int, int, int]:
        """The same for the same text, as far as anybody will ever see."""
        return self.characters, len(self.text), hash(self.text)


class Priors:
    """Looks at texts, and remembers what was seen."""

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[int, int, int], bool], Prior | None] = {}

    def of(
        self, seen: Seen, threads: int | None, *, closely: bool, should_stop: Callable[[], bool]
    ) -> tuple[Prior | None, bool]:
        """What is known of a text, and whether it was looked at closely, now or before.

        Nothing is known of one that is too short to hold a part out.
        """
        from chargru.training.prior import prior_of

        for known in ((seen.key, True), (seen.key, closely)):
            if known in self._known:
                return self._known[known], known[1]
        text, whole = seen.text, seen.whole
        if closely and not whole and seen.characters <= _READ_WHOLE:
            text, whole = seen.read(), True
        prior = prior_of(text, whole=whole, closely=closely, threads=threads, should_stop=should_stop)
        if not should_stop():
            if len(self._known) >= _KEPT:
                del self._known[next(iter(self._known))]
            self._known[seen.key, closely] = prior
        return prior, closely
