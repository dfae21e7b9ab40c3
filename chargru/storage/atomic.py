"""Replacing a file so that, whatever happens, it is the old one or the new one and never a part of either.

A rename alone is not enough: after a power cut the name may point to a file whose bytes never reached the disk. So the
bytes are synced before the rename, and the directory, which holds the name, after it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_NEW = os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_TEMPORARY = re.compile(r"\.chargru-[0-9a-f]{16}\.tmp")
# what file systems answer that do not know how to sync a directory, network mounts mostly
_NO_DIRECTORY_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS}


def write_atomic(path: Path, data: bytes) -> None:
    """Put `data` in the file `path`; when this returns, it is on the disk to stay.

    Raises:
        OSError: it could not be written. The file is then the old one (or, if only the last sync failed, the new one)
            and no temporary file is left.
    """
    temporary = _beside(path)
    file = os.open(temporary, os.O_WRONLY | _NEW, 0o666)
    try:
        try:
            _write_all(file, data)
            _sync(file)
        finally:
            os.close(file)
        os.replace(temporary, path)  # noqa: PTH105  every system call here goes through os, where tests inject faults
    except BaseException:  # Ctrl-C as well: nothing may leave a temporary file behind
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_directory(path.parent)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file, only the user's to read, that takes the place of `path` once the body has written it.

    Nothing is synced: this is for what can be made again, and is checked before it is used. If the body fails, or is
    interrupted, the file at `path` is the old one and no temporary file is left.

    Raises:
        OSError: it could not be written, or not be put in place.
    """
    temporary = _beside(path)
    file = os.fdopen(os.open(temporary, os.O_RDWR | _NEW, 0o600), "w+b")
    try:
        with file:
            yield file
        os.replace(temporary, path)  # noqa: PTH105  as above
    except BaseException:
        with contextlib.suppress(OSError):
            file.close()
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def sync_directory(directory: Path) -> None:
    """Make the names in `directory` durable; where the system cannot sync directories, there is nothing to do."""
    if sys.platform == "win32":
        return
    file = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in _NO_DIRECTORY_SYNC:
            raise
    finally:
        os.close(file)


def sweep(directory: Path) -> list[Path]:
    """Remove the temporary files that a killed process left in `directory`, and return them.

    Only for a directory in which nobody else writes now: under the run's lock.
    """
    removed: list[Path] = []
    with contextlib.suppress(OSError):
        for path in sorted(directory.iterdir()):
            with contextlib.suppress(OSError):  # what cannot be removed does no harm
                if is_temporary(path) and stat.S_ISREG(path.lstat().st_mode):
                    path.unlink()
                    removed.append(path)
    return removed


def is_temporary(path: Path) -> bool:
    """Whether the name is one that `write_atomic` gives to its temporary files."""
    return _TEMPORARY.fullmatch(path.name) is not None


def _beside(path: Path) -> Path:
    return path.with_name(f".chargru-{secrets.token_hex(8)}.tmp")


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view.nbytes:  # a write may take a part only: two gigabytes at most on Linux
        written = os.write(file, view)
        view = view[written:]


def _sync(file: int) -> None:
    if sys.platform == "darwin":  # there fsync stops at the drive's own cache
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(file, fcntl.F_FULLFSYNC)
            return
    os.fsync(file)
