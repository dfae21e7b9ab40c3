"""One writer to a directory: a lock that the system takes back when its process dies, however it dies."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

LOCK_NAME = ".lock"
_BUSY = {errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK, errno.EDEADLK}


class BusyError(OSError):
    """Another process holds the lock; `holder` is its id, or 0 where it is not known."""

    def __init__(self, holder: int) -> None:
        super().__init__(errno.EAGAIN, "it is in use")
        self.holder = holder


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the lock of `directory` for the body; never waits.

    Raises:
        BusyError: another process (or another user of this one) holds it.
        OSError: the directory cannot be written to, or its file system knows no locks.
    """
    flags = os.O_RDWR | os.O_CREAT
    for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
        flags |= getattr(os, name, 0)
    file = os.open(directory / LOCK_NAME, flags, 0o666)
    try:
        try:
            _acquire(file)
        except OSError as error:
            if error.errno in _BUSY:
                raise BusyError(_holder(file)) from error
            raise
        with contextlib.suppress(OSError):  # for the other's message only
            os.ftruncate(file, 0)
            os.write(file, str(os.getpid()).encode())
        yield
    finally:
        os.close(file)  # which releases the lock


if sys.platform == "win32":
    import msvcrt

    def _acquire(file: int) -> None:
        # far behind the text, because a locked byte cannot be read by others
        os.lseek(file, 1 << 20, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        os.lseek(file, 0, os.SEEK_SET)

else:
    import fcntl

    def _acquire(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(file: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        os.lseek(file, 0, os.SEEK_SET)
        return int(os.read(file, 20))
    return 0
