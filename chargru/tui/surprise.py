"""How unlikely a model found a character: five levels that read without colour, and their place on what was typed."""

from __future__ import annotations

import difflib
import math
import unicodedata
from collections.abc import Sequence

# A character of at least this probability is of level 0, 1, 2, 3; what is less likely than all is of level 4.
LIKELY = (0.5, 0.2, 0.05, 0.01)
LEVELS = len(LIKELY) + 1
LEGEND = ("≥50%", "≥20%", "≥5%", "≥1%", "<1%")
# What widgets style the levels by (styles/play.tcss): from dim to reversed.
CLASSES = tuple(f"surprise--{level}" for level in range(LEVELS))
_LIMITS = tuple(-math.log(p) + 1e-6 for p in LIKELY)
_ALIGNED = 600  # characters in which typed and read text are matched; beyond, matching would be felt while typing


def level(nats: float) -> int:
    """The level, 0 to 4, of a character of this surprisal; one that is no number is the most surprising."""
    for each, limit in enumerate(_LIMITS):
        if nats <= limit:
            return each
    return LEVELS - 1


def spread(typed: str, read: str, nats: Sequence[float]) -> tuple[float | None, ...]:
    """The surprisal of every character of `typed`, from those of the text as the model read it; None where unknown.

    A character that was read as several has the sum of theirs; one that was skipped has none.
    """
    if typed == read or (len(typed) == len(read) and unicodedata.is_normalized("NFC", read)):
        return tuple(map(float, nats))
    values: list[float | None] = [None] * len(typed)
    head = 0
    while head < min(len(typed), len(read)) and typed[head] == read[head]:
        values[head] = float(nats[head])
        head += 1
    _fill(values, typed, read, nats, head)
    return tuple(values)


def _fill(values: list[float | None], typed: str, read: str, nats: Sequence[float], head: int) -> None:
    """The values from `head` on, where the two texts differ for the first time."""
    parts = [unicodedata.normalize("NFD", character) for character in typed[head:]]
    if "".join(parts) == read[head:]:
        at = head
        for i, part in enumerate(parts, head):
            values[i] = float(sum(nats[at : at + len(part)]))
            at += len(part)
        return
    if max(len(typed), len(read)) - head > _ALIGNED:
        return
    matcher = difflib.SequenceMatcher(None, typed[head:], read[head:], autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "insert" or c == d:
            continue
        if b - a == d - c:
            for i in range(b - a):
                values[head + a + i] = float(nats[head + c + i])
        else:  # some characters became others, nobody knows which: they share what it cost
            share = float(sum(nats[head + c : head + d])) / (b - a)
            values[head + a : head + b] = [share] * (b - a)
