"""The bytes of a large file, block by block, as often as they are needed, and how far the reading is.

A file that grows meanwhile (a log) is read as long as it was when it was opened, in every pass; one that shrinks is
refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from chargru.errors import TextError
from chargru.text import reader

BLOCK = 1 << 20  # bytes at a time: some fifteen megabytes with everything that is made of a block

Progress = Callable[[int, int], object]
"""Told bytes done and bytes to do, all passes together; what it raises ends the reading."""


class Readable(Protocol):
    """What is needed of an open file."""

    def seek(self, offset: int, /) -> int: ...

    def read(self, size: int, /) -> bytes | None: ...


class Blocks:
    """The first `size` bytes of an open file, as passes of blocks."""

    def __init__(self, file: Readable, size: int, name: str, progress: Progress | None = None, passes: int = 1) -> None:
        """`passes`: how many are expected to be made to the end, which only `progress` is told."""
        self._file, self.size, self.name = file, size, name
        self._progress, self._passes = progress, passes
        self._done = 0

    def __iter__(self) -> Iterator[bytes]:
        """One pass, told to `progress`.

        Raises:
            TextError: the file cannot be read, or has become shorter.
        """
        offset = 0
        for block in self.since(0):
            offset += len(block)
            self._done += len(block)
            if self._progress is not None:
                later = max(0, self._passes - 1) * self.size
                self._progress(self._done, self._done + self.size - offset + later)
            yield block
        self._passes -= 1  # not of a pass that was broken off: it has to be made again

    def since(self, offset: int, block_size: int | None = None) -> Iterator[bytes]:
        """The blocks from `offset` on. Raises TextError like a pass."""
        while offset < self.size:
            block = self.at(offset, block_size or BLOCK)
            if not block:
                raise changes(self.name)
            offset += len(block)
            yield block

    def at(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes that stand at `offset`."""
        wanted = max(0, min(size, self.size - offset))
        try:
            self._file.seek(offset)
            return self._file.read(wanted) or b""
        except OSError as error:
            raise reader.unreadable(self.name, error) from error


def changes(name: str) -> TextError:
    """The error for a text that is not the same in two passes."""
    return TextError(f"{name} changes while it is read", "copy it first")
