"""The characters of a text in a few lines: the commonest with bars, the rarest with their counts. Pure functions."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from chargru.tui.formatting import pad, plural, shown, whole
from chargru.tui.glyphs import Glyphs

_DIM = "$foreground 62%"
_CHARACTER = 6  # cells of a character's column: U+200D needs them all

Counts = Sequence[tuple[str, int]]


def visible(character: str, marks: Glyphs) -> str:
    """One character as it can be seen alone: blanks and what has no width of its own by a sign or a number."""
    if character == " ":
        return "'_'" if marks.newline.isascii() else "␣"
    if character == "\n":
        return marks.newline
    if character == "\t":
        return "\\t" if marks.newline.isascii() else "⇥"
    if unicodedata.combining(character) or not cell_len(character) or character.isspace():
        return f"U+{ord(character):04X}"
    return shown(character, newlines=False)


def short(commonest: Counts, rarest: Counts, cells: int, marks: Glyphs) -> list[Content]:
    """Two lines, as far as they have room: the commonest characters with small bars, the rarest with their counts."""
    if not commonest:
        return []
    top = max(n for _, n in commonest)
    levels = len(marks.ramp) - 1
    common = [f"{visible(character, marks)}{marks.ramp[round(levels * n / top)]}" for character, n in commonest]
    rare = [f"{visible(character, marks)} {_times(n, marks)}" for character, n in rarest]
    return [
        Content.assemble((head, _DIM), _fitting(parts, cells - cell_len(head)))
        for head, parts in (("common  ", common), ("rare    ", rare))
    ]


def table(commonest: Counts, rarest: Counts, single: int, read: int, cells: int, marks: Glyphs) -> list[Content]:
    """A line a character: the commonest with bars on the left, the rarest with their counts on the right."""
    if not commonest:
        return []
    room = max(min(cells - _CHARACTER - 42, 24), 4)
    left = _CHARACTER + room + 10
    once = f" ({plural(single, 'character')} only once)" if single else ""
    heading = f"rarest{once}"
    lines = [Content.styled(pad("commonest", left) + (heading if left + len(heading) <= cells else "rarest"), _DIM)]
    top = max(n for _, n in commonest)
    for row in range(max(len(commonest), len(rarest))):
        parts: list[tuple[str, str]] = []
        if row < len(commonest):
            character, n = commonest[row]
            filled = max(round(room * n / top), 1)
            parts += [
                (pad(visible(character, marks), _CHARACTER), "bold"),
                (marks.bar * filled, "$primary"),
                (" " * (room - filled + 1), ""),
                (_share(n, read).rjust(6) + "   ", _DIM),
            ]
        else:
            parts.append((" " * left, ""))
        if row < len(rarest):
            character, n = rarest[row]
            parts += [(pad(visible(character, marks), _CHARACTER), "bold"), (_times(n, marks), _DIM)]
        lines.append(Content.assemble(*parts))
    return lines


def _times(n: int, marks: Glyphs) -> str:
    return f"{'x' if marks.newline.isascii() else '×'}{whole(n)}"


def _share(n: int, read: int) -> str:
    share = 100 * n / max(read, 1)
    return f"{share:.1f}%" if share < 9.95 else f"{share:.0f}%"


def _fitting(parts: Sequence[str], cells: int) -> str:
    """As many of the parts as fit on the rest of a line."""
    line = ""
    for part in parts:
        longer = f"{line}  {part}" if line else part
        if cell_len(longer) > cells:
            break
        line = longer
    return line
