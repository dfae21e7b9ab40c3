"""All text files below a directory, as one text.

The order is fixed (a directory's files by name, then its directories by name), so the same tree is the same text. What
is hidden, generated, not text or already there under another name is skipped and counted in one note.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from chargru.errors import TextError
from chargru.text import reader
from chargru.text.decoding import BinaryTextError, UndecodableTextError, check_encoding, decode, plural

# Never somebody's prose, often large. Hidden names (.git, .venv) are skipped anyway.
GENERATED = frozenset({"__pycache__", "node_modules", "venv", "site-packages", "CVS"})
# A preview of a directory without text must end too.
_PREVIEW_FILES = 2_000


class _Walk:
    """The files below a directory in their order; `skipped` counts what was left out, by kind."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.skipped: Counter[str] = Counter()

    def __iter__(self) -> Iterator[str]:
        # A stack of its own: a tree may be deeper than Python's recursion. Links to directories are not followed, so
        # no link can lead in a circle, out of the tree, or to the same text twice.
        waiting = [self.root]
        while waiting:
            directory = waiting.pop()
            files: list[str] = []
            below: list[str] = []
            try:
                with os.scandir(directory) as entries:
                    for entry in entries:
                        self._sort(entry, files, below)
            except OSError as error:
                if directory == self.root:
                    raise TextError(f"{reader.display_name(self.root)}: {reader.reason(error)}") from error
                self.skipped["unreadable"] += 1
            yield from sorted(files)
            waiting.extend(sorted(below, reverse=True))

    def _sort(self, entry: os.DirEntry[str], files: list[str], below: list[str]) -> None:
        if entry.name.startswith("."):
            self.skipped["hidden"] += 1
        elif entry.is_dir(follow_symlinks=False):
            if entry.name in GENERATED:
                self.skipped["generated"] += 1
            else:
                below.append(entry.path)
        elif entry.is_symlink() and _is_directory(entry):
            self.skipped["linked"] += 1
        else:
            files.append(entry.path)


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop of links
        return False


def read_directory(
    path: str, name: str, limit: int | None, *, encoding: str | None = None, replace: bool = False
) -> reader.Part:
    """The text files below `path`, a newline between two; with `limit` those that hold the first `limit` bytes.

    Raises:
        TextError: it cannot be listed, or there is no text in it.
    """
    if encoding is not None:
        check_encoding(encoding)  # an encoding that does not exist is not the files' fault
    walk = _Walk(path)
    texts: list[str] = []
    encodings: Counter[str] = Counter()
    sums: Counter[str] = Counter()
    seen: set[tuple[int, int]] = set()
    complete = True
    total = 0
    for number, file in enumerate(walk):
        if limit is not None and (total >= limit or number >= _PREVIEW_FILES):
            complete = False
            break
        shown = reader.display_name(file)
        try:
            found = Path(file).stat()
            if (found.st_dev, found.st_ino) in seen:
                walk.skipped["repeated"] += 1
                continue
            room = None if limit is None else limit - total
            data, size = reader.read_file(file, shown, room, any_bytes=encoding is not None)
            cut = len(data) < size
            decoded = decode(data, shown, encoding, replace, cut)
        except UndecodableTextError:
            walk.skipped["undecodable"] += 1
            continue
        except BinaryTextError:
            walk.skipped["binary"] += 1
            continue
        except OSError:
            walk.skipped["unreadable"] += 1
            continue
        except TextError:
            walk.skipped["special"] += 1
            continue
        seen.add((found.st_dev, found.st_ino))
        total += len(data)
        if not decoded.text:
            walk.skipped["empty"] += 1
            continue
        complete = complete and not cut
        texts.append(decoded.text)
        encodings[decoded.encoding] += 1
        sums.update(crlf=decoded.crlf > 0, lone_cr=decoded.lone_cr > 0, guessed=bool(decoded.guessed))
        sums.update(crlf_lines=decoded.crlf, lone_cr_lines=decoded.lone_cr)
        sums.update(bad_bytes=decoded.bad_bytes, replaced=decoded.bad_bytes > 0)
    if not texts:
        raise TextError(f"there is no text in the directory {name}", _skips(walk.skipped) or "it is empty")
    notes = (f"{plural(len(texts), 'file')} read", *_changes(sums, encodings), _skips(walk.skipped))
    used = next(iter(encodings)) if len(encodings) == 1 else "mixed"
    how = "given" if encoding is not None else "guessed in part" if sums["guessed"] else "valid"
    changed = (sums["crlf_lines"], sums["lone_cr_lines"])
    kept = tuple(note for note in notes if note)
    document = reader.Document("\n".join(texts), name, path, used, kept, how, *changed)
    return reader.Part(document, complete, total, total if complete else None)


def _changes(sums: Counter[str], encodings: Counter[str]) -> Iterator[str]:
    """What was guessed and changed in the files, added up."""
    if len(encodings) > 1:
        listed = ", ".join(f"{encoding} {count:,}" for encoding, count in encodings.most_common())
        yield f"files by encoding: {listed}"
    if sums["guessed"]:
        yield f"the encoding of {plural(sums['guessed'], 'file')} was guessed"
    if sums["bad_bytes"]:
        yield f"{plural(sums['bad_bytes'], 'byte')} replaced by U+FFFD in {plural(sums['replaced'], 'file')}"
    if sums["crlf"]:
        yield f"Windows line ends (CRLF) became LF in {plural(sums['crlf'], 'file')}"
    if sums["lone_cr"]:
        yield f"lone carriage returns became LF in {plural(sums['lone_cr'], 'file')}"


def _skips(skipped: Counter[str]) -> str:
    """The one note about what was left out."""
    words = ("binary", "undecodable", "unreadable", "special", "empty", "repeated", "hidden", "generated", "linked")
    listed = [f"{skipped[word]:,} {word}" for word in words if skipped[word]]
    return f"skipped: {', '.join(listed)}" if listed else ""
