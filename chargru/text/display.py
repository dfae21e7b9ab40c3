"""Text that a terminal may be given: everything that could act on the screen becomes a visible symbol.

A model writes whatever it read, and a file name is whatever somebody chose: both may hold escape sequences, overrides
of the writing direction or lone surrogates. `safe_display` is the one place that disarms them, at every sink.
"""

from __future__ import annotations

import re

TAB = "    "
NEWLINE = "⏎"

# Directional marks, embeddings, overrides and isolates: they reorder what stands around them, even outside the text.
_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# Line and paragraph separators break a line that is meant to stay one.
_SEPARATORS = "\u2028\u2029"
# Deprecated shaping controls and interlinear annotation: invisible, and terminals disagree about them.
_FORMATS = "\u206a\u206b\u206c\u206d\u206e\u206f\ufff9\ufffa\ufffb"


def _symbols() -> dict[int, str]:
    """What each dangerous code point is shown as (the tab and the newline included)."""
    shown = {point: chr(0x2400 + point) for point in range(0x20)}  # control pictures: ␀ ... ␛ ... ␟
    shown[0x7F] = "␡"
    shown |= dict.fromkeys(range(0x80, 0xA0), "␦")
    shown |= {ord(character): "⇄" for character in _BIDI}
    shown |= {ord(character): NEWLINE for character in _SEPARATORS}
    shown |= {ord(character): "\ufffd" for character in _FORMATS}
    shown |= dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
    shown |= dict.fromkeys(range(0xFDD0, 0xFDF0), "\ufffd")
    for plane in range(17):
        shown |= dict.fromkeys((plane * 0x10000 + 0xFFFE, plane * 0x10000 + 0xFFFF), "\ufffd")
    shown[ord("\t")] = TAB
    shown[ord("\n")] = NEWLINE
    return shown


_SYMBOLS = _symbols()


def _pattern(points: list[int]) -> re.Pattern[str]:
    return re.compile("[" + "".join(re.escape(chr(point)) for point in points) + "]")


# By whether newlines are replaced too, and whether the text is ASCII: the short pattern is several times as fast.
_PATTERNS = {
    (newline, ascii): _pattern([point for point in _SYMBOLS if (newline or point != 10) and (not ascii or point < 128)])
    for newline in (False, True)
    for ascii in (False, True)
}


def safe_display(text: str, newlines: bool = True, *, ascii_symbols: bool = False) -> str:
    """`text` with nothing left in it that a terminal would obey.

    Control characters become control pictures (`␛`, `␀`, `␡`; C1 becomes `␦`), bidirectional controls `⇄`, lone
    surrogates, noncharacters and obsolete format controls U+FFFD, line and paragraph separators `⏎`. A tab becomes
    four spaces, because its width depends on the column and widgets count cells. Newlines stay, or become `⏎` when
    `newlines` is false, so that the result is one line. Joiners, variation selectors and combining marks stay: scripts
    and emoji need them. With `ascii_symbols` every symbol put in is `?`; the rest of the text stays as it is.

    The result can always be encoded as UTF-8. It is as fast as one regular expression where nothing has to change.
    """
    if text.isprintable() and text.isascii():
        return text
    pattern = _PATTERNS[not newlines, text.isascii()]
    return pattern.sub(_ascii_symbol if ascii_symbols else _symbol, text)


def _symbol(match: re.Match[str]) -> str:
    return _SYMBOLS[ord(match[0])]


def _ascii_symbol(match: re.Match[str]) -> str:
    return TAB if match[0] == "\t" else "?"
