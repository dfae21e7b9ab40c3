"""Reading a file that another process appends to: only what is new, in whole lines, and never a line twice."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path

from chargru.storage.metrics import READ_LIMIT
from chargru.storage.regular import open_regular

_SEAM = 64  # bytes before the place read up to, by which the file is known again


class Follower:
    """Gives the lines that were added to a file since it was last asked.

    A file that was cut back, replaced or rewritten is read again from its beginning; that is recognised by its inode,
    its size, and the bytes before the place that was read up to.
    """

    def __init__(self, path: Path, limit: int = READ_LIMIT) -> None:
        """`limit`: bytes of the end of the file that are read at most, at once."""
        self.path = path
        self._limit = limit
        self._offset = self._inode = 0
        self._seam = b""
        self._look: tuple[int, int, int] | None = None

    def lines(self) -> tuple[list[bytes], bool]:
        """The new whole lines, oldest first, and whether what was given before is void (they are all there are then).

        A half last line is kept for the next time. A missing file has no lines.

        Raises:
            OSError: the file is not a plain one, or cannot be read.
        """
        try:
            status = self.path.stat()
            look = (status.st_ino, status.st_size, status.st_mtime_ns)
            if look == self._look:
                return [], False
            file, size = open_regular(self.path)
        except FileNotFoundError:
            void = self._offset > 0
            self._forget()
            return [], void
        with file:
            inode = os.fstat(file.fileno()).st_ino
            void = self._offset > 0 and not (inode == self._inode and self._continues(file, size))
            if void or not self._offset:
                self._forget()
            start = max(self._offset, size - self._limit)
            cut = start > self._offset  # in the middle of a line
            file.seek(start)
            data = _read(file, size - start)
            whole = data[: data.rfind(b"\n") + 1]
            self._inode, self._look = inode, look
            self._offset = start + len(whole)
            self._seam = ((b"" if cut else self._seam) + whole)[-_SEAM:]
        lines = whole.split(b"\n")[:-1]
        return lines[1:] if cut else lines, void

    def _continues(self, file: FileIO, size: int) -> bool:
        if size < self._offset:
            return False
        file.seek(self._offset - len(self._seam))
        return _read(file, len(self._seam)) == self._seam

    def _forget(self) -> None:
        self._offset = self._inode = 0
        self._seam = b""
        self._look = None


def _read(file: FileIO, size: int) -> bytes:
    """`size` bytes from where the file stands, or as many as there are."""
    parts: list[bytes] = []
    left = size
    while left > 0 and (part := file.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
