"""The ids of large texts, kept for the next time: the newest few, in the user's cache directory.

Reading a gigabyte takes some ten seconds, checking what was kept one. The files are copies of somebody's texts in
another form, so only their user may read them. Where there is no place for them, the ids go to a temporary file that
has no name, and that is told.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace as changed
from pathlib import Path

from chargru.errors import TextError
from chargru.storage import id_file
from chargru.storage.atomic import is_temporary, replacing
from chargru.storage.id_file import LargeText
from chargru.storage.places import cache_path
from chargru.text.blocks import BLOCK, Progress
from chargru.text.display import safe_display
from chargru.text.large import LargeFile, Stamp, Survey, open_large

MOST_FILES = 8
MOST_BYTES = 10 << 30  # of all files together
_ABANDONED = 3600.0  # seconds after which a temporary file that nobody writes to is nobody's
_SPARE = 1 << 26  # bytes that are left to everybody else


def read_large(
    path: Path, *, encoding: str | None = None, replace: bool = False, progress: Progress | None = None
) -> LargeText:
    """The text file at `path`, as ids in a memory map: those that were kept, or newly made and kept.

    `progress` is told bytes read and bytes to read, unless there is nothing to do; what it raises ends the reading.

    Raises:
        TextError: what `reader.read_text` raises, and that there is no place for the ids.
    """
    with open_large(path, encoding=encoding, replace=replace, progress=progress) as source:
        place = _directory() / _file_name(source.stamp)
        if (kept := id_file.read(place, source.stamp)) is not None:
            with contextlib.suppress(OSError):
                os.utime(place)  # used just now: the last to be removed
            return kept
        survey = source.survey()
        text = _make(source, survey, place)
        if source.unchanged:
            return text
        note = f"{source.name} has changed since it was opened: what is learned is how it was when it was read"
        return changed(text, notes=(*text.notes, note))


def read_stream(
    begin: bytes,
    more: Callable[[int], bytes],
    name: str,
    source: str,
    *,
    encoding: str | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> LargeText:
    """A text that comes only once: `begin`, and then what `more(size)` gives until it gives nothing.

    It goes through a temporary file, and so do its ids; neither has a name, and nothing is kept. `name` and `source`
    are those of the text. Raises TextError like `read_large`.
    """
    try:
        with tempfile.TemporaryFile() as spool:
            size, data = 0, begin
            while data:
                spool.write(data)
                size += len(data)
                data = more(BLOCK)
            spool.flush()
            text = LargeFile(spool, Stamp(source, size, 0, 0, encoding, replace), name, progress)
            survey = text.survey()
            with tempfile.TemporaryFile() as file:
                sha256 = id_file.write(file, text, survey)
                return id_file.mapped(file.fileno(), text.stamp, survey, sha256)
    except OSError as error:
        raise TextError(
            f"{name} is too large for the memory and cannot be put on a disk: temporary files: {_reason(error)}",
            "free some space, let TMPDIR name a directory that has it, or give a file instead",
        ) from error


def _directory() -> Path:
    return cache_path() / "ids"


def _file_name(stamp: Stamp) -> str:
    """One file for each text and way of reading it, so that what has become stale is replaced."""
    key = json.dumps([stamp.source, stamp.encoding, stamp.replace])
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32] + ".ids"


def _make(source: LargeFile, survey: Survey, place: Path) -> LargeText:
    """Kept if possible, else for this time only, else refused."""
    needed = id_file.bytes_needed(source.stamp, survey)
    try:
        _make_room(place, needed)
        with replacing(place) as file:
            id_file.write(file, source, survey)
        text = id_file.read(place, source.stamp, check=False)  # mapped only now: some systems rename no mapped file
        if text is None:
            raise OSError("another process has removed them")
        note = f"its ids are kept in {_shown(place.parent)} for the next time ({_size(needed)})"
        return changed(text, notes=(note,))
    except OSError as error:
        not_kept = f"{_shown(place.parent)}: {_reason(error)}"
    try:
        temporary = Path(tempfile.gettempdir())
        _require_room(temporary, needed)
        with tempfile.TemporaryFile(dir=temporary) as file:
            sha256 = id_file.write(file, source, survey)
            text = id_file.mapped(file.fileno(), source.stamp, survey, sha256)
        return changed(text, notes=(f"its ids are in a temporary file and not kept for the next time ({not_kept})",))
    except OSError as error:
        neither = _reason(error)
    raise TextError(
        f"{source.name} needs {_size(needed)} on a disk for its ids, and there is no place: {not_kept}; "
        f"temporary files: {neither}",
        "free some space, or let CHARGRU_HOME or TMPDIR name a directory that has it",
    )


def _make_room(place: Path, needed: int) -> None:
    """See that `needed` bytes fit into the directory of `place`, if older files have to go for it.

    Raises OSError if they do not fit, or the directory cannot be made or listed.
    """
    directory = place.parent
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if needed > MOST_BYTES:
        raise OSError(f"no more than {_size(MOST_BYTES)} are kept")
    files: list[tuple[float, int, Path]] = []
    for path in directory.iterdir():
        with contextlib.suppress(OSError):
            found = path.lstat()
            if is_temporary(path) and time.time() - found.st_mtime > _ABANDONED:
                path.unlink()
            elif path.suffix == ".ids" and path != place:
                files.append((found.st_mtime, found.st_size, path))
    files.sort()
    while files and (
        len(files) >= MOST_FILES
        or sum(size for _, size, _ in files) + needed > MOST_BYTES
        or shutil.disk_usage(directory).free < needed + _SPARE
    ):
        with contextlib.suppress(OSError):
            files[0][2].unlink()
        del files[0]
    _require_room(directory, needed)


def _require_room(directory: Path, needed: int) -> None:
    free = shutil.disk_usage(directory).free
    if free < needed + _SPARE:
        raise OSError(f"{_size(free)} free, {_size(needed + _SPARE)} needed")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower() if error.errno else str(error)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"


def _shown(path: Path) -> str:
    return safe_display(str(path), newlines=False)
