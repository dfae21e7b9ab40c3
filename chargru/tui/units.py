"""Text as cells: what a reader sees as one character, how wide it is, and where lines end.

A unit is a character with everything that belongs to it: its accents, a joined emoji, the letters of a Hangul syllable.
Widgets that paint text of models work on units, so that a column never drifts and nothing is cut in two.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from chargru.tui.formatting import shown

JOINER = "\u200d"
PLACEHOLDER = "◌"  # carries what has no width of its own and nothing before it to stand on
CLOSING = frozenset(".,:;!?…%)]}\"'»”’、。，．！？：；）］｝〉》」』】〕")  # begin no line


class Unit(NamedTuple):
    """One visible character: as it is painted, where it stands in the text (`start` to `end`), its width in cells."""

    text: str
    start: int
    end: int
    width: int


def units(text: str, offset: int = 0) -> list[Unit]:
    """The units of `text`, counted from `offset`; a newline is a unit of width 0, and nothing else is left raw."""
    if text.isascii() and text.isprintable():
        return [Unit(character, offset + i, offset + i + 1, 1) for i, character in enumerate(text)]
    found = []
    start = 0
    for i in range(1, len(text) + 1):
        if i == len(text) or not _belongs(text[i], text[start:i]):
            found.append(_unit(text[start:i], offset + start))
            start = i
    return found


def _unit(text: str, start: int) -> Unit:
    end = start + len(text)
    if text == "\n":
        return Unit(text, start, end, 0)
    painted = shown(text).rstrip(JOINER)  # a joiner at the end would join what is painted next
    if not cell_len(painted):
        painted = PLACEHOLDER + painted
    return Unit(painted, start, end, cell_len(painted))


def _belongs(character: str, before: str) -> bool:
    """Whether a character is part of the unit that stands before it."""
    last = before[-1]
    if last == "\n" or character.isascii():
        return False
    if last == JOINER or character == JOINER:
        return True
    point = ord(character)
    if 0x1160 <= point <= 0x11FF:  # medial and final letters of Hangul follow an initial, a medial or a syllable
        return 0x1100 <= ord(last) <= 0x11FF or 0xAC00 <= ord(last) <= 0xD7A3
    if 0x1F1E6 <= point <= 0x1F1FF:  # two of these make a flag
        return len(before) == 1 and 0x1F1E6 <= ord(last) <= 0x1F1FF
    if 0x1F3FB <= point <= 0x1F3FF or 0xFE00 <= point <= 0xFE0F:  # skin tones; text or emoji
        return True
    return unicodedata.category(character) in ("Mn", "Me", "Mc")


def wrap(found: Sequence[Unit], width: int, start: int = 0) -> list[tuple[int, int]]:
    """Lines of at most `width` cells as (first, after the last) unit, from unit `start` on; there is always one.

    Lines break at newlines, which end their line, behind blanks, which may hang over the edge, behind wide characters
    unless a full stop or the like follows, and else where they must.
    """
    width = max(width, 1)
    lines: list[tuple[int, int]] = []
    line, cells, behind = start, 0, None
    i = start
    while i < len(found):
        unit = found[i]
        if i > line and found[i - 1].width == 2 and unit.text not in CLOSING:
            behind = i
        full = cells + unit.width > width and i > line
        if unit.text == "\n" or (full and unit.text == " "):
            i += 1
            end = i
        elif full:
            end = behind if behind is not None else i
            i = end
        else:
            cells += unit.width
            i += 1
            if unit.text == " ":
                behind = i
            continue
        lines.append((line, end))
        line, cells, behind = end, 0, None
    lines.append((line, len(found)))
    return lines


def wrap_words(found: Sequence[Unit], width: int, room: int, *, fresh: bool) -> list[tuple[int, int]]:
    """Lines as Textual's TextArea breaks them: a word goes with the blanks behind it, and only one wider than a line
    is cut. So what is shown before it is taken stands where it will stand.

    `room` is what the first line has left; `fresh` says that a word begins there, which may go to the next line whole.
    """
    width = max(width, 1)
    lines: list[tuple[int, int]] = []
    line, left, i = 0, room, 0
    while i < len(found):
        end = i
        while end < len(found) and not found[end].text.isspace():
            end += 1
        while end < len(found) and found[end].text.isspace():
            end += 1
        cells = sum(unit.width for unit in found[i:end])
        if cells > left and (i > line or (i == 0 and fresh and room < width)):
            lines.append((line, i))
            line, left = i, width
        for k in range(i, end):
            if found[k].width > left and (k > line or (k == 0 and room < width)):
                lines.append((line, k))
                line, left = k, width
            left -= found[k].width
        i = end
    lines.append((line, len(found)))
    return lines
