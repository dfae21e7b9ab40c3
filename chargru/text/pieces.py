"""Text decoded piece by piece, by the rules of `decoding`: one mark less at the start, LF for every line end.

A character or a CRLF that is cut by the border of two blocks is put together again; where a bad byte stands is counted
from the beginning of the file.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from chargru.text.blocks import Blocks
from chargru.text.decoding import Bad, Decoded, count_in, incremental

_HEAD = 4  # bytes: the longest byte order mark


class Pieces:
    """One pass over a file as text. What the pass has counted can be asked for when it is over.

    A codec whose decoder makes lone surrogates (UTF-7) or has no incremental one is not for this class.
    """

    def __init__(self, blocks: Blocks, codec: str, errors: str = "strict") -> None:
        """`errors`: "strict", or `decoding.COUNTING` to replace and count bad bytes. Raises LookupError."""
        self._blocks, self._codec = blocks, codec
        self._decoder = incremental(codec, errors, blocks.at(0, _HEAD))
        self.bad = Bad()
        self.crlf = self.lone_cr = self.nuls = self.characters = 0

    def __iter__(self) -> Iterator[str]:
        """The pieces, none of them empty.

        Raises:
            UnicodeError: not this codec.
            TextError: like `Blocks`.
        """
        started, held = False, ""
        for text in self._decoded():
            if not started and text:
                started, text = True, text.removeprefix("\ufeff")
            text = held + text
            held = "\r" if text.endswith("\r") else ""
            if text := self._tidied(text[: len(text) - len(held)]):
                yield text
        if text := self._tidied(held):
            yield text

    def outcome(self, guessed: str, *, given: bool) -> Decoded:
        """What the pass found, as of a text decoded at once, whose text is left out."""
        counted = (self.crlf, self.lone_cr, self.bad.count, max(0, self.bad.first))
        return Decoded("", self._codec, guessed, *counted, nuls=self.nuls if given else 0)

    def _decoded(self) -> Iterator[str]:
        read = 0
        for block in itertools.chain(self._blocks, (b"",)):
            self.bad.base = read - len(self._decoder.getstate()[0])
            count_in(self.bad)
            read += len(block)
            yield self._decoder.decode(block, final=not block)

    def _tidied(self, text: str) -> str:
        self.nuls += text.count("\0")
        if "\r" in text:
            crlf = text.count("\r\n")
            self.crlf += crlf
            self.lone_cr += text.count("\r") - crlf
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        self.characters += len(text)
        return text
