"""A text of any size to ids in a file, at bounded memory: what `reader` and `Vocabulary` do at once, in two passes.

The first pass (`survey`) finds the encoding and the characters; nothing is written before it has succeeded, and the
space that the ids take is known. The second (`write_ids`) writes them, and hashes the text on the way.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from chargru.errors import TextError
from chargru.text import excerpt, guessing, reader
from chargru.text.blocks import Blocks, Progress, Readable, changes
from chargru.text.codepoints import Distinct
from chargru.text.decoding import (
    COUNTING,
    HEAD_BYTES,
    WIDER,
    binary,
    check_encoding,
    mark_of,
    not_at_all,
    not_utf8,
    refuse_binary,
    undecodable,
    wide_name,
)
from chargru.text.pieces import Pieces
from chargru.text.vocabulary import Vocabulary

LARGE = 1 << 26  # bytes: from here on a text is not read into memory

# Decoders that are other ones piece by piece: that of UTF-7 may keep a whole text back, and counts the bad bytes in it
# twice; those of ISO 2022 give up on damaged escape sequences.
_WHOLE_ONLY = ("utf-7", "iso2022")


class Seekable(Readable, Protocol):
    """What is needed of the file that is read."""

    def fileno(self) -> int: ...


class Writable(Protocol):
    """What is needed of the file that takes the ids."""

    def write(self, data: memoryview, /) -> object: ...


@dataclass(frozen=True)
class Stamp:
    """Which state of which file, and how it is to be read: equal stamps mean equal text, as far as anybody can know."""

    source: str  # absolute path
    size: int  # bytes
    modified: int  # nanoseconds
    inode: int
    encoding: str | None
    replace: bool


@dataclass(frozen=True)
class Survey:
    """What the first pass found. `name`, `encoding` and `notes` are as in `reader.Document`."""

    name: str
    encoding: str
    notes: tuple[str, ...]
    characters: int
    vocabulary: Vocabulary


class LargeFile:
    """An open text file that is read in passes."""

    def __init__(self, file: Seekable, stamp: Stamp, name: str, progress: Progress | None = None) -> None:
        self._file, self.stamp, self.name = file, stamp, name
        self._blocks = Blocks(file, stamp.size, name, progress, passes=2)

    @property
    def unchanged(self) -> bool:
        """Whether the file is still in the state in which it was opened, as far as the system says."""
        now = os.fstat(self._file.fileno())
        return (now.st_size, now.st_mtime_ns) == (self.stamp.size, self.stamp.modified)

    def survey(self) -> Survey:
        """The first pass, or several where the encoding has to be found out.

        Raises:
            TextError: empty, binary or undecodable, in the words of `reader.read_text`.
        """
        if self.stamp.encoding is not None:
            pass_, guessed = self._first_that_fits(check_encoding(self.stamp.encoding)), ""
        else:
            pass_, guessed = self._found_out()
            if pass_.pieces.nuls:
                raise binary(self.name)
        if not pass_.pieces.characters:
            raise reader.empty(self.name)
        decoded = pass_.pieces.outcome(guessed, given=self.stamp.encoding is not None)
        vocabulary = Vocabulary(pass_.distinct.points())
        return Survey(self.name, decoded.encoding, decoded.notes(), pass_.pieces.characters, vocabulary)

    def write_ids(self, survey: Survey, out: Writable) -> str:
        """The second pass: `characters` ids of the vocabulary's `dtype` into `out`.

        Returns the SHA-256 of the text, as `stream.identity` has it.

        Raises:
            TextError: the file cannot be read any more, or is not what was surveyed.
            OSError: `out` does not take them.
        """
        pieces = Pieces(self._blocks, survey.encoding, COUNTING if self.stamp.replace else "strict")
        digest = hashlib.sha256()
        for text in self._again(pieces):
            try:
                ids = survey.vocabulary.encode(text)
            except TextError as error:
                raise changes(self.name) from error
            if pieces.characters > survey.characters:
                raise changes(self.name)
            digest.update(text.encode("utf-8"))
            out.write(ids.data.cast("B"))
        if pieces.characters != survey.characters:
            raise changes(self.name)
        return digest.hexdigest()

    def _again(self, pieces: Pieces) -> Iterator[str]:
        try:
            yield from pieces
        except UnicodeError as error:
            raise changes(self.name) from error

    def _found_out(self) -> tuple[_Pass, str]:
        """A pass in an encoding that was not given, and what gave it away: `decoding.decode` has the same order."""
        blocks = self._blocks
        head = blocks.at(0, HEAD_BYTES)
        refuse_binary(head, self.name)
        if (mark := mark_of(head, blocks.size)) is not None:
            return self._first_that_fits(mark), ""
        utf8 = _Pass(blocks, "utf-8", "strict")
        try:
            if utf8.run(until_nul=True):
                return utf8, ""
            nul = True
        except UnicodeError:
            nul = any(b"\0" in block for block in blocks.since(0))
        if nul:
            wide = guessing.without_mark(head, blocks.size)
            if wide is None:
                raise binary(self.name)
            return self._first_that_fits(wide), wide_name(wide)
        codec, guessed = not_utf8(excerpt.sample(blocks))
        return self._first_that_fits(codec, tried="utf-8"), guessed

    def _first_that_fits(self, codec: str, tried: str = "") -> _Pass:
        """A pass in this codec or in a wider relative of it, or with replacement if that is wanted."""
        for each in () if codec == tried else (codec, *WIDER.get(codec, ())):
            with contextlib.suppress(UnicodeError):
                strict = _Pass(self._blocks, each, "strict")
                strict.run()
                return strict
        counting = _Pass(self._blocks, codec, COUNTING)
        try:
            counting.run()
        except UnicodeError as error:
            raise not_at_all(self.name, codec) from error
        if not self.stamp.replace:
            raise undecodable(self.name, codec, counting.pieces.bad)
        return counting


@contextlib.contextmanager
def open_large(
    path: Path, *, encoding: str | None = None, replace: bool = False, progress: Progress | None = None
) -> Iterator[LargeFile]:
    """The text file, open until the context is left.

    Raises:
        TextError: it is missing, unreadable, or not a regular file.
    """
    name = reader.display_name(str(path))
    try:
        file, found = reader.open_regular(str(path), name)
    except OSError as error:
        raise reader.unreadable(name, error) from error
    with file:
        state = (found.st_size, found.st_mtime_ns, found.st_ino)
        yield LargeFile(file, Stamp(str(path.absolute()), *state, encoding, replace), name, progress)


def is_large(size: int, encoding: str | None) -> bool:
    """Whether a file of so many bytes is to be read by this module rather than into memory."""
    if size < LARGE:
        return False
    with contextlib.suppress(TextError):
        return encoding is None or not check_encoding(encoding).startswith(_WHOLE_ONLY)
    return True  # an encoding that does not exist is refused on the way


class _Pass:
    """A pass that only looks: which characters there are, and what `Pieces` counts."""

    def __init__(self, blocks: Blocks, codec: str, errors: str) -> None:
        self.pieces = Pieces(blocks, codec, errors)
        self.distinct = Distinct()

    def run(self, *, until_nul: bool = False) -> bool:
        """Make it; false if it ended early, at a NUL. Raises UnicodeError where the codec does not fit."""
        for text in self.pieces:
            if until_nul and self.pieces.nuls:
                return False
            self.distinct.add(text)
        return True
