"""Copying, and its way out. A text is copied by OSC 52, which a terminal may ignore without a word; so what was copied
is told, kept, and can be saved to a file.
"""

from __future__ import annotations

import itertools
from pathlib import Path

from chargru.tui.formatting import one_line, plural

# Several terminals, and tmux, take at most 100,000 characters of base64, which are these many bytes.
OSC52_BYTES = 74_994


def clean(text: str) -> str:
    """`text` without lone surrogates, which have no UTF-8; everything else stays as it is."""
    return text.encode("utf-8", "replace").decode("utf-8")


def told(text: str, what: str) -> str:
    """What the user is told: the name of the thing, its size, and the way out. `what` may be data."""
    line = f"copied {one_line(what, 60)}, {plural(len(text), 'character')}"
    if len(text.encode("utf-8", "replace")) > OSC52_BYTES:
        return f"{line}: more than many terminals take; ctrl+s saves it to a file"
    return f"{line} (if it does not paste: ctrl+s saves it to a file)"


def save(text: str, directory: Path, name: str) -> Path:
    """Write `text` to a new file in `directory`: `name`, or the first free one of name-2, name-3, and so on.

    Raises:
        OSError: it could not be written.
    """
    wanted = directory / name
    for number in itertools.count(2):
        try:
            with wanted.open("x", encoding="utf-8", newline="") as file:
                file.write(clean(text))
        except FileExistsError:
            wanted = directory / f"{Path(name).stem}-{number}{Path(name).suffix}"
        else:
            break
    return wanted
