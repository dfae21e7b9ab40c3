"""metrics.jsonl: what training told, one JSON object a line, only ever appended to.

Lines are not synced one by one, that would cost more than training; a power cut may take the last of them and leave a
half line, which the next line is kept apart from and reading passes over.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator, Mapping
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any

import numpy as np

from chargru.storage.regular import NotRegularError, open_regular

READ_LIMIT = 64 << 20  # bytes of the end of the file; a month of training writes less
TAIL = 64 << 10
_LINE_LIMIT = 1 << 20


def append(path: Path, record: Mapping[str, Any]) -> None:
    """Add one line, in a single write.

    Raises:
        OSError: it could not be written, or only in part (reading passes over the part).
        ValueError, TypeError: the record holds a number that is not finite, or something that JSON does not know.
    """
    line = json.dumps(record, ensure_ascii=True, allow_nan=False, separators=(",", ":"), default=_plain) + "\n"
    file = _open_to_write(path, os.O_CREAT | os.O_APPEND)
    try:
        size = os.fstat(file).st_size
        if size:
            os.lseek(file, size - 1, os.SEEK_SET)
            if os.read(file, 1) != b"\n":  # a half line, from a power cut or a full disk
                line = "\n" + line
        view = memoryview(line.encode("ascii"))
        while view.nbytes:
            view = view[os.write(file, view) :]
    finally:
        os.close(file)


def read(path: Path, limit: int = READ_LIMIT) -> tuple[list[dict[str, Any]], int]:
    """The records in the last `limit` bytes, oldest first, and how many lines could not be read.

    A missing file has no records. The line that `limit` cuts in two is not counted.

    Raises:
        OSError: the file is not a plain one, or cannot be read.
    """
    records: list[dict[str, Any]] = []
    unreadable = 0
    try:
        file, size = open_regular(path)
    except FileNotFoundError:
        return records, unreadable
    with file:
        start = max(0, size - limit)
        for number, (_, line) in enumerate(_lines(file, start)):
            record = _parse(line)
            if record is not None:
                records.append(record)
            elif line.strip() and (number or not start):
                unreadable += 1
    return records, unreadable


def truncate(path: Path, step: int) -> None:
    """Drop everything from the first record on whose "step" is greater than `step`, and a half last line.

    Raises:
        OSError: the file is not a plain one, or cannot be changed.
    """
    try:
        file, size = open_regular(path)
    except FileNotFoundError:
        return
    end = size
    with file:
        for offset, line in _lines(file, 0):
            record = _parse(line) or {}
            at = record.get("step")
            late = isinstance(at, int | float) and at > step
            if late or (not line.endswith(b"\n") and not record):
                end = offset
                break
    if end == size:
        return
    descriptor = _open_to_write(path)
    try:
        os.ftruncate(descriptor, end)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync(path: Path) -> None:
    """Make what was appended durable; a missing file is nothing to sync.

    Raises:
        OSError: it could not be synced.
    """
    try:
        file = _open_to_write(path)
    except FileNotFoundError:
        return
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _open_to_write(path: Path, flags: int = 0) -> int:
    flags |= os.O_RDWR
    for name in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    file = os.open(path, flags, 0o666)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise NotRegularError(errno.EINVAL, "it is not a plain file")
    return file


def _lines(file: FileIO, start: int) -> Iterator[tuple[int, bytes]]:
    """Offset and bytes of each line from `start` on; an overlong one comes in pieces, none of which will parse."""
    reader = BufferedReader(file, 1 << 16)
    try:
        reader.seek(start)
        offset = start
        while line := reader.readline(_LINE_LIMIT):
            yield offset, line
            offset += len(line)
    finally:
        reader.detach()


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not a plain value")
