"""Any file, directory or standard input to text, and a clear refusal for everything else.

Only regular files are read: FIFOs, devices and sockets are refused before they are opened, because opening or reading
them can wait for ever. Every failure is a TextError of one line.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path

from chargru.errors import TextError
from chargru.text.decoding import HEAD_BYTES, Data, decode, refuse_binary
from chargru.text.display import safe_display

STDIN = "-"
STDIN_SOURCE = "standard input"
_CHUNK = 1 << 22
# A file may grow while it is read (a log), and files of /proc claim to be empty; none of them may fill the memory.
_GROWTH = 1 << 26
_KINDS = (
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_REASONS = {
    errno.ENOENT: "no such file or directory",
    errno.ENOTDIR: "no such file or directory",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ELOOP: "a loop of symbolic links",
}


@dataclass(frozen=True)
class Document:
    """A text and where it is from.

    `name` is short and safe to show. `source` is what reads it again: an absolute path, or the name of a corpus of the
    library; "standard input" cannot be read again. `encoding` is a codec's name, or "mixed" for a directory whose files
    differ. `notes` tell, a line each, what was guessed, changed or skipped. `how` says in a few words how the encoding
    is known; `crlf` and `lone_cr` count the line ends that became LF.
    """

    text: str
    name: str
    source: str
    encoding: str
    notes: tuple[str, ...] = ()
    how: str = field(default="", compare=False)
    crlf: int = field(default=0, compare=False)
    lone_cr: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Part:
    """A document, or its beginning: `complete` says which. `size` counts the bytes of the whole where that is known."""

    document: Document
    complete: bool
    bytes_read: int
    size: int | None


def read_text(path: str | Path, *, encoding: str | None = None, replace: bool = False) -> Document:
    """The text of a file, of all text files below a directory, or of standard input (`-`).

    Line ends become LF. With `replace` undecodable bytes become U+FFFD and are counted in a note.

    Raises:
        TextError: missing, unreadable, not a regular file, empty, binary (`BinaryTextError`), or not decodable
            (`UndecodableTextError`, whose hint says how many bytes would have to be replaced).
    """
    return read_part(path, None, encoding=encoding, replace=replace).document


def read_part(path: str | Path, limit: int | None, *, encoding: str | None = None, replace: bool = False) -> Part:
    """`read_text`, but about `limit` bytes at most (None: everything). Standard input is always read to its end."""
    spec = str(path)
    name = "stdin" if spec == STDIN else display_name(spec)
    _refuse_name(spec, name)
    try:
        if spec == STDIN:
            data = read_stdin()
            return Part(from_stdin(data, encoding=encoding, replace=replace), True, len(data), len(data))
        place = Path(at_home(spec))
        if stat.S_ISDIR(place.stat().st_mode):
            from chargru.text.directory import read_directory  # it reads its files by this module

            return read_directory(str(place.absolute()), name, limit, encoding=encoding, replace=replace)
        content, size = read_file(str(place), name, limit, any_bytes=encoding is not None)
        cut = len(content) < size
        document = _document(content, name, str(place.absolute()), encoding, replace, cut)
        return Part(document, not cut, len(content), size)
    except OSError as error:
        raise unreadable(name, error) from error
    except MemoryError as error:
        raise TextError(f"{name} does not fit into memory", "train on a part of it") from error


def read_bytes(data: bytes, name: str, *, encoding: str | None = None, replace: bool = False) -> Document:
    """The same for bytes at hand; `name` is also the document's source. Raises TextError like `read_text`."""
    return _document(data, safe_display(name, newlines=False), name, encoding, replace, cut=False)


def from_stdin(data: bytes, *, encoding: str | None = None, replace: bool = False) -> Document:
    """The same for bytes that came through standard input."""
    return _document(data, "stdin", STDIN_SOURCE, encoding, replace, cut=False)


def display_name(path: str) -> str:
    """The last part of a path, safe to show in one line; for `.` and the like the directory's own name."""
    base = os.path.basename(path.rstrip("/" + os.sep))  # noqa: PTH119 - a path may be no valid one at all
    if base in ("", ".", "..") and path and "\0" not in path:
        base = os.path.basename(os.path.realpath(path)) or path  # noqa: PTH119
    shown = safe_display(base, newlines=False)
    return shown if len(shown) <= 80 else shown[:77] + "..."


def at_home(path: str) -> str:
    """`path` with a leading `~/` as the user's home directory, as a shell would have it."""
    return os.path.expanduser(path) if path.startswith("~/") else path  # noqa: PTH111 - the other one may raise


def read_file(path: str, name: str, limit: int | None, *, any_bytes: bool = False) -> tuple[bytearray, int]:
    """The bytes of a regular file, at most `limit` of them, and its size.

    What begins like a binary file is refused before the rest is read, unless `any_bytes`.

    Raises:
        OSError: it cannot be opened or read.
        TextError: it is not a regular file, or binary.
    """
    file, found = open_regular(path, name)
    with file:
        data = bytearray()
        while limit is None or len(data) < limit:
            wanted = HEAD_BYTES if not data else _CHUNK
            chunk = file.read(wanted if limit is None else min(wanted, limit - len(data)))
            if chunk is None:  # O_NONBLOCK: some files of /proc have nothing to say now
                raise TextError(f"{name} gives no data now", "choose a plain text file")
            if not chunk:
                break
            if not data and not any_bytes:
                refuse_binary(chunk, name)
            data += chunk
            if len(data) > found.st_size + _GROWTH:
                raise TextError(f"{name} grows faster than it can be read", "copy it first")
        stopped = limit is not None and len(data) >= limit
        return data, max(found.st_size, len(data)) if stopped else len(data)


def read_stdin(limit: int = -1) -> bytes:
    """What is on standard input, at most `limit` bytes (-1: all); on a terminal until the user types the end of file.

    Fewer bytes than the limit mean that there are no more. Raises TextError.
    """
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise TextError("there is no standard input", "give a file")
    try:
        data: bytes = stream.read(limit)
    except OSError as error:
        raise TextError(f"standard input cannot be read: {reason(error)}", "give a file") from error
    except ValueError as error:  # closed
        raise TextError("standard input is closed", "give a file") from error
    return data


def open_regular(path: str, name: str) -> tuple[FileIO, os.stat_result]:
    """A regular file, opened without a buffer, and what the system says of it. Raises like `read_file`."""
    _refuse_special(Path(path).stat().st_mode, name)
    # Between the two looks the file may have been exchanged for a FIFO: not waiting makes the opening harmless.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
    file = open(os.open(path, flags), "rb", buffering=0)  # noqa: PTH123, SIM115 - a descriptor; the caller closes it
    try:
        found = os.fstat(file.fileno())
        _refuse_special(found.st_mode, name)
    except BaseException:
        file.close()
        raise
    return file, found


def unreadable(name: str, error: OSError) -> TextError:
    """The error for a text that the system does not give."""
    return TextError(f"{name}: {reason(error)}", _advice(error))


def reason(error: OSError) -> str:
    """Why something could not be read, in a few words."""
    number = error.errno or 0
    return _REASONS.get(number) or os.strerror(number).lower()


def empty(name: str) -> TextError:
    """The error for a text without a single character."""
    return TextError(f"{name} is empty", "choose a text with at least one character")


def _document(data: Data, name: str, source: str, encoding: str | None, replace: bool, cut: bool) -> Document:
    decoded = decode(data, name, encoding, replace, cut)
    if not decoded.text:
        raise empty(name)
    how = "given" if encoding is not None else decoded.how()
    changed = (decoded.crlf, decoded.lone_cr)
    return Document(decoded.text, name, source, decoded.encoding, decoded.notes(), how, *changed)


def _refuse_name(path: str, name: str) -> None:
    """Raise TextError for what no file can be called, which the system would answer with other exceptions."""
    if not path:
        raise TextError("the name of the text is empty", "give a file, a directory, or - for standard input")
    try:
        encoded = os.fsencode(path)
    except UnicodeEncodeError as error:
        raise TextError(f"{name}: no file can have this name", "choose another file") from error
    if b"\0" in encoded:
        raise TextError(f"{name}: a file name cannot hold a NUL character", "choose another file")


def _refuse_special(mode: int, name: str) -> None:
    if stat.S_ISREG(mode):
        return
    what = next(
        (text for test, text in _KINDS if test(mode)), "a directory" if stat.S_ISDIR(mode) else "a special file"
    )
    raise TextError(f"{name} is {what}, not a regular file", "copy its contents to a file, or pipe them in with -")


def _advice(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "ask its owner, or copy it to a place of your own"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return "check the spelling; names of ready corpora are listed by the corpora command"
    return "choose another file"
