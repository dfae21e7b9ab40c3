"""Opening what is surely a plain file: a named pipe would hang the reader, a device may have no end.

Every path that a user names, or that lies in a run's directory, is opened through here.
"""

from __future__ import annotations

import errno
import os
import stat
from io import FileIO
from pathlib import Path

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class NotRegularError(OSError):
    """There is something at the path, but not a plain file."""


def open_regular(path: Path) -> tuple[FileIO, int]:
    """The file, opened to read without a buffer, and its size in bytes.

    Raises:
        NotRegularError: a directory, pipe, socket or device; it was not read from.
        OSError: missing, or not readable.
        ValueError: the path holds a NUL character.
    """
    _require_regular(path.stat().st_mode)
    # between the two looks the file may have been exchanged: O_NONBLOCK keeps a pipe from hanging the open itself
    flags = os.O_RDONLY
    for name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"):
        flags |= getattr(os, name, 0)
    file = os.open(path, flags)
    try:
        status = os.fstat(file)
        _require_regular(status.st_mode)
        return os.fdopen(file, "rb", buffering=0), status.st_size
    except BaseException:
        os.close(file)
        raise


def read_limited(path: Path, limit: int) -> bytes:
    """The whole file, which must be plain and of at most `limit` bytes.

    Raises:
        OSError: as `open_regular`, or EFBIG.
    """
    file, size = open_regular(path)
    with file:
        if size > limit:
            raise OSError(errno.EFBIG, f"larger than {limit:,} bytes")
        parts: list[bytes] = []
        while part := file.read(limit + 1 - sum(map(len, parts))):
            parts.append(part)
        data = b"".join(parts)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"larger than {limit:,} bytes")
    return data


def _require_regular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise NotRegularError(errno.EINVAL, f"it is {_KINDS.get(stat.S_IFMT(mode), 'not a plain file')}")
