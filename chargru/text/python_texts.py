"""Two texts that every Python brings along: its reference in English prose, and the source of its standard library.

Both are deterministic for one version of Python.
"""

from __future__ import annotations

import importlib
import os
import platform
import re
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

from chargru.errors import TextError
from chargru.text.decoding import decode, plural
from chargru.text.reader import Document, Part, read_file

# Enough for a model of this size; the whole library would be twice as much.
STDLIB_CHARACTERS = 5_000_000
# Tests, tables of character sets, generated data and what is installed besides.
_LEFT_OUT = frozenset(
    {
        "site-packages",
        "dist-packages",
        "test",
        "tests",
        "idle_test",
        "encodings",
        "pydoc_data",
        "__pycache__",
        "_bundled",
    }
)
_UNDERLINE = re.compile(r"^[*=\-~^\"]{3,}\n", re.MULTILINE)
_PARAGRAPHS = re.compile(r"\n\s*\n")
# Shorter paragraphs ("For example:") repeat naturally.
_REPEATED = 80


def python_reference(limit: int | None = None) -> Part:
    """The help topics of this Python, in alphabetical order, as one text.

    Topics contain one another: a paragraph is taken the first time only, so that the held-out tail of the text is not
    something that the model was trained on. Underlines of headings are left out.

    Raises:
        TextError: this Python was installed without them.
    """
    try:
        topics: dict[str, str] = importlib.import_module("pydoc_data.topics").topics
    except (ImportError, AttributeError) as error:
        raise TextError("this Python has no help topics (pydoc_data)", "choose another text") from error
    seen: set[str] = set()
    kept: list[str] = []
    for name in sorted(topics):
        for paragraph in _PARAGRAPHS.split(_UNDERLINE.sub("", topics[name]).strip()):
            if len(paragraph) >= _REPEATED and paragraph in seen:
                continue
            seen.add(paragraph)
            kept.append(paragraph.strip("\n"))
    text = "\n\n".join(kept) + "\n"
    return _part("python-reference", text, (f"from the help topics of Python {platform.python_version()}",), limit)


def python_stdlib(limit: int | None = None) -> Part:
    """The source of this Python's standard library, files in alphabetical order, up to five million characters.

    Raises:
        TextError: the source is not there (a frozen or zipped Python).
    """
    root = Path(sysconfig.get_path("stdlib"))
    room = STDLIB_CHARACTERS if limit is None else min(limit, STDLIB_CHARACTERS)
    texts: list[str] = []
    skipped = 0
    total = 0
    for path in _sources(root):
        try:
            data, _ = read_file(str(path), path.name, None)
            text = decode(data, path.name, "utf-8").text
        except (OSError, TextError):  # a few files are meant to be in other encodings
            skipped += 1
            continue
        if texts and total + len(text) > room:
            break
        if text:
            texts.append(text)
            total += len(text) + 1
    if not texts:
        raise TextError("the source of this Python's standard library is not installed", "choose another text")
    notes = [f"{plural(len(texts), 'file')} of the standard library of Python {platform.python_version()}"]
    if skipped:
        notes.append(f"skipped: {plural(skipped, 'file')} that could not be read as UTF-8")
    document = Document("\n".join(texts), "python-stdlib", "python-stdlib", "utf-8", tuple(notes))
    return Part(document, limit is None or limit >= STDLIB_CHARACTERS, len(document.text), None)


READERS: dict[str, Callable[[int | None], Part]] = {
    "python-reference": python_reference,
    "python-stdlib": python_stdlib,
}


def _part(name: str, text: str, notes: tuple[str, ...], limit: int | None) -> Part:
    size = len(text)
    text = text if limit is None else text[:limit]
    return Part(Document(text, name, name, "utf-8", notes), len(text) == size, len(text), size)


def _sources(root: Path) -> Iterator[Path]:
    for directory, below, files in os.walk(root):
        below[:] = sorted(name for name in below if name not in _LEFT_OUT and not name.startswith((".", "config-")))
        yield from (Path(directory, name) for name in sorted(files) if name.endswith(".py"))
