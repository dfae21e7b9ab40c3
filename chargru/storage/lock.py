"""One writer to a directory: a lock that the system takes back when its process dies, however it dies."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

LOCK_NAME = ".lock"
_BUSY = {errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK, errno.EDEADLK}
_TRIES, _BETWEEN = 3, 0.01  # a look by `holder` may hold the lock of a dead process for some microseconds


class BusyError(OSError):
    """Another process holds the lock; `holder` is its id, or 0 where it is not known."""

    def __init__(self, holder: int) -> None:
        super().__init__(errno.EAGAIN, "it is in use")
        self.holder = holder


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the lock of `directory` for the body; does not wait for another holder to end.

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
            _acquire_patiently(file)
        except OSError as error:
            if error.errno in _BUSY:
                raise BusyError(_holder(file)) from error
            raise
        with contextlib.suppress(OSError):  # for the other's message, and for `holder`
            os.ftruncate(file, 0)
            os.write(file, str(os.getpid()).encode())
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # released: nobody needs to try the lock to know
                os.ftruncate(file, 0)
    finally:
        os.close(file)  # which releases the lock


def holder(directory: Path) -> int | None:
    """The id of the process that holds the lock of `directory` (0 if it is not known), None when nobody does.

    Cheap and without traces, for lists: a lock that was released says so, and is not touched. Only one that its holder
    left without a word, because it was killed, is tried for an instant; `locked` waits that instant out.
    """
    flags = os.O_RDONLY
    for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
        flags |= getattr(os, name, 0)
    try:
        file = os.open(directory / LOCK_NAME, flags)
    except OSError:
        return None
    try:
        if not os.fstat(file).st_size:
            return None
        try:
            _acquire(file, shared=True)
        except OSError as error:
            return _holder(file) if error.errno in _BUSY else None
        return None
    finally:
        os.close(file)


def _acquire_patiently(file: int) -> None:
    for left in reversed(range(_TRIES)):
        try:
            return _acquire(file)
        except OSError as error:
            if error.errno not in _BUSY or not left:
                raise
        time.sleep(_BETWEEN)
    return None


if sys.platform == "win32":
    import msvcrt

    def _acquire(file: int, shared: bool = False) -> None:
        # far behind the text, because a locked byte cannot be read by others
        os.lseek(file, 1 << 20, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        os.lseek(file, 0, os.SEEK_SET)

else:
    import fcntl

    def _acquire(file: int, shared: bool = False) -> None:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def _holder(file: int) -> int:
    with contextlib.suppress(OSError, ValueError):
        os.lseek(file, 0, os.SEEK_SET)
        return int(os.read(file, 20))
    return 0
