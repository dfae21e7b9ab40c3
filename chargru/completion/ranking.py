"""Completions put in order: what the model itself thinks likeliest first, the same text once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scored:
    """A completion with its score.

    `score` is the mean log-probability of its characters under the model, in nats, at temperature 1 and without any
    filter: 0 is certain, −ln V is a blind guess. `index` is its place among the completions as they were drawn (the
    first one's where several are alike), `copies` how often this very text was drawn.
    """

    text: str
    score: float
    index: int
    copies: int = 1


def ranked(texts: Sequence[str], scores: Sequence[float]) -> list[Scored]:
    """`texts` with their `scores`, best first; equal texts once, equal scores in the order of drawing.

    Raises:
        ValueError: not one score for each text.
    """
    first: dict[str, int] = {}
    copies: dict[str, int] = {}
    for index, (text, _) in enumerate(zip(texts, scores, strict=True)):
        first.setdefault(text, index)
        copies[text] = copies.get(text, 0) + 1
    found = [Scored(text, scores[index], index, copies[text]) for text, index in first.items()]
    return sorted(found, key=lambda each: -each.score)
