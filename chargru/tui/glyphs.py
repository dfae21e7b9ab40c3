"""What the app draws with: Unicode where the terminal has it, plain ASCII where it has not.

Ask `app.plain` which one; texts of users are never changed by this, only what the app itself draws.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Glyphs:
    """One alphabet of marks."""

    train: str  # the legend's sign for a line
    validation: str
    best: str
    recovered: str
    landmark: str
    on: str  # a chosen one of several
    off: str
    ramp: str  # eight rising levels, for sparklines
    bar: str  # a filled and an empty cell of a bar
    blank: str
    newline: str  # stands for a line break on one line
    cursor: str


UNICODE = Glyphs("⠒⠒", "•", "◆", "✗", "┄", "●", "○", "▁▂▃▄▅▆▇█", "█", "░", "⏎", "▌")
ASCII = Glyphs("..", "o", "*", "x", "-", "*", "o", "_.:-=+*#", "#", ".", "\\n", "|")


def plain_terminal() -> bool:
    """Whether the terminal probably has no braille: the Linux console, or an encoding that is not UTF-8."""
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "")
    return os.environ.get("TERM") == "linux" or not encoding.startswith("utf")


def glyphs(plain: bool) -> Glyphs:
    """The alphabet for a plain terminal, or for any other."""
    return ASCII if plain else UNICODE
