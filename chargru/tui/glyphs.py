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
    closed: str  # a directory of a tree
    opened: str
    live: str  # states of a run: in training, finished, can go on, broken
    finished: str
    stopped: str
    broken: str
    series: str  # marks of the curves in one chart
    raw: str = "⠂"  # the training chart: unsmoothed values
    faster: str = "▲"  # where the learning rate was changed
    slower: str = "▼"
    resumed: str = "▸"  # where a run went on
    point: str = "●"  # where a crosshair meets a curve


UNICODE = Glyphs(
    "⠒⠒", "•", "◆", "✗", "┄", "●", "○", "▁▂▃▄▅▆▇█", "█", "░", "⏎", "▌", "▸", "▾", "●", "✓", "‖", "!", "●▲■◆✚○△□"
)
ASCII = Glyphs(
    *("##", "o", "*", "x", "-", "*", "o", "_.:-=+*#", "#", ".", "\\n", "|", ">", "v", "@", "+", "=", "!", "o^#*+x%&"),
    *(".", "^", "v", ">", "@"),
)


def terminal_encoding() -> str:
    """What the terminal takes: that of standard error, where Textual writes, before it puts something in its place."""
    return getattr(sys.__stderr__, "encoding", None) or "utf-8"


def plain_terminal() -> bool:
    """Whether the terminal probably has no braille: the Linux console, or an encoding that is not UTF-8."""
    encoding = terminal_encoding().lower().replace("-", "")
    return os.environ.get("TERM") in ("linux", "dumb") or not encoding.startswith("utf")


def glyphs(plain: bool) -> Glyphs:
    """The alphabet for a plain terminal, or for any other."""
    return ASCII if plain else UNICODE
