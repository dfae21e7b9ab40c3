"""Text as arrays of code points, chunk by chunk: what makes encoding, decoding and counting fast at bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# Characters at a time. A chunk costs four bytes a character as code points and up to eight in what is made of them:
# some six megabytes, however long the text.
CHUNK = 1 << 19
LAST = 0x10FFFF


def chunks(text: str) -> Iterator[NDArray[np.uint32]]:
    """The code points of `text` in arrays of at most CHUNK, lone surrogates included."""
    for start in range(0, len(text), CHUNK):
        data = text[start : start + CHUNK].encode("utf-32-le", "surrogatepass")
        yield np.frombuffer(data, dtype="<u4").astype(np.uint32, copy=False)


def to_text(points: NDArray[np.uint32]) -> str:
    """The inverse for one array (N,) of code points, none of them a surrogate."""
    return points.astype("<u4", copy=False).tobytes().decode("utf-32-le")


def count(text: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct code points of `text`, increasing, and how often each occurs: two arrays (V,)."""
    if len(text) <= 1024:  # a table of all code points would cost more than sorting
        points = np.concatenate([*chunks(text), np.empty(0, np.uint32)])
        distinct, counts = np.unique(points, return_counts=True)
        return distinct.astype(np.int64), counts.astype(np.int64)
    totals = np.zeros(0, np.int64)
    for each in chunks(text):
        part = np.bincount(each)
        if len(part) > len(totals):
            part, totals = totals, part.astype(np.int64, copy=False)
        totals[: len(part)] += part
    distinct = np.flatnonzero(totals)
    return distinct, totals[distinct]


class Distinct:
    """Which code points a text has that comes piece by piece."""

    def __init__(self) -> None:
        self._seen = np.zeros(LAST + 1, np.bool_)
        self._ascii = b""  # those of them below 0x80, for pieces that have no others

    def add(self, text: str) -> None:
        """Note the code points of `text`, none of them a surrogate."""
        if text.isascii():
            new = text.encode("ascii").translate(None, self._ascii)
            if new:
                self._ascii = bytes({*self._ascii, *new})
            return
        for points in chunks(text):
            self._seen[points] = True

    def points(self) -> list[int]:
        """All of them, increasing."""
        self._seen[np.frombuffer(self._ascii, np.uint8)] = True
        return [int(point) for point in np.flatnonzero(self._seen)]
