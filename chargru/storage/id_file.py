"""The ids of a large text in a file, with all that must be known to use them again instead of reading the text.

    bytes 0–15    MAGIC
    bytes 16–19   CRC-32 of the header, little-endian
    bytes 20–23   length of the header
    the header    JSON: the stamp of the text, what a survey of it finds, its SHA-256, CRC-32 of the ids
    from the next multiple of 4096 on, to the end: the ids

A file is used only where all of this is right and the stamp is that of the text as it is now; anything else is as good
as no file. Numbers have the byte order of the machine, which the header names.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import re
import struct
import sys
import zlib
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from chargru.errors import TextError
from chargru.storage.regular import open_regular
from chargru.text.decoding import check_encoding
from chargru.text.large import LargeFile, Stamp, Survey
from chargru.text.vocabulary import Vocabulary

MAGIC = b"chargru ids, 1\n\0"
_PREFIX = struct.Struct("<16sII")
_PAGE = 4096
_MOST_HEADER = 1 << 24  # bytes: more than all code points of Unicode take
_BLOCK = 1 << 20
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class LargeText:
    """A large text, ready to be learned: its ids (n,), mapped from a file and read-only, and what is known of it."""

    stamp: Stamp
    survey: Survey
    sha256: str
    ids: npt.NDArray[Any]
    notes: tuple[str, ...] = ()  # about the file of ids; what the reading has to tell stands in the survey


def bytes_needed(stamp: Stamp, survey: Survey) -> int:
    """How large the file will be."""
    return len(_head(stamp, survey, "0" * 64, 0)) + survey.characters * survey.vocabulary.dtype.itemsize


def write(file: BinaryIO, source: LargeFile, survey: Survey) -> str:
    """The ids of `source` into the empty `file`; the SHA-256 of the text.

    Raises:
        TextError: the text cannot be read any more.
        OSError: the file cannot be written.
    """
    file.write(_head(source.stamp, survey, "0" * 64, 0))
    out = _Counted(file)
    sha256 = source.write_ids(survey, out)
    file.seek(0)
    file.write(_head(source.stamp, survey, sha256, out.crc))  # of the same length
    file.flush()
    return sha256


def mapped(descriptor: int, stamp: Stamp, survey: Survey, sha256: str) -> LargeText:
    """What `write` has written into the open file; it may be closed and unlinked afterwards. Raises OSError."""
    return LargeText(stamp, survey, sha256, _mapped(descriptor, len(_head(stamp, survey, sha256, 0)), survey))


def read(path: Path, stamp: Stamp, *, check: bool = True) -> LargeText | None:
    """The text of this stamp from the file at `path`; None if there is no such file, or anything is wrong with it.

    Without `check` the ids themselves are not looked at: for who has just written them.
    """
    try:
        file, size = open_regular(path)
    except OSError:
        return None
    with file, contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError, TextError):
        header, offset = _header(file)
        if header.pop("order") != sys.byteorder or header["stamp"] != asdict(stamp):
            return None
        survey = _survey(header)
        if size != offset + survey.characters * survey.vocabulary.dtype.itemsize:
            return None
        if not _SHA256.fullmatch(header["sha256"]) or (check and header["crc"] != _crc(file, offset)):
            return None
        return LargeText(stamp, survey, header["sha256"], _mapped(file.fileno(), offset, survey))
    return None


class _Counted:
    """A file that takes ids, and their CRC-32."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.crc = 0

    def write(self, data: memoryview) -> None:
        self.crc = zlib.crc32(data, self.crc)
        self._file.write(data)


def _head(stamp: Stamp, survey: Survey, sha256: str, crc: int) -> bytes:
    """Everything before the ids; its length does not depend on the hash and the check."""
    header = {
        "order": sys.byteorder,
        "stamp": asdict(stamp),
        "name": survey.name,
        "encoding": survey.encoding,
        "notes": survey.notes,
        "characters": survey.characters,
        "code_points": survey.vocabulary.code_points,
        "sha256": sha256,
        "crc": f"{crc:08x}",
    }
    data = json.dumps(header, separators=(",", ":")).encode("ascii")
    head = _PREFIX.pack(MAGIC, zlib.crc32(data), len(data)) + data
    return head + bytes(-len(head) % _PAGE)


def _header(file: FileIO) -> tuple[dict[str, Any], int]:
    """The header, and where the ids begin. Raises ValueError and the like unless it is whole."""
    magic, crc, length = _PREFIX.unpack(_exactly(file, _PREFIX.size))
    if magic != MAGIC or length > _MOST_HEADER:
        raise ValueError("not a file of ids")
    data = _exactly(file, length)
    if zlib.crc32(data) != crc:
        raise ValueError("the header is damaged")
    return dict(json.loads(data)), -(-(_PREFIX.size + length) // _PAGE) * _PAGE


def _survey(header: dict[str, Any]) -> Survey:
    """What a survey found; ValueError, TypeError or KeyError unless it is possible."""
    name, encoding, notes, characters = (header[each] for each in ("name", "encoding", "notes", "characters"))
    points = header["code_points"]
    if not all(isinstance(each, str) for each in (name, encoding, *notes)):
        raise TypeError("words expected")
    if not all(type(each) is int for each in (characters, *points)) or characters < 1:
        raise TypeError("numbers expected")
    check_encoding(encoding)
    return Survey(name, encoding, tuple(notes), characters, Vocabulary(points))


def _exactly(file: FileIO, size: int) -> bytes:
    data = file.read(size) or b""
    if len(data) < size:
        raise ValueError("the file is too short")
    return data


def _crc(file: FileIO, offset: int) -> str:
    """The check of the ids as the header has it. They are read, not mapped: so they stay out of the resident memory."""
    file.seek(offset)
    crc = 0
    while data := file.read(_BLOCK):
        crc = zlib.crc32(data, crc)
    return f"{crc:08x}"


def _mapped(descriptor: int, offset: int, survey: Survey) -> npt.NDArray[Any]:
    mapped = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    return np.frombuffer(mapped, survey.vocabulary.dtype, survey.characters, offset)
