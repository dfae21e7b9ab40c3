"""What of a generated text is copied: its longest passages that stand word for word in the training text.

The index is a suffix array: the places of the training text, sorted by the text that begins there. Whether a passage
occurs is then a binary search, some twenty-five comparisons whatever the size of the text. The array is made by
libdivsufsort (pydivsufsort), which knows bytes only: characters become ids in the order of their code points, of one
byte where the text has no more than 256 different ones, else of two or four bytes with the highest first, so that the
order of the bytes is the order of the characters. Any Unicode text is right.

Measured on a shared two-core machine: 20 million characters of 27 letters in 1.3 s, 100 million in 13 s while others
used both cores; 5 bytes a character while it is made and 4 afterwards, the text itself not counted. The library works
outside Python's interpreter lock but for the setting up of its array (45 ms for 20 million characters, 200 for 100), so
making the index in a thread does not freeze a screen. A completion of 200 characters is looked through in some 2 ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chargru.errors import TextError
from chargru.text import codepoints

Array = npt.NDArray[Any]

LEAST = 20  # characters: shorter passages occur by chance, and everybody's phrases are shorter
LIMIT = 1 << 27  # bytes of ids: 134 million characters, half as many where more than 256 are different


@dataclass(frozen=True)
class Span:
    """`text[start:end]` stands in the training text at `position`, for the first time there, `count` times in all."""

    start: int
    end: int
    position: int
    count: int = 1

    def __len__(self) -> int:
        return self.end - self.start


@dataclass(frozen=True)
class Place:
    """Where in the training text a passage begins: characters before it, their share of the whole, line from 1."""

    position: int
    fraction: float
    line: int


class CopyIndex:
    """The training text, ready to be asked what of another text it contains. Immutable; any thread may ask."""

    def __init__(self, text: str, order: Array) -> None:
        """`order` (n,): where the suffixes of `text` begin, sorted; `build` makes it."""
        self.text = text
        self._places = order
        self._order = order.data.cast("B").cast("i")  # its items come as plain integers, and quicker than the array's

    @classmethod
    def build(cls, text: str) -> CopyIndex:
        """The index of a training text; an empty one contains nothing.

        Raises:
            TextError: the text is too long for an index, or it does not fit into memory.
        """
        try:
            return cls(text, _suffix_array(text))
        except MemoryError as error:
            raise TextError(
                f"an index of copied passages over {len(text):,} characters does not fit into memory",
                "close other programs and try again",
            ) from error

    def __len__(self) -> int:
        return len(self.text)

    def spans(self, text: str, least: int = LEAST) -> list[Span]:
        """The maximal passages of `text` with `least` characters or more that the training text has word for word.

        Maximal: none can be made longer at either end and still occur. They come in the order of the text and may
        overlap, where two different places of the training text were run together.

        Raises:
            ValueError: `least` is below 1.
        """
        if least < 1:
            raise ValueError(f"least must be at least 1, not {least}")
        found: list[Span] = []
        start, end = 0, least
        while end <= len(text):
            # What begins further left does not reach `end`, and what ends before `end` was found already.
            start = self._leftmost(text, start, end)
            if end - start < least:
                end = start + least
                continue
            end = self._furthest(text, start, end)
            low, high = self._range(text[start:end])
            found.append(Span(start, end, int(self._places[low:high].min()), high - low))
            start, end = start + 1, end + 1
        return found

    def new_fraction(self, text: str, least: int = LEAST) -> float:
        """The share of the characters of `text` that lie in no passage of `spans`; 1 for an empty text."""
        if not text:
            return 1.0
        copied = reached = 0
        for span in self.spans(text, least):
            copied += span.end - max(span.start, reached)
            reached = span.end
        return 1 - copied / len(text)

    def contains(self, passage: str) -> bool:
        """Whether the training text has `passage` word for word."""
        place = self._lower(passage)
        return place < len(self._order) and self.text.startswith(passage, self._order[place])

    def place(self, span: Span) -> Place:
        """Where the passage stands in the training text."""
        line = self.text.count("\n", 0, span.position) + 1
        return Place(span.position, span.position / len(self.text), line)

    def context(self, span: Span, around: int = 30) -> str:
        """The passage in the training text and `around` characters on either side, unchanged (not safe to show)."""
        around = max(0, around)
        return self.text[max(0, span.position - around) : span.position + len(span) + around]

    def _leftmost(self, text: str, start: int, end: int) -> int:
        """The first place from `start` on from which text[…:end] occurs; `end` if not even its last character does."""
        low, high = start, end
        while low < high:
            middle = (low + high) // 2
            if self.contains(text[middle:end]):
                high = middle
            else:
                low = middle + 1
        return low

    def _furthest(self, text: str, start: int, end: int) -> int:
        """The largest end up to which text[start:…] occurs; text[start:end] does."""
        # Double the step while it occurs, then halve the rest: as many searches as the passage has binary digits.
        step = 1
        while end + step <= len(text) and self.contains(text[start : end + step]):
            end += step
            step *= 2
        low, high = end, min(end + step - 1, len(text))  # the answer lies in low…high
        while low < high:
            middle = (low + high + 1) // 2
            if self.contains(text[start:middle]):
                low = middle
            else:
                high = middle - 1
        return low

    def _lower(self, passage: str) -> int:
        """How many suffixes stand before `passage` in the order."""
        text, order, n = self.text, self._order, len(passage)
        low, high = 0, len(order)
        while low < high:
            middle = (low + high) // 2
            at = order[middle]
            if text[at : at + n] < passage:
                low = middle + 1
            else:
                high = middle
        return low

    def _range(self, passage: str) -> tuple[int, int]:
        """The stretch of the order whose suffixes begin with `passage`."""
        text, order, n = self.text, self._order, len(passage)
        first = low = self._lower(passage)
        high = len(order)
        while low < high:
            middle = (low + high) // 2
            at = order[middle]
            if text[at : at + n] == passage:
                low = middle + 1
            else:
                high = middle
        return first, low


def refuse_too_long(characters: int, distinct: int) -> int:
    """Raise TextError for a text too long for an index; else the bytes that each of its characters takes in it.

    The text itself is not needed: who knows its length need not read it first.
    """
    width = 1 if distinct <= 1 << 8 else 2 if distinct <= 1 << 16 else 4
    if characters * width > LIMIT:
        raise TextError(
            f"the text is too long for an index of copied passages: {characters:,} characters, "
            f"the limit is {LIMIT // width:,}",
            "train on a part of it, or do without the index",
        )
    return width


def _suffix_array(text: str) -> Array:
    """The places (n,) int32 of `text` in the order of the suffixes that begin there."""
    n = len(text)
    if n < 2:
        return np.zeros(n, np.int32)
    distinct, _ = codepoints.count(text)
    width = refuse_too_long(n, len(distinct))
    from pydivsufsort import divsufsort  # only who asks for an index needs it

    table = np.zeros(int(distinct[-1]) + 1, f">u{width}")  # from code point to id
    table[distinct] = np.arange(len(distinct))
    ids = np.empty(n, table.dtype)
    start = 0
    for points in codepoints.chunks(text):
        table.take(points, out=ids[start : start + len(points)], mode="clip")
        start += len(points)
    order: Array = divsufsort(ids.view(np.uint8))  # (n * width,) of the bytes' suffixes
    if width == 1:
        return order
    # Only suffixes that begin with a character count. Piece by piece to the front of the array: no second one.
    kept = 0
    for start in range(0, len(order), codepoints.CHUNK):
        piece = order[start : start + codepoints.CHUNK]
        whole = piece[piece % width == 0] // width
        order[kept : kept + len(whole)] = whole
        kept += len(whole)
    return order[:n].copy()
