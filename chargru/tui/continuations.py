"""What a model wrote after a prompt: several continuations, their scores, and how they stand on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chargru.config import SamplingConfig
from chargru.tui.models import CopiedSpan, CopiedText, Ranked


@dataclass
class Continuation:
    """One of them, raw; `nats` has the surprisal of every character as far as it is known."""

    text: str = ""
    nats: list[float] = field(default_factory=list)
    score: float | None = None  # mean log-probability per character, once it is ranked
    drawn: int | None = None  # its place among the draws, once it is ranked
    copied: CopiedText | None = None

    def grow(self, gained: str, nats: Sequence[float]) -> None:
        """More of it."""
        self.text += gained
        self.nats += nats

    @property
    def longest(self) -> CopiedSpan | None:
        """The longest stretch that stands in the training text."""
        return max(self.copied.spans, key=lambda span: span.end - span.start, default=None) if self.copied else None

    def span_at(self, index: int) -> CopiedSpan | None:
        """The copied stretch that the character of this index is in."""
        spans = self.copied.spans if self.copied else ()
        return next((span for span in spans if span.start <= index < span.end), None)


@dataclass
class Batch:
    """The continuations of one prompt, in the order in which they are shown."""

    asked: str  # the prompt as it was typed
    source: str  # the run or checkpoint that was asked
    sampling: SamplingConfig  # with the seed that was used
    prompt: str = ""  # the prompt as the model read it
    model: str = ""
    notes: tuple[str, ...] = ()
    members: list[Continuation] = field(default_factory=list)
    alike: int = 0  # how many were left out because they were the same as another
    ended: bool = False

    def grow(self, gained: Sequence[str], nats: Sequence[Sequence[float]]) -> None:
        """What every member gained."""
        for i, (member, text) in enumerate(zip(self.members, gained, strict=True)):
            member.grow(text, nats[i] if i < len(nats) else ())

    def rank(self, ranking: Sequence[Ranked], like: Batch | None = None) -> None:
        """Best first, every text once; without a ranking they stay as they are.

        With `like`, an earlier batch of the same draws, each keeps the place that it has there.
        """
        self.ended = True
        if not ranking:
            return
        places = {member.drawn: i for i, member in enumerate(like.members)} if like is not None else {}
        drawn = self.members
        self.members = []
        for each in sorted(ranking, key=lambda each: places.get(each.index, len(places))):
            member = drawn[each.index]
            member.score, member.drawn = each.score, each.index
            self.members.append(member)
        self.alike = len(drawn) - len(self.members)
