"""The texts that can be picked by name, and one way to load any text: a name, a file, a directory or standard input.

Bundled texts are the `*.txt` files of `corpora/`. Two more come from the Python installation that runs this, so they
cost nothing to ship and are the same for everyone with the same Python.
"""

from __future__ import annotations

import difflib
import os
import stat
from dataclasses import dataclass
from dataclasses import replace as changed
from pathlib import Path
from typing import TYPE_CHECKING

from chargru.errors import TextError
from chargru.text import python_texts, reader
from chargru.text.display import safe_display
from chargru.text.reader import STDIN, Document, Part

if TYPE_CHECKING:
    from chargru.text.preview import Preview

_PACKAGE = Path(__file__).resolve().parent.parent
# An installed wheel has the texts inside the package, a checkout beside it.
_FOLDERS = (_PACKAGE / "bundled_corpora", _PACKAGE.parent / "corpora")


@dataclass(frozen=True)
class Entry:
    """A text of the library. `characters` is its length where that is known without reading it, perhaps roughly."""

    name: str
    title: str
    description: str
    language: str
    characters: int | None
    path: Path | None = None  # of a bundled text

    def load(self) -> Document:
        """The whole text; TextError if it cannot be had."""
        return self.part(None).document

    def part(self, limit: int | None) -> Part:
        """The text, or about its first `limit` bytes."""
        if self.path is not None:
            part = reader.read_part(self.path, limit, encoding="utf-8")
        else:
            part = python_texts.READERS[self.name](limit)
        return changed(part, document=changed(part.document, name=self.name, source=self.name, how="known"))


# Title, description and language of the bundled texts; one that is not listed is shown by its file name.
_KNOWN = {
    "tales": ("Tales", "Low Water, linked stories of a harbour town, written for chargru", "English"),
}
_PYTHON = (
    Entry(
        "python-reference", "Python reference", "how Python's documentation explains the language", "English", 400_000
    ),
    Entry("python-stdlib", "Python library", "source code of Python's standard library", "Python", 5_000_000),
)


def entries() -> list[Entry]:
    """What can be picked by name: bundled texts first. No text is read."""
    found: dict[str, Entry] = {}
    for folder in _FOLDERS:
        try:
            paths = sorted(folder.glob("*.txt"))
        except OSError:
            continue
        for path in paths:
            if path.stem not in found:
                found[path.stem] = _bundled(path)
    return [*found.values(), *(entry for entry in _PYTHON if entry.name not in found)]


def load(spec: str, *, encoding: str | None = None, replace: bool = False) -> Document:
    """The text that `spec` names: an entry of the library, a file, a directory, or `-` for standard input.

    A name of the library goes before a file of that name (`./tales` is the file). `encoding` and `replace` are for
    files and standard input; see `reader.read_text`.

    Raises:
        TextError: there is no such thing (the hint has near names), or it cannot be read.
    """
    return _part(spec, None, encoding, replace).document


def large_file(spec: str, encoding: str | None = None) -> Path | None:
    """The regular file that `spec` names, if it is one for `chargru.text.large`; None for all that `load` reads."""
    from chargru.text.large import is_large  # NumPy, which a list of names does not need

    if spec == STDIN or any(entry.name == spec for entry in entries()):
        return None
    path = Path(reader.at_home(spec))
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None  # `load` says why
    return path if stat.S_ISREG(found.st_mode) and is_large(found.st_size, encoding) else None


def preview(spec: str, *, lines: int = 12, encoding: str | None = None, replace: bool = False) -> Preview:
    """A text at a glance, from about its first megabyte.

    Raises:
        TextError: like `load`; and standard input has no preview, because reading it would use it up.
    """
    return look(spec, lines=lines, encoding=encoding, replace=replace)[0]


def look(spec: str, *, lines: int = 12, encoding: str | None = None, replace: bool = False) -> tuple[Preview, str]:
    """The preview and the text that it was made from, all of it or about a megabyte. Raises like `preview`."""
    from chargru.text import preview as previews  # NumPy, which a list of names does not need

    if spec == STDIN:
        raise TextError("standard input has no preview", "choose a file to look at it first")
    estimate = next((entry.characters for entry in entries() if entry.name == spec), None)
    part = _part(spec, previews.LIMIT, encoding, replace)
    return previews.describe(part, lines, estimate), part.document.text


def _part(spec: str, limit: int | None, encoding: str | None, replace: bool) -> Part:
    listed = {entry.name: entry for entry in entries()}
    if spec in listed:
        if encoding is not None or replace:
            raise TextError(
                f"{spec} is a text of the library, its encoding is known",
                f"leave the encoding out, or give ./{spec} to read a file of that name",
            )
        part = listed[spec].part(limit)
        if _exists(spec):
            note = f"{spec} is the text of the library; ./{spec} would be the file"
            part = changed(part, document=changed(part.document, notes=(*part.document.notes, note)))
        return part
    if spec == STDIN or _exists(spec) or os.sep in spec or "\0" in spec or not spec:
        return reader.read_part(spec, limit, encoding=encoding, replace=replace)
    shown = safe_display(spec, newlines=False)
    near = difflib.get_close_matches(spec, [*listed, *_here()], n=3, cutoff=0.6)
    if near:
        hint = f"did you mean {' or '.join(safe_display(name, newlines=False) for name in near)}?"
    else:
        hint = f"ready texts: {', '.join(listed)}; or give a file, a directory, or - for standard input"
    raise TextError(f"there is no text called {shown[:80]}: neither in the library nor as a file", hint)


def _bundled(path: Path) -> Entry:
    title, description, language = _KNOWN.get(
        path.stem, (path.stem.replace("-", " ").capitalize(), "a bundled text", "")
    )
    try:
        size = path.stat().st_size
    except OSError:
        size = None
    return Entry(path.stem, title, description, language, size, path)


def _exists(spec: str) -> bool:
    try:
        Path(reader.at_home(spec)).stat()
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True  # it is there and cannot be looked at: the reader says why
    return True


def _here() -> list[str]:
    """Names in the current directory, for a hint; not all of a very large one."""
    names: list[str] = []
    try:
        with os.scandir() as found:
            for entry in found:
                names.append(entry.name)
                if len(names) == 1_000:
                    break
    except OSError:
        pass
    return sorted(names)
