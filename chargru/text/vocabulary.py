"""Characters to ids and back.

A vocabulary is the increasing list of the code points that the training text has; the id of a character is its place in
that list. Text to train on is encoded strictly. Text that a user types is *read*: a character that the model has never
seen is taken as the nearest one it knows (`chargru.text.unseen` has the order), or else skipped, and both are told.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from chargru.errors import TextError
from chargru.text import codepoints
from chargru.text.decoding import plural
from chargru.text.display import safe_display
from chargru.text.unseen import translations

Ids = NDArray[Any]

# Above this many distinct characters the output layer outweighs the recurrent ones.
MANY = 5_000
_SHOWN = 8
_FIRST_SURROGATE, _LAST_SURROGATE = 0xD800, 0xDFFF


@dataclass(frozen=True)
class Reading:
    """A text as the model reads it: its ids, the text that they stand for, and what was mapped or skipped."""

    ids: Ids
    text: str
    notes: tuple[str, ...] = ()


class Vocabulary:
    """The characters a model knows. Immutable; equal where the characters are equal.

    Unseen characters: `encode` refuses them, `read` maps them to the nearest known ones or skips them and says so. Lone
    surrogates are never part of a vocabulary: `from_text` takes them as U+FFFD, `encode` and `read` as unseen.
    """

    __slots__ = ("_ids", "_points", "code_points", "dtype")

    code_points: tuple[int, ...]

    def __init__(self, code_points: Sequence[int]) -> None:
        """The vocabulary of these code points, strictly increasing.

        Raises:
            ValueError: none at all, out of order, repeated, surrogates, or no code points.
        """
        points = [int(point) for point in code_points]
        if not points:
            raise ValueError("a vocabulary needs at least one character")
        if any(later <= earlier for earlier, later in itertools.pairwise(points)):
            raise ValueError("code points must be strictly increasing")
        if points[0] < 0 or points[-1] > codepoints.LAST:
            raise ValueError(f"code points must lie between 0 and {codepoints.LAST:#x}")
        if any(_FIRST_SURROGATE <= point <= _LAST_SURROGATE for point in points):
            raise ValueError("surrogates are not characters")
        self.code_points = tuple(points)
        self._points = np.array(points, dtype=np.uint32)  # (V,)
        # From code point to id, -1 where there is none; the last place stands for everything beyond.
        self._ids = np.full(points[-1] + 2, -1, dtype=np.int32)
        self._ids[self._points] = np.arange(len(points), dtype=np.int32)
        self.dtype: np.dtype[Any] = np.dtype(_smallest(len(points)))

    @classmethod
    def from_code_points(cls, code_points: Sequence[int]) -> Vocabulary:
        """The same as the constructor; the inverse of `code_points`."""
        return cls(code_points)

    @classmethod
    def from_text(cls, text: str) -> Vocabulary:
        """The vocabulary of the characters in `text`. Raises TextError if there are none."""
        distinct, _ = codepoints.count(text)
        surrogates = (distinct >= _FIRST_SURROGATE) & (distinct <= _LAST_SURROGATE)
        points = distinct[~surrogates].tolist()
        if surrogates.any():
            points = sorted({*points, 0xFFFD})
        if not points:
            raise TextError("the text is empty", "choose a text with at least one character")
        return cls(points)

    @property
    def size(self) -> int:
        """How many characters there are; V elsewhere."""
        return len(self.code_points)

    def __len__(self) -> int:
        return len(self.code_points)

    def __contains__(self, character: object) -> bool:
        return isinstance(character, str) and len(character) == 1 and self._knows(character)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.code_points == other.code_points

    def __hash__(self) -> int:
        return hash(self.code_points)

    def __repr__(self) -> str:
        return f"Vocabulary({self.size} characters)"

    def advice(self) -> str | None:
        """What a very large vocabulary costs and what to do, in one line; None where it is not large."""
        if self.size <= MANY:
            return None
        hangul = sum(1 for point in self.code_points if 0xAC00 <= point <= 0xD7A3)
        first = "write Hangul as letters (jamo, Unicode form NFD)" if hangul > self.size / 2 else "drop rare characters"
        return (
            f"{self.size:,} distinct characters: each costs a row of weights at both ends, so training is slower and "
            f"rare ones are hardly learned; {first}, or choose a text with fewer"
        )

    def encode(self, text: str, out: Ids | None = None) -> Ids:
        """The ids of `text`, (N,), of the smallest of uint8, uint16 and int32 that holds them (`dtype`).

        Works through the text in chunks: besides the result it needs a few megabytes, whatever the length. `out`, an
        array or memory map (N,), takes the result instead of a new array.

        Raises:
            TextError: characters that the vocabulary does not have; the first ones are named.
            ValueError: `out` has another length.
        """
        ids = np.empty(len(text), self.dtype) if out is None else out
        if ids.shape != (len(text),):
            raise ValueError(f"out must have shape ({len(text)},), not {ids.shape}")
        start = 0
        for points in codepoints.chunks(text):
            found = self._ids[np.minimum(points, len(self._ids) - 1)]
            if found.min() < 0:
                raise self._refusal(points[found < 0])
            ids[start : start + len(points)] = found
            start += len(points)
        return ids

    def decode(self, ids: ArrayLike) -> str:
        """The text of `ids`, integers in any shape, read in C order.

        Raises:
            ValueError: not integers, or ids that the vocabulary does not have.
        """
        flat = np.asarray(ids).ravel()
        if flat.size == 0:
            return ""
        if flat.dtype.kind not in "iu":
            raise ValueError(f"ids must be integers, not {flat.dtype}")
        if int(flat.min()) < 0 or int(flat.max()) >= self.size:
            raise ValueError(f"ids must lie between 0 and {self.size - 1}")
        pieces = range(0, flat.size, codepoints.CHUNK)
        return "".join(codepoints.to_text(self._points[flat[start : start + codepoints.CHUNK]]) for start in pieces)

    def read(self, text: str) -> Reading:
        """`text` as the model reads it; never fails, and an empty text is fine.

        If it knows every character, the text stays as it is. Otherwise the whole is composed (NFC) where that leaves
        fewer unseen characters, and each of these becomes the nearest known one, or is skipped.
        """
        notes: list[str] = []
        unseen = self._unseen(text)
        if unseen and "\r" in unseen and "\n" in self:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
            notes.append("carriage returns read as line ends")
            unseen = self._unseen(text)
        if unseen:
            composed = unicodedata.normalize("NFC", text)
            fewer = self._unseen(composed)
            if sum(fewer.values()) < sum(unseen.values()):
                text, unseen = composed, fewer
                notes.append("letters and their accents composed (Unicode form NFC), as in the training text")
        if unseen:
            mapping = translations(unseen, self._knows)
            text = text.translate({ord(character): near for character, near in mapping.items()})
            apart = {each for each, near in mapping.items() if near and near == unicodedata.normalize("NFD", each)}
            mapped = [character for character, near in mapping.items() if near and character not in apart]
            skipped = [character for character, near in mapping.items() if not near]
            if apart:
                notes.append("letters and syllables taken apart (Unicode form NFD), as in the training text")
            if mapped:
                pairs = [f"{show(character)} as {show(mapping[character])}" for character in mapped]
                notes.append(f"never seen in training, read as the nearest known: {_some(pairs)}")
            if skipped:
                total = sum(unseen[character] for character in skipped)
                listed = _some([show(character) for character in skipped])
                notes.append(f"{plural(total, 'character')} never seen in training skipped: {listed}")
        return Reading(self.encode(text), text, tuple(notes))

    def _knows(self, character: str) -> bool:
        point = ord(character)
        return point < len(self._ids) and int(self._ids[point]) >= 0

    def _unseen(self, text: str) -> dict[str, int]:
        """The unseen characters of `text` and how often each occurs, in the order of their code points."""
        distinct, counts = codepoints.count(text)
        unseen = self._ids[np.minimum(distinct, len(self._ids) - 1)] < 0
        return {chr(point): int(n) for point, n in zip(distinct[unseen], counts[unseen], strict=True)}

    def _refusal(self, points: NDArray[np.uint32]) -> TextError:
        """The error that names unseen characters, in the order in which they occur."""
        distinct = dict.fromkeys(chr(int(point)) for point in points[:10_000])
        listed = _some([f"{show(character)} (U+{ord(character):04X})" for character in distinct])
        return TextError(
            f"the model does not know {'this character' if len(distinct) == 1 else 'these characters'}: {listed}",
            f"its vocabulary has the {self.size:,} characters of the text that it was trained on",
        )


def show(text: str) -> str:
    """Characters as a message shows them: harmless, in one line, blanks by name."""
    names = {" ": "space", "\n": "newline", "\t": "tab", "\u00a0": "no-break space", "\u3000": "wide space"}
    if text in names:
        return names[text]
    if text.isspace():
        return f"{len(text)} spaces" if set(text) == {" "} else safe_display(f"U+{ord(text[0]):04X}")
    if all(unicodedata.category(character) in ("Mn", "Me", "Cf", "Cs", "Cc") for character in text):
        return " ".join(f"U+{ord(character):04X}" for character in text)
    return safe_display(text, newlines=False)


def _some(items: Iterable[str]) -> str:
    """The first few items in one line, and how many there are beyond."""
    listed = list(items)
    more = len(listed) - _SHOWN
    return ", ".join(listed[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _smallest(size: int) -> DTypeLike:
    if size <= 1 << 8:
        return np.uint8
    return np.uint16 if size <= 1 << 16 else np.int32
