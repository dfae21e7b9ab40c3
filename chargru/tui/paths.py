"""Paths as people give them: typed, pasted from a shell, dropped from a file manager; and how the next name goes on.

`meant` is plain text work. `complete` looks at a directory and belongs into a thread.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from chargru.tui.formatting import shown

LIMIT = 5_000  # names of one directory that are looked at for a completion
_ESCAPED = re.compile(r"\\[ \\'\"()\[\]&;$!*?<>|#`{}]")
_VARIABLE = re.compile(r"^\$(?:(\w+)|\{(\w+)\})")


@dataclass(frozen=True)
class Meant:
    """A path as the system wants it, and what was understood on the way, a few words each."""

    path: str
    notes: tuple[str, ...] = ()


def looks_like_path(text: str) -> bool:
    """Whether a pasted text is a path rather than something to be typed into any field."""
    start = text.strip()[:8]
    return start.startswith(("/", "~", "./", "../", "'", '"', "file:", "$", "\\\\")) or start[1:3] in (":\\", ":/")


def meant(text: str) -> Meant:
    """The path that somebody typed or pasted: quotes, escapes, `file://`, `~` and `$HOME` undone.

    Nothing is looked up on a disk, so a name with a blank in it stays one name unless it is quoted or escaped.
    """
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if not lines:
        return Meant("")
    path, notes = lines[0].strip(), list[str]()
    if len(lines) > 1:
        notes.append(f"only the first of {len(lines)} lines is read")
    if path[:1] in ("'", '"') or (os.sep == "/" and _ESCAPED.search(path)):
        path = _unquoted(path, notes)
    if path[:7].lower() == "file://":
        path = _from_url(path)
        notes.append("a file:// address")
    if found := _VARIABLE.match(path):
        name = found[1] or found[2]
        if value := os.environ.get(name):
            path = value + path[found.end() :]
            notes.append(f"${name} is {value}")
    home = os.path.expanduser(path)  # noqa: PTH111 - Path's own raises for an unknown user
    if home != path:
        path = home
        notes.append("~ is the home directory")
    return Meant(path, tuple(notes))


def _unquoted(path: str, notes: list[str]) -> str:
    """As a shell would read it; as it stands where a shell would not read it at all."""
    try:
        words = shlex.split(path)
    except ValueError:
        quote = path[0]
        return path.removeprefix(quote) if quote in "'\"" else path
    if not words:
        return ""
    if len(words) > 1:
        notes.append(f"only the first of {len(words)} paths is read")
    elif words[0] != path:
        notes.append("quotes and escapes are taken off")
    return words[0]


def _from_url(url: str) -> str:
    try:
        path = unquote(urlsplit(url).path)
    except ValueError:
        path = unquote(url[7:])
    return path[1:] if os.name == "nt" and path[2:3] == ":" else path


def complete(typed: str) -> str | None:
    """`typed` with the name of a file or directory completed, or None; a directory gets its slash.

    Names that could not be shown as they are, are left out. Looks at one directory, and at `LIMIT` names of it at most.
    """
    if typed[:1] in ("", "'", '"') or typed.startswith("file:"):
        return None
    head, slash, begin = typed.rpartition("/")
    folder = meant(head + slash).path if slash else "."
    best: str | None = None
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number >= LIMIT:
                    break
                name = entry.name
                if not name.startswith(begin) or (name.startswith(".") and not begin.startswith(".")):
                    continue
                if (best is None or name < best) and shown(name, newlines=False) == name:
                    best = name
    except (OSError, ValueError):
        return None
    if best is None or not begin:
        return None
    whole = head + slash + best
    try:
        return whole + "/" if (Path(folder) / best).is_dir() else whole
    except OSError:
        return whole


def absolute(spec: str) -> str:
    """The path as one that means the same from every directory, without looking at a disk."""
    home = os.path.expanduser(spec) if spec.startswith("~/") else spec  # noqa: PTH111 - as the reader does it
    return os.path.abspath(home)  # noqa: PTH100 - Path.absolute keeps `..`


def abbreviated(path: str) -> str:
    """A path as people write it: the home directory as `~`."""
    home = os.path.expanduser("~")  # noqa: PTH111
    return "~" + path[len(home) :] if home != "/" and path.startswith(home.rstrip("/") + "/") else path
